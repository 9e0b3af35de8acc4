// The products of strided runs at one instruction set level.
#include "cpu/loops/product_rows.h"

#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const ProductRows<float>& float_product_rows();
const ProductRows<double>& double_product_rows();
const ProductRows<uint64_t>& whole_product_rows();

namespace {

// kA and kB say whether a and b step by 1; otherwise one element serves the whole run.
template <class T, bool kA, bool kB>
T dense_dot(const T* a, const T* b, int64_t n) {
  typedef T Lanes __attribute__((vector_size(kVectorBytes)));
  constexpr int64_t kLanes = kVectorBytes / static_cast<int64_t>(sizeof(T)), kSums = 4;
  const auto lanes = [](const T* from) {
    Lanes result;
    std::memcpy(&result, from, sizeof result);
    return result;
  };
  Lanes sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums * kLanes <= n; i += kSums * kLanes)
#pragma GCC unroll 4
    for (int64_t s = 0; s < kSums; ++s) {
      const Lanes x = kA ? lanes(a + i + s * kLanes) : Lanes{} + *a, y = kB ? lanes(b + i + s * kLanes) : Lanes{} + *b;
      sums[s] += x * y;
    }
  const Lanes all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  T total = 0;
  for (int64_t l = 0; l < kLanes; ++l) total += all[l];
  for (; i < n; ++i) total += a[kA ? i : 0] * b[kB ? i : 0];
  return total;
}

template <class T>
T dot(const T* a, int64_t a_step, const T* b, int64_t b_step, int64_t n) {
  if (a_step == 1 && b_step == 1) return dense_dot<T, true, true>(a, b, n);
  if (a_step == 1 && b_step == 0) return dense_dot<T, true, false>(a, b, n);
  if (a_step == 0 && b_step == 1) return dense_dot<T, false, true>(a, b, n);
  T total = 0;
  for (int64_t i = 0; i < n; ++i) total += a[i * a_step] * b[i * b_step];
  return total;
}

template <class T, bool kAdd, class A, class B>
void each(int64_t n, T* y, A&& a, B&& b) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (kAdd) y[i] += a(i) * b(i);
    else y[i] = a(i) * b(i);
  }
}

template <class T, bool kAdd>
void multiply_run(const T* a, int64_t a_step, const T* b, int64_t b_step, int64_t n, T* y) {
  const T a_first = *a, b_first = *b;
  const auto dense_a = [=](int64_t i) { return a[i]; };
  const auto dense_b = [=](int64_t i) { return b[i]; };
  const auto one_a = [=](int64_t) { return a_first; };
  const auto one_b = [=](int64_t) { return b_first; };
  if (a_step == 1 && b_step == 1) return each<T, kAdd>(n, y, dense_a, dense_b);
  if (a_step == 1 && b_step == 0) return each<T, kAdd>(n, y, dense_a, one_b);
  if (a_step == 0 && b_step == 1) return each<T, kAdd>(n, y, one_a, dense_b);
  each<T, kAdd>(
      n, y, [=](int64_t i) { return a[i * a_step]; }, [=](int64_t i) { return b[i * b_step]; });
}

template <class T>
void multiply(const T* a, int64_t a_step, const T* b, int64_t b_step, int64_t n, bool add, T* y) {
  if (n <= 0) return;
  if (add) multiply_run<T, true>(a, a_step, b, b_step, n, y);
  else multiply_run<T, false>(a, a_step, b, b_step, n, y);
}

template <class T>
constexpr ProductRows<T> kRowsOf{dot<T>, multiply<T>};

}  // namespace

const ProductRows<float>& float_product_rows() { return kRowsOf<float>; }
const ProductRows<double>& double_product_rows() { return kRowsOf<double>; }
const ProductRows<uint64_t>& whole_product_rows() { return kRowsOf<uint64_t>; }

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
