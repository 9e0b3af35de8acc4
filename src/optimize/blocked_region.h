// Which connected nodes of a graph to run on blocked channels, so that the fewest bytes are moved between the two forms.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "optimize/blocked_form.h"

namespace onnxrun::optimize {

struct BlockedRegion {
  int64_t block = 0;
  std::vector<ir::NodeId> nodes;                      // in the order they run
  std::unordered_map<ir::NodeId, BlockedForm> forms;  // of those nodes

  bool has(ir::NodeId node) const { return forms.contains(node); }
};

// The region around `seed`, which convolves. Empty where the plain form is as good, where no provider takes the blocked one, or where `seed` is
// not the first such node of those that could be blocked together.
BlockedRegion find_blocked_region(const PassContext& context, ir::NodeId seed);

}  // namespace onnxrun::optimize
