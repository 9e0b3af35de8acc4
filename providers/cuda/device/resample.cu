// Resize: a thread an output element.
#include "cuda/device/resample.h"

#include <cmath>
#include <limits>

#include "cuda/device/divisor.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

template <class T, class W>
__device__ T rounded(W value) {
  if constexpr (std::is_integral_v<T>) {
    const double whole = rint(static_cast<double>(value));
    if (!(whole > static_cast<double>(std::numeric_limits<T>::lowest()))) return std::numeric_limits<T>::lowest();
    if (whole >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    return static_cast<T>(whole);
  } else {
    return narrow<T>(value);
  }
}

// Of an index among the outputs and of one among the products of an output.
struct ResampleDivisors {
  Divisor out[kMaxAxes], taps[kMaxAxes];
};

template <class T>
__global__ void resample(const T* x, T* y, Resampling how, ResampleDivisors divisors) {
  using W = std::conditional_t<std::is_integral_v<T> || std::is_same_v<T, double>, double, float>;
  for (int64_t item = first_item(); item < how.count; item += item_step()) {
    int64_t at[kMaxAxes], rest = item;
    bool outside = false;
    for (int d = how.rank - 1; d >= 0; --d) {
      rest = divisors.out[d].divide(rest, at[d]);
      outside |= how.axes[d].outside != nullptr && how.axes[d].outside[at[d]];
    }
    W sum = 0;
    T picked{};
    for (int64_t choice = 0; choice < how.choices; ++choice) {
      int64_t from = 0, left = choice;
      W weight = 1;
      for (int d = 0; d < how.rank; ++d) {
        const ResampleTable& axis = how.axes[d];
        int64_t index = at[d];
        if (axis.indices != nullptr) {
          int64_t tap;
          left = divisors.taps[d].divide(left, tap);
          tap += at[d] * axis.taps;
          index = axis.indices[tap];
          weight *= static_cast<W>(axis.weights[tap]);
        }
        from = from * axis.in + index;
      }
      picked = x[from];
      if (weight != W(0)) sum += weight * static_cast<W>(widen(picked));
    }
    if (outside) y[item] = rounded<T>(static_cast<W>(how.extrapolation));
    else y[item] = how.nearest ? picked : rounded<T>(sum);
  }
}

template <class T>
void launch_resample(const Queue& queue, const Resampling& how, const void* x, void* y) {
  if (how.count == 0) return;
  ResampleDivisors divisors;
  for (int d = 0; d < how.rank; ++d) {
    divisors.out[d] = Divisor(how.axes[d].out, how.count);
    divisors.taps[d] = Divisor(how.axes[d].taps, how.choices);
  }
  launch(queue, resample<T>, blocks_for(how.count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how,
         divisors);
}

}  // namespace

ResampleLaunch find_resample(DType type) {
  ResampleLaunch result = nullptr;
  if (type == DType::kBool) type = DType::kUint8;
  with_element(NumberElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_resample<T>; });
  return result;
}

}  // namespace onnxrun::cuda
