// What every CPU kernel uses: element types of tensor views, and dispatch from an element type to a C++ type.
#pragma once

#include <onnxrun/provider.hpp>

#include <string>
#include <type_traits>

#include "base/dtype.h"
#include "base/error.h"
#include "base/floats.h"

namespace onnxrun::cpu {

using base::Bfloat16;
using base::DType;
using base::Float16;
using provider::Acceptance;
using provider::Node;
using provider::RunContext;

inline DType dtype(const onnxrun_tensor& tensor) { return static_cast<DType>(tensor.dtype); }

template <class T>
struct dtype_of_t;
template <>
struct dtype_of_t<float> {
  static constexpr DType value = DType::kFloat32;
};
template <>
struct dtype_of_t<double> {
  static constexpr DType value = DType::kFloat64;
};
template <>
struct dtype_of_t<int8_t> {
  static constexpr DType value = DType::kInt8;
};
template <>
struct dtype_of_t<int16_t> {
  static constexpr DType value = DType::kInt16;
};
template <>
struct dtype_of_t<int32_t> {
  static constexpr DType value = DType::kInt32;
};
template <>
struct dtype_of_t<int64_t> {
  static constexpr DType value = DType::kInt64;
};
template <>
struct dtype_of_t<uint8_t> {
  static constexpr DType value = DType::kUint8;
};
template <>
struct dtype_of_t<uint16_t> {
  static constexpr DType value = DType::kUint16;
};
template <>
struct dtype_of_t<uint32_t> {
  static constexpr DType value = DType::kUint32;
};
template <>
struct dtype_of_t<uint64_t> {
  static constexpr DType value = DType::kUint64;
};
template <>
struct dtype_of_t<bool> {
  static constexpr DType value = DType::kBool;
};
template <>
struct dtype_of_t<Float16> {
  static constexpr DType value = DType::kFloat16;
};
template <>
struct dtype_of_t<Bfloat16> {
  static constexpr DType value = DType::kBfloat16;
};
template <>
struct dtype_of_t<std::string> {
  static constexpr DType value = DType::kString;
};
template <class T>
inline constexpr DType dtype_of = dtype_of_t<T>::value;

// A list of element types to dispatch over. Keep it short: each entry is compiled.
template <class... T>
struct Types {};

template <class A, class B>
struct join_types;
template <class... A, class... B>
struct join_types<Types<A...>, Types<B...>> {
  using type = Types<A..., B...>;
};
template <class A, class B>
using Join = typename join_types<A, B>::type;

using WideFloats = Types<float, double>;
using Floats = Types<float, double, Float16, Bfloat16>;
using SignedInts = Types<int8_t, int16_t, int32_t, int64_t>;
using UnsignedInts = Types<uint8_t, uint16_t, uint32_t, uint64_t>;
using Ints = Join<SignedInts, UnsignedInts>;
using WideNumbers = Join<WideFloats, Ints>;  // float16 and bfloat16 then go through blocks of float

// Calls f(std::type_identity<T>{}) for the T of the list that stores `type`; false when none does.
template <class... T, class F>
bool dispatch(Types<T...>, DType type, F&& f) {
  return ((type == dtype_of<T> ? (f(std::type_identity<T>{}), true) : false) || ...);
}

}  // namespace onnxrun::cpu
