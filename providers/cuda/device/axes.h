// How a kernel walks tensors of any strides: dims shared by N operands, each with its own steps.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/device/divisor.h"

namespace onnxrun::cuda {

constexpr int kMaxAxes = 8;  // after neighbouring axes that can be walked as one were joined

template <int N>
struct Axes {
  int rank = 0;
  int64_t count = 1;
  int64_t dims[kMaxAxes];
  int64_t steps[N][kMaxAxes];  // in elements

  // Offsets of the `index`-th element in row-major order of the dims.
  __device__ void offsets(int64_t index, int64_t (&out)[N]) const {
    for (int k = 0; k < N; ++k) out[k] = 0;
    const bool narrow = count < kNarrow;
    for (int d = rank - 1; d > 0; --d) {
      const int64_t next = narrow ? static_cast<uint32_t>(index) / static_cast<uint32_t>(dims[d]) : index / dims[d];
      const int64_t at = index - next * dims[d];
      for (int k = 0; k < N; ++k) out[k] += at * steps[k][d];
      index = next;
    }
    if (rank > 0)
      for (int k = 0; k < N; ++k) out[k] += index * steps[k][0];
  }
};

// The same walk made ready for a kernel that does little else: without divisions where the count and the steps are narrow.
template <int N>
class Walk {
 public:
  explicit Walk(const Axes<N>& axes) : axes_(axes), narrow_(axes.count < kNarrow) {
    for (int d = 0; d < axes.rank; ++d) {
      divisors_[d] = Divisor(axes.dims[d] > 0 ? axes.dims[d] : 1, axes.count);
      for (int k = 0; k < N; ++k) narrow_ &= axes.steps[k][d] < kNarrow && axes.steps[k][d] > -kNarrow;
    }
  }
  __host__ __device__ int64_t count() const { return axes_.count; }

  __device__ void offsets(int64_t index, int64_t (&out)[N]) const {
    if (!narrow_) return axes_.offsets(index, out);
    for (int k = 0; k < N; ++k) out[k] = 0;
    auto rest = static_cast<uint32_t>(index);
    for (int d = axes_.rank - 1; d >= 0; --d) {
      const uint32_t next = d > 0 ? divisors_[d].narrow_quotient(rest) : 0;
      const auto at = static_cast<int32_t>(rest - next * static_cast<uint32_t>(axes_.dims[d]));
      for (int k = 0; k < N; ++k) out[k] += int64_t{at} * static_cast<int32_t>(axes_.steps[k][d]);
      rest = next;
    }
  }
  // Where there is one operand.
  __device__ int64_t offset(int64_t index) const {
    int64_t at[N];
    offsets(index, at);
    return at[0];
  }

 private:
  Axes<N> axes_;
  Divisor divisors_[kMaxAxes];
  bool narrow_;
};

}  // namespace onnxrun::cuda
