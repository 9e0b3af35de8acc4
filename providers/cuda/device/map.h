// The elementwise family: a formula applied to every element, read through steps or straight on.
#pragma once

#include <algorithm>

#include "cuda/device/axes.h"
#include "cuda/device/element.h"
#include "cuda/device/elementwise.h"
#include "cuda/device/launch.h"
#include "cuda/device/pack.h"

namespace onnxrun::cuda {

// Elements in a pack of types of which the largest takes `bytes`.
template <class... T>
constexpr int kPackOf = pack_size(std::max({sizeof(T)...}));

template <class F, class In, class Out>
__global__ void map_one(F f, const In* __restrict__ x, Out* __restrict__ y, int64_t count, int64_t packs) {
  constexpr int N = kPackOf<In, Out>;
  for (int64_t i = first_item(); i < packs; i += item_step()) {
    const Pack<In, N> in = load_pack<N>(x + i * N);
    Pack<Out, N> out;
    for (int n = 0; n < N; ++n) out.at[n] = narrow<Out>(f(widen(in.at[n])));
    store_pack(y + i * N, out);
  }
  for (int64_t i = packs * N + first_item(); i < count; i += item_step()) y[i] = narrow<Out>(f(widen(x[i])));
}

// Packs of elements from `from` on, or of that one alone.
template <int N, class T>
__device__ Pack<T, N> load_along(const T* from, int64_t step) {
  if (step != 0) return load_pack<N>(from);
  Pack<T, N> pack;
  const T value = *from;
  for (int n = 0; n < N; ++n) pack.at[n] = value;
  return pack;
}
template <class Out, class F, class A, class B, int N>
__device__ Pack<Out, N> map_packs(const F& f, const Pack<A, N>& a, const Pack<B, N>& b) {
  Pack<Out, N> out;
  for (int n = 0; n < N; ++n) out.at[n] = narrow<Out>(f(widen(a.at[n]), widen(b.at[n])));
  return out;
}

// Steps are 0 or 1 where there are packs.
template <class F, class A, class B, class Out>
__global__ void map_two(F f, const A* __restrict__ a, const B* __restrict__ b, Out* __restrict__ y, int64_t count,
                        int64_t a_step, int64_t b_step, int64_t packs) {
  constexpr int N = kPackOf<A, B, Out>;
  for (int64_t i = first_item(); i < packs; i += item_step())
    store_pack(y + i * N,
               map_packs<Out>(f, load_along<N>(a + i * N * a_step, a_step), load_along<N>(b + i * N * b_step, b_step)));
  for (int64_t i = packs * N + first_item(); i < count; i += item_step())
    y[i] = narrow<Out>(f(widen(a[i * a_step]), widen(b[i * b_step])));
}

// With packs the walk is one over packs, and the steps, 0 or 1, are those of the last axis.
template <class F, class A, class B, class Out>
__global__ void map_two_strided(F f, const A* __restrict__ a, const B* __restrict__ b, Out* __restrict__ y,
                                Walk<2> walk, bool packs, int64_t a_step, int64_t b_step) {
  constexpr int N = kPackOf<A, B, Out>;
  int64_t at[2];
  if (packs) {
    for (int64_t i = first_item(); i < walk.count(); i += item_step()) {
      walk.offsets(i, at);
      store_pack(y + i * N, map_packs<Out>(f, load_along<N>(a + at[0], a_step), load_along<N>(b + at[1], b_step)));
    }
  } else {
    for (int64_t i = first_item(); i < walk.count(); i += item_step()) {
      walk.offsets(i, at);
      y[i] = narrow<Out>(f(widen(a[at[0]]), widen(b[at[1]])));
    }
  }
}

// F is made of the formula's numbers: F{formula}.
template <class F, class In, class Out>
void launch_one(const Queue& queue, const Formula& formula, const void* x, void* y, int64_t count) {
  if (count == 0) return;
  constexpr int kPack = kPackOf<In, Out>;
  const auto* in = static_cast<const In*>(x);
  auto* out = static_cast<Out*>(y);
  const int64_t packs = takes_packs<kPack>(in) && takes_packs<kPack>(out) ? count / kPack : 0;
  launch(queue, map_one<F, In, Out>, blocks_for(packs > 0 ? packs : count), kThreads, F{formula}, in, out, count,
         packs);
}

// Whether operand k, of addresses that take packs, is read by whole packs or as one element for each.
template <int kPack>
bool walks_in_packs(const Axes<2>& axes, int k, bool aligned) {
  const int last = axes.rank - 1;
  if (axes.steps[k][last] == 0) return true;
  bool result = aligned && axes.steps[k][last] == 1;
  for (int d = 0; d < last; ++d) result &= axes.steps[k][d] % kPack == 0;
  return result;
}

template <class A, class B, class Out, class F>
void launch_map(const Queue& queue, const F& f, const Axes<2>& axes, const void* a, const void* b, void* y) {
  if (axes.count == 0) return;
  const auto* left = static_cast<const A*>(a);
  const auto* right = static_cast<const B*>(b);
  auto* out = static_cast<Out*>(y);
  constexpr int kPack = kPackOf<A, B, Out>;
  const int last = axes.rank - 1;
  const int64_t a_step = axes.rank == 0 ? 0 : axes.steps[0][last], b_step = axes.rank == 0 ? 0 : axes.steps[1][last];
  const bool in_packs = axes.rank > 0 && takes_packs<kPack>(out) &&
                        walks_in_packs<kPack>(axes, 0, takes_packs<kPack>(left)) &&
                        walks_in_packs<kPack>(axes, 1, takes_packs<kPack>(right));
  if (axes.rank <= 1) {
    const int64_t packs = in_packs ? axes.count / kPack : 0;
    launch(queue, map_two<F, A, B, Out>, blocks_for(packs > 0 ? packs : axes.count), kThreads, f, left, right, out,
           axes.count, a_step, b_step, packs);
    return;
  }
  const bool packs = in_packs && axes.dims[last] % kPack == 0;
  Axes<2> walked = axes;
  if (packs) {
    walked.count /= kPack;
    walked.dims[last] /= kPack;
    for (auto& steps : walked.steps) steps[last] *= kPack;
  }
  launch(queue, map_two_strided<F, A, B, Out>, blocks_for(walked.count), kThreads, f, left, right, out, Walk<2>(walked),
         packs, a_step, b_step);
}

// F is made of the formula's numbers.
template <class F, class A, class B, class Out>
void launch_two(const Queue& queue, const Formula& formula, const Axes<2>& axes, const void* a, const void* b,
                void* y) {
  launch_map<A, B, Out>(queue, F{formula}, axes, a, b, y);
}

}  // namespace onnxrun::cuda
