// Products with blocks of weights in float32 at one instruction set level: elements become floats in registers.
#include "block_tile.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_blocks(const BlockPanel& panel, const float* a, int64_t lda, const float* sums, int64_t m, float* c,
                     int64_t ldc, int64_t columns);
void unpack_blocks(const BlockPanel& panel, int64_t first, int64_t last, float* to);

namespace {

// Element i of each word as a float.
template <int kBits>
class Elements {
 public:
#if ONNXRUN_SIMD_LEVEL >= 4
  // The low four bits of a lane choose among 16 floats; elements of two bits repeat theirs.
  Elements() {
    float values[16];
    for (int i = 0; i < 16; ++i)
      values[i] = kBits == 2 ? static_cast<float>((i & 1) - (i & 2)) : static_cast<float>((i & 7) - (i & 8));
    table_ = load(values);
  }
  Vector of(IntVector words, int i) const {
    if constexpr (kBits == 8) return __builtin_convertvector((words << (24 - 8 * i)) >> 24, Vector);
    else return (Vector)_mm512_maskz_permutexvar_ps(0xffff, (__m512i)(words >> (kBits * i)), (__m512)table_);
  }

 private:
  Vector table_;
#else
  Vector of(IntVector words, int i) const {
    return __builtin_convertvector((words << (32 - kBits - kBits * i)) >> (32 - kBits), Vector);
  }
#endif
};

// R rows times V vectors of columns that begin at column `first`.
template <int kBits, int R, int V>
void tile(const BlockPanel& panel, int64_t first, const float* a, int64_t lda, const float* sums, float* c, int64_t ldc,
          int64_t columns) {
  constexpr int kDepth = 32 / kBits;
  const Elements<kBits> elements;
  const bool shifted = has_zeros(panel);
  Vector totals[R][V] = {};
  for (int64_t b = 0; b < panel.blocks; ++b) {
    Vector block[2][R][V] = {};  // of even and odd elements: twice the chains
    for (int64_t t = panel.starts[b]; t < panel.starts[b + 1]; ++t) {
      IntVector words[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) words[v] = load_words(panel.words + t * kPanel + first + v * kWidth);
#pragma GCC unroll 16
      for (int i = 0; i < kDepth; ++i)
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) {
          const Vector w = elements.of(words[v], i);
#pragma GCC unroll 8
          for (int r = 0; r < R; ++r)
            block[R == 1 ? i & 1 : 0][r][v] =
                madd(splat(a[r * lda + t * kDepth + i]), w, block[R == 1 ? i & 1 : 0][r][v]);
        }
    }
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const int64_t at = b * kPanel + first + v * kWidth;
      const Vector scale = load(panel.scales + at);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        Vector sum = R == 1 ? block[0][r][v] + block[1][r][v] : block[0][r][v];
        if (shifted) sum = madd(zeros_of(panel, at), splat(-sums[r * panel.blocks + b]), sum);
        totals[r][v] = madd(sum, scale, totals[r][v]);
      }
    }
  }
  store_tile(totals, first, c, ldc, columns);
}

template <int kBits, int R, int V>
void across(const BlockPanel& panel, const float* a, int64_t lda, const float* sums, float* c, int64_t ldc,
            int64_t columns) {
  for (int64_t first = 0; first < columns; first += V * kWidth)
    tile<kBits, R, V>(panel, first, a, lda, sums, c, ldc, columns);
}

template <int kBits>
void multiply(const BlockPanel& panel, const float* a, int64_t lda, const float* sums, int64_t m, float* c, int64_t ldc,
              int64_t columns) {
#if ONNXRUN_SIMD_LEVEL >= 4
  constexpr int kOne = 4, kFour = 2;
#else
  constexpr int kOne = 2, kFour = 1;
#endif
  int64_t row = 0;
  for (; row + 4 <= m; row += 4)
    across<kBits, 4, kFour>(panel, a + row * lda, lda, sums + row * panel.blocks, c + row * ldc, ldc, columns);
  for (; row + 2 <= m; row += 2)
    across<kBits, 2, 2>(panel, a + row * lda, lda, sums + row * panel.blocks, c + row * ldc, ldc, columns);
  if (row < m)
    across<kBits, 1, kOne>(panel, a + row * lda, lda, sums + row * panel.blocks, c + row * ldc, ldc, columns);
}

template <int kBits>
void unpack(const BlockPanel& panel, int64_t first, int64_t last, float* to) {
  constexpr int kDepth = 32 / kBits;
  const Elements<kBits> elements;
  const bool shifted = has_zeros(panel);
  const int64_t start = panel.starts[first];
  for (int64_t b = first; b < last; ++b)
    for (int64_t column = 0; column < kPanel; column += kWidth) {
      const int64_t at = b * kPanel + column;
      const Vector scale = load(panel.scales + at);
      const Vector zero = shifted ? zeros_of(panel, at) : Vector{};
      for (int64_t t = panel.starts[b]; t < panel.starts[b + 1]; ++t) {
        const IntVector words = load_words(panel.words + t * kPanel + column);
        float* row = to + (t - start) * kDepth * kPanel + column;
#pragma GCC unroll 16
        for (int i = 0; i < kDepth; ++i) store(row + i * kPanel, (elements.of(words, i) - zero) * scale);
      }
    }
}

}  // namespace

void multiply_blocks(const BlockPanel& panel, const float* a, int64_t lda, const float* sums, int64_t m, float* c,
                     int64_t ldc, int64_t columns) {
  switch (panel.bits) {
    case 2: return multiply<2>(panel, a, lda, sums, m, c, ldc, columns);
    case 4: return multiply<4>(panel, a, lda, sums, m, c, ldc, columns);
    default: return multiply<8>(panel, a, lda, sums, m, c, ldc, columns);
  }
}

void unpack_blocks(const BlockPanel& panel, int64_t first, int64_t last, float* to) {
  switch (panel.bits) {
    case 2: return unpack<2>(panel, first, last, to);
    case 4: return unpack<4>(panel, first, last, to);
    default: return unpack<8>(panel, first, last, to);
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
