// The element type of a C++ type: dtype_of<float> is kFloat32.
#pragma once

#include <cstdint>
#include <string>

#include "base/dtype.h"
#include "base/floats.h"

namespace onnxrun::base {

template <DType d>
struct DTypeConstant {
  static constexpr DType value = d;
};

template <class T>
struct dtype_of_t;
template <>
struct dtype_of_t<float> : DTypeConstant<DType::kFloat32> {};
template <>
struct dtype_of_t<double> : DTypeConstant<DType::kFloat64> {};
template <>
struct dtype_of_t<int8_t> : DTypeConstant<DType::kInt8> {};
template <>
struct dtype_of_t<int16_t> : DTypeConstant<DType::kInt16> {};
template <>
struct dtype_of_t<int32_t> : DTypeConstant<DType::kInt32> {};
template <>
struct dtype_of_t<int64_t> : DTypeConstant<DType::kInt64> {};
template <>
struct dtype_of_t<uint8_t> : DTypeConstant<DType::kUint8> {};
template <>
struct dtype_of_t<uint16_t> : DTypeConstant<DType::kUint16> {};
template <>
struct dtype_of_t<uint32_t> : DTypeConstant<DType::kUint32> {};
template <>
struct dtype_of_t<uint64_t> : DTypeConstant<DType::kUint64> {};
template <>
struct dtype_of_t<bool> : DTypeConstant<DType::kBool> {};
template <>
struct dtype_of_t<Float16> : DTypeConstant<DType::kFloat16> {};
template <>
struct dtype_of_t<Bfloat16> : DTypeConstant<DType::kBfloat16> {};
template <>
struct dtype_of_t<std::string> : DTypeConstant<DType::kString> {};

template <class T>
inline constexpr DType dtype_of = dtype_of_t<T>::value;

}  // namespace onnxrun::base
