// Division by a number that is known before the kernel starts.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace onnxrun::cuda {

constexpr int64_t kNarrow = int64_t{1} << 31;  // below it, indices are counted in 32 bits

// A multiplication and a shift where dividends and divisor are below kNarrow, by Granlund and Montgomery ("Division by invariant integers using
// multiplication", 1994).
class Divisor {
 public:
  Divisor() = default;
  // For dividends in [0, limit]; `value` is positive.
  Divisor(int64_t value, int64_t limit) : value_(value), narrow_(value < kNarrow && limit < kNarrow) {
    while ((int64_t{1} << shift_) < value && narrow_) ++shift_;
    if (narrow_)
      factor_ = static_cast<uint32_t>(
          (((uint64_t{1} << shift_) - static_cast<uint64_t>(value)) << 32) / static_cast<uint64_t>(value) + 1);
  }
  // Only where all is narrow.
  __device__ uint32_t narrow_quotient(uint32_t n) const {
    return (static_cast<uint32_t>(static_cast<uint64_t>(n) * factor_ >> 32) + n) >> shift_;
  }
  template <class I>
  __device__ uint32_t narrow_divide(uint32_t n, I& rest) const {
    const uint32_t quotient = narrow_quotient(n);
    rest = static_cast<I>(n - quotient * static_cast<uint32_t>(value_));
    return quotient;
  }
  // n / value; `rest` gets what is left.
  __device__ int64_t divide(int64_t n, int64_t& rest) const {
    if (narrow_) {
      return narrow_divide(static_cast<uint32_t>(n), rest);
    }
    const int64_t quotient = n / value_;
    rest = n - quotient * value_;
    return quotient;
  }

 private:
  int64_t value_ = 1;
  uint32_t factor_ = 1, shift_ = 0;
  bool narrow_ = true;
};

}  // namespace onnxrun::cuda
