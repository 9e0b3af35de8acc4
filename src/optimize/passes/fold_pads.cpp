// Takes a Pad of the spatial axes into the pads of the Conv, AveragePool or MaxPool that reads it.
#include <algorithm>
#include <cmath>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Node;
using ir::ValueId;

// Pads of all axes, begins and then ends; nullopt where they are not known.
std::optional<std::vector<int64_t>> pads_of(const ir::Graph& graph, const Node& pad, int64_t rank) {
  const auto given = integers(graph, input(pad, 1));
  if (!given) return std::nullopt;
  if (input(pad, 3) == ir::kNone) return static_cast<int64_t>(given->size()) == 2 * rank ? given : std::nullopt;
  const auto axes = integers(graph, pad.inputs[3]);
  if (!axes || given->size() != 2 * axes->size()) return std::nullopt;
  std::vector<int64_t> all(static_cast<size_t>(2 * rank));
  for (size_t i = 0; i < axes->size(); ++i) {
    const int64_t axis = (*axes)[i] < 0 ? (*axes)[i] + rank : (*axes)[i];
    if (axis < 0 || axis >= rank) return std::nullopt;
    all[static_cast<size_t>(axis)] = (*given)[i];
    all[static_cast<size_t>(axis + rank)] = (*given)[i + axes->size()];
  }
  return all;
}

}  // namespace

MatchResult match_fold_pads(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const Node& node = graph.node(id);
  const bool convolves = is(node, "Conv"), averages = is(node, "AveragePool");
  if (!convolves && !averages && !is(node, "MaxPool")) return MatchResult::none("nothing that has pads");
  if (node.outputs.size() > 1) return MatchResult::none("indices count from the padded input");
  const Node* pad = made_by(graph, node.inputs[0], "Pad");
  if (pad == nullptr || pad->attributes.get_string("mode", "constant") != "constant")
    return MatchResult::none("not of a Pad with one value");
  const int64_t rank = graph.value(node.inputs[0]).fact.rank();
  if (rank < 3) return MatchResult::none("no spatial axes");
  const auto value = input(*pad, 2) == ir::kNone ? std::optional<double>(0) : number(graph, pad->inputs[2]);
  if (!value) return MatchResult::none("a value that is not known");
  const bool fits = convolves || averages ? *value == 0 : std::isinf(*value) && *value < 0;
  if (!fits) return MatchResult::none("a value that counts");
  const auto added = pads_of(graph, *pad, rank);
  if (!added) return MatchResult::none("pads that are not known");
  const std::string mode = node.attributes.get_string("auto_pad", "NOTSET");
  if (mode != "NOTSET" && mode != "VALID" && !mode.empty()) return MatchResult::none("its own pads depend on the size");
  const size_t spatial = static_cast<size_t>(rank - 2);
  std::vector<int64_t> pads = node.attributes.get_ints("pads");
  if (pads.empty() || mode == "VALID") pads.assign(2 * spatial, 0);
  if (pads.size() != 2 * spatial) return MatchResult::none("pads that do not fit");
  const auto all_zero = [](const std::vector<int64_t>& list) {
    return std::all_of(list.begin(), list.end(), [](int64_t v) { return v == 0; });
  };
  // Averages count what Pad adds, and by default not what they add themselves.
  const bool counts = node.attributes.get_int("count_include_pad", 0) != 0;
  if (averages && !counts && !all_zero(pads)) return MatchResult::none("some pads count and others do not");
  if (!convolves && node.attributes.get_int("ceil_mode", 0) != 0) return MatchResult::none("windows beyond the pads");
  const std::vector<int64_t> kernel = node.attributes.get_ints("kernel_shape");
  for (size_t side = 0; side < 2; ++side)
    for (size_t d = 0; d < static_cast<size_t>(rank); ++d) {
      const int64_t more = (*added)[side * static_cast<size_t>(rank) + d];
      if (more < 0 || (d < 2 && more != 0)) return MatchResult::none("it pads other axes, or crops");
      if (d < 2) continue;
      int64_t& total = pads[side * spatial + d - 2];
      if (more > INT32_MAX || total > INT32_MAX) return MatchResult::none("pads that large");
      total += more;
      // A window must not lie in pads alone.
      if (!convolves && (kernel.size() != spatial || total >= kernel[d - 2]))
        return MatchResult::none("wider than a window");
    }
  ir::Patch patch(graph, "take a Pad into pads");
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = pad->inputs[0];
  ir::Attributes attributes = node.attributes;
  attributes.erase("auto_pad");
  attributes.set("pads", std::move(pads));
  if (averages) attributes.set("count_include_pad", int64_t{1});
  patch.replace(node.outputs[0], patch.emit(node.op, std::move(inputs), std::move(attributes), node.name));
  patch.remove(id);
  if (read_once(graph, pad->outputs[0])) patch.remove(pad->id);
  return patch;
}

}  // namespace onnxrun::optimize
