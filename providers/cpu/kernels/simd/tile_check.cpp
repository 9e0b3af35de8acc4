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

// Some whole number from -8 to 7.
int some(int64_t i) { return static_cast<int>(static_cast<uint32_t>(i * 2654435761u) >> 20 & 15) - 8; }

// Sizes with whole and partial tiles along each. Of numbers that small all products and sums are exact.
constexpr int64_t kM = 50, kWords = 21, kN = kPanel;

// `Parts` elements are a word. `products(a, packed, c)` multiplies.
template <int Parts, class A, class B, class C, class F>
bool right(F&& products) {
  std::vector<A> a(static_cast<size_t>(kM * kWords * Parts));
  std::vector<B> b(static_cast<size_t>(kWords * kN * Parts));
  std::vector<C> c(static_cast<size_t>(kM * kN));
  const auto of_a = [](int64_t i) { return Parts == 4 ? some(i) + 8 : some(i); };
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<A>(static_cast<float>(of_a(static_cast<int64_t>(i))));
  for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<B>(static_cast<float>(some(static_cast<int64_t>(i + 99))));
  products(a.data(), b.data(), c.data());
  for (int64_t m = 0; m < kM; ++m)
    for (int64_t n = 0; n < kN; ++n) {
      int sum = 0;
      for (int64_t w = 0; w < kWords; ++w)
        for (int64_t p = 0; p < Parts; ++p)
          sum += of_a((m * kWords + w) * Parts + p) * some((w * kN + n) * Parts + p + 99);
      if (c[static_cast<size_t>(m * kN + n)] != static_cast<C>(sum)) return false;
    }
  return true;
}

}  // namespace

bool tiles_are_right() {
  const bool pairs = right<2, base::Bfloat16, base::Bfloat16, float>([](const auto* a, const auto* b, float* c) {
    simd::ONNXRUN_SIMD_NAMESPACE::multiply_panels(reinterpret_cast<const Bfloat16Pair*>(a), kWords,
                                                  reinterpret_cast<const Bfloat16Pair*>(b), kM, kWords, kN, false, c,
                                                  kN);
  });
  return pairs && right<4, uint8_t, int8_t, int32_t>([](const uint8_t* a, const int8_t* b, int32_t* c) {
           simd::ONNXRUN_SIMD_NAMESPACE::multiply_integer_panels(a, 4 * kWords, b, kM, 4 * kWords, kN, c, kN);
         });
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
