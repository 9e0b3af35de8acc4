// Lets readers of a node read an earlier one that computes the same.
#include <algorithm>
#include <cstring>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using ir::Graph;
using ir::Node;

bool same_tensor(const base::Tensor& a, const base::Tensor& b) { return a.dims() == b.dims() && same_elements(a, b); }

bool same_value(const ir::AttributeValue& a, const ir::AttributeValue& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&]<class T>(const T& left) {
        const T& right = std::get<T>(b);
        if constexpr (std::is_same_v<T, base::Tensor>) return same_tensor(left, right);
        else if constexpr (std::is_same_v<T, std::vector<base::Tensor>>)
          return std::ranges::equal(left, right, same_tensor);
        else if constexpr (std::is_same_v<T, ir::Fact>) return left.to_string() == right.to_string();
        else if constexpr (std::is_same_v<T, float>) return std::memcmp(&left, &right, sizeof left) == 0;
        else if constexpr (std::is_same_v<T, std::vector<float>>)
          return left.size() == right.size() &&
                 std::memcmp(left.data(), right.data(), left.size() * sizeof(float)) == 0;
        else return left == right;
      },
      a);
}

bool same_attributes(const ir::Attributes& a, const ir::Attributes& b) {
  if (a.list().size() != b.list().size()) return false;
  return std::ranges::all_of(a.list(), [&](const ir::Attribute& each) {
    const ir::AttributeValue* other = b.find(each.name);
    return other != nullptr && same_value(each.value, *other);
  });
}

// Inputs agree when they are one value, or small equal constants.
bool same_input(const Graph& graph, ir::ValueId a, ir::ValueId b) {
  constexpr int64_t kSmall = 64;
  if (a == b) return true;
  const base::Tensor *left = constant(graph, a), *right = constant(graph, b);
  return left != nullptr && right != nullptr && left->count() <= kSmall && same_tensor(*left, *right);
}

bool compute_the_same(const Graph& graph, const Node& a, const Node& b) {
  if (a.op != b.op || a.inputs.size() != b.inputs.size() || a.outputs.size() != b.outputs.size() || !b.bodies.empty())
    return false;
  for (size_t i = 0; i < a.inputs.size(); ++i)
    if (!same_input(graph, a.inputs[i], b.inputs[i])) return false;
  for (size_t i = 0; i < a.outputs.size(); ++i)
    if ((a.outputs[i] == ir::kNone) != (b.outputs[i] == ir::kNone)) return false;
  return same_attributes(a.attributes, b.attributes);
}

}  // namespace

MatchResult match_share_common_subexpressions(const PassContext& context, ir::NodeId id) {
  // A value that very many nodes read is not searched whole.
  constexpr size_t kMaxSiblings = 64;
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (node.op->flags & (ir::kRandom | ir::kStructural) || !node.bodies.empty())
    return MatchResult::none("random or structural");
  const auto computed = std::ranges::find_if(
      node.inputs, [&](ir::ValueId in) { return in != ir::kNone && constant(graph, in) == nullptr; });
  if (computed == node.inputs.end()) return MatchResult::none("nothing but constants");
  const std::vector<ir::NodeId>& siblings = graph.value(*computed).consumers;
  for (size_t i = 0; i < std::min(siblings.size(), kMaxSiblings); ++i) {
    // The one with the lower id stays, so that two never replace each other.
    if (siblings[i] >= id || !compute_the_same(graph, node, graph.node(siblings[i]))) continue;
    const Node& kept = graph.node(siblings[i]);
    const auto replaceable = [&](size_t k) {
      return node.outputs[k] == ir::kNone || ir::can_replace(graph, node.outputs[k], kept.outputs[k]);
    };
    bool possible = true;
    for (size_t k = 0; k < node.outputs.size(); ++k) possible = possible && replaceable(k);
    if (!possible) continue;
    ir::Patch patch(graph, "share what is computed twice");
    for (size_t k = 0; k < node.outputs.size(); ++k)
      if (node.outputs[k] != ir::kNone) patch.replace(node.outputs[k], kept.outputs[k]);
    patch.remove(id);
    return patch;
  }
  return MatchResult::none("nobody else computes it");
}

}  // namespace onnxrun::optimize
