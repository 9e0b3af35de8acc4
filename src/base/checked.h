// Integer arithmetic on sizes that throws instead of overflowing.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace onnxrun::base {

inline int64_t checked_add(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_add_overflow(a, b, &result)) fail(Code::kLimitExceeded, "size overflow: {} + {}", a, b);
  return result;
}

inline int64_t checked_sub(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_sub_overflow(a, b, &result)) fail(Code::kLimitExceeded, "size overflow: {} - {}", a, b);
  return result;
}

inline int64_t checked_mul(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_mul_overflow(a, b, &result)) fail(Code::kLimitExceeded, "size overflow: {} * {}", a, b);
  return result;
}

// Rounds towards minus infinity / plus infinity. The divisor must not be 0; throws on INT64_MIN / -1.
inline int64_t floor_div(int64_t a, int64_t b) {
  if (b == 0 || (b == -1 && a == INT64_MIN)) fail(Code::kInvalidArgument, "division of {} by {}", a, b);
  const int64_t quotient = a / b;
  return quotient - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

inline int64_t ceil_div(int64_t a, int64_t b) {
  if (b == 0 || (b == -1 && a == INT64_MIN)) fail(Code::kInvalidArgument, "division of {} by {}", a, b);
  const int64_t quotient = a / b;
  return quotient + ((a % b != 0 && (a < 0) == (b < 0)) ? 1 : 0);
}

}  // namespace onnxrun::base
