// MatMul, MatMulInteger and QLinearMatMul with numpy.matmul's rules (ONNX MatMul-13, MatMulInteger-10, QLinearMatMul-21).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/image_inputs.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// numpy.matmul of inputs `a` and `b`; nullopt when a rank is unknown.
std::optional<Shape> product(InferContext& c, size_t a, size_t b, const char* a_name, const char* b_name) {
  const Shape *left = c.shape(a), *right = c.shape(b);
  if (left != nullptr && left->empty()) c.fail("input '{}' is a scalar, expected rank 1 or more", a_name);
  if (right != nullptr && right->empty()) c.fail("input '{}' is a scalar, expected rank 1 or more", b_name);
  if (left == nullptr || right == nullptr) return std::nullopt;
  return matmul_shape(*left, *right);
}

// A zero point or scale: one element, one for each row (column), or [..., rows, 1] ([..., 1, columns]).
void require_parameter(InferContext& c, size_t i, const char* name, size_t matrix, bool rows) {
  const Shape *shape = c.shape(i), *in = c.shape(matrix);
  if (shape == nullptr || in == nullptr || shape->empty()) return;
  const Dim want = rows ? (in->size() > 1 ? (*in)[in->size() - 2] : Dim(1)) : (in->size() > 1 ? in->back() : Dim(1));
  const auto fits = [](const Dim& have, const Dim& size) {
    return !have.is_constant() || have.value() == 1 || !size.is_constant() || have.value() == size.value();
  };
  bool good = true;
  if (shape->size() == 1) good = fits((*shape)[0], want);
  else if (shape->size() != in->size()) good = false;
  else
    for (size_t d = 0; d < shape->size(); ++d) {
      const bool summed = d + (rows ? 1 : 2) == shape->size();
      const bool ok = fits((*shape)[d], summed ? Dim(1) : (*in)[d]);
      good = good && ok;
    }
  if (!good)
    c.fail("input '{}' has the shape {}, expected a scalar or one value for each {} of a matrix of shape {}", name,
           ir::to_string(*shape), rows ? "row" : "column", ir::to_string(*in));
}

void infer_matmul(InferContext& c) { c.set(0, c.dtype(0), product(c, 0, 1, "A", "B")); }

void infer_matmul_integer(InferContext& c) {
  const auto out = product(c, 0, 1, "A", "B");
  require_parameter(c, 2, "a_zero_point", 0, true);
  require_parameter(c, 3, "b_zero_point", 1, false);
  c.set(0, ir::DType::kInt32, out);
}

void infer_qlinear_matmul(InferContext& c) {
  const auto out = product(c, 0, 3, "a", "b");
  require_parameter(c, 1, "a_scale", 0, true);
  require_parameter(c, 2, "a_zero_point", 0, true);
  require_parameter(c, 4, "b_scale", 3, false);
  require_parameter(c, 5, "b_zero_point", 3, false);
  for (size_t i : {6, 7}) {
    const Shape* shape = c.shape(i);
    if (shape != nullptr &&
        !(shape->empty() || (shape->size() == 1 && (!(*shape)[0].is_constant() || (*shape)[0].value() == 1))))
      c.fail("input '{}' has the shape {}, expected a scalar", i == 6 ? "y_scale" : "y_zero_point",
             ir::to_string(*shape));
  }
  c.set(0, c.dtype(7), out);
}

}  // namespace

void define_onnx_matmul(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "MatMul",
             .versions = {1, 9, 13},
             .signature = {.inputs = "A:T, B:T", .outputs = "Y:T", .types = "T: floats uint32 uint64 int32 int64"},
             .infer = infer_matmul});
  table.add({.domain = "",
             .name = "MatMulInteger",
             .versions = {10},
             .signature = {.inputs = "A:T1, B:T2, a_zero_point?:T1, b_zero_point?:T2",
                           .outputs = "Y:int32",
                           .types = "T1: int8 uint8 | T2: int8 uint8"},
             .infer = infer_matmul_integer});
  table.add(
      {.domain = "",
       .name = "QLinearMatMul",
       .versions = {10, 21},
       .signature = {.inputs = "a:T1, a_scale:TS, a_zero_point:T1, b:T2, b_scale:TS, b_zero_point:T2, y_scale:TS, "
                               "y_zero_point:T3",
                     .outputs = "y:T3",
                     .types = "TS: float32 float16 bfloat16 | T1: int8 uint8 float8s | T2: int8 uint8 float8s | "
                              "T3: int8 uint8 float8s"},
       .infer = infer_qlinear_matmul});
}

}  // namespace onnxrun::ops
