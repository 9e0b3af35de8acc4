// RotaryEmbedding: a thread an element.
#include "cuda/device/rotate.h"

#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

template <class T>
__global__ void rotate(const T* x, const T* cos, const T* sin, T* y, Rotation how) {
  const int64_t count = how.batch * how.heads * how.length * how.head;
  for (int64_t i = first_item(); i < count; i += item_step()) {
    const int64_t e = i % how.head, row = i / how.head;
    if (e >= 2 * how.half) {
      y[i] = x[i];
      continue;
    }
    const int64_t b = row / how.heads / how.length;
    const int64_t t = how.merged ? row / how.heads % how.length : row % how.length;
    int64_t at = b * how.length + t;
    if (how.ids != nullptr) {
      at = how.ids[at];
      if (at < 0 || at >= how.positions) {
        set(how.report);
        at = 0;
      }
    }
    const int64_t pair = how.interleaved ? e / 2 : e % how.half;
    const bool second = how.interleaved ? e % 2 != 0 : e >= how.half;
    const int64_t other = how.interleaved ? (second ? -1 : 1) : (second ? -how.half : how.half);
    const auto own = widen(x[i]), mate = widen(x[i + other]);
    const auto c = widen(cos[at * how.half + pair]), s = widen(sin[at * how.half + pair]);
    y[i] = narrow<T>(second ? mate * s + own * c : own * c - mate * s);
  }
}

template <class T>
void launch_rotate(const Queue& queue, const Rotation& how, const void* x, const void* cos, const void* sin, void* y) {
  const int64_t count = how.batch * how.heads * how.length * how.head;
  if (count == 0) return;
  launch(queue, rotate<T>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<const T*>(cos),
         static_cast<const T*>(sin), static_cast<T*>(y), how);
}

}  // namespace

RotationLaunch find_rotation(DType type) {
  RotationLaunch result = nullptr;
  with_element(Elements<float, __half, __nv_bfloat16>{}, type,
               [&]<class T>(std::type_identity<T>) { result = launch_rotate<T>; });
  return result;
}

}  // namespace onnxrun::cuda
