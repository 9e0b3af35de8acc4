// What comparisons, logic and arithmetic compute of elements: for the plain loops and for those that are built per instruction set level.
#pragma once

#include <cmath>
#include <type_traits>

namespace onnxrun::cpu::numbers {

// Integers are computed in an unsigned type at least as wide as int, in which wrapping is defined.
template <class T>
using Wrapping = std::make_unsigned_t<decltype(T{} + T{})>;

struct Add {
  template <class T>
  static T of(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) return a + b;
    else return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
  }
};
struct Sub {
  template <class T>
  static T of(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) return a - b;
    else return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
  }
};
struct Mul {
  template <class T>
  static T of(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) return a * b;
    else return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
  }
};

// Either operand's NaN is the result.
struct Min {
  template <class T>
  static T of(T a, T b) {
    return (a < b) | (a != a) ? a : b;
  }
};
struct Max {
  template <class T>
  static T of(T a, T b) {
    return (a > b) | (a != a) ? a : b;
  }
};

struct Abs {
  template <class T>
  static T of(T x) {
    if constexpr (std::is_floating_point_v<T>) return std::fabs(x);
    else if constexpr (std::is_signed_v<T>)
      return x < 0 ? static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x)) : x;
    else return x;
  }
};
struct Neg {
  template <class T>
  static T of(T x) {
    if constexpr (std::is_floating_point_v<T>) return -x;
    else return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x));
  }
};
struct Sign {
  template <class T>
  static T of(T x) {
    return x > T(0) ? T(1) : x < T(0) ? static_cast<T>(-1) : x;
  }
};
struct Ceil {
  template <class T>
  static T of(T x) {
    return std::ceil(x);
  }
};
struct Floor {
  template <class T>
  static T of(T x) {
    return std::floor(x);
  }
};
struct Round {
  template <class T>
  static T of(T x) {
    return std::nearbyint(x);
  }
};
struct Sqrt {
  template <class T>
  static T of(T x) {
    return std::sqrt(x);
  }
};
struct Reciprocal {
  template <class T>
  static T of(T x) {
    return T(1) / x;
  }
};

// Comparisons with NaN are false.
struct Equal {
  template <class T>
  static bool of(const T& a, const T& b) {
    return a == b;
  }
};
struct Greater {
  template <class T>
  static bool of(const T& a, const T& b) {
    return a > b;
  }
};
struct GreaterOrEqual {
  template <class T>
  static bool of(const T& a, const T& b) {
    return a >= b;
  }
};

// Of booleans, which are bytes of 0 or 1.
struct And {
  static unsigned char of(unsigned char a, unsigned char b) { return (a != 0) & (b != 0); }
};
struct Or {
  static unsigned char of(unsigned char a, unsigned char b) { return (a | b) != 0; }
};
struct Xor {
  static unsigned char of(unsigned char a, unsigned char b) { return (a != 0) != (b != 0); }
};
struct Not {
  static unsigned char of(unsigned char a) { return a == 0; }
};

}  // namespace onnxrun::cpu::numbers
