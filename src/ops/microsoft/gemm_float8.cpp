// com.microsoft.GemmFloat8: a product of matrices of float8, or of wider floats, with scales. It stands for a product in float32; only devices with
// products of float8 have a kernel. Beyond ONNX Runtime's definition A may be a stack of matrices, which the optimizer makes use of, and scaleB may have a
// scale for each column.
#include "ops/attributes/gemm_float8.h"

#include <utility>

#include "ir/infer.h"
#include "ir/op.h"
#include "ops/emitter.h"
#include "ops/quantization_inputs.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using attributes::GemmFloat8;
using ir::Dim;
using ir::DType;
using ir::InferContext;
using ir::Shape;
using ir::ValueId;

constexpr size_t kA = 0, kB = 1, kC = 2, kScaleA = 3, kScaleB = 4, kScaleY = 5;

// kNone for what no result can be.
DType result_type(const ir::Attributes& attributes) {
  const int64_t number = attributes.get_int("dtype", static_cast<int64_t>(DType::kFloat32));
  for (const DType type :
       {DType::kFloat32, DType::kFloat16, DType::kBfloat16, DType::kFloat8E4M3FN, DType::kFloat8E5M2})
    if (number == static_cast<int64_t>(type)) return type;
  return DType::kNone;
}

bool differ(const Dim& a, const Dim& b) { return a.is_constant() && b.is_constant() && a.value() != b.value(); }

// The result, some of whose dims may be unknown.
std::optional<Shape> product(const InferContext& c, const GemmFloat8& how) {
  const Shape *a = c.shape(kA), *b = c.shape(kB);
  if (a != nullptr && (a->size() < 2 || (a->size() > 2 && how.a_transposed)))
    c.fail("input 'A' has the shape {}, expected a matrix{}", ir::to_string(*a),
           how.a_transposed ? "" : " or a stack of them");
  if (b != nullptr && b->size() != 2) c.fail("input 'B' has the shape {}, expected a matrix", ir::to_string(*b));
  const size_t tb = how.b_transposed;
  const size_t depth_axis = a == nullptr || how.a_transposed ? 0 : a->size() - 1;
  if (a != nullptr && b != nullptr && differ((*a)[depth_axis], (*b)[tb]))
    c.fail(
        "input 'A' of shape {} (transA={}) and 'B' of shape {} (transB={}) do not multiply: {} columns against {} rows",
        ir::to_string(*a), how.a_transposed ? 1 : 0, ir::to_string(*b), tb, (*a)[depth_axis].value(), (*b)[tb].value());
  const Dim columns = b != nullptr ? (*b)[1 - tb] : Dim();
  if (const Shape* scales = c.shape(kScaleB);
      scales != nullptr &&
      (scales->size() > 1 || (scales->size() == 1 && differ((*scales)[0], Dim(1)) && differ((*scales)[0], columns))))
    c.fail("input 'scaleB' has the shape {}, expected one element, or one for each column of the product",
           ir::to_string(*scales));
  if (a == nullptr) return std::nullopt;
  Shape out = *a;
  if (how.a_transposed) std::swap(out[0], out[1]);
  out.back() = columns;
  return out;
}

void infer_float8(InferContext& c) {
  const DType type = result_type(c.attributes());
  if (type == DType::kNone)
    c.fail(
        "attribute 'dtype' is {}, expected 1 (float32), 10 (float16), 16 (bfloat16), 17 (float8e4m3fn) or 19 "
        "(float8e5m2)",
        c.attributes().get_int("dtype", 0));
  const std::optional<Shape> out = product(c, attributes::read_gemm_float8(c.attributes()));
  require_one_element(c, kScaleA, "scaleA");
  require_one_element(c, kScaleY, "scaleY");
  if (c.has_input(kC) && out) check_broadcasts_to(c, kC, "C", *out);
  c.set(0, type, out);
}

bool decompose_float8(ir::Expansion& e) {
  Emitter emit(e);
  const GemmFloat8 how = attributes::read_gemm_float8(e.attributes());
  const ValueId a = emit.cast(e.input(kA), DType::kFloat32), b = emit.cast(e.input(kB), DType::kFloat32);
  const bool is_matrix = how.a_transposed || e.fact(a).rank() == 2;
  ValueId y = ir::kNone;
  if (is_matrix)
    y = emit.op("Gemm", {a, b},
                {{"alpha", how.alpha}, {"transA", int64_t{how.a_transposed}}, {"transB", int64_t{how.b_transposed}}});
  else y = emit.op("MatMul", {a, how.b_transposed ? emit.transpose(b, {1, 0}) : b});
  if (!is_matrix && how.alpha != 1) y = emit.mul(y, emit.number(how.alpha, DType::kFloat32));
  // One element of any rank as a scalar, so that it adds no axis.
  const auto scalar = [&](ValueId scale) { return e.fact(scale).rank() == 0 ? scale : emit.reshape(scale, {}); };
  if (e.has_input(kScaleA)) y = emit.mul(y, scalar(e.input(kScaleA)));
  if (e.has_input(kScaleB)) y = emit.mul(y, e.input(kScaleB));
  if (e.has_input(kC) && how.beta != 0) {
    const ValueId c = emit.cast(e.input(kC), DType::kFloat32);
    y = emit.add(y, how.beta == 1 ? c : emit.mul(c, emit.number(how.beta, DType::kFloat32)));
  }
  if (how.activation == GemmFloat8::Activation::kRelu) y = emit.op("Relu", {y});
  if (how.activation == GemmFloat8::Activation::kGelu) y = emit.op("Gelu", {y}, {{"approximate", std::string("tanh")}});
  if (e.has_input(kScaleY)) y = emit.mul(y, scalar(e.input(kScaleY)));
  e.bind(0, emit.cast(y, result_type(e.attributes())));
  return true;
}

}  // namespace

void define_microsoft_gemm_float8(ir::OpTable& table) {
  constexpr const char* kTypes =
      "TA: float8e4m3fn float8e5m2 float16 bfloat16 float32 | TB: float8e4m3fn float8e5m2 float16 bfloat16 float32 | "
      "TC: float16 bfloat16 float32 | TR: float8e4m3fn float8e5m2 float16 bfloat16 float32";
  table.add(
      {.domain = "com.microsoft",
       .name = "GemmFloat8",
       .versions = {1},
       .signature = {.inputs = "A:TA, B:TB, C?:TC, scaleA?:float32, scaleB?:float32, scaleY?:float32",
                     .outputs = "Y:TR",
                     .types = kTypes,
                     .attributes = "activation:string, alpha:float, beta:float, dtype:int, transA:int, transB:int"},
       .infer = infer_float8,
       .decompose = decompose_float8});
}

}  // namespace onnxrun::ops
