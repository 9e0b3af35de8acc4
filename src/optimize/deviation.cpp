// Reading spelt-out normalizations.
#include "optimize/deviation.h"

#include <algorithm>

#include "optimize/algebra.h"

namespace onnxrun::optimize {

using ir::Graph;
using ir::Node;
using ir::ValueId;

const Node* kept_mean(const Graph& graph, ValueId value, std::vector<int64_t>& axes) {
  if (const Node* pool = made_by(graph, value, "GlobalAveragePool")) {
    const int64_t rank = graph.value(value).fact.rank();
    axes.clear();
    for (int64_t axis = 2; axis < rank; ++axis) axes.push_back(axis);
    return axes.empty() ? nullptr : pool;
  }
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

namespace {

// The mean of squares of result.of over result.axes.
bool read_mean_of_squares(const Graph& graph, ValueId value, Deviation& result) {
  const Node* mean = read_once(graph, value) ? kept_mean(graph, value, result.axes) : nullptr;
  if (mean == nullptr || !read_once(graph, mean->inputs[0])) return false;
  const Product square = product(graph, mean->inputs[0]);
  if (square.number != 1 || square.factors.size() != 2 || square.factors[0] != square.factors[1]) return false;
  result.nodes.push_back(mean->id);
  result.nodes.insert(result.nodes.end(), square.nodes.begin(), square.nodes.end());
  result.of = square.factors[0];
  return true;
}

// The mean of squares less the square of the mean, which rounding alone may make negative.
bool read_difference(const Graph& graph, ValueId value, Deviation& result) {
  const Node* limit = made_by(graph, value, "Max");
  if (limit == nullptr) limit = made_by(graph, value, "Relu");
  if (limit != nullptr) {
    const size_t k = is(*limit, "Max") && number(graph, limit->inputs[0]) == 0.0 ? 1 : 0;
    if (is(*limit, "Max") && (limit->inputs.size() != 2 || number(graph, limit->inputs[1 - k]) != 0.0)) return false;
    result.nodes.push_back(limit->id);
    value = limit->inputs[k];
  }
  const Node* difference = read_once(graph, value) ? made_by(graph, value, "Sub") : nullptr;
  if (difference == nullptr || !read_once(graph, difference->inputs[1]) ||
      !read_mean_of_squares(graph, difference->inputs[0], result))
    return false;
  const Product square = product(graph, difference->inputs[1]);
  std::vector<int64_t> axes;
  if (square.number != 1 || square.factors.size() != 2 || square.factors[0] != square.factors[1]) return false;
  const Node* mean = kept_mean(graph, square.factors[0], axes);
  if (mean == nullptr || mean->inputs[0] != result.of || axes != result.axes) return false;
  result.nodes.push_back(difference->id);
  result.nodes.insert(result.nodes.end(), square.nodes.begin(), square.nodes.end());
  result.centres = true;
  return true;
}

}  // namespace

Deviation deviation(const Graph& graph, ValueId root_of) {
  Deviation result;
  const Node* root = made_by(graph, root_of, "Sqrt");
  if (root == nullptr || !read_once(graph, root_of) || !read_once(graph, root->inputs[0])) return result;
  const Sum variance = sum(graph, root->inputs[0]);
  if (variance.terms.size() != 1 || !(variance.number >= 0) || !read_once(graph, variance.terms[0])) return result;
  if (!read_mean_of_squares(graph, variance.terms[0], result)) {
    result = {};
    if (!read_difference(graph, variance.terms[0], result)) return {};
  }
  result.epsilon = variance.number;
  result.nodes.push_back(root->id);
  result.nodes.insert(result.nodes.end(), variance.nodes.begin(), variance.nodes.end());
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
