// Products of blocks of weights with 8-bit activations at one instruction set level.
#include <type_traits>

#include "block_tile.h"
#include "integer_dot.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_integer_blocks(const BlockPanel& panel, const int8_t* a, int64_t depth, const float* scales,
                             const int32_t* sums, int64_t m, float* c, int64_t ldc, int64_t columns);

namespace {

using integer::dot, integer::Sums;
static_assert(sizeof(Sums) == sizeof(Vector));

template <class To, class From>
inline To same_bits(const From& from) {
  To result;
  std::memcpy(&result, &from, sizeof result);
  return result;
}

// Elements are moved to the range from 0 on by flipping their highest bits, so that they are the unsigned operand.
template <int kBits>
constexpr int32_t kFlip = kBits == 8   ? static_cast<int32_t>(0x80808080u)
                          : kBits == 4 ? static_cast<int32_t>(0x88888888u)
                                       : static_cast<int32_t>(0xaaaaaaaau);
template <int kBits>
constexpr int32_t kMask = kBits == 8   ? -1
                          : kBits == 4 ? 0x0f0f0f0f
                                       : 0x03030303;

// Adds products of unsigned elements of kBits bits with bytes of at least -127: where levels have no 8-bit dot products, sums of two products of narrow elements
// fit 16 bits.
template <int kBits>
inline Sums dot_elements(Sums sums, Sums elements, Sums bytes) {
#if ONNXRUN_SIMD_LEVEL == 3
  if constexpr (kBits < 8)
    return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(elements, bytes), _mm256_set1_epi16(1)));
#elif ONNXRUN_SIMD_LEVEL == 4 && !defined(__AVX512VNNI__)
  if constexpr (kBits < 8)
    return _mm512_add_epi32(sums, _mm512_madd_epi16(_mm512_maddubs_epi16(elements, bytes), _mm512_set1_epi16(1)));
#endif
  return dot(sums, elements, bytes);
}

inline IntVector splat_whole(int32_t value) { return same_bits<IntVector>(integer::splat(value)); }

// What a block's sums start from, so that its zeros, which are whole numbers, are taken off.
template <int kBits, int V>
inline void start(const BlockPanel& panel, int64_t at, int32_t own, Sums (&sums)[V]) {
  constexpr int32_t kMiddle = 1 << (kBits - 1);
#pragma GCC unroll 8
  for (int v = 0; v < V; ++v) {
    IntVector zero = splat_whole(kMiddle);
    if (panel.zeros != nullptr) {
      int32_t zeros[kWidth];
      for (int64_t l = 0; l < kWidth; ++l) zeros[l] = panel.zeros[at + v * kWidth + l];
      IntVector given;
      std::memcpy(&given, zeros, sizeof given);
      zero += given;
    }
    sums[v] = same_bits<Sums>(zero * splat_whole(-own));
  }
}

// R rows times V vectors of columns from column `first` on.
template <int kBits, int R, int V>
void tile(const BlockPanel& panel, int64_t first, const int8_t* a, int64_t depth, const float* scales,
          const int32_t* sums, float* c, int64_t ldc, int64_t columns) {
  constexpr int kShifts = 8 / kBits;
  Vector totals[R][V] = {};
  for (int64_t b = 0; b < panel.blocks; ++b) {
    Sums block[R][V];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) start<kBits>(panel, b * kPanel + first, sums[r * panel.blocks + b], block[r]);
    for (int64_t t = panel.starts[b]; t < panel.starts[b + 1]; ++t) {
      IntVector words[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) words[v] = load_words(panel.words + t * kPanel + first + v * kWidth) ^ kFlip<kBits>;
#pragma GCC unroll 4
      for (int i = 0; i < kShifts; ++i) {
        Sums weights[V];
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v)
          weights[v] = same_bits<Sums>(kBits == 8 ? words[v] : ((words[v] >> (kBits * i)) & kMask<kBits>));
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) {
          int32_t bytes;
          std::memcpy(&bytes, a + r * depth + t * 4 * kShifts + 4 * i, 4);
          const Sums x = integer::splat(bytes);
#pragma GCC unroll 8
          for (int v = 0; v < V; ++v) block[r][v] = dot_elements<kBits>(block[r][v], weights[v], x);
        }
      }
    }
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const int64_t at = b * kPanel + first + v * kWidth;
      const Vector scale = load(panel.scales + at);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        Vector sum = __builtin_convertvector(same_bits<IntVector>(block[r][v]), Vector);
        if (panel.float_zeros != nullptr)
          sum -= load(panel.float_zeros + at) * splat(static_cast<float>(sums[r * panel.blocks + b]));
        totals[r][v] = madd(sum, scale * splat(scales[r * panel.blocks + b]), totals[r][v]);
      }
    }
  }
  store_tile(totals, first, c, ldc, columns);
}

template <int kBits, int R, int V>
void across(const BlockPanel& panel, const int8_t* a, int64_t depth, const float* scales, const int32_t* sums, float* c,
            int64_t ldc, int64_t columns) {
  for (int64_t first = 0; first < columns; first += V * kWidth)
    tile<kBits, R, V>(panel, first, a, depth, scales, sums, c, ldc, columns);
}

template <int kBits>
void multiply(const BlockPanel& panel, const int8_t* a, int64_t depth, const float* scales, const int32_t* sums,
              int64_t m, float* c, int64_t ldc, int64_t columns) {
#if ONNXRUN_SIMD_LEVEL >= 4
  constexpr int kOne = 4, kMany = 2, kRows = 6;
#else
  constexpr int kOne = 2, kMany = 1, kRows = 4;
#endif
  int64_t row = 0;
  const auto rows = [&](auto count, auto vectors) {
    constexpr int kCount = decltype(count)::value;
    for (; row + kCount <= m; row += kCount)
      across<kBits, kCount, decltype(vectors)::value>(panel, a + row * depth, depth, scales + row * panel.blocks,
                                                      sums + row * panel.blocks, c + row * ldc, ldc, columns);
  };
  rows(std::integral_constant<int, kRows>(), std::integral_constant<int, kMany>());
  rows(std::integral_constant<int, 2>(), std::integral_constant<int, kMany>());
  rows(std::integral_constant<int, 1>(), std::integral_constant<int, kOne>());
}

}  // namespace

void multiply_integer_blocks(const BlockPanel& panel, const int8_t* a, int64_t depth, const float* scales,
                             const int32_t* sums, int64_t m, float* c, int64_t ldc, int64_t columns) {
  switch (panel.bits) {
    case 2: return multiply<2>(panel, a, depth, scales, sums, m, c, ldc, columns);
    case 4: return multiply<4>(panel, a, depth, scales, sums, m, c, ldc, columns);
    default: return multiply<8>(panel, a, depth, scales, sums, m, c, ldc, columns);
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
