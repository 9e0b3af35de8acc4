// Makes one Gelu of its formula: x * 0.5 * (1 + erf(x / sqrt 2)), or the approximation by tanh.
#include "optimize/algebra.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

// number * x for one x?
bool scales(const Graph& graph, ValueId value, double wanted, ValueId x, std::vector<ir::NodeId>& nodes) {
  const Product p = product(graph, value);
  nodes.insert(nodes.end(), p.nodes.begin(), p.nodes.end());
  return p.factors.size() == 1 && p.factors[0] == x && stands_for(p.number, wanted, graph.value(x).fact.dtype);
}

// sqrt(2 / pi) * (x + 0.044715 * x^3), or with x outside the bracket.
bool is_tanh_argument(const Graph& graph, ValueId value, ValueId x, std::vector<ir::NodeId>& nodes) {
  const ir::DType type = graph.value(x).fact.dtype;
  Product outer = product(graph, value);
  nodes.insert(nodes.end(), outer.nodes.begin(), outer.nodes.end());
  if (!stands_for(outer.number, 0.79788456080286535588, type)) return false;
  const bool outside = outer.factors.size() == 2 && take(outer.factors, x);
  if (outer.factors.size() != 1 || !read_once(graph, outer.factors[0])) return false;
  Sum inner = sum(graph, outer.factors[0]);
  nodes.insert(nodes.end(), inner.nodes.begin(), inner.nodes.end());
  if (outside ? !stands_for(inner.number, 1, type) : inner.number != 0 || !take(inner.terms, x)) return false;
  if (inner.terms.size() != 1 || !read_once(graph, inner.terms[0])) return false;
  Product power = product(graph, inner.terms[0]);
  nodes.insert(nodes.end(), power.nodes.begin(), power.nodes.end());
  if (!stands_for(power.number, 0.044715, type) || power.factors.size() != (outside ? 2u : 3u)) return false;
  for (const ValueId factor : power.factors)
    if (factor != x) return false;
  return true;
}

}  // namespace

MatchResult match_fuse_gelu(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& root = graph.node(id);
  if (!is(root, "Mul") && !is(root, "Div")) return MatchResult::none("no product");
  const ir::DType type = graph.value(root.outputs[0]).fact.dtype;
  Product whole = product(graph, root.outputs[0]);
  if (whole.factors.size() != 2 || !stands_for(whole.number, 0.5, type))
    return MatchResult::none("not half of a product of two");
  for (size_t k = 0; k < 2; ++k) {
    const ValueId x = whole.factors[k], bracket = whole.factors[1 - k];
    if (!read_once(graph, bracket) || !same_type_and_rank(graph.value(x).fact, graph.value(root.outputs[0]).fact))
      continue;
    std::vector<ir::NodeId> nodes = whole.nodes;
    const Sum one_plus = sum(graph, bracket);
    nodes.insert(nodes.end(), one_plus.nodes.begin(), one_plus.nodes.end());
    if (!stands_for(one_plus.number, 1, type) || one_plus.terms.size() != 1 || !read_once(graph, one_plus.terms[0]))
      continue;
    const Node* function = producer(graph, one_plus.terms[0]);
    if (function == nullptr) continue;
    nodes.push_back(function->id);
    const bool exact = is(*function, "Erf");
    if (!exact && !is(*function, "Tanh")) continue;
    const ValueId argument = function->inputs[0];
    if (!read_once(graph, argument)) continue;
    if (exact ? !scales(graph, argument, 0.7071067812, x, nodes) : !is_tanh_argument(graph, argument, x, nodes))
      continue;
    ir::Patch patch(graph, "fuse Gelu");
    patch.replace(root.outputs[0], patch.emit(context.table.find("", "Gelu"), {x},
                                              {{"approximate", std::string(exact ? "none" : "tanh")}}));
    for (const ir::NodeId node : nodes) patch.remove(node);
    return patch;
  }
  return MatchResult::none("not the formula");
}

}  // namespace onnxrun::optimize
