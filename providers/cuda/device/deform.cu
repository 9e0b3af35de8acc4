// DeformConv: a thread an output element. Places are found in double.
#include "cuda/device/deform.h"

#include <cmath>

#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

template <class T>
__device__ WorkOf<T> sample(const DeformedConvolution& how, const T* plane, double h, double w) {
  using W = WorkOf<T>;
  const int64_t height = how.in[0], width = how.in[1];
  if (!(h > -1 && h < static_cast<double>(height) && w > -1 && w < static_cast<double>(width))) return 0;
  const auto top = static_cast<int64_t>(floor(h)), left = static_cast<int64_t>(floor(w));
  const W dh = static_cast<W>(h - static_cast<double>(top)), dw = static_cast<W>(w - static_cast<double>(left));
  const auto at = [&](int64_t i, int64_t j) {
    return i < 0 || j < 0 || i >= height || j >= width ? W(0) : static_cast<W>(widen(plane[i * width + j]));
  };
  return (1 - dh) * ((1 - dw) * at(top, left) + dw * at(top, left + 1)) +
         dh * ((1 - dw) * at(top + 1, left) + dw * at(top + 1, left + 1));
}

template <class T>
__global__ void deform(const T* x, T* y, DeformedConvolution how) {
  using W = WorkOf<T>;
  const auto *weights = static_cast<const T*>(how.weights), *offsets = static_cast<const T*>(how.offsets),
             *bias = static_cast<const T*>(how.bias), *mask = static_cast<const T*>(how.mask);
  const int64_t in_size = how.in[0] * how.in[1], out_size = how.out[0] * how.out[1];
  const int64_t taps = how.kernel[0] * how.kernel[1], channels = how.channels / how.groups;
  for (int64_t item = first_item(); item < how.batch * how.outputs * out_size; item += item_step()) {
    const int64_t at = item % out_size, m = item / out_size % how.outputs, n = item / out_size / how.outputs;
    const int64_t i = at / how.out[1], j = at % how.out[1], first = m / (how.outputs / how.groups) * channels;
    W sum = bias == nullptr ? W(0) : static_cast<W>(widen(bias[m]));
    for (int64_t k = 0; k < taps; ++k) {
      const int64_t row = i * how.strides[0] - how.pads[0] + k / how.kernel[1] * how.dilations[0];
      const int64_t column = j * how.strides[1] - how.pads[1] + k % how.kernel[1] * how.dilations[1];
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t channel = first + c;
        const int64_t tap = (n * how.offset_groups + channel / (how.channels / how.offset_groups)) * taps + k;
        const double h = static_cast<double>(row) + static_cast<double>(widen(offsets[2 * tap * out_size + at]));
        const double w =
            static_cast<double>(column) + static_cast<double>(widen(offsets[(2 * tap + 1) * out_size + at]));
        W value = sample(how, x + (n * how.channels + channel) * in_size, h, w);
        if (mask != nullptr) value *= static_cast<W>(widen(mask[tap * out_size + at]));
        sum += value * static_cast<W>(widen(weights[(m * channels + c) * taps + k]));
      }
    }
    y[item] = narrow<T>(sum);
  }
}

template <class T>
void launch_deform(const Queue& queue, const DeformedConvolution& how, const void* x, void* y) {
  const int64_t count = how.batch * how.outputs * how.out[0] * how.out[1];
  if (count > 0)
    launch(queue, deform<T>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how);
}

}  // namespace

DeformLaunch find_deform(DType type) {
  DeformLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_deform<T>; });
  return result;
}

}  // namespace onnxrun::cuda
