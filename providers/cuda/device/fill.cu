// Elements that follow from their place.
#include "cuda/device/fill.h"

#include "cuda/device/bytes.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

// The element of an axis of `size` kept ones that stands at `i`; -1: none.
__device__ int64_t shown(PadFill fill, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  switch (fill) {
    case PadFill::kConstant: return -1;
    case PadFill::kEdge: return i < 0 ? 0 : size - 1;
    case PadFill::kWrap: return ((i % size) + size) % size;
    case PadFill::kReflect: {
      if (size == 1) return 0;
      const int64_t period = 2 * (size - 1);
      const int64_t at = ((i % period) + period) % period;
      return at < size ? at : period - at;
    }
  }
  return -1;
}

template <class T>
__global__ void pad(const T* value, const T* x, T* y, Padding how) {
  for (int64_t i = first_item(); i < how.count; i += item_step()) {
    int64_t rest = i, from = 0;
    for (int d = how.rank - 1; d >= 0 && from >= 0; --d) {
      const int64_t at = shown(how.fill, rest % how.out[d] - how.lead[d], how.kept[d]);
      rest /= how.out[d];
      from = at < 0 ? -1 : from + (at + how.cut[d]) * how.steps[d];
    }
    y[i] = from >= 0 ? x[from] : value != nullptr ? *value : T{};
  }
}

template <class T>
__global__ void trilu(const T* x, T* y, int64_t count, int64_t height, int64_t width, int64_t k, bool upper) {
  for (int64_t i = first_item(); i < count; i += item_step()) {
    const int64_t column = i % width, row = i / width % height;
    const bool kept = upper ? column >= row + k : column <= row + k;
    y[i] = kept ? x[i] : T{};
  }
}

template <class T>
__global__ void eye(T* y, int64_t rows, int64_t columns, int64_t k) {
  for (int64_t i = first_item(); i < rows * columns; i += item_step())
    y[i] = narrow<T>(static_cast<WorkOf<T>>(i % columns - i / columns == k ? 1 : 0));
}
template <class T>
void launch_eye(const Queue& queue, int64_t rows, int64_t columns, int64_t k, void* y) {
  if (rows * columns == 0) return;
  launch(queue, eye<T>, blocks_for(rows * columns), kThreads, static_cast<T*>(y), rows, columns, k);
}

// Narrow floats are computed in float64 and rounded once.
template <class T>
__global__ void range(T* y, Steps how, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step()) {
    if constexpr (std::is_integral_v<T>)
      y[i] = static_cast<T>(static_cast<uint64_t>(how.whole_start) +
                            static_cast<uint64_t>(i) * static_cast<uint64_t>(how.whole_step));
    else y[i] = narrow<T>(how.start + static_cast<double>(i) * how.step);
  }
}
template <class T>
void launch_range(const Queue& queue, const Steps& how, int64_t count, void* y) {
  if (count > 0) launch(queue, range<T>, blocks_for(count), kThreads, static_cast<T*>(y), how, count);
}

template <class T, bool kProduct>
__global__ void running(const T* x, T* y, Running how) {
  using W = std::conditional_t<std::is_integral_v<WorkOf<T>>, uint64_t, WorkOf<T>>;
  for (int64_t row = first_item(); row < how.rows; row += item_step()) {
    const int64_t first = row / how.step * how.size * how.step + row % how.step;
    W total = kProduct ? 1 : 0;
    for (int64_t i = 0; i < how.size; ++i) {
      const int64_t at = first + (how.reverse ? how.size - 1 - i : i) * how.step;
      const W value = static_cast<W>(widen(x[at])), before = total;
      total = kProduct ? total * value : total + value;
      y[at] = narrow<T>(how.exclusive ? before : total);
    }
  }
}
template <class T, bool kProduct>
void launch_running(const Queue& queue, const Running& how, const void* x, void* y) {
  if (how.rows == 0 || how.size == 0) return;
  launch(queue, running<T, kProduct>, blocks_for(how.rows), kThreads, static_cast<const T*>(x), static_cast<T*>(y),
         how);
}

}  // namespace

void launch_pad(const Queue& queue, const Padding& how, int bytes, const void* value, const void* x, void* y) {
  if (how.count == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    launch(queue, pad<T>, blocks_for(how.count), kThreads, static_cast<const T*>(value), static_cast<const T*>(x),
           static_cast<T*>(y), how);
  });
}

void launch_trilu(const Queue& queue, int64_t rows, int64_t height, int64_t width, int64_t k, bool upper, int bytes,
                  const void* x, void* y) {
  if (rows * width == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    launch(queue, trilu<T>, blocks_for(rows * width), kThreads, static_cast<const T*>(x), static_cast<T*>(y),
           rows * width, height, width, k, upper);
  });
}

EyeLaunch find_eye(DType type) {
  EyeLaunch result = nullptr;
  with_element(JoinElements<NumberElements, Elements<bool>>{}, type,
               [&]<class T>(std::type_identity<T>) { result = launch_eye<T>; });
  return result;
}

RangeLaunch find_range(DType type) {
  RangeLaunch result = nullptr;
  with_element(JoinElements<FloatElements, Elements<int16_t, int32_t, int64_t>>{}, type,
               [&]<class T>(std::type_identity<T>) { result = launch_range<T>; });
  return result;
}

RunningLaunch find_running(bool product, DType type) {
  RunningLaunch result = nullptr;
  with_element(
      JoinElements<FloatElements, Elements<int32_t, int64_t, uint32_t, uint64_t>>{}, type,
      [&]<class T>(std::type_identity<T>) { result = product ? launch_running<T, true> : launch_running<T, false>; });
  return result;
}

}  // namespace onnxrun::cuda
