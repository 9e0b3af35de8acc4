// Leaves out the initial states of a recurrent operator that are all zero, which is what absent ones are.
#include <algorithm>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

constexpr int kMaxDepth = 8;

bool all_zero(const base::Tensor& tensor) {
  if (tensor.dtype() == base::DType::kString || tensor.count() == 0) return false;
  const auto* bytes = static_cast<const char*>(tensor.stored());
  return std::all_of(bytes, bytes + tensor.bytes(), [](char byte) { return byte == 0; });
}

// Whether every element is 0, whatever the shape.
bool is_zero(const ir::Graph& graph, ir::ValueId value, int depth = 0) {
  if (const base::Tensor* known = constant(graph, value)) return all_zero(*known);
  const ir::Node* node = producer(graph, value);
  if (node == nullptr || depth == kMaxDepth) return false;
  if (is(*node, "ConstantOfShape")) {
    const ir::AttributeValue* filled = node->attributes.find("value");
    const auto* tensor = filled != nullptr ? std::get_if<base::Tensor>(filled) : nullptr;
    return filled == nullptr || (tensor != nullptr && all_zero(*tensor));
  }
  static constexpr std::string_view kMoves[] = {"Expand",  "Identity", "Reshape",   "Slice",    "Split",
                                                "Squeeze", "Tile",     "Transpose", "Unsqueeze"};
  return *node->op->domain == '\0' && std::ranges::find(kMoves, std::string_view(node->op->name)) != std::end(kMoves) &&
         is_zero(graph, node->inputs[0], depth + 1);
}

}  // namespace

MatchResult match_drop_zero_states(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  const bool cells = is(node, "LSTM");
  if (!cells && !is(node, "GRU") && !is(node, "RNN")) return MatchResult::none("not recurrent");
  ir::Patch patch(graph, "leave out initial states of zeros");
  for (const size_t i : {5, 6})
    if ((i == 5 || cells) && input(node, i) != ir::kNone && is_zero(graph, node.inputs[i]))
      patch.set_input(id, i, ir::kNone);
  if (patch.empty()) return MatchResult::none("no state of zeros");
  return patch;
}

}  // namespace onnxrun::optimize
