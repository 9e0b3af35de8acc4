// Float32 in registers as sums of bfloat16 parts (loops/parts.h).
#pragma once

#if ONNXRUN_SIMD_LEVEL >= 5

#include <bit>

#include "cpu/loops/parts.h"
#include "intrinsics.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

constexpr uint32_t kHighHalves = 0xaaaaaaaa;

// Rounded to the 8 bits of bfloat16, to nearest, halves away from zero. Of numbers beyond 2^127 this may be an infinity.
inline __m512 first_part(__m512 x) {
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000)),
                                              _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
}

// Pairs: the upper halves of x's elements below those of y's.
inline __m512i paired(__m512 x, __m512 y) {
  return _mm512_mask_blend_epi16(kHighHalves, _mm512_srli_epi32(_mm512_castps_si512(x), 16), _mm512_castps_si512(y));
}

// In the order of memory: the upper halves of x's elements before those of y's.
inline __m512i in_a_row(__m512 x, __m512 y) {
  const __m512i uneven = _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27,
                                          25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
  return _mm512_permutex2var_epi16(_mm512_castps_si512(x), uneven, _mm512_castps_si512(y));
}

// Writes kParts parts of x and y, two or three, `apart` bytes from each other, as `together` brings two of them together.
template <int kParts, class Together>
inline void write_parts(__m512 x, __m512 y, char* to, int64_t apart, Together&& together) {
  for (int part = 0; part + 1 < kParts; ++part, to += apart) {
    const __m512 x_part = first_part(x), y_part = first_part(y);
    _mm512_storeu_si512(to, together(x_part, y_part));
    x -= x_part;
    y -= y_part;
  }
  // The third is what is left; the last of two is rounded.
  if (kParts == 3) _mm512_storeu_si512(to, together(x, y));
  else _mm512_storeu_si512(to, together(first_part(x), first_part(y)));
}

// Numbers in two parts that stand as paired() brings them together.
struct Joined {
  __m512 first, second;
};
inline Joined join(const char* high, const char* low) {
  const __m512i highs = _mm512_loadu_si512(high), lows = _mm512_loadu_si512(low),
                mask = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
  const auto sum = [](__m512i x, __m512i y) { return _mm512_castsi512_ps(x) + _mm512_castsi512_ps(y); };
  return {sum(_mm512_slli_epi32(highs, 16), _mm512_slli_epi32(lows, 16)),
          sum(_mm512_and_si512(highs, mask), _mm512_and_si512(lows, mask))};
}

// Magnitudes as integers, which are in the same order. Zeros become the greatest ones to `least`.
class Extents {
 public:
  void take(__m512 x) {
    const __m512i twice = _mm512_slli_epi32(_mm512_castps_si512(x), 1);
    most_ = _mm512_max_epu32(most_, twice);
    least_ = _mm512_min_epu32(least_, _mm512_sub_epi32(twice, _mm512_set1_epi32(1)));
  }
  void load(const uint32_t* least, const uint32_t* most) {
    least_ = _mm512_loadu_si512(least);
    most_ = _mm512_loadu_si512(most);
  }
  void store(uint32_t* least, uint32_t* most) const {
    _mm512_storeu_si512(least, least_);
    _mm512_storeu_si512(most, most_);
  }
  PartExtents result() const {
    const uint32_t least = _mm512_reduce_min_epu32(least_), most = _mm512_reduce_max_epu32(most_);
    PartExtents extents;
    extents.most = number(most);
    if (most != 0) extents.least = number(least + 1);
    return extents;
  }

 private:
  static float number(uint32_t twice) { return std::bit_cast<float>(twice >> 1); }

  __m512i most_ = _mm512_setzero_si512(), least_ = _mm512_set1_epi32(-1);
};

}  // namespace
}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
