// The elementwise family: a formula applied to every element, read through steps or straight on.
#pragma once

#include "cuda/device/axes.h"
#include "cuda/device/element.h"
#include "cuda/device/elementwise.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {

template <class F, class In, class Out>
__global__ void map_one(F f, const In* __restrict__ x, Out* __restrict__ y, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step()) y[i] = narrow<Out>(f(widen(x[i])));
}

template <class F, class A, class B, class Out>
__global__ void map_two(F f, const A* __restrict__ a, const B* __restrict__ b, Out* __restrict__ y, int64_t count,
                        int64_t a_step, int64_t b_step) {
  for (int64_t i = first_item(); i < count; i += item_step())
    y[i] = narrow<Out>(f(widen(a[i * a_step]), widen(b[i * b_step])));
}

template <class F, class A, class B, class Out>
__global__ void map_two_strided(F f, const A* __restrict__ a, const B* __restrict__ b, Out* __restrict__ y,
                                Axes<2> axes) {
  for (int64_t i = first_item(); i < axes.count; i += item_step()) {
    int64_t at[2];
    axes.offsets(i, at);
    y[i] = narrow<Out>(f(widen(a[at[0]]), widen(b[at[1]])));
  }
}

// F is made of the formula's numbers: F{formula}.
template <class F, class In, class Out>
void launch_one(const Queue& queue, const Formula& formula, const void* x, void* y, int64_t count) {
  if (count == 0) return;
  launch(queue, map_one<F, In, Out>, blocks_for(count), kThreads, F{formula}, static_cast<const In*>(x),
         static_cast<Out*>(y), count);
}

template <class F, class A, class B, class Out>
void launch_two(const Queue& queue, const Formula& formula, const Axes<2>& axes, const void* a, const void* b,
                void* y) {
  if (axes.count == 0) return;
  const auto* left = static_cast<const A*>(a);
  const auto* right = static_cast<const B*>(b);
  auto* out = static_cast<Out*>(y);
  if (axes.rank <= 1) {
    const int64_t a_step = axes.rank == 0 ? 0 : axes.steps[0][0], b_step = axes.rank == 0 ? 0 : axes.steps[1][0];
    launch(queue, map_two<F, A, B, Out>, blocks_for(axes.count), kThreads, F{formula}, left, right, out, axes.count,
           a_step, b_step);
  } else {
    launch(queue, map_two_strided<F, A, B, Out>, blocks_for(axes.count), kThreads, F{formula}, left, right, out, axes);
  }
}

}  // namespace onnxrun::cuda
