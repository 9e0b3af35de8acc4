// Makes one activation of a product with x's own gate: x * sigmoid(a x) is Swish, x * hard_sigmoid(x) HardSwish, x * tanh(softplus(x)) Mish.
#include "optimize/algebra.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

namespace {

using ir::Attributes;
using ir::Graph;
using ir::Node;
using ir::ValueId;

struct Gated {
  const char* op = nullptr;
  Attributes attributes;
  double number = 1;  // of the product
  std::vector<ir::NodeId> nodes;
};

// The activation that x * `gate` is.
Gated gated(const Graph& graph, ValueId gate, ValueId x) {
  Gated result;
  const Node* node = producer(graph, gate);
  if (node == nullptr) return result;
  // Attributes are float32, which is not enough for most numbers of a float64 model.
  const bool is_double = graph.value(x).fact.dtype == ir::DType::kFloat64;
  const auto is_float = [](double number) { return static_cast<double>(static_cast<float>(number)) == number; };
  result.nodes.push_back(node->id);
  if (is(*node, "Sigmoid")) {
    if (node->inputs[0] == x) {
      result.op = "Swish";
      return result;
    }
    if (!read_once(graph, node->inputs[0])) return result;
    const Product p = product(graph, node->inputs[0]);
    if (p.factors.size() != 1 || p.factors[0] != x || (is_double && !is_float(p.number))) return result;
    result.nodes.insert(result.nodes.end(), p.nodes.begin(), p.nodes.end());
    result.op = "Swish";
    result.attributes.set("alpha", static_cast<float>(p.number));
  } else if (is(*node, "HardSigmoid")) {
    const ir::DType type = graph.value(x).fact.dtype;
    if (is_double || node->inputs[0] != x || !stands_for(node->attributes.get_float("alpha", 0.2f), 1.0 / 6, type) ||
        !stands_for(node->attributes.get_float("beta", 0.5f), 0.5, type))
      return result;
    result.op = "HardSwish";
  } else if (is(*node, "Clip")) {
    const auto low = number(graph, input(*node, 1)), high = number(graph, input(*node, 2));
    if (!low || !high || *low != 0 || *high != 6 || !read_once(graph, node->inputs[0])) return result;
    const Sum shifted = sum(graph, node->inputs[0]);
    if (shifted.number != 3 || shifted.terms.size() != 1 || shifted.terms[0] != x) return result;
    result.nodes.insert(result.nodes.end(), shifted.nodes.begin(), shifted.nodes.end());
    result.op = "HardSwish";
    result.number = 1.0 / 6;
  } else if (is(*node, "Tanh")) {
    const Node* softplus = made_by(graph, node->inputs[0], "Softplus");
    if (softplus == nullptr || softplus->inputs[0] != x || !read_once(graph, node->inputs[0])) return result;
    result.nodes.push_back(softplus->id);
    result.op = "Mish";
  }
  return result;
}

}  // namespace

MatchResult match_fuse_gate(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& root = graph.node(id);
  if (!is(root, "Mul") && !is(root, "Div")) return MatchResult::none("no product");
  const Product whole = product(graph, root.outputs[0]);
  if (whole.factors.size() != 2) return MatchResult::none("not a product of two");
  for (size_t k = 0; k < 2; ++k) {
    const ValueId x = whole.factors[k], gate = whole.factors[1 - k];
    if (!read_once(graph, gate) || !same_type_and_rank(graph.value(x).fact, graph.value(root.outputs[0]).fact))
      continue;
    Gated found = gated(graph, gate, x);
    if (found.op == nullptr || !stands_for(whole.number, found.number, graph.value(x).fact.dtype)) continue;
    ir::Patch patch(graph, "fuse an activation");
    patch.replace(root.outputs[0], patch.emit(context.table.find("", found.op), {x}, found.attributes));
    for (const auto* nodes : std::initializer_list<const std::vector<ir::NodeId>*>{&whole.nodes, &found.nodes})
      for (const ir::NodeId node : *nodes) patch.remove(node);
    return patch;
  }
  return MatchResult::none("no gate");
}

}  // namespace onnxrun::optimize
