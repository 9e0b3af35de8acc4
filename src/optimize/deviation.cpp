// Reading spelt-out normalizations.
#include "optimize/deviation.h"

#include <algorithm>

#include "optimize/algebra.h"

namespace onnxrun::optimize {

using ir::Graph;
using ir::Node;
using ir::ValueId;

const Node* kept_mean(const Graph& graph, ValueId value, std::vector<int64_t>& axes) {
  const Node* node = made_by(graph, value, "ReduceMean");
  if (node == nullptr || node->attributes.get_int("keepdims", 1) == 0) return nullptr;
  const auto given = integers(graph, input(*node, 1));
  const int64_t rank = graph.value(node->inputs[0]).fact.rank();
  if (!given || given->empty() || rank < 1) return nullptr;
  axes = *given;
  for (int64_t& axis : axes)
    if (axis < 0) axis += rank;
  std::ranges::sort(axes);
  return node;
}

Deviation deviation(const Graph& graph, ValueId root_of) {
  Deviation result;
  const Node* root = made_by(graph, root_of, "Sqrt");
  if (root == nullptr || !read_once(graph, root_of) || !read_once(graph, root->inputs[0])) return result;
  const Sum variance = sum(graph, root->inputs[0]);
  if (variance.terms.size() != 1 || !(variance.number >= 0) || !read_once(graph, variance.terms[0])) return result;
  const Node* mean = kept_mean(graph, variance.terms[0], result.axes);
  if (mean == nullptr || !read_once(graph, mean->inputs[0])) return result;
  const Product square = product(graph, mean->inputs[0]);
  if (square.number != 1 || square.factors.size() != 2 || square.factors[0] != square.factors[1]) return result;
  result.epsilon = variance.number;
  result.nodes = {root->id, mean->id};
  result.nodes.insert(result.nodes.end(), variance.nodes.begin(), variance.nodes.end());
  result.nodes.insert(result.nodes.end(), square.nodes.begin(), square.nodes.end());
  result.of = square.factors[0];
  return result;
}

std::vector<Quotient> quotients(const Graph& graph, const Node& node) {
  std::vector<Quotient> result;
  if (is(node, "Div")) result.push_back({node.inputs[0], node.inputs[1], {node.id}});
  if (is(node, "Mul"))
    for (size_t k = 0; k < 2; ++k) {
      const Node* reciprocal = made_by(graph, node.inputs[k], "Reciprocal");
      if (reciprocal == nullptr) reciprocal = made_by(graph, node.inputs[k], "Div");
      if (reciprocal == nullptr || !read_once(graph, node.inputs[k])) continue;
      if (is(*reciprocal, "Div") && number(graph, reciprocal->inputs[0]) != 1.0) continue;
      result.push_back({node.inputs[1 - k], reciprocal->inputs.back(), {node.id, reciprocal->id}});
    }
  return result;
}

ValueId uncentred(const Graph& graph, ValueId centred, const std::vector<int64_t>& axes) {
  const Node* difference = made_by(graph, centred, "Sub");
  if (difference == nullptr) return ir::kNone;
  std::vector<int64_t> own;
  const Node* mean = kept_mean(graph, difference->inputs[1], own);
  return mean != nullptr && mean->inputs[0] == difference->inputs[0] && own == axes ? difference->inputs[0] : ir::kNone;
}

}  // namespace onnxrun::optimize
