// The nodes that lifts and decompositions emit most.
#include "ops/emitter.h"

namespace onnxrun::ops {

using ir::DType;
using ir::Tensor;

void infer_lifted(ir::InferContext& c) {
  c.fail("{} is written as other operators in canonical form", c.node().op->full_name());
}

Emitter::Id Emitter::number(double value, DType type) {
  switch (type) {
    case DType::kFloat32: return e.constant(Tensor::scalar(static_cast<float>(value)));
    case DType::kFloat64: return e.constant(Tensor::scalar(value));
    case DType::kFloat16: return e.constant(Tensor::scalar(base::Float16(value)));
    case DType::kBfloat16: return e.constant(Tensor::scalar(base::Bfloat16(value)));
    default: return cast(e.constant(Tensor::scalar(value)), type);
  }
}

Emitter::Id Emitter::like(double value, Id other) {
  const DType type = e.fact(other).dtype;
  return type == DType::kNone ? op("CastLike", {e.constant(Tensor::scalar(value)), other}) : number(value, type);
}

Emitter::Id Emitter::cast(Id x, DType type) {
  return e.fact(x).dtype == type ? x : op("Cast", {x}, {{"to", static_cast<int64_t>(type)}});
}

Emitter::Id Emitter::cast_like(Id x, Id other) {
  const DType type = e.fact(other).dtype;
  return type == DType::kNone ? op("CastLike", {x, other}) : cast(x, type);
}

Emitter::Id Emitter::wide(Id x) {
  const DType type = e.fact(x).dtype;
  return type == DType::kFloat16 || type == DType::kBfloat16 ? cast(x, DType::kFloat32) : x;
}

int64_t Emitter::rank(Id x, std::string_view what) {
  const int64_t result = e.fact(x).rank();
  if (result < 0)
    e.fail("{} needs to know the rank of '{}', which the model leaves open", e.source().op->full_name(), what);
  return result;
}

}  // namespace onnxrun::ops
