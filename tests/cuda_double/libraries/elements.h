// Reading and writing the element types that the library doubles compute with, in double.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cmath>
#include <limits>

namespace cuda_double {

enum class Element { kFloat, kDouble, kHalf, kBfloat16, kInt8, kInt32, kE4M3, kE5M2, kUnknown };

inline size_t bytes_of(Element element) {
  switch (element) {
    case Element::kDouble: return 8;
    case Element::kFloat:
    case Element::kInt32: return 4;
    case Element::kHalf:
    case Element::kBfloat16: return 2;
    default: return 1;
  }
}

// The value of a code of float8 with an exponent of `bits` bits that is less `bias`. Only the format with infinities has more than one magnitude that is no
// number.
inline double float8(uint8_t code, int bits, int bias) {
  const int mantissa = 7 - bits, exponent = (code & 0x7f) >> mantissa, fraction = code & ((1 << mantissa) - 1);
  const bool infinities = bits == 5;
  double size = exponent == 0 ? std::ldexp(fraction, 1 - bias - mantissa)
                              : std::ldexp((1 << mantissa) + fraction, exponent - bias - mantissa);
  if (infinities && exponent == 31) size = fraction == 0 ? std::numeric_limits<double>::infinity() : std::nan("");
  if (!infinities && (code & 0x7f) == 0x7f) size = std::nan("");
  return code >= 0x80 ? -size : size;
}

inline double load(Element element, const void* data, int64_t i) {
  switch (element) {
    case Element::kFloat: return static_cast<double>(static_cast<const float*>(data)[i]);
    case Element::kDouble: return static_cast<const double*>(data)[i];
    case Element::kHalf: return static_cast<double>(__half2float(static_cast<const __half*>(data)[i]));
    case Element::kBfloat16: return static_cast<double>(__bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]));
    case Element::kInt8: return static_cast<double>(static_cast<const int8_t*>(data)[i]);
    case Element::kE4M3: return float8(static_cast<const uint8_t*>(data)[i], 4, 7);
    case Element::kE5M2: return float8(static_cast<const uint8_t*>(data)[i], 5, 15);
    default: return static_cast<double>(static_cast<const int32_t*>(data)[i]);
  }
}

inline void store(Element element, void* data, int64_t i, double value) {
  switch (element) {
    case Element::kFloat: static_cast<float*>(data)[i] = static_cast<float>(value); return;
    case Element::kDouble: static_cast<double*>(data)[i] = value; return;
    case Element::kHalf: static_cast<__half*>(data)[i] = __double2half(value); return;
    case Element::kBfloat16: static_cast<__nv_bfloat16*>(data)[i] = __double2bfloat16(value); return;
    case Element::kInt8: static_cast<int8_t*>(data)[i] = static_cast<int8_t>(value); return;
    default: static_cast<int32_t*>(data)[i] = static_cast<int32_t>(static_cast<int64_t>(value)); return;
  }
}

}  // namespace cuda_double
