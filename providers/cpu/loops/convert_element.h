// What a conversion makes of an element, as ONNX's Cast defines it: for the plain loops and for those that are built per instruction set level.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

namespace onnxrun::cpu {

// What x86's conversion instructions give, for every input defined.
template <class F>
int32_t float_to_int32(F x) {
  return x >= F(-2147483648.0) && x < F(2147483648.0) ? static_cast<int32_t>(x) : std::numeric_limits<int32_t>::min();
}
template <class F>
int64_t float_to_int64(F x) {
  return x >= F(-9223372036854775808.0) && x < F(9223372036854775808.0) ? static_cast<int64_t>(x)
                                                                        : std::numeric_limits<int64_t>::min();
}
template <class F>
uint64_t float_to_uint64(F x) {
  const F top = F(9223372036854775808.0);
  if (x < top) return static_cast<uint64_t>(float_to_int64(x));
  return static_cast<uint64_t>(float_to_int64(x - top)) ^ (uint64_t{1} << 63);
}

// Between float, double, bool and the integers of 8 to 64 bits.
template <class To, class From>
To convert_element(From x) {
  if constexpr (std::is_same_v<To, bool>) return x != From(0);
  else if constexpr (std::is_floating_point_v<To> || !std::is_floating_point_v<From>) return static_cast<To>(x);
  else if constexpr (std::is_same_v<To, uint64_t>) return float_to_uint64(x);
  else if constexpr (sizeof(To) == 8 || std::is_same_v<To, uint32_t>) return static_cast<To>(float_to_int64(x));
  else return static_cast<To>(float_to_int32(x));
}

}  // namespace onnxrun::cpu
