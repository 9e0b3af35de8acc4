// How exact sums of 8-bit products become results.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "cuda/device/element.h"
#include "cuda/device/integer.h"

namespace onnxrun::cuda {

__device__ inline float scale_at(const void* data, DType type, int64_t i) {
  switch (type) {
    case DType::kFloat16: return __half2float(static_cast<const __half*>(data)[i]);
    case DType::kBfloat16: return __bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]);
    default: return static_cast<const float*>(data)[i];
  }
}

// The end of the sums of a row and a column.
template <class Y>
class Scaling {
 public:
  __device__ Scaling(const Requantization& ends, int64_t row, int64_t column) {
    if constexpr (!std::is_same_v<Y, int32_t>) {
      scale_ = scale_at(ends.a_scale.data, ends.scale_type, row * ends.a_scale.step) *
               scale_at(ends.b_scale.data, ends.scale_type, column * ends.b_scale.step);
      if constexpr (std::is_same_v<Y, float>) {
        biased_ = ends.bias != nullptr;
        if (biased_) added_ = ends.bias[column];
      } else {
        scale_ /= scale_at(ends.y_scale, ends.scale_type, 0);
        if (ends.y_zero != nullptr) added_ = static_cast<float>(*static_cast<const Y*>(ends.y_zero));
      }
    }
  }
  __device__ Y operator()(int sum) const {
    if constexpr (std::is_same_v<Y, int32_t>) {
      return sum;
    } else if constexpr (std::is_same_v<Y, float>) {
      const float value = static_cast<float>(sum) * scale_;
      return biased_ ? value + added_ : value;
    } else {
      const double value = rint(static_cast<double>(sum) * static_cast<double>(scale_)) + static_cast<double>(added_);
      constexpr double kLow = std::numeric_limits<Y>::lowest(), kHigh = std::numeric_limits<Y>::max();
      return static_cast<Y>(value > kLow ? (value < kHigh ? value : kHigh) : kLow);
    }
  }

 private:
  float scale_ = 0, added_ = 0;  // a bias, or a zero point
  bool biased_ = false;
};

template <class Y>
__device__ Y ended(int sum, const Requantization& ends, int64_t row, int64_t column) {
  return Scaling<Y>(ends, row, column)(sum);
}

}  // namespace onnxrun::cuda
