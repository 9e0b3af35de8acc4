// Products of blocks of weights with 8-bit activations at one instruction set level.
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

template <int kBits, int R, int V>
void tile(const BlockPanel& panel, int64_t first, const int8_t* a, int64_t depth, const float* scales,
          const int32_t* sums, float* c, int64_t ldc, int64_t columns) {
  constexpr int kShifts = 8 / kBits;
  constexpr float kMiddle = static_cast<float>(1 << (kBits - 1));
  const bool shifted = has_zeros(panel);
  Vector totals[R][V] = {};
  for (int64_t b = 0; b < panel.blocks; ++b) {
    Sums block[R][V];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) block[r][v] = integer::zero();
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
          for (int v = 0; v < V; ++v) block[r][v] = dot(block[r][v], weights[v], x);
        }
      }
    }
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const int64_t at = b * kPanel + first + v * kWidth;
      const Vector scale = load(panel.scales + at);
      const Vector zero = shifted ? zeros_of(panel, at) + kMiddle : splat(kMiddle);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const Vector sum = __builtin_convertvector(same_bits<IntVector>(block[r][v]), Vector);
        const float own = static_cast<float>(sums[r * panel.blocks + b]);
        totals[r][v] = madd(sum - zero * splat(own), scale * splat(scales[r * panel.blocks + b]), totals[r][v]);
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
  constexpr int kOne = 4, kFour = 2;
#else
  constexpr int kOne = 2, kFour = 1;
#endif
  int64_t row = 0;
  for (; row + 4 <= m; row += 4)
    across<kBits, 4, kFour>(panel, a + row * depth, depth, scales + row * panel.blocks, sums + row * panel.blocks,
                            c + row * ldc, ldc, columns);
  for (; row < m; ++row)
    across<kBits, 1, kOne>(panel, a + row * depth, depth, scales + row * panel.blocks, sums + row * panel.blocks,
                           c + row * ldc, ldc, columns);
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
