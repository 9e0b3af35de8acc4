// QuantizeLinear, DequantizeLinear (ONNX, opset 28) and DynamicQuantizeLinear (opset 11).
#include "ops/attributes/quantize.h"

#include <cstring>

#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::DType;
using ir::InferContext;

void check_shapes(InferContext& c, std::string_view scale) {
  if (c.shape(1) != nullptr && c.shape(2) != nullptr) {
    const auto a = c.input(1).dims(), b = c.input(2).dims();
    if (a && b && *a != *b &&
        (ir::element_count(*c.shape(1)).value() != 1 || ir::element_count(*c.shape(2)).value() != 1))
      c.fail("'{}' {} and its zero point {} must have one shape", scale, c.input(1).to_string(),
             c.input(2).to_string());
  }
  if (c.shape(0) == nullptr || c.shape(1) == nullptr) return;
  const auto x = c.input(0).dims(), scales = c.input(1).dims();
  if (x && scales) attributes::quantize_view(c.attributes(), *x, *scales);
}

// The type an attribute names; `fallback` when it is absent or 0.
DType type_of(InferContext& c, const char* attribute, DType fallback) {
  const int64_t number = c.attributes().get_int(attribute, 0);
  if (number == 0) return fallback;
  if (!base::is_dtype(number)) c.fail("attribute {} names no element type: {}", attribute, number);
  return static_cast<DType>(number);
}

void infer_quantize(InferContext& c) {
  check_shapes(c, "y_scale");
  const DType wanted = type_of(c, "output_dtype", DType::kNone);
  DType type = wanted;
  if (c.has_input(2)) {
    type = c.dtype(2);
    if (wanted != DType::kNone && type != DType::kNone && wanted != type)
      c.fail("output_dtype is {}, but 'y_zero_point' is {}", base::dtype_name(wanted), base::dtype_name(type));
  }
  if (!c.has_input(2) && wanted == DType::kNone) type = DType::kUint8;
  type_of(c, "precision", DType::kNone);
  c.set(0, type, c.input(0).shape);
}

void infer_dequantize(InferContext& c) {
  check_shapes(c, "x_scale");
  const DType scale = c.dtype(1) == DType::kFloat8E8M0 ? DType::kFloat32 : c.dtype(1);
  const DType type = type_of(c, "output_dtype", scale);
  if (type != DType::kNone && type != DType::kFloat32 && type != DType::kFloat16 && type != DType::kBfloat16)
    c.fail("output_dtype must be float32, float16 or bfloat16, got {}", base::dtype_name(type));
  c.set(0, type, c.input(0).shape);
}

void infer_dynamic(InferContext& c) {
  c.set(0, DType::kUint8, c.input(0).shape);
  c.set(1, DType::kFloat32, ir::Shape{});
  c.set(2, DType::kUint8, ir::Shape{});
}

// Whether the scale is known to be one number.
bool one_scale(const ir::Lowering& l) {
  const ir::Fact& scale = l.fact(l.input(1));
  return scale.shape && ir::element_count(*scale.shape) == Dim(1);
}

void lower_axis(ir::Lowering& l, int opset) {
  if (opset >= 13) return;
  if (!one_scale(l)) return l.refuse("its scale is not one number, as it must be before opset 13");
  l.attributes().erase("axis");
}

// Before opset 21 the zero point alone said the output's type.
void lower_quantize(ir::Lowering& l, int opset) {
  lower_axis(l, opset);
  if (opset < 21 && !l.refused()) {
    const auto wanted = static_cast<DType>(l.attributes().get_int("output_dtype", 0));
    const auto dims = l.fact(l.input(1)).dims();
    if (!l.has_input(2) && wanted != DType::kNone && wanted != DType::kUint8) {
      if (!dims)
        return l.refuse("it needs a zero point of type {} and the shape of 'y_scale' is not known",
                        base::dtype_name(wanted));
      base::Tensor zeros(wanted, *dims);
      std::memset(zeros.mutable_raw(), 0, zeros.bytes());
      l.set_input(2, l.constant(std::move(zeros)));
    }
    l.attributes().erase("output_dtype");
  }
  l.keep();
}

void lower_dequantize(ir::Lowering& l, int opset) {
  lower_axis(l, opset);
  if (opset < 23 && !l.refused()) {
    const int64_t wanted = l.attributes().get_int("output_dtype", 0);
    if (wanted != 0 && static_cast<DType>(wanted) != l.fact(l.input(1)).dtype)
      return l.refuse("its output type is not that of its scale");
    l.attributes().erase("output_dtype");
  }
  l.keep();
}

}  // namespace

void define_onnx_quantize_linear(ir::OpTable& table) {
  const std::vector<int> versions = {10, 13, 19, 21, 23, 24, 25, 28};
  constexpr const char* kNarrow =
      "int8 uint8 int16 uint16 float8s uint4 int4 float4e2m1 uint2 int2 float6e2m3 float6e3m2";
  static const std::string kQuantizeTypes =
      std::string("T1: float32 float16 bfloat16 int32 | T2: float32 float16 bfloat16 int32 float8e8m0 | T3: ") +
      kNarrow;
  table.add({.domain = "",
             .name = "QuantizeLinear",
             .versions = versions,
             .signature = {.inputs = "x:T1, y_scale:T2, y_zero_point?:T3",
                           .outputs = "y:T3",
                           .types = kQuantizeTypes.c_str(),
                           .attributes = "axis:int, block_size:int, output_dtype:int, precision:int, saturate:int"},
             .infer = infer_quantize,
             .lower = lower_quantize});
  static const std::string kDequantizeTypes =
      std::string("T1: int32 ") + kNarrow + " | T2: float32 float16 bfloat16 float8e8m0 | T3: float32 float16 bfloat16";
  table.add({.domain = "",
             .name = "DequantizeLinear",
             .versions = versions,
             .signature = {.inputs = "x:T1, x_scale:T2, x_zero_point?:T1",
                           .outputs = "y:T3",
                           .types = kDequantizeTypes.c_str(),
                           .attributes = "axis:int, block_size:int, output_dtype:int"},
             .infer = infer_dequantize,
             .lower = lower_dequantize});
  table.add({.domain = "",
             .name = "DynamicQuantizeLinear",
             .versions = {11},
             .signature = {.inputs = "x:float32", .outputs = "y:uint8, y_scale:float32, y_zero_point:uint8"},
             .infer = infer_dynamic});
}

}  // namespace onnxrun::ops
