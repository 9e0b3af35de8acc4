// Lets products read what a Transpose of matrices reads: Gemm by its attributes, MatMul as a FusedMatMul where a kernel takes it. A constant that folding may
// transpose is left to it.
#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Node;
using ir::ValueId;

// The Transpose that makes `value` by exchanging its last two axes, else null.
const Node* exchange(const ir::Graph& graph, ValueId value) {
  const Node* node = made_by(graph, value, "Transpose");
  const int64_t rank = graph.value(value).fact.rank();
  if (node == nullptr || rank < 2) return nullptr;
  const std::vector<int64_t> permutation = ops::attributes::permutation(node->attributes, rank);
  for (int64_t d = 0; d < rank; ++d) {
    const int64_t wanted = d < rank - 2 ? d : d == rank - 2 ? rank - 1 : rank - 2;
    if (permutation[static_cast<size_t>(d)] != wanted) return nullptr;
  }
  return node;
}

MatchResult match_gemm(const PassContext& context, const Node& gemm) {
  const Node* found[] = {exchange(context.graph, gemm.inputs[0]), exchange(context.graph, gemm.inputs[1])};
  if (found[0] == nullptr && found[1] == nullptr) return MatchResult::none("no operand is transposed");
  ir::Patch patch(context.graph, "absorb a Transpose");
  std::vector<ValueId> inputs = gemm.inputs;
  ir::Attributes attributes = gemm.attributes;
  for (size_t k = 0; k < 2; ++k) {
    if (found[k] == nullptr) continue;
    const char* name = k == 0 ? "transA" : "transB";
    inputs[k] = found[k]->inputs[0];
    attributes.set(name, int64_t{gemm.attributes.get_int(name, 0) == 0});
    if (read_once(context.graph, gemm.inputs[k])) patch.remove(found[k]->id);
  }
  patch.replace(gemm.outputs[0], patch.emit(gemm.op, std::move(inputs), std::move(attributes), gemm.name));
  patch.remove(gemm.id);
  return patch;
}

}  // namespace

MatchResult match_absorb_transposes(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (is(node, "Gemm")) return match_gemm(context, node);
  if (!is(node, "MatMul")) return MatchResult::none("no product");
  const Node* transpose = exchange(graph, node.inputs[1]);
  if (transpose == nullptr) return MatchResult::none("the right operand is not transposed");
  // A large one that somebody else reads as it is would be there twice.
  constexpr size_t kLarge = size_t{1} << 20;
  const base::Tensor* known = constant(graph, transpose->inputs[0]);
  if (known != nullptr && known->bytes() <= static_cast<size_t>(context.max_folded_bytes) &&
      (known->bytes() < kLarge || read_once(graph, transpose->inputs[0])))
    return MatchResult::none("folding transposes it");
  Node product;
  product.op = context.table.find("com.microsoft", "FusedMatMul");
  product.inputs = {node.inputs[0], transpose->inputs[0]};
  product.outputs = node.outputs;
  product.attributes.set("transB", int64_t{1});
  if (context.capabilities == nullptr || !context.capabilities->accepts(graph, product))
    return MatchResult::none("no kernel reads it transposed");
  ir::Patch patch(graph, "absorb a Transpose");
  patch.replace(node.outputs[0], patch.emit(product.op, product.inputs, product.attributes, node.name));
  patch.remove(id);
  if (read_once(graph, node.inputs[1])) patch.remove(transpose->id);
  return patch;
}

}  // namespace onnxrun::optimize
