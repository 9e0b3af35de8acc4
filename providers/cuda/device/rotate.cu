// RotaryEmbedding: a thread an element, or a warp a row.
#include "cuda/device/rotate.h"

#include "cuda/device/block.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

// Element `e` of a head, which `at` reads, turned with the other of its pair by the angles of its position. `how` says which elements are a pair.
template <class T, class At, class How>
__device__ T rotated(At at, int64_t e, const How& how, const T* cos, const T* sin) {
  const int64_t pair = how.interleaved ? e / 2 : e % how.half;
  const bool second = how.interleaved ? e % 2 != 0 : e >= how.half;
  const int64_t other = how.interleaved ? (second ? -1 : 1) : (second ? -how.half : how.half);
  const auto own = at(e), mate = at(e + other);
  const auto c = widen(cos[pair]), s = widen(sin[pair]);
  return narrow<T>(second ? mate * s + own * c : own * c - mate * s);
}

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
    y[i] = rotated([&](int64_t k) { return widen(x[row * how.head + k]); }, e, how, cos + at * how.half,
                   sin + at * how.half);
  }
}

template <class T>
void launch_rotate(const Queue& queue, const Rotation& how, const void* x, const void* cos, const void* sin, void* y) {
  const int64_t count = how.batch * how.heads * how.length * how.head;
  if (count == 0) return;
  launch(queue, rotate<T>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<const T*>(cos),
         static_cast<const T*>(sin), static_cast<T*>(y), how);
}

// A warp a row.
template <class T>
__global__ void move_rotated(RotatedRows how) {
  using W = WorkOf<T>;
  const auto *cos = static_cast<const T*>(how.cos), *sin = static_cast<const T*>(how.sin),
             *norm = static_cast<const T*>(how.norm);
  for (int64_t item = blockIdx.x; item < how.heads * how.rows; item += gridDim.x) {
    const int64_t row = item % how.rows, h = item / how.rows;
    const T* from = static_cast<const T*>(how.from) + h * how.from_head + row * how.from_row;
    T* to = static_cast<T*>(how.to) + h * how.to_head + row * how.to_row;
    W factor = 1;
    if (norm != nullptr) {
      W squares = 0;
      for (int64_t e = threadIdx.x; e < how.head; e += blockDim.x) squares += widen(from[e]) * widen(from[e]);
      factor = W(1) / sqrt(sum_block(squares) / static_cast<W>(how.head) + static_cast<W>(how.epsilon));
    }
    const auto element = [&](int64_t e) -> W {
      return norm == nullptr ? widen(from[e]) : widen(from[e]) * (factor * widen(norm[e]));
    };
    int64_t at = how.first + row;
    if (how.ids != nullptr) at = how.ids[row * how.ids_step] + (how.ids_step == 0 ? row : 0);
    if (how.half > 0 && (at < 0 || at >= how.positions)) {
      set(how.report);
      at = 0;
    }
    for (int64_t e = threadIdx.x; e < how.head; e += blockDim.x)
      to[e] =
          e < 2 * how.half ? rotated(element, e, how, cos + at * how.half, sin + at * how.half) : narrow<T>(element(e));
  }
}

template <class T>
void launch_rotated_rows(const Queue& queue, const RotatedRows& how) {
  const int64_t rows = how.heads * how.rows;
  if (rows * how.head > 0) launch(queue, move_rotated<T>, blocks_for_rows(rows), 32, how);
}

}  // namespace

RotatedRowsLaunch find_rotated_rows(DType type) {
  RotatedRowsLaunch result = nullptr;
  with_element(Elements<float, __half, __nv_bfloat16>{}, type,
               [&]<class T>(std::type_identity<T>) { result = launch_rotated_rows<T>; });
  return result;
}

RotationLaunch find_rotation(DType type) {
  RotationLaunch result = nullptr;
  with_element(Elements<float, __half, __nv_bfloat16>{}, type,
               [&]<class T>(std::type_identity<T>) { result = launch_rotate<T>; });
  return result;
}

}  // namespace onnxrun::cuda
