// Element types in kernels: the type a value is computed in, and dispatch from an element type to a C++ type.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "base/dtype.h"
#include "cuda/device/report.h"

namespace onnxrun::cuda {

using base::DType;

// float16 and bfloat16 are computed in float.
template <class T>
struct Work {
  using type = T;
};
template <>
struct Work<__half> {
  using type = float;
};
template <>
struct Work<__nv_bfloat16> {
  using type = float;
};
template <class T>
using WorkOf = typename Work<T>::type;

template <class T>
__device__ inline T widen(T value) {
  return value;
}
__device__ inline float widen(__half value) { return __half2float(value); }
__device__ inline float widen(__nv_bfloat16 value) { return __bfloat162float(value); }

// Rounds to nearest even.
template <class T, class W>
__device__ inline T narrow(W value) {
  if constexpr (std::is_same_v<T, __half>) {
    if constexpr (std::is_same_v<W, double>) return __double2half(value);
    else return __float2half_rn(static_cast<float>(value));
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    if constexpr (std::is_same_v<W, double>) return __double2bfloat16(value);
    else return __float2bfloat16_rn(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

template <class T>
constexpr DType element_type() {
  if constexpr (std::is_same_v<T, float>) return DType::kFloat32;
  else if constexpr (std::is_same_v<T, double>) return DType::kFloat64;
  else if constexpr (std::is_same_v<T, __half>) return DType::kFloat16;
  else if constexpr (std::is_same_v<T, __nv_bfloat16>) return DType::kBfloat16;
  else if constexpr (std::is_same_v<T, int8_t>) return DType::kInt8;
  else if constexpr (std::is_same_v<T, int16_t>) return DType::kInt16;
  else if constexpr (std::is_same_v<T, int32_t>) return DType::kInt32;
  else if constexpr (std::is_same_v<T, int64_t>) return DType::kInt64;
  else if constexpr (std::is_same_v<T, uint8_t>) return DType::kUint8;
  else if constexpr (std::is_same_v<T, uint16_t>) return DType::kUint16;
  else if constexpr (std::is_same_v<T, uint32_t>) return DType::kUint32;
  else if constexpr (std::is_same_v<T, uint64_t>) return DType::kUint64;
  else return DType::kBool;
}

// Element types to dispatch over. Keep it short: each entry is compiled.
template <class... T>
struct Elements {};

template <class A, class B>
struct join_elements;
template <class... A, class... B>
struct join_elements<Elements<A...>, Elements<B...>> {
  using type = Elements<A..., B...>;
};
template <class A, class B>
using JoinElements = typename join_elements<A, B>::type;

using FloatElements = Elements<float, double, __half, __nv_bfloat16>;
using SignedElements = Elements<int8_t, int16_t, int32_t, int64_t>;
using UnsignedElements = Elements<uint8_t, uint16_t, uint32_t, uint64_t>;
using IntegerElements = JoinElements<SignedElements, UnsignedElements>;
using NumberElements = JoinElements<FloatElements, IntegerElements>;

// Calls f(std::type_identity<T>{}) for the T that stores `type`; false when none does.
template <class... T, class F>
bool with_element(Elements<T...>, DType type, F&& f) {
  return ((type == element_type<T>() ? (f(std::type_identity<T>{}), true) : false) || ...);
}

// Whether the list has `type`.
template <class... T>
constexpr bool has_element(Elements<T...>, DType type) {
  return ((type == element_type<T>()) || ...);
}

// The first report stays.
__device__ inline void set(const Report& report) { atomicCAS(report.code, 0, report.number); }

}  // namespace onnxrun::cuda
