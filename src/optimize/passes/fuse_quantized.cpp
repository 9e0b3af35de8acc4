// An operator between DequantizeLinear and QuantizeLinear becomes the one on quantised values, as QDQ files mean it.
#include <array>
#include <cmath>

#include "base/shape.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::DType;
using ir::Node;
using ir::ValueId;

constexpr const char* kMicrosoft = "com.microsoft";

// A value with its scale and zero point (kNone: 0).
struct Quantized {
  ValueId value = ir::kNone, scale = ir::kNone, zero = ir::kNone;
};

// What is being matched: `op`, whose only output is read by `quantize` only (null: as float32).
struct Match {
  const PassContext& context;
  const Node& op;
  const Node* quantize;
  ir::Patch patch;

  const ir::Graph& graph() const { return context.graph; }
  DType dtype(ValueId value) const { return graph().value(value).fact.dtype; }
  DType result_type() const { return quantize == nullptr ? DType::kFloat32 : dtype(quantize->outputs[0]); }
};

bool is_byte(DType type) { return type == DType::kInt8 || type == DType::kUint8; }

// One scale, as operators on quantised values take it.
bool is_one_scale(const ir::Graph& graph, ValueId scale) {
  return has_one_element(graph, scale) && graph.value(scale).fact.rank() <= 1;
}

// Whether a zero point, if there is one, has the form of its scale: one element, or a vector.
bool fits_scale(const ir::Graph& graph, ValueId zero, ValueId scale) {
  if (zero == ir::kNone || is_one_scale(graph, zero)) return true;
  return graph.value(zero).fact.rank() == 1 && !is_one_scale(graph, scale);
}

// A DequantizeLinear from 8 bits (or, for biases, int32) to float32 with one scale, or one for each element of `axis` (of `rank`).
std::optional<Quantized> dequantized(const Match& m, ValueId value, int64_t axis = -1, int64_t rank = 0) {
  const ir::Graph& graph = m.graph();
  const Node* node = made_by(graph, value, "DequantizeLinear");
  if (node == nullptr || m.dtype(value) != DType::kFloat32 || node->attributes.get_int("block_size", 0) != 0)
    return std::nullopt;
  const ValueId scale = node->inputs[1];
  if (m.dtype(scale) != DType::kFloat32 || !fits_scale(graph, input(*node, 2), scale)) return std::nullopt;
  if (!is_one_scale(graph, scale)) {
    const auto& shape = graph.value(value).fact.shape;
    if (axis < 0 || !shape || static_cast<int64_t>(shape->size()) != rank || graph.value(scale).fact.rank() != 1)
      return std::nullopt;
    if (base::normalize_axis(node->attributes.get_int("axis", 1), rank) != axis) return std::nullopt;
  }
  return Quantized{node->inputs[0], scale, input(*node, 2)};
}

std::optional<Quantized> dequantized_bytes(const Match& m, ValueId value, int64_t axis = -1, int64_t rank = 0) {
  auto result = dequantized(m, value, axis, rank);
  if (result && !is_byte(m.dtype(result->value))) result.reset();
  return result;
}

// The zero point, or a 0 of the value's type.
ValueId zero_of(Match& m, const Quantized& q) {
  if (q.zero != ir::kNone) return q.zero;
  return m.patch.constant(
      m.dtype(q.value) == DType::kInt8 ? base::Tensor::scalar<int8_t>(0) : base::Tensor::scalar<uint8_t>(0),
      "zero_point");
}
ValueId result_zero(Match& m) {
  const ValueId zero = input(*m.quantize, 2);
  if (zero != ir::kNone) return zero;
  return m.patch.constant(
      m.result_type() == DType::kInt8 ? base::Tensor::scalar<int8_t>(0) : base::Tensor::scalar<uint8_t>(0),
      "zero_point");
}

// A bias that is quantised with the product of the operands' scales and no zero point; `missing` where there is none.
bool take_bias(const Match& m, size_t input, const Quantized& a, const Quantized& b, ValueId& bias) {
  bias = optimize::input(m.op, input);
  if (bias == ir::kNone) return true;
  const auto q = dequantized(m, bias, 0, 1);
  if (!q || m.dtype(q->value) != DType::kInt32) return false;
  const auto constant = [&](ValueId value) -> const base::Tensor& { return m.graph().value(value).fact.constant; };
  const base::Tensor &own = constant(q->scale), &left = constant(a.scale), &right = constant(b.scale);
  if (!own || !left || !right || left.count() != 1) return false;
  if (q->zero != ir::kNone) {
    if (!constant(q->zero)) return false;
    for (int64_t zero : constant(q->zero).as_int64())
      if (zero != 0) return false;
  }
  const int64_t count = std::max(own.count(), right.count());
  for (const base::Tensor* scales : {&own, &right})
    if (scales->count() != 1 && scales->count() != count) return false;
  for (int64_t i = 0; i < count; ++i) {
    const double have = own.data<float>()[own.count() == 1 ? 0 : i],
                 factor = right.data<float>()[right.count() == 1 ? 0 : i];
    const double want = static_cast<double>(left.data<float>()[0]) * factor;
    if (!(std::abs(have - want) <= 1e-5 * std::abs(want))) return false;
  }
  bias = q->value;
  return true;
}

// Emits the operator in place of the matched nodes.
bool finish(Match& m, const char* op, std::vector<ValueId> inputs, ir::Attributes attributes = {},
            const char* domain = kMicrosoft) {
  const ir::OpDef* def = m.context.table.find(domain, op);
  if (def == nullptr) return false;
  m.patch.replace((m.quantize != nullptr ? *m.quantize : m.op).outputs[0],
                  m.patch.emit(def, std::move(inputs), std::move(attributes), m.op.name));
  m.patch.remove(m.op.id);
  if (m.quantize != nullptr) m.patch.remove(m.quantize->id);
  return true;
}

bool fuse_conv(Match& m) {
  const auto x = dequantized_bytes(m, m.op.inputs[0]);
  const auto& weights = m.graph().value(m.op.inputs[1]).fact;
  const auto w = dequantized_bytes(m, m.op.inputs[1], 0, weights.rank());
  ValueId bias;
  if (m.quantize == nullptr || !x || !w || !take_bias(m, 2, *x, *w, bias)) return false;
  return finish(m, "QLinearConv",
                {x->value, x->scale, zero_of(m, *x), w->value, w->scale, zero_of(m, *w), m.quantize->inputs[1],
                 result_zero(m), bias},
                m.op.attributes, "");
}

bool fuse_matmul(Match& m) {
  const auto a = dequantized_bytes(m, m.op.inputs[0]);
  const int64_t rank = m.graph().value(m.op.inputs[1]).fact.rank();
  const auto b = dequantized_bytes(m, m.op.inputs[1], rank == 2 ? 1 : -1, rank);
  if (!a || !b) return false;
  if (m.quantize == nullptr)
    return finish(m, "MatMulIntegerToFloat", {a->value, b->value, a->scale, b->scale, a->zero, b->zero});
  return finish(
      m, "QLinearMatMul",
      {a->value, a->scale, zero_of(m, *a), b->value, b->scale, zero_of(m, *b), m.quantize->inputs[1], result_zero(m)},
      {}, "");
}

bool fuse_gemm(Match& m) {
  const ir::Attributes& own = m.op.attributes;
  const bool turned = own.get_int("transB", 0) != 0;
  const auto a = dequantized_bytes(m, m.op.inputs[0]), b = dequantized_bytes(m, m.op.inputs[1], turned ? 0 : 1, 2);
  ValueId bias;
  if (!a || !b || own.get_float("alpha", 1) != 1 || own.get_float("beta", 1) != 1 || !take_bias(m, 2, *a, *b, bias))
    return false;
  std::vector<ValueId> inputs = {a->value, a->scale, zero_of(m, *a), b->value, b->scale, zero_of(m, *b), bias};
  if (m.quantize != nullptr) {
    inputs.push_back(m.quantize->inputs[1]);
    inputs.push_back(result_zero(m));
  }
  return finish(m, "QGemm", std::move(inputs),
                {{"transA", own.get_int("transA", 0)}, {"transB", own.get_int("transB", 0)}});
}

bool fuse_binary(Match& m, const char* op) {
  if (m.quantize == nullptr || m.op.inputs.size() != 2) return false;
  const auto a = dequantized_bytes(m, m.op.inputs[0]), b = dequantized_bytes(m, m.op.inputs[1]);
  if (!a || !b || m.dtype(a->value) != m.result_type() || m.dtype(b->value) != m.result_type()) return false;
  return finish(
      m, op, {a->value, a->scale, a->zero, b->value, b->scale, b->zero, m.quantize->inputs[1], input(*m.quantize, 2)});
}

bool fuse_unary(Match& m, const char* op) {
  if (m.quantize == nullptr) return false;
  const auto x = dequantized_bytes(m, m.op.inputs[0]);
  if (!x || m.dtype(x->value) != m.result_type()) return false;
  ir::Attributes attributes = m.op.attributes;
  if (std::string_view(op) == "QLinearSoftmax") attributes.set("opset", int64_t{13});
  return finish(m, op, {x->value, x->scale, zero_of(m, *x), m.quantize->inputs[1], result_zero(m)},
                std::move(attributes));
}

bool fuse_concat(Match& m) {
  if (m.quantize == nullptr) return false;
  std::vector<ValueId> inputs = {m.quantize->inputs[1], result_zero(m)};
  for (ValueId part : m.op.inputs) {
    const auto x = dequantized_bytes(m, part);
    if (!x || m.dtype(x->value) != m.result_type()) return false;
    inputs.insert(inputs.end(), {x->value, x->scale, zero_of(m, *x)});
  }
  return finish(m, "QLinearConcat", std::move(inputs), m.op.attributes);
}

// Whether quantising what was dequantised with this scale gives the byte that it was, and larger bytes stand for larger numbers.
bool keeps_bytes(const base::Tensor* scale) {
  if (scale == nullptr || scale->dtype() != DType::kFloat32 || scale->count() != 1) return false;
  const float value = *scale->data<float>();
  return std::isnormal(value) && value > 0 && std::isfinite(value * 256);
}

// What only moves or compares elements works on the bytes where both sides have one scale and zero point.
bool fuse_movement(Match& m) {
  if (m.quantize == nullptr || m.op.outputs.size() != 1) return false;
  const auto x = dequantized_bytes(m, m.op.inputs[0]);
  if (!x || m.dtype(x->value) != m.result_type() || !same_constant(m.graph(), x->scale, m.quantize->inputs[1]) ||
      !keeps_bytes(constant(m.graph(), x->scale)))
    return false;
  const ValueId zero = input(*m.quantize, 2);
  if (!(x->zero == ir::kNone && zero == ir::kNone) && !same_constant(m.graph(), x->zero, zero)) return false;
  std::vector<ValueId> inputs = m.op.inputs;
  inputs[0] = x->value;
  return finish(m, m.op.op->name, std::move(inputs), m.op.attributes, m.op.op->domain);
}

bool fuse(Match& m) {
  struct Rule {
    std::string_view op;
    bool (*apply)(Match&);
  };
  static constexpr Rule kRules[] = {
      {"Conv", fuse_conv},
      {"MatMul", fuse_matmul},
      {"Gemm", fuse_gemm},
      {"Add", [](Match& m) { return fuse_binary(m, "QLinearAdd"); }},
      {"Sum", [](Match& m) { return fuse_binary(m, "QLinearAdd"); }},
      {"Mul", [](Match& m) { return fuse_binary(m, "QLinearMul"); }},
      {"Sigmoid", [](Match& m) { return fuse_unary(m, "QLinearSigmoid"); }},
      {"LeakyRelu", [](Match& m) { return fuse_unary(m, "QLinearLeakyRelu"); }},
      {"Softmax", [](Match& m) { return fuse_unary(m, "QLinearSoftmax"); }},
      {"Concat", fuse_concat},
      {"MaxPool", fuse_movement},
      {"Reshape", fuse_movement},
      {"Transpose", fuse_movement},
      {"Flatten", fuse_movement},
      {"Squeeze", fuse_movement},
      {"Unsqueeze", fuse_movement},
      {"Slice", fuse_movement},
      {"Gather", fuse_movement},
      {"Expand", fuse_movement},
  };
  if (*m.op.op->domain != '\0' || !m.op.bodies.empty()) return false;
  for (const Rule& rule : kRules)
    if (rule.op == m.op.op->name) return rule.apply(m);
  return false;
}

}  // namespace

MatchResult match_fuse_quantized(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const Node& quantize = graph.node(id);
  if (!is(quantize, "QuantizeLinear")) return MatchResult::none("no QuantizeLinear");
  const ValueId y = quantize.inputs[0];
  if (graph.value(y).producer == ir::kNone || !read_once(graph, y))
    return MatchResult::none("what it quantises is read elsewhere or made by nothing");
  if (!is_byte(graph.value(quantize.outputs[0]).fact.dtype) ||
      graph.value(quantize.inputs[1]).fact.dtype != DType::kFloat32 || !is_one_scale(graph, quantize.inputs[1]) ||
      !fits_scale(graph, input(quantize, 2), quantize.inputs[1]) || quantize.attributes.get_int("precision", 0) != 0)
    return MatchResult::none("not 8 bits with one float32 scale");
  Match match{context, graph.node(graph.value(y).producer), &quantize,
              ir::Patch(graph, "fuse an operator between DequantizeLinear and QuantizeLinear")};
  if (!fuse(match)) return MatchResult::none("its input is made by nothing that has a quantised form");
  return std::move(match.patch);
}

MatchResult match_fuse_dequantized_product(const PassContext& context, ir::NodeId id) {
  const Node& node = context.graph.node(id);
  if (!is(node, "MatMul") && !is(node, "Gemm")) return MatchResult::none("no product");
  Match match{context, node, nullptr, ir::Patch(context.graph, "fuse a product after DequantizeLinear")};
  if (!fuse(match)) return MatchResult::none("its operands are not both quantised");
  return std::move(match.patch);
}

// A Relu changes nothing where the lowest quantised value stands for 0.
MatchResult match_drop_relu(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const Node& relu = graph.node(id);
  if (!is(relu, "Relu") || !read_once(graph, relu.outputs[0])) return MatchResult::none("no Relu that is read once");
  const Node& quantize = graph.node(graph.value(relu.outputs[0]).consumers[0]);
  if (!is(quantize, "QuantizeLinear") || quantize.inputs[0] != relu.outputs[0])
    return MatchResult::none("not read by QuantizeLinear");
  const base::Tensor& scale = graph.value(quantize.inputs[1]).fact.constant;
  const DType type = graph.value(quantize.outputs[0]).fact.dtype;
  if (!scale || scale.dtype() != DType::kFloat32 || !is_byte(type))
    return MatchResult::none("not a constant scale and 8 bits");
  for (float value : scale.span<float>())
    if (!(value > 0)) return MatchResult::none("a scale that is not positive");
  int64_t lowest = type == DType::kInt8 ? -128 : 0;
  if (const ValueId zero = input(quantize, 2); zero != ir::kNone) {
    const base::Tensor& constant = graph.value(zero).fact.constant;
    if (!constant) return MatchResult::none("a zero point that is not constant");
    for (int64_t value : constant.as_int64())
      if (value != lowest) return MatchResult::none("0 is not the lowest value");
  } else if (lowest != 0) {
    return MatchResult::none("0 is not the lowest value");
  }
  ir::Patch patch(graph, "drop Relu before QuantizeLinear");
  patch.replace(relu.outputs[0], relu.inputs[0]);
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
