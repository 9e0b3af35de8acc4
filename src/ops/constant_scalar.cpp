// Scalars between float attributes and tensors.
#include "ops/constant_scalar.h"

#include <cmath>

namespace onnxrun::ops {

using ir::DType;
using ir::Tensor;

std::optional<float> scalar_as_float(const Tensor& tensor) {
  if (!tensor || tensor.count() != 1) return std::nullopt;
  switch (tensor.dtype()) {
    case DType::kFloat32: return *tensor.data<float>();
    case DType::kFloat16: return static_cast<float>(*tensor.data<base::Float16>());
    case DType::kBfloat16: return static_cast<float>(*tensor.data<base::Bfloat16>());
    case DType::kFloat64: {
      const double value = *tensor.data<double>();
      const auto narrow = static_cast<float>(value);
      if (static_cast<double>(narrow) != value && !std::isnan(value)) return std::nullopt;
      return narrow;
    }
    default: return std::nullopt;
  }
}

Tensor float_as_scalar(float value, DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return Tensor::scalar(value);
    case DType::kFloat16: return Tensor::scalar(base::Float16(value));
    case DType::kBfloat16: return Tensor::scalar(base::Bfloat16(value));
    case DType::kFloat64: return Tensor::scalar(static_cast<double>(value));
    default: return {};
  }
}

ir::ValueId reshaped_constant(ir::Lowering& l, ir::ValueId value, const std::vector<int64_t>& dims) {
  const Tensor& constant = l.fact(value).constant;
  return constant ? l.constant(constant.reshaped(dims)) : l.emit("Reshape", {value, l.int64s(dims)});
}

}  // namespace onnxrun::ops
