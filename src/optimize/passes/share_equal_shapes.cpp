// Lets readers of shape arithmetic read an earlier value whose elements are the same expressions: the shapes of every layer of a model.
#include <string>
#include <unordered_map>

#include "optimize/pipeline.h"

namespace onnxrun::optimize {
namespace {

// Type, rank and elements of an integer value all of whose elements are known as numbers or expressions, not all as numbers; else "".
std::string key_of(const ir::Fact& fact) {
  if (!fact.is_tensor() || !fact.elements || fact.constant || !fact.shape) return {};
  std::string key = std::to_string(static_cast<int>(fact.dtype)) + (fact.shape->empty() ? "s" : "v");
  for (const ir::Dim& element : *fact.elements) {
    if (element.is_unknown()) return {};
    key += element.to_string() + ",";
  }
  return key;
}

}  // namespace

MatchResult match_share_equal_shapes(const PassContext& context) {
  const ir::Graph& graph = context.graph;
  ir::Patch patch(graph, "share equal shapes");
  std::unordered_map<std::string, ir::ValueId> earlier;
  for (const ir::NodeId id : graph.topological_order())
    for (const ir::ValueId output : graph.node(id).outputs) {
      if (output == ir::kNone || (graph.value(output).consumers.empty() && !graph.is_output(output))) continue;
      std::string key = key_of(graph.value(output).fact);
      if (key.empty()) continue;
      const auto [place, is_new] = earlier.emplace(std::move(key), output);
      if (!is_new && !graph.is_output(output)) patch.replace(output, place->second);
    }
  if (patch.empty()) return MatchResult::none("no two shapes are equal");
  return patch;
}

}  // namespace onnxrun::optimize
