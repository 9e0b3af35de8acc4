// Row kernels: the inner loops of elementwise operators. Light enough for the code that is built per instruction set
// level.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace onnxrun::cpu {

// What a row kernel computes: out[i] = f(in[0][i * stride[0]], ...) for i in [0, count). Strides are 0 or 1; `out` may
// be the same array as an input with stride 1. `parameters` is what the kernel's class gave to the loop.
struct Row {
  static constexpr size_t kMaxInputs = 3;
  const void* in[kMaxInputs];
  int64_t stride[kMaxInputs];
  void* out;
  int64_t count;
  const void* parameters;
};
using RowKernel = void (*)(const Row&);

// Row kernels from a function of one, two elements. The count has a copy of its own, since results that are bytes could change the row's.
template <class T, class R, class F>
void unary_row(const Row& row, F f) {
  const T* x = static_cast<const T*>(row.in[0]);
  R* out = static_cast<R*>(row.out);
  const int64_t count = row.count;
  if (row.stride[0] == 0) return static_cast<void>(std::fill_n(out, count, f(*x)));
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) out[i] = f(x[i]);
}

template <class A, class B, class R, class F>
void binary_row(const Row& row, F f) {
  const A* a = static_cast<const A*>(row.in[0]);
  const B* b = static_cast<const B*>(row.in[1]);
  R* out = static_cast<R*>(row.out);
  const int64_t count = row.count;
  if (row.stride[0] != 0 && row.stride[1] != 0) {
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) out[i] = f(a[i], b[i]);
  } else if (row.stride[0] != 0) {
    const B y = *b;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) out[i] = f(a[i], y);
  } else if (row.stride[1] != 0) {
    const A x = *a;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) out[i] = f(x, b[i]);
  } else {
    std::fill_n(out, count, static_cast<R>(f(*a, *b)));
  }
}

// Row kernels from a type with `static T of(T...)`.
template <class F, class T>
void unary_kernel(const Row& row) {
  unary_row<T, T>(row, [](T x) { return F::of(x); });
}
template <class F, class T>
void binary_kernel(const Row& row) {
  binary_row<T, T, T>(row, [](T a, T b) { return F::of(a, b); });
}

}  // namespace onnxrun::cpu
