// What every CPU kernel uses: element types of tensor views, and dispatch from an element type to a C++ type.
#pragma once

#include <onnxrun/provider.hpp>

#include <string>
#include <type_traits>

#include "base/dtype_of.h"
#include "base/error.h"

namespace onnxrun::cpu {

using base::Bfloat16;
using base::DType;
using base::dtype_of;
using base::Float16;
using provider::Acceptance;
using provider::Node;
using provider::RunContext;

inline DType dtype(const onnxrun_tensor& tensor) { return static_cast<DType>(tensor.dtype); }

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
