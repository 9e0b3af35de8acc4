// com.microsoft.QLinearAdd, QLinearMul, QLinearLeakyRelu, QLinearSigmoid, QLinearSoftmax and QLinearWhere: on 8-bit values, as if computed in float32
// between dequantisation and quantisation.
#include "ir/op.h"
#include "ops/attributes/softmax.h"
#include "ops/quantization_inputs.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::InferContext;
using ir::ValueId;

// The canonical operator of "QLinearAdd" is "Add".
std::string_view plain_name(const Expansion& e) {
  return std::string_view(const_cast<Expansion&>(e).source().op->name).substr(7);
}

void infer_binary(InferContext& c) {
  for (size_t i : {1, 2, 4, 5, 6, 7})
    require_one_element(c, i,
                        i < 3   ? "A's scale or zero point"
                        : i < 6 ? "B's scale or zero point"
                                : "C's scale or zero point");
  const ir::Shape *a = c.shape(0), *b = c.shape(3);
  c.set(0, c.dtype(0), a != nullptr && b != nullptr ? std::optional(broadcast_shapes(*a, *b)) : std::nullopt);
}

bool decompose_binary(Expansion& e) {
  const ir::DType type = e.fact(e.input(0)).dtype;
  const ValueId a = dequantized(e, e.input(0), e.input(1), e.input(2)),
                b = dequantized(e, e.input(3), e.input(4), e.input(5));
  finish_quantized(e, e.emit(plain_name(e), {a, b}), e.input(6), e.input(7), type);
  return true;
}

void infer_unary(InferContext& c) {
  for (size_t i : {1, 2, 3, 4})
    require_one_element(c, i, i < 3 ? "X's scale or zero point" : "Y's scale or zero point");
  c.set(0, c.dtype(0), c.input(0).shape);
}

bool decompose_unary(Expansion& e) {
  const ir::DType type = e.fact(e.input(0)).dtype;
  const ValueId x = dequantized(e, e.input(0), e.input(1), e.input(2));
  ir::Attributes attributes;
  if (e.attributes().has("alpha")) attributes.set("alpha", e.attributes().get_float("alpha", 0));
  finish_quantized(e, e.emit(plain_name(e), {x}, attributes), e.input(3), e.input(4), type);
  return true;
}

void infer_softmax(InferContext& c) {
  if (c.rank(0) == 0) c.fail("'X' must have rank 1 or more, got a scalar");
  if (c.rank(0) > 0) attributes::softmax_axis(c.attributes(), c.rank(0));
  infer_unary(c);
}

// Before opset 13 the dims from the axis on are one.
bool decompose_softmax(Expansion& e) {
  const ir::DType type = e.fact(e.input(0)).dtype;
  const ValueId x = dequantized(e, e.input(0), e.input(1), e.input(2));
  const int64_t axis = e.attributes().get_int("axis", -1);
  ValueId y;
  if (e.attributes().get_int("opset", 13) >= 13) {
    y = e.emit("Softmax", {x}, {{"axis", axis}});
  } else {
    const ValueId rows = e.emit("Softmax", {e.emit("Flatten", {x}, {{"axis", axis}})}, {{"axis", int64_t{-1}}});
    y = e.emit("Reshape", {rows, e.emit("Shape", {x})}, {{"allowzero", int64_t{1}}});
  }
  finish_quantized(e, y, e.input(3), e.input(4), type);
  return true;
}

void infer_where(InferContext& c) {
  for (size_t i : {2, 3, 5, 6, 7, 8})
    require_one_element(c, i,
                        i < 4   ? "X's scale or zero point"
                        : i < 7 ? "Y's scale or zero point"
                                : "Z's scale or zero point");
  const ir::Shape *condition = c.shape(0), *x = c.shape(1), *y = c.shape(4);
  std::optional<ir::Shape> out;
  if (condition != nullptr && x != nullptr && y != nullptr)
    out = broadcast_shapes(broadcast_shapes(*condition, *x), *y);
  c.set(0, c.dtype(1), out);
}

bool decompose_where(Expansion& e) {
  const ir::DType type = e.fact(e.input(1)).dtype;
  const ValueId x = dequantized(e, e.input(1), e.input(2), e.input(3)),
                y = dequantized(e, e.input(4), e.input(5), e.input(6));
  finish_quantized(e, e.emit("Where", {e.input(0), x, y}), e.input(7), e.input(8), type);
  return true;
}

}  // namespace

void define_microsoft_qlinear_elementwise(ir::OpTable& table) {
  constexpr const char* kTypes = "T: int8 uint8";
  for (const char* name : {"QLinearAdd", "QLinearMul"})
    table.add({.domain = "com.microsoft",
               .name = name,
               .versions = {1},
               .signature = {.inputs = "A:T, A_scale:float32, A_zero_point?:T, B:T, B_scale:float32, B_zero_point?:T, "
                                       "C_scale:float32, C_zero_point?:T",
                             .outputs = "C:T",
                             .types = kTypes},
               .infer = infer_binary,
               .decompose = decompose_binary});
  table.add({.domain = "com.microsoft",
             .name = "QLinearLeakyRelu",
             .versions = {1},
             .signature = {.inputs = "X:T, X_scale:float32, X_zero_point?:T, Y_scale:float32, Y_zero_point?:T",
                           .outputs = "Y:T",
                           .types = kTypes,
                           .attributes = "alpha:float"},
             .infer = infer_unary,
             .decompose = decompose_unary});
  table.add({.domain = "com.microsoft",
             .name = "QLinearSigmoid",
             .versions = {1},
             .signature = {.inputs = "X:T, X_scale:float32, X_zero_point?:T, Y_scale:float32, Y_zero_point?:T",
                           .outputs = "Y:T",
                           .types = kTypes},
             .infer = infer_unary,
             .decompose = decompose_unary});
  table.add({.domain = "com.microsoft",
             .name = "QLinearSoftmax",
             .versions = {1},
             .signature = {.inputs = "X:T, X_scale:float32, x_zero_point?:T, y_scale:float32, y_zero_point:T",
                           .outputs = "Y:T",
                           .types = kTypes,
                           .attributes = "axis:int, opset:int!"},
             .infer = infer_softmax,
             .decompose = decompose_softmax});
  table.add({.domain = "com.microsoft",
             .name = "QLinearWhere",
             .versions = {1},
             .signature = {.inputs = "condition:bool, X:T, x_scale:float32, x_zero_point:T, Y:T, y_scale:float32, "
                                     "y_zero_point:T, z_scale:float32, "
                                     "z_zero_point:T",
                           .outputs = "Z:T",
                           .types = kTypes},
             .infer = infer_where,
             .decompose = decompose_where});
}

}  // namespace onnxrun::ops
