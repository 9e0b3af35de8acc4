// Unsigned integers that order as the numbers they stand for, so that sorting needs no code for each element type.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "base/floats.h"

namespace onnxrun::cpu {

// Equal for equal numbers (-0 and 0 are), greater for greater ones; NaN is one number above all others. 32 bits for types of up
// to 32 bits, 64 bits for the others.
template <class T>
std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t> order_key(T value) {
  if constexpr (std::is_same_v<T, base::Float16> || std::is_same_v<T, base::Bfloat16>) {
    return order_key(static_cast<float>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    constexpr Bits kSign = Bits{1} << (sizeof(T) * 8 - 1);
    if (value != value) return ~Bits{0};
    const Bits bits = std::bit_cast<Bits>(value == 0 ? T{0} : value);
    return static_cast<Bits>(bits & kSign ? ~bits : bits | kSign);
  } else if constexpr (sizeof(T) == 8) {
    constexpr uint64_t kFlip = std::is_signed_v<T> ? uint64_t{1} << 63 : 0;
    return static_cast<uint64_t>(value) ^ kFlip;
  } else {
    constexpr uint32_t kFlip = std::is_signed_v<T> ? uint32_t{1} << 31 : 0;
    return static_cast<uint32_t>(value) ^ kFlip;
  }
}

}  // namespace onnxrun::cpu
