// Conversions of whole-byte types: direct loops between common types, the others in two steps through float, double or
// a 64-bit integer.
#include "cpu/loops/convert.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/packed.h"
#include "cpu/cpu.h"
#include "cpu/kernels/simd/conversions.h"
#include "cpu/kernels/simd/narrow_floats.h"
#include "cpu/loops/convert_element.h"

namespace onnxrun::cpu {
namespace {

using base::Bfloat16;
using base::DType;
using base::Float16;

// An integer as a double that rounds to any narrow float as the integer itself does: bits beyond a double's are folded
// into its last.
double sticky_double(int64_t x) {
  constexpr int64_t kLow = 0x7ff;
  if (x > (int64_t{1} << 53) || x < -(int64_t{1} << 53))
    if ((x & kLow) != 0) x = (x & ~kLow) | 0x400;
  return static_cast<double>(x);
}
double sticky_double(uint64_t x) {
  if (x > (uint64_t{1} << 53) && (x & 0xfff) != 0) x = (x & ~uint64_t{0xfff}) | 0x800;
  return static_cast<double>(x);
}

template <class To, class From>
To convert_one(From x) {
  if constexpr (std::is_same_v<To, Float16> || std::is_same_v<To, Bfloat16>) {
    if constexpr (std::is_floating_point_v<From>) return To(x);
    else return To(sticky_double(static_cast<std::conditional_t<std::is_signed_v<From>, int64_t, uint64_t>>(x)));
  } else return convert_element<To>(x);
}

template <class From, class To>
void convert_run(const void* from, void* to, int64_t count) {
  const From* x = static_cast<const From*>(from);
  To* y = static_cast<To*>(to);
  if constexpr (std::is_same_v<From, To>) {
    if (from != to) std::memcpy(to, from, static_cast<size_t>(count) * sizeof(From));
  } else if constexpr ((std::is_same_v<From, float> && (std::is_same_v<To, Float16> || std::is_same_v<To, Bfloat16>)) ||
                       (std::is_same_v<To, float> &&
                        (std::is_same_v<From, Float16> || std::is_same_v<From, Bfloat16>))) {
    simd::convert(x, y, count);
  } else {
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) y[i] = convert_one<To>(x[i]);
  }
}

// Two steps through blocks of float.
template <class Narrow>
struct ThroughFloat {
  template <class To>
  static void run(const void* from, void* to, int64_t count) {
    constexpr int64_t kBlock = 256;
    const Converter widen = converter(dtype_of<Narrow>, DType::kFloat32);
    const Converter narrow = converter(DType::kFloat32, dtype_of<To>);
    float block[kBlock];
    for (int64_t done = 0; done < count; done += kBlock) {
      const int64_t n = std::min(kBlock, count - done);
      widen(static_cast<const Narrow*>(from) + done, block, n);
      narrow(block, static_cast<To*>(to) + done, n);
    }
  }
  static Converter to_type(DType to) {
    if (to == DType::kFloat32) return convert_run<Narrow, float>;
    if (to == dtype_of<Narrow>) return convert_run<Narrow, Narrow>;
    Converter result = nullptr;
    dispatch(Join<Floats, Join<Ints, Types<bool>>>{}, to,
             [&](auto type) { result = run<typename decltype(type)::type>; });
    return result;
  }
};

// The conversion from a type that is computed with (float, double, integers, bool).
template <class From>
Converter from_type(DType to) {
  if (const Converter fast = simd::conversion(dtype_of<From>, to)) return fast;
  if (std::is_integral_v<From>) {
    // Whatever float rounds is beyond float16, and bytes and shorts are exact.
    if (to == DType::kFloat16) return ThroughFloat<From>::template run<Float16>;
    if (to == DType::kBfloat16 && sizeof(From) <= 2) return ThroughFloat<From>::template run<Bfloat16>;
  }
  Converter result = nullptr;
  dispatch(Join<Floats, Join<Ints, Types<bool>>>{}, to,
           [&](auto type) { result = convert_run<From, typename decltype(type)::type>; });
  return result;
}

bool is_float8(DType type) { return type >= DType::kFloat8E4M3FN && type <= DType::kFloat8E5M2FNUZ; }

template <DType kType>
void decode_run(const void* from, void* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    static_cast<float*>(to)[i] = base::decode_minifloat(kType, static_cast<const uint8_t*>(from)[i]);
}
template <DType kType>
void encode_run(const void* from, void* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    static_cast<uint8_t*>(to)[i] = base::encode_minifloat(kType, static_cast<const float*>(from)[i]);
}

template <template <DType> class Pick>
Converter pick_float8(DType type) {
  switch (type) {
    case DType::kFloat8E4M3FN: return Pick<DType::kFloat8E4M3FN>::run;
    case DType::kFloat8E4M3FNUZ: return Pick<DType::kFloat8E4M3FNUZ>::run;
    case DType::kFloat8E5M2: return Pick<DType::kFloat8E5M2>::run;
    default: return Pick<DType::kFloat8E5M2FNUZ>::run;
  }
}
template <DType kType>
struct Decode {
  static constexpr Converter run = decode_run<kType>;
};
template <DType kType>
struct Encode {
  static constexpr Converter run = encode_run<kType>;
};

}  // namespace

Converter converter(DType from, DType to) {
  if (is_float8(from))
    return to == from ? convert_run<uint8_t, uint8_t> : to == DType::kFloat32 ? pick_float8<Decode>(from) : nullptr;
  if (is_float8(to)) return from == DType::kFloat32 ? pick_float8<Encode>(to) : nullptr;
  if (from == DType::kFloat16) return ThroughFloat<Float16>::to_type(to);
  if (from == DType::kBfloat16) return ThroughFloat<Bfloat16>::to_type(to);
  Converter result = nullptr;
  dispatch(Join<WideNumbers, Types<bool>>{}, from,
           [&](auto type) { result = from_type<typename decltype(type)::type>(to); });
  return result;
}

}  // namespace onnxrun::cpu
