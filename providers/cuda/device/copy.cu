// Strided copies, fills, and what ends a convolution.
#include "cuda/device/copy.h"

#include "cuda/device/bytes.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

template <class T>
__global__ void copy_run(const T* __restrict__ from, T* __restrict__ to, int64_t count, int64_t from_step,
                         int64_t to_step) {
  for (int64_t i = first_item(); i < count; i += item_step()) to[i * to_step] = from[i * from_step];
}

template <class T>
__global__ void copy_strided(const T* __restrict__ from, T* __restrict__ to, Axes<2> axes) {
  for (int64_t i = first_item(); i < axes.count; i += item_step()) {
    int64_t at[2];
    axes.offsets(i, at);
    to[at[1]] = from[at[0]];
  }
}

template <class T>
__global__ void fill(T value, T* to, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step()) to[i] = value;
}

template <class T>
__global__ void channel_end(ChannelEnd end, T* y) {
  const T* bias = static_cast<const T*>(end.bias);
  const T* added = static_cast<const T*>(end.added);
  for (int64_t i = first_item(); i < end.count; i += item_step()) {
    auto value = widen(y[i]);
    if (bias != nullptr) value += widen(bias[i / end.plane % end.channels]);
    if (added != nullptr) value += widen(added[i]);
    if (end.clamps) {
      if (value < static_cast<WorkOf<T>>(end.low)) value = static_cast<WorkOf<T>>(end.low);
      if (value > static_cast<WorkOf<T>>(end.high)) value = static_cast<WorkOf<T>>(end.high);
    }
    y[i] = narrow<T>(value);
  }
}

}  // namespace

void launch_copy(const Queue& queue, const Axes<2>& axes, int bytes, const void* from, void* to) {
  if (axes.count == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    const auto* source = static_cast<const T*>(from);
    auto* target = static_cast<T*>(to);
    if (axes.rank <= 1) {
      const int64_t from_step = axes.rank == 0 ? 0 : axes.steps[0][0], to_step = axes.rank == 0 ? 0 : axes.steps[1][0];
      launch(queue, copy_run<T>, blocks_for(axes.count), kThreads, source, target, axes.count, from_step, to_step);
    } else {
      launch(queue, copy_strided<T>, blocks_for(axes.count), kThreads, source, target, axes);
    }
  });
}

void launch_fill(const Queue& queue, int bytes, const void* value, void* to, int64_t count) {
  if (count == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    launch(queue, fill<T>, blocks_for(count), kThreads, *static_cast<const T*>(value), static_cast<T*>(to), count);
  });
}

void launch_channel_end(const Queue& queue, DType type, const ChannelEnd& end, void* y) {
  if (end.count == 0) return;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) {
    launch(queue, channel_end<T>, blocks_for(end.count), kThreads, end, static_cast<T*>(y));
  });
}

}  // namespace onnxrun::cuda
