// The ordered list of all passes.
#pragma once

#include <span>

#include "optimize/pass.h"

namespace onnxrun::optimize {

// In the order in which the driver runs them; a round goes through the list once.
std::span<const Pass> pipeline();

// The passes, one file each in passes/.
MatchResult match_eliminate_dead(const PassContext& context, ir::NodeId node);
MatchResult match_eliminate_identity(const PassContext& context, ir::NodeId node);
MatchResult match_drop_relu(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_quantized(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_dequantized_product(const PassContext& context, ir::NodeId node);
MatchResult match_fuse_integer_product(const PassContext& context, ir::NodeId node);
MatchResult match_fold_constants(const PassContext& context, ir::NodeId node);

}  // namespace onnxrun::optimize
