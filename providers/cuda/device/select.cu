// Hardmax, a block a row, and LRN, a thread an element.
#include "cuda/device/select.h"

#include <cmath>

#include "cuda/device/block.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"
#include "cuda/device/row_order.h"

namespace onnxrun::cuda {
namespace {

template <class T>
__global__ void hardmax(const T* x, T* y, Rows rows) {
  for (int64_t row = blockIdx.x; row < rows.count; row += gridDim.x) {
    const int64_t first = first_of_row(rows, row, rows.size);
    const T* from = x + first;
    int64_t best = -1;
    for (int64_t i = threadIdx.x; i < rows.size; i += blockDim.x)
      if (best < 0 || comes_before(from, rows.step, true, i, best)) best = i;
    best = combine_block(best, int64_t{-1}, [=](int64_t i, int64_t j) {
      if (i < 0 || j < 0) return i < 0 ? j : i;
      return i != j && comes_before(from, rows.step, true, j, i) ? j : i;
    });
    for (int64_t i = threadIdx.x; i < rows.size; i += blockDim.x)
      y[first + i * rows.step] = narrow<T>(static_cast<WorkOf<T>>(i == best ? 1 : 0));
  }
}

template <class T>
void launch_hardmax(const Queue& queue, const Rows& rows, const void* x, void* y) {
  if (rows.count == 0 || rows.size == 0) return;
  launch(queue, hardmax<T>, blocks_for_rows(rows.count), threads_for_row(rows.size), static_cast<const T*>(x),
         static_cast<T*>(y), rows);
}

template <class T>
__global__ void local_response(const T* x, T* y, LocalResponse how, Divisor plane, Divisor channels) {
  using W = WorkOf<T>;
  for (int64_t i = first_item(); i < how.count; i += item_step()) {
    int64_t channel, place;
    channels.divide(plane.divide(i, place), channel);
    const int64_t below = (how.size - 1) / 2, above = how.size - 1 - below;
    const int64_t first = below < channel ? channel - below : 0;
    const int64_t last = above < how.channels - 1 - channel ? channel + above : how.channels - 1;
    W squares = 0;
    for (int64_t c = first; c <= last; ++c) {
      const W value = widen(x[i + (c - channel) * how.plane]);
      squares += value * value;
    }
    const W base = static_cast<W>(how.bias) + static_cast<W>(how.alpha) / static_cast<W>(how.size) * squares;
    y[i] = narrow<T>(static_cast<W>(widen(x[i])) * pow(base, -static_cast<W>(how.beta)));
  }
}

template <class T>
void launch_local_response(const Queue& queue, const LocalResponse& how, const void* x, void* y) {
  if (how.count == 0) return;
  launch(queue, local_response<T>, blocks_for(how.count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how,
         Divisor(how.plane, how.count), Divisor(how.channels, how.count));
}

}  // namespace

HardmaxLaunch find_hardmax(DType type) {
  HardmaxLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_hardmax<T>; });
  return result;
}
LocalResponseLaunch find_local_response(DType type) {
  LocalResponseLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_local_response<T>; });
  return result;
}

}  // namespace onnxrun::cuda
