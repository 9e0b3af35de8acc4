// What a node becomes where the channels of its values are blocked (src/ops/onnxrun/blocked.cpp).
#pragma once

#include <optional>
#include <vector>

#include "optimize/pass.h"

namespace onnxrun::optimize {

struct BlockedOperand {
  ir::ValueId value = ir::kNone;  // kNone with no constant: absent
  bool blocked = false;           // the value is wanted with its channels in blocks, else plain
  base::Tensor constant;          // wanted in place of the value
  bool stored = false;            // the value is wanted in its own type, else float16 and bfloat16 as float32
};

// One node with one output, whose channels are blocked.
struct BlockedForm {
  const ir::OpDef* op = nullptr;
  std::vector<BlockedOperand> operands;
  ir::Attributes attributes;
};

// What `node` becomes with blocks of `block` channels; nullopt where it has no such form. With `plain_input` a Conv takes its input plain.
std::optional<BlockedForm> blocked_form(const PassContext& context, const ir::Node& node, int64_t block,
                                        bool plain_input = false);

// Conv and QLinearConv, around which regions grow.
bool convolves(const ir::Node& node);

// Whether a value has a rank of 3 to 5, a constant number of channels and elements that are kept in blocks: float32, float16 and bfloat16, which blocks
// keep as float32, and 8-bit integers, which they keep unsigned (int8 with 128 added).
bool has_channels(const ir::Graph& graph, ir::ValueId id);
ir::DType blocked_type(ir::DType plain);

// The shape of a value of shape `plain`, whose channels must be constant, in blocks.
ir::Shape blocked_shape(const ir::Shape& plain, int64_t block);

// What the lanes beyond the last channel hold. In the end nobody reads them, but nothing in them may grow to infinity: convolutions multiply
// them with zeros.
enum class Lanes { kZero, kUnit };  // kUnit: between 0 and 1

// Of the form's output, where those of its blocked operands are zero or (`unit`) some are between 0 and 1; nullopt: neither.
std::optional<Lanes> lanes_after(const ir::Graph& graph, const ir::Node& node, const BlockedForm& form, bool unit);

// Whether some provider of the session runs the form on what `node` reads.
bool accepted(const PassContext& context, const ir::Node& node, const BlockedForm& form, int64_t block);
// Whether some provider moves values between the plain and the blocked form.
bool moves_blocks(const PassContext& context, int64_t block);

}  // namespace onnxrun::optimize
