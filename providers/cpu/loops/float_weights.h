// Constant weights of any type that a kernel may have, as float32.
#pragma once

#include <vector>

#include "base/charge.h"
#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/cpu.h"
#include "cpu/loops/convert.h"

namespace onnxrun::cpu {

// A view of what is float32, a copy of what is not, which the kernel at work is charged for.
class FloatWeights {
 public:
  explicit FloatWeights(const onnxrun_tensor& weights) : data_(static_cast<const float*>(weights.data)) {
    if (dtype(weights) == DType::kFloat32) return;
    const int64_t count = provider::count(weights);
    charge_ = base::Charge(base::kernel_budget(), base::checked_mul(count, sizeof(float)));
    values_.resize(static_cast<size_t>(count));
    converter(dtype(weights), DType::kFloat32)(weights.data, values_.data(), count);
    data_ = values_.data();
  }
  const float* data() const { return data_; }

 private:
  base::Charge charge_;
  std::vector<float> values_;
  const float* data_;
};

}  // namespace onnxrun::cpu
