// A product of matrices that DequantizeLinear makes of float8 becomes GemmFloat8 where a device has it, takes a bias behind it along, and gets constant
// weights as the device reads them. Such sums have fewer bits than float32's: results of float32 need the caller's leave.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/shape.h"
#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;
using ir::DType;
using ir::Graph;
using ir::Node;
using ir::ValueId;

constexpr const char* kDomain = "com.microsoft";
constexpr size_t kC = 2, kScaleY = 5;

bool is_float8(DType type) { return type == DType::kFloat8E4M3FN || type == DType::kFloat8E5M2; }

// A value of float8 with its scale.
struct Operand {
  ValueId value = ir::kNone, scale = ir::kNone;
  bool turned = false;
};

// Whether there is no zero point but one of zeros.
bool is_symmetric(const Graph& graph, const Node& dequantize) {
  const ValueId zero = input(dequantize, 2);
  if (zero == ir::kNone) return true;
  const Tensor* known = constant(graph, zero);
  if (known == nullptr || !is_float8(known->dtype())) return false;
  const auto* codes = static_cast<const uint8_t*>(known->raw());
  return std::all_of(codes, codes + known->bytes(), [](uint8_t code) { return (code & 0x7f) == 0; });
}

// What dequantises `value`, with one scale, or one for each element of `axis` (-1: of none). A Transpose of a matrix may lie between.
std::optional<Operand> operand(const Graph& graph, ValueId value, int64_t axis) {
  Operand result;
  const Node* transpose = axis < 0 ? nullptr : made_by(graph, value, "Transpose");
  if (transpose != nullptr) {
    if (graph.value(value).fact.rank() != 2 ||
        ops::attributes::permutation(transpose->attributes, 2) != std::vector<int64_t>{1, 0})
      return std::nullopt;
    value = transpose->inputs[0], result.turned = true, axis = 1 - axis;
  }
  const Node* node = made_by(graph, value, "DequantizeLinear");
  if (node == nullptr || !is_float8(graph.value(node->inputs[0]).fact.dtype) ||
      node->attributes.get_int("block_size", 0) != 0 || !is_symmetric(graph, *node))
    return std::nullopt;
  result.value = node->inputs[0], result.scale = node->inputs[1];
  const ir::Fact& scale = graph.value(result.scale).fact;
  if (scale.dtype != DType::kFloat32 && !(is_narrow_float(scale.dtype) && scale.constant)) return std::nullopt;
  if (has_one_element(graph, result.scale)) return result;
  const int64_t rank = graph.value(value).fact.rank();
  if (axis < 0 || rank != 2 || scale.rank() != 1 ||
      base::normalize_axis(node->attributes.get_int("axis", 1), rank) != axis)
    return std::nullopt;
  return result;
}

// A matrix of bytes with rows and columns exchanged.
Tensor turned(const Tensor& matrix) {
  const int64_t rows = matrix.dims()[0], columns = matrix.dims()[1];
  Tensor result(matrix.dtype(), {columns, rows});
  const auto* from = static_cast<const uint8_t*>(matrix.raw());
  auto* to = static_cast<uint8_t*>(result.mutable_raw());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  return result;
}

bool accepted(const PassContext& context, const Node& fused) {
  return fused.op != nullptr && context.capabilities->accepts(context.graph, fused);
}

MatchResult match_product(const PassContext& context, const Node& product) {
  const Graph& graph = context.graph;
  const bool is_gemm = is(product, "Gemm");
  const ir::Attributes& own = product.attributes;
  const DType type = graph.value(product.outputs[0]).fact.dtype;
  if (!is_narrow_float(type) && !(type == DType::kFloat32 && context.capabilities->rounds_products()))
    return MatchResult::none("its results are to keep the bits of float32");
  const bool a_turned = is_gemm && own.get_int("transA", 0) != 0, b_turned = is_gemm && own.get_int("transB", 0) != 0;
  const auto a = operand(graph, product.inputs[0], -1), b = operand(graph, product.inputs[1], b_turned ? 0 : 1);
  if (!a || !b) return MatchResult::none("its operands are not both float8 with scales of their columns at most");
  if (graph.value(a->value).fact.rank() < 2 || graph.value(b->value).fact.rank() != 2)
    return MatchResult::none("no product by one matrix");
  Node fused;
  fused.op = context.table.find(kDomain, "GemmFloat8");
  fused.inputs = {a->value, b->value, is_gemm ? input(product, kC) : ir::kNone, a->scale, b->scale};
  fused.outputs = product.outputs;
  const bool stored_turned = b_turned != b->turned;
  fused.attributes = {{"transA", int64_t{a_turned}},
                      {"transB", int64_t{stored_turned}},
                      {"alpha", is_gemm ? own.get_float("alpha", 1) : 1.0f},
                      {"beta", is_gemm ? own.get_float("beta", 1) : 0.0f},
                      {"dtype", static_cast<int64_t>(type)}};
  if (!accepted(context, fused)) return MatchResult::none("no kernel takes it");
  ir::Patch patch(graph, "multiply matrices of float8 as they are");
  for (size_t i : {3, 4})
    if (graph.value(fused.inputs[i]).fact.dtype != DType::kFloat32)
      fused.inputs[i] = patch.constant(as_float(graph.value(fused.inputs[i]).fact.constant), "scale");
  patch.replace(product.outputs[0], patch.emit(fused.op, fused.inputs, fused.attributes, product.name));
  patch.remove(product.id);
  return patch;
}

MatchResult match_bias(const PassContext& context, const Node& add) {
  const Graph& graph = context.graph;
  for (size_t i : {0, 1}) {
    const Node* product = made_by(graph, add.inputs[i], "GemmFloat8", kDomain);
    if (product == nullptr || !read_once(graph, add.inputs[i]) || input(*product, kC) != ir::kNone ||
        input(*product, kScaleY) != ir::kNone || product->attributes.get_string("activation", "NONE") != "NONE")
      continue;
    const ir::Fact &bias = graph.value(add.inputs[1 - i]).fact, &sums = graph.value(add.inputs[i]).fact;
    if (bias.rank() != 1 || !sums.shape || (*bias.shape)[0] != sums.shape->back())
      return MatchResult::none("not a bias of the columns");
    Node fused;
    fused.op = product->op;
    fused.inputs = product->inputs;
    fused.inputs.resize(std::max(fused.inputs.size(), kC + 1), ir::kNone);
    fused.inputs[kC] = add.inputs[1 - i];
    fused.outputs = add.outputs;
    fused.attributes = product->attributes;
    fused.attributes.set("beta", 1.0f);
    if (!accepted(context, fused)) return MatchResult::none("no kernel takes it");
    ir::Patch patch(graph, "fuse the bias of GemmFloat8");
    patch.replace(add.outputs[0], patch.emit(fused.op, fused.inputs, fused.attributes, product->name));
    patch.remove(product->id);
    patch.remove(add.id);
    return patch;
  }
  return MatchResult::none("no bias of GemmFloat8");
}

// Constant weights are stored along the depth, as products of float8 read both operands.
MatchResult match_weights(const PassContext& context, const Node& product) {
  const Graph& graph = context.graph;
  const Tensor* weights = constant(graph, product.inputs[1]);
  if (weights == nullptr || !is_float8(weights->dtype()) || weights->rank() != 2 ||
      product.attributes.get_int("transB", 0) != 0 || !accepted(context, product))
    return MatchResult::none("no constant weights that lie across the depth");
  ir::Patch patch(graph, "store weights along the depth");
  std::vector<ValueId> inputs = product.inputs;
  inputs[1] = patch.constant(turned(*weights), graph.value(product.inputs[1]).name);
  ir::Attributes attributes = product.attributes;
  attributes.set("transB", int64_t{1});
  patch.replace(product.outputs[0], patch.emit(product.op, std::move(inputs), std::move(attributes), product.name));
  patch.remove(product.id);
  return patch;
}

}  // namespace

MatchResult match_fuse_float8_product(const PassContext& context, ir::NodeId id) {
  const Node& node = context.graph.node(id);
  if (context.capabilities == nullptr) return MatchResult::none("nothing is known of kernels");
  if (is(node, "Add")) return match_bias(context, node);
  if (is(node, "GemmFloat8", kDomain)) return match_weights(context, node);
  if (!is(node, "MatMul") && !is(node, "Gemm")) return MatchResult::none("neither a product nor an Add");
  return match_product(context, node);
}

}  // namespace onnxrun::optimize
