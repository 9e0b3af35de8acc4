// Products with blocks of weights in float32 at one instruction set level: elements become floats in registers.
#include "intrinsics.h"
// After the intrinsics.
#include "block_tile.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void multiply_blocks(const BlockPanel& panel, const float* a, int64_t lda, const float* sums, int64_t m, float* c,
                     int64_t ldc, int64_t columns);
void unpack_blocks(const BlockPanel& panel, int64_t first, int64_t last, float* to);
void quantize_blocks(const BlockPanel& panel, const float* a, int8_t* bytes, float* scales, int32_t* sums);

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

// Element i of a word of kBits bits goes to byte i / shifts of the word shifted right by i % shifts elements.
template <int kBits>
void order_bytes(int8_t* bytes, int64_t n) {
  constexpr int kDepth = 32 / kBits, kShifts = 8 / kBits;
  if constexpr (kBits == 8) return;
  int64_t at = 0;
#if ONNXRUN_SIMD_LEVEL >= 2
  const __m128i order = kBits == 4 ? _mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15)
                                   : _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (; at + 16 <= n; at += 16) {
    __m128i* to = reinterpret_cast<__m128i*>(bytes + at);
    _mm_storeu_si128(to, _mm_shuffle_epi8(_mm_loadu_si128(to), order));
  }
#endif
  for (; at < n; at += kDepth) {
    int8_t word[kDepth];
    std::memcpy(word, bytes + at, kDepth);
    for (int i = 0; i < kDepth; ++i) bytes[at + i % kShifts * 4 + i / kShifts] = word[i];
  }
}

constexpr float kMost = 127.0f;

void quantize_block(const float* a, int64_t n, int8_t* bytes, float* scale, int32_t* sum) {
  Vector largest = {};
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    const Vector x = load(a + i);
    const Vector size = x < 0.0f ? -x : x;
    largest = size > largest ? size : largest;
  }
  float most = fold_lanes(largest, [](auto x, auto y) { return x > y ? x : y; });
  for (; i < n; ++i) {
    const float size = a[i] < 0 ? -a[i] : a[i];
    most = size > most ? size : most;
  }
  *scale = most / kMost;
  const float factor = most > 0 ? kMost / most : 0.0f;
  const float round = 12582912.0f;  // 1.5 * 2^23: adding it leaves whole numbers
  int32_t total = 0;
  i = 0;
#if ONNXRUN_SIMD_LEVEL >= 4
  __m512i totals = _mm512_setzero_si512();
  const __m512 low = _mm512_set1_ps(-kMost), high = _mm512_set1_ps(kMost), factors = _mm512_set1_ps(factor);
  for (; i + kWidth <= n; i += kWidth) {
    const __m512 value = _mm512_min_ps(_mm512_max_ps(_mm512_mul_ps(_mm512_loadu_ps(a + i), factors), low), high);
    const __m512i whole = _mm512_cvtps_epi32(value);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes + i), _mm512_cvtepi32_epi8(whole));
    totals = _mm512_add_epi32(totals, whole);
  }
  total = _mm512_reduce_add_epi32(totals);
#endif
  for (; i < n; ++i) {
    float value = a[i] * factor;
    value = value > -kMost ? value : -kMost;
    value = value < kMost ? value : kMost;
    const int32_t whole = static_cast<int32_t>((value + round) - round);
    bytes[i] = static_cast<int8_t>(whole);
    total += whole;
  }
  *sum = total;
}

}  // namespace

void quantize_blocks(const BlockPanel& panel, const float* a, int8_t* bytes, float* scales, int32_t* sums) {
  const int64_t group = word_depth(panel.bits);
  for (int64_t b = 0; b < panel.blocks; ++b) {
    const int64_t first = panel.starts[b] * group;
    quantize_block(a + first, panel.starts[b + 1] * group - first, bytes + first, &scales[b], &sums[b]);
  }
  const int64_t depth = panel.starts[panel.blocks] * group;
  if (panel.bits == 4) order_bytes<4>(bytes, depth);
  if (panel.bits == 2) order_bytes<2>(bytes, depth);
}

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
