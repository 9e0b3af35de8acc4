// ReverseSequence, TensorScatter and MaxUnpool: a thread an element.
#include "cuda/device/rearrange.h"

#include "cuda/device/bytes.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

template <class T>
__global__ void reverse(const T* x, T* y, Reversal how) {
  const int64_t times = how.time_first ? how.first : how.second;
  for (int64_t i = first_item(); i < how.first * how.second * how.inner; i += item_step()) {
    const int64_t row = i / how.inner, a = row / how.second, b = row % how.second;
    const int64_t time = how.time_first ? a : b, length = how.lengths[how.time_first ? b : a];
    if (length < 0 || length > times) {
      set(how.report);
      continue;
    }
    const int64_t from = time < length ? length - 1 - time : time;
    const int64_t from_row = how.time_first ? from * how.second + b : a * how.second + from;
    y[i] = x[from_row * how.inner + i % how.inner];
  }
}

template <class T>
__global__ void rows_into(const T* x, T* y, RowsInto how) {
  for (int64_t i = first_item(); i < how.outer * how.rows * how.inner; i += item_step()) {
    const int64_t row = i / how.inner, outer = row / how.rows;
    int64_t start = how.starts == nullptr ? 0 : how.starts[outer / how.per_batch];
    if (how.circular) {
      start = (start % how.room + how.room) % how.room;
    } else if (start < 0 || start > how.room - how.rows) {
      set(how.report);
      continue;
    }
    const int64_t to = (start + row % how.rows) % how.room;
    y[(outer * how.room + to) * how.inner + i % how.inner] = x[i];
  }
}

template <class T>
__global__ void unpool(const T* x, T* y, Unpooling how) {
  for (int64_t i = first_item(); i < how.count; i += item_step()) {
    int64_t place = how.places[i], to = 0, step = 1;
    if (place < 0 || place >= how.limit) {
      set(how.report);
      continue;
    }
    for (int d = how.rank - 1; d >= 0; --d) {
      to += place % how.counted[d] * step;
      place /= how.counted[d];
      step *= how.out[d];
    }
    y[to] = x[i];
  }
}

}  // namespace

void launch_reverse(const Queue& queue, const Reversal& how, int bytes, const void* x, void* y) {
  const int64_t count = how.first * how.second * how.inner;
  if (count == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    launch(queue, reverse<T>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how);
  });
}

void launch_rows_into(const Queue& queue, const RowsInto& how, int bytes, const void* x, void* y) {
  const int64_t count = how.outer * how.rows * how.inner;
  if (count == 0 || how.room == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    launch(queue, rows_into<T>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how);
  });
}

void launch_unpool(const Queue& queue, const Unpooling& how, int bytes, const void* x, void* y) {
  if (how.count == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    launch(queue, unpool<T>, blocks_for(how.count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how);
  });
}

}  // namespace onnxrun::cuda
