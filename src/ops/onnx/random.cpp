// RandomNormal, RandomUniform, their Like forms, Bernoulli and Multinomial (ONNX, opset 22).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::DType;
using ir::InferContext;
using ir::Shape;

DType type_or(InferContext& c, DType fallback) {
  if (!c.attributes().has("dtype")) return fallback;
  const int64_t number = c.attributes().get_int("dtype", 0);
  if (!base::is_dtype(number)) c.fail("attribute dtype names no element type: {}", number);
  return static_cast<DType>(number);
}

void infer_shaped(InferContext& c) {
  Shape shape;
  for (int64_t dim : c.attributes().get_ints("shape")) shape.push_back(checked_dim(c, dim, "shape"));
  check_rank(c, shape.size());
  c.set(0, type_or(c, DType::kFloat32), std::move(shape));
}

void infer_like(InferContext& c) { c.set(0, type_or(c, c.dtype(0)), c.input(0).shape); }

void infer_multinomial(InferContext& c) {
  const int64_t samples = c.attributes().get_int("sample_size", 1);
  if (samples < 0) c.fail("sample_size must not be negative, got {}", samples);
  const Shape* input = c.shape(0);
  if (input != nullptr && input->size() != 2) c.fail("'input' must have rank 2, got {}", c.input(0).to_string());
  c.set(0, type_or(c, DType::kInt32), Shape{input != nullptr ? input->front() : ir::Dim(), samples});
}

}  // namespace

void define_onnx_random(ir::OpTable& table) {
  const auto define = [&](const char* name, std::vector<int> versions, ir::OpSignature signature,
                          void (*infer)(InferContext&)) {
    table.add({.domain = "",
               .name = name,
               .versions = std::move(versions),
               .signature = signature,
               .flags = ir::kRandom,
               .infer = infer});
  };
  define("RandomNormal", {1, 22},
         {.outputs = "output:T",
          .types = "T: floats",
          .attributes = "dtype:int, mean:float, scale:float, seed:float, shape:ints!"},
         infer_shaped);
  define("RandomUniform", {1, 22},
         {.outputs = "output:T",
          .types = "T: floats",
          .attributes = "dtype:int, high:float, low:float, seed:float, shape:ints!"},
         infer_shaped);
  define("RandomNormalLike", {1, 22},
         {.inputs = "input:T1",
          .outputs = "output:T2",
          .types = "T1: all | T2: floats",
          .attributes = "dtype:int, mean:float, scale:float, seed:float"},
         infer_like);
  define("RandomUniformLike", {1, 22},
         {.inputs = "input:T1",
          .outputs = "output:T2",
          .types = "T1: all | T2: floats",
          .attributes = "dtype:int, high:float, low:float, seed:float"},
         infer_like);
  define("Bernoulli", {15, 22},
         {.inputs = "input:T1",
          .outputs = "output:T2",
          .types = "T1: floats | T2: numeric bool",
          .attributes = "dtype:int, seed:float"},
         infer_like);
  define("Multinomial", {7, 22},
         {.inputs = "input:T1",
          .outputs = "output:T2",
          .types = "T1: floats | T2: int32 int64",
          .attributes = "dtype:int, sample_size:int, seed:float"},
         infer_multinomial);
}

}  // namespace onnxrun::ops
