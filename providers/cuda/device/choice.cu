// Where and Clip.
#include "cuda/device/bytes.h"
#include "cuda/device/map.h"

namespace onnxrun::cuda {
namespace {

template <class T>
__global__ void where(const bool* condition, const T* yes, const T* no, T* y, Walk<3> walk) {
  for (int64_t i = first_item(); i < walk.count(); i += item_step()) {
    int64_t at[3];
    walk.offsets(i, at);
    y[i] = condition[at[0]] ? yes[at[1]] : no[at[2]];
  }
}

template <class T>
void launch_where_of(const Queue& queue, const Axes<3>& axes, const bool* condition, const void* yes, const void* no,
                     void* y) {
  launch(queue, where<T>, blocks_for(axes.count), kThreads, condition, static_cast<const T*>(yes),
         static_cast<const T*>(no), static_cast<T*>(y), Walk<3>(axes));
}

// NaN stays; where the limits cross, the upper one counts.
template <class T>
__global__ void clip(const T* x, const T* low, const T* high, T* y, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step()) {
    auto value = widen(x[i]);
    if (low != nullptr && value < widen(*low)) value = widen(*low);
    if (high != nullptr && value > widen(*high)) value = widen(*high);
    y[i] = narrow<T>(value);
  }
}

template <class T>
void launch_clip(const Queue& queue, const void* x, const void* low, const void* high, void* y, int64_t count) {
  if (count == 0) return;
  launch(queue, clip<T>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<const T*>(low),
         static_cast<const T*>(high), static_cast<T*>(y), count);
}

}  // namespace

void launch_where(const Queue& queue, const Axes<3>& axes, int bytes, const bool* condition, const void* yes,
                  const void* no, void* y) {
  if (axes.count == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) { launch_where_of<T>(queue, axes, condition, yes, no, y); });
}

ClipLaunch find_clip(DType type) {
  ClipLaunch result = nullptr;
  with_element(NumberElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_clip<T>; });
  return result;
}

}  // namespace onnxrun::cuda
