// Calls of functions of kernels/simd/ at the level in use.
#pragma once

#include "cpu/simd_level.h"
#include "simd_levels.h"

// `return function(...)` in the namespace of the level in use, of functions that every level has.
#if defined(__x86_64__)
#define ONNXRUN_SIMD_CALL(function, ...)                                         \
  switch (simd_level()) {                                                        \
    case SimdLevel::kSpr:                                                        \
    case SimdLevel::kBf16:                                                       \
    case SimdLevel::kVnni:                                                       \
    case SimdLevel::kV4: return ::onnxrun::cpu::simd::v4::function(__VA_ARGS__); \
    case SimdLevel::kV3: return ::onnxrun::cpu::simd::v3::function(__VA_ARGS__); \
    default: return ::onnxrun::cpu::simd::v2::function(__VA_ARGS__);             \
  }
#else
#define ONNXRUN_SIMD_CALL(function, ...) return ::onnxrun::cpu::simd::generic::function(__VA_ARGS__);
#endif

// The same of functions in integer_*.cpp, which the level vnni has as well.
#if defined(__x86_64__)
#define ONNXRUN_SIMD_INTEGER_CALL(function, ...)                                     \
  switch (simd_level()) {                                                            \
    case SimdLevel::kSpr: return ::onnxrun::cpu::simd::spr::function(__VA_ARGS__);   \
    case SimdLevel::kBf16:                                                           \
    case SimdLevel::kVnni: return ::onnxrun::cpu::simd::vnni::function(__VA_ARGS__); \
    case SimdLevel::kV4: return ::onnxrun::cpu::simd::v4::function(__VA_ARGS__);     \
    case SimdLevel::kV3: return ::onnxrun::cpu::simd::v3::function(__VA_ARGS__);     \
    default: return ::onnxrun::cpu::simd::v2::function(__VA_ARGS__);                 \
  }
#else
#define ONNXRUN_SIMD_INTEGER_CALL(function, ...) ONNXRUN_SIMD_CALL(function, __VA_ARGS__)
#endif
