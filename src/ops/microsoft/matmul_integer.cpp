// com.microsoft.MatMulIntegerToFloat, DynamicQuantizeMatMul and QGemm: products of 8-bit matrices with scales.
#include <initializer_list>
#include <string_view>
#include <utility>

#include "ir/op.h"
#include "ops/quantization_inputs.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::DType;
using ir::Expansion;
using ir::InferContext;
using ir::Shape;
using ir::ValueId;

ValueId cast(Expansion& e, ValueId x, DType type) { return e.emit("Cast", {x}, {{"to", static_cast<int64_t>(type)}}); }

// numpy.matmul of inputs `a` and `b`.
std::optional<Shape> product(InferContext& c, size_t a, size_t b) {
  for (size_t i : {a, b})
    if (c.rank(i) == 0) c.fail("input {} is a scalar, expected rank 1 or more", i);
  if (c.shape(a) == nullptr || c.shape(b) == nullptr) return std::nullopt;
  return matmul_shape(*c.shape(a), *c.shape(b));
}

// How many columns input `b` has.
Dim columns_of(const InferContext& c, size_t b, bool transposed = false) {
  const Shape* shape = c.shape(b);
  if (shape == nullptr) return {};
  return shape->size() < 2 ? Dim(1) : (*shape)[shape->size() - (transposed ? 2 : 1)];
}

bool differ(const Dim& a, const Dim& b) { return a.is_constant() && b.is_constant() && a.value() != b.value(); }

// A scale or zero point of B: one value, one for each column, or one for each column of each matrix.
void check_columns(const InferContext& c, size_t i, std::string_view name, const Dim& columns) {
  const Shape* shape = c.shape(i);
  if (shape == nullptr || shape->empty() || !differ(shape->back(), Dim(1)) || !differ(shape->back(), columns)) return;
  c.fail("input '{}' has the shape {}, expected a scalar or one value for each of the {} columns of B", name,
         ir::to_string(*shape), columns.value());
}

void check_bias(const InferContext& c, size_t i, const Dim& columns) {
  const Shape* shape = c.shape(i);
  if (shape != nullptr && (shape->size() != 1 || differ(shape->back(), columns)))
    c.fail("input 'bias' has the shape {}, expected one value for each column of B", ir::to_string(*shape));
}

// Output 0 has the shape `out`, to which the inputs that scale it or are added to it must broadcast. One whose shape is not known may give it more axes.
void set_scaled(InferContext& c, DType type, std::optional<Shape> out,
                std::initializer_list<std::pair<size_t, std::string_view>> inputs) {
  for (const auto& [i, name] : inputs) {
    if (!c.has_input(i)) continue;
    if (c.shape(i) == nullptr || (out && out->empty() && c.rank(i) > 0)) out.reset();
    if (out) check_broadcasts_to(c, i, name, *out);
  }
  c.set(0, type, out);
}

void infer_to_float(InferContext& c) {
  const Dim columns = columns_of(c, 1);
  check_columns(c, 3, "b_scale", columns);
  check_columns(c, 5, "b_zero_point", columns);
  check_bias(c, 6, columns);
  std::optional<Shape> out = product(c, 0, 1);
  const Shape* rows = c.shape(2);
  if (rows != nullptr && rows->size() == 1 && out && out->size() > 1) {
    const Dim count = (*out)[out->size() - 2];
    if (differ(rows->front(), Dim(1)) && differ(rows->front(), count))
      c.fail("input 'a_scale' has the shape {}, expected a scalar or one value for each of the {} rows of A",
             ir::to_string(*rows), count.value());
    return set_scaled(c, c.dtype(2), out, {{3, "b_scale"}, {6, "bias"}});
  }
  set_scaled(c, c.dtype(2), out, {{2, "a_scale"}, {3, "b_scale"}, {6, "bias"}});
}

bool decompose_to_float(Expansion& e) {
  const DType type = e.fact(e.input(2)).dtype;
  // A scale for each row of A stands across its columns.
  ValueId left = e.input(2);
  const auto &shape = e.fact(left).shape, &a = e.fact(e.input(0)).shape, &b = e.fact(e.input(1)).shape;
  const bool vectors = (a && a->size() < 2) || (b && b->size() < 2);
  if (!vectors && (!shape || shape->size() == 1)) left = e.emit("Unsqueeze", {left, e.int64s({-1})});
  const ValueId sums = cast(e, e.emit("MatMulInteger", {e.input(0), e.input(1), e.input(4), e.input(5)}), type);
  ValueId y = e.emit("Mul", {sums, e.emit("Mul", {left, e.input(3)})});
  if (e.has_input(6)) y = e.emit("Add", {y, e.input(6)});
  e.bind(0, y);
  return true;
}

void infer_dynamic(InferContext& c) {
  const Dim columns = columns_of(c, 1);
  check_columns(c, 2, "b_scale", columns);
  check_columns(c, 3, "b_zero_point", columns);
  check_bias(c, 4, columns);
  set_scaled(c, DType::kFloat32, product(c, 0, 1), {{2, "b_scale"}, {4, "bias"}});
}

bool decompose_dynamic(Expansion& e) {
  const auto left = e.emit_many("DynamicQuantizeLinear", {e.input(0)}, 3);
  const ValueId sums = cast(e, e.emit("MatMulInteger", {left[0], e.input(1), left[2], e.input(3)}), DType::kFloat32);
  ValueId y = e.emit("Mul", {sums, e.emit("Mul", {left[1], e.input(2)})});
  if (e.has_input(4)) y = e.emit("Add", {y, e.input(4)});
  e.bind(0, y);
  return true;
}

void infer_gemm(InferContext& c) {
  for (size_t i : {1, 2, 7, 8})
    require_one_element(c, i, i < 3 ? "A's scale or zero point" : "Y's scale or zero point");
  if (c.has_input(7) != c.has_input(8)) c.fail("'y_scale' and 'y_zero_point' belong together");
  for (size_t i : {0, 3})
    if (c.rank(i) >= 0 && c.rank(i) != 2)
      c.fail("input '{}' must have rank 2, got {}", i == 0 ? "A" : "B", c.input(i).to_string());
  std::optional<Shape> out;
  if (c.shape(0) != nullptr && c.shape(3) != nullptr) {
    const bool ta = c.attributes().get_int("transA", 0) != 0, tb = c.attributes().get_int("transB", 0) != 0;
    const Shape &a = *c.shape(0), &b = *c.shape(3);
    const ir::Dim &k = a[ta ? 0 : 1], &other = b[tb ? 1 : 0];
    if (k.is_constant() && other.is_constant() && k.value() != other.value())
      c.fail("A {} and B {} do not fit", ir::to_string(a), ir::to_string(b));
    out = Shape{a[ta ? 1 : 0], b[tb ? 0 : 1]};
  }
  const Dim columns = columns_of(c, 3, c.attributes().get_int("transB", 0) != 0);
  check_columns(c, 4, "b_scale", columns);
  check_columns(c, 5, "b_zero_point", columns);
  set_scaled(c, c.has_input(8) ? c.dtype(8) : DType::kFloat32, out,
             {{1, "a_scale"}, {4, "b_scale"}, {6, "C"}, {7, "y_scale"}});
}

bool decompose_gemm(Expansion& e) {
  const auto turned = [&](size_t i, const char* attribute) {
    return e.attributes().get_int(attribute, 0) != 0
               ? e.emit("Transpose", {e.input(i)}, {{"perm", std::vector<int64_t>{1, 0}}})
               : e.input(i);
  };
  ValueId sums = e.emit("MatMulInteger", {turned(0, "transA"), turned(3, "transB"), e.input(2), e.input(5)});
  if (e.has_input(6)) sums = e.emit("Add", {sums, e.input(6)});
  ValueId scale = e.emit("Mul", {e.input(1), e.input(4)});
  if (e.attributes().has("alpha"))
    scale = e.emit("Mul", {scale, e.constant(base::Tensor::scalar<float>(e.attributes().get_float("alpha", 1)))});
  const ValueId y = e.emit("Mul", {cast(e, sums, DType::kFloat32), scale});
  if (e.has_input(8)) finish_quantized(e, y, e.input(7), e.input(8), DType::kNone);
  else e.bind(0, y);
  return true;
}

}  // namespace

void define_microsoft_matmul_integer(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "MatMulIntegerToFloat",
             .versions = {1},
             .signature = {.inputs = "A:T1, B:T2, a_scale:T3, b_scale:T3, a_zero_point?:T1, b_zero_point?:T2, bias?:T3",
                           .outputs = "Y:T3",
                           .types = "T1: int8 uint8 | T2: int8 uint8 | T3: float32 float16"},
             .infer = infer_to_float,
             .decompose = decompose_to_float});
  table.add({.domain = "com.microsoft",
             .name = "DynamicQuantizeMatMul",
             .versions = {1},
             .signature = {.inputs = "A:float32, B:T2, b_scale:float32, b_zero_point?:T2, bias?:float32",
                           .outputs = "Y:float32",
                           .types = "T2: int8 uint8"},
             .infer = infer_dynamic,
             .decompose = decompose_dynamic});
  table.add({.domain = "com.microsoft",
             .name = "QGemm",
             .versions = {1},
             .signature = {.inputs = "A:TA, a_scale:float32, a_zero_point:TA, B:TB, b_scale:float32, b_zero_point:TB, "
                                     "C?:int32, y_scale?:float32, "
                                     "y_zero_point?:TYZ",
                           .outputs = "Y:TY",
                           .types = "TA: int8 uint8 | TB: int8 uint8 | TYZ: int8 uint8 | TY: float32 int8 uint8",
                           .attributes = "alpha:float, transA:int, transB:int"},
             .infer = infer_gemm,
             .decompose = decompose_gemm});
}

}  // namespace onnxrun::ops
