// Whether the processor's tiles give the right products.
#include "amx_tiles.h"

#if ONNXRUN_SIMD_LEVEL >= 5

#include <vector>

#include "cpu/loops/integer_panels.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
bool tiles_are_right();
void multiply_panels(const Bfloat16Pair* a, int64_t lda, const Bfloat16Pair* packed, int64_t m, int64_t k, int64_t n,
                     bool add, float* c, int64_t ldc);
void multiply_integer_panels(const uint8_t* a, int64_t lda, const int8_t* packed, int64_t m, int64_t k, int64_t n,
                             int32_t* c, int64_t ldc);

namespace {

// 8 bits of a hash.
int byte(int64_t i) { return static_cast<int>(static_cast<uint32_t>(i * 2654435761u) >> 20 & 255); }

// Whole and partial tiles along each axis.
struct Sizes {
  int64_t m, n;
};
constexpr Sizes kSizes[] = {{50, kPanel}, {9, 40}};
constexpr int64_t kWords = 21;

// `Parts` elements are a word; a's are of_a(i), the packed panel's of_b(i), and results start from `before`. Of numbers that small all products
// and sums are exact. `products(size, a, packed, c)` multiplies.
template <int Parts, class A, class B, class C, class OfA, class OfB, class F>
bool right(Sizes size, OfA of_a, OfB of_b, int before, F&& products) {
  std::vector<A> a(static_cast<size_t>(size.m * kWords * Parts));
  std::vector<B> b(static_cast<size_t>(kWords * kPanel * Parts));
  std::vector<C> c(static_cast<size_t>(size.m * size.n), static_cast<C>(before));
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<A>(static_cast<float>(of_a(static_cast<int64_t>(i))));
  for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<B>(static_cast<float>(of_b(static_cast<int64_t>(i))));
  products(size, a.data(), b.data(), c.data());
  for (int64_t m = 0; m < size.m; ++m)
    for (int64_t n = 0; n < size.n; ++n) {
      int sum = before;
      for (int64_t w = 0; w < kWords; ++w)
        for (int64_t p = 0; p < Parts; ++p)
          sum += of_a((m * kWords + w) * Parts + p) * of_b((w * kPanel + n) * Parts + p);
      if (c[static_cast<size_t>(m * size.n + n)] != static_cast<C>(sum)) return false;
    }
  return true;
}

bool pairs_are_right(Sizes size, bool add) {
  return right<2, base::Bfloat16, base::Bfloat16, float>(
      size, [](int64_t i) { return byte(i) % 16 - 8; }, [](int64_t i) { return byte(i + 99) % 16 - 8; }, add ? 5 : 0,
      [&](Sizes s, const auto* a, const auto* b, float* c) {
        simd::ONNXRUN_SIMD_NAMESPACE::multiply_panels(reinterpret_cast<const Bfloat16Pair*>(a), kWords,
                                                      reinterpret_cast<const Bfloat16Pair*>(b), s.m, kWords, s.n, add,
                                                      c, s.n);
      });
}

// Unsigned by signed bytes, over all their values.
bool bytes_are_right(Sizes size) {
  return right<4, uint8_t, int8_t, int32_t>(
      size, [](int64_t i) { return byte(i); }, [](int64_t i) { return byte(i + 99) - 128; }, 0,
      [](Sizes s, const uint8_t* a, const int8_t* b, int32_t* c) {
        simd::ONNXRUN_SIMD_NAMESPACE::multiply_integer_panels(a, 4 * kWords, b, s.m, 4 * kWords, s.n, c, s.n);
      });
}

}  // namespace

bool tiles_are_right() {
  for (const Sizes size : kSizes)
    if (!pairs_are_right(size, false) || !bytes_are_right(size)) return false;
  return pairs_are_right(kSizes[1], true);
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
