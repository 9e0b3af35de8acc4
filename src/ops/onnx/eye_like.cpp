// EyeLike: ones on a diagonal of a matrix of zeros (ONNX EyeLike-22).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

void infer_eye_like(ir::InferContext& c) {
  if (c.rank(0) >= 0 && c.rank(0) != 2) c.fail("'input' must have two dimensions, got {}", c.input(0).to_string());
  ir::DType dtype = c.dtype(0);
  if (c.attributes().has("dtype")) {
    const int64_t wanted = c.attributes().get_int("dtype", 0);
    if (!base::is_dtype(wanted)) c.fail("'dtype' {} is no element type", wanted);
    dtype = static_cast<ir::DType>(wanted);
  }
  if (dtype == ir::DType::kString || base::is_complex(dtype) ||
      (dtype != ir::DType::kNone && base::dtype_bits(dtype) < 8))
    c.fail("no identity matrix of type {}", base::dtype_name(dtype));
  c.set(0, dtype, shape_of(c, 0));
}

}  // namespace

void define_onnx_eye_like(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "EyeLike",
             .versions = {9, 22},
             .signature = {.inputs = "input:T1",
                           .outputs = "output:T2",
                           .types = "T1: all | T2: all",
                           .attributes = "dtype:int, k:int"},
             .infer = infer_eye_like});
}

}  // namespace onnxrun::ops
