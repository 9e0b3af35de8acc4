// Makes one LayerNormalization of (x - mean) / sqrt(variance + epsilon), and one RMSNormalization of x / sqrt(mean of squares + epsilon);
// fuse-normalization-scale then takes in what follows.
#include "optimize/algebra.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

// The mean over the last axis, kept.
const Node* row_mean(const Graph& graph, ValueId value) {
  const Node* node = made_by(graph, value, "ReduceMean");
  if (node == nullptr || node->attributes.get_int("keepdims", 1) == 0) return nullptr;
  const auto axes = integers(graph, input(*node, 1));
  const int64_t rank = graph.value(node->inputs[0]).fact.rank();
  if (!axes || axes->size() != 1 || rank < 1 || ((*axes)[0] != -1 && (*axes)[0] != rank - 1)) return nullptr;
  return node;
}

// The square root of the mean of squares of `x` and of epsilon.
struct Deviation {
  double epsilon = 0;
  std::vector<ir::NodeId> nodes;
  bool found = false;
};

Deviation deviation_of(const Graph& graph, ValueId root_of, ValueId x) {
  Deviation result;
  const Node* root = made_by(graph, root_of, "Sqrt");
  if (root == nullptr || !read_once(graph, root_of) || !read_once(graph, root->inputs[0])) return result;
  const Sum variance = sum(graph, root->inputs[0]);
  if (variance.terms.size() != 1 || !(variance.number >= 0) || !read_once(graph, variance.terms[0])) return result;
  const Node* mean = row_mean(graph, variance.terms[0]);
  if (mean == nullptr || !read_once(graph, mean->inputs[0])) return result;
  const Product square = product(graph, mean->inputs[0]);
  if (square.number != 1 || square.factors.size() != 2 || square.factors[0] != x || square.factors[1] != x)
    return result;
  result.epsilon = variance.number;
  result.nodes = {root->id, mean->id};
  result.nodes.insert(result.nodes.end(), variance.nodes.begin(), variance.nodes.end());
  result.nodes.insert(result.nodes.end(), square.nodes.begin(), square.nodes.end());
  result.found = true;
  return result;
}

struct Quotient {
  ValueId numerator = ir::kNone, root = ir::kNone;
  std::vector<ir::NodeId> nodes;
};

// x / s, or x * (1 / s).
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

}  // namespace

MatchResult match_fuse_layer_normalization(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& root = graph.node(id);
  for (const Quotient& quotient : quotients(graph, root)) {
    const ir::Fact& fact = graph.value(quotient.numerator).fact;
    if (fact.dtype != ir::DType::kFloat32 || !fact.shape || fact.shape->empty() || !fact.shape->back().is_constant())
      continue;
    const Deviation deviation = deviation_of(graph, quotient.root, quotient.numerator);
    if (!deviation.found) continue;
    ValueId x = quotient.numerator;
    const char* op = "RMSNormalization";
    std::vector<ir::NodeId> nodes = quotient.nodes;
    nodes.insert(nodes.end(), deviation.nodes.begin(), deviation.nodes.end());
    // Centred rows: read by the quotient, and by the square once or twice.
    const Node* centred = made_by(graph, x, "Sub");
    const Node* mean = centred != nullptr ? row_mean(graph, centred->inputs[1]) : nullptr;
    if (mean != nullptr && mean->inputs[0] == centred->inputs[0]) {
      x = centred->inputs[0];
      op = "LayerNormalization";
    }
    ir::Patch patch(graph, "fuse normalization");
    const ValueId scale = patch.constant(filled(fact.shape->back().value(), 1.0f), "scale");
    patch.replace(root.outputs[0],
                  patch.emit(context.table.find("", op), {x, scale},
                             {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(deviation.epsilon)}}));
    for (const ir::NodeId node : nodes) patch.remove(node);
    return patch;
  }
  return MatchResult::none("no row divided by its deviation");
}

}  // namespace onnxrun::optimize
