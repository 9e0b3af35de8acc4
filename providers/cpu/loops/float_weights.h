// Constant weights of any type that a convolution may have, as float32.
#pragma once

#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/convert.h"

namespace onnxrun::cpu {

class FloatWeights {
 public:
  explicit FloatWeights(const onnxrun_tensor& weights) : data_(static_cast<const float*>(weights.data)) {
    if (dtype(weights) == DType::kFloat32) return;
    values_.resize(static_cast<size_t>(provider::count(weights)));
    converter(dtype(weights), DType::kFloat32)(weights.data, values_.data(), provider::count(weights));
    data_ = values_.data();
  }
  const float* data() const { return data_; }

 private:
  std::vector<float> values_;
  const float* data_;
};

}  // namespace onnxrun::cpu
