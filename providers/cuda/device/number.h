// Numbers of a type that is known only at run time, one at a time: for kernels that do much else for each element.
#pragma once

#include <cstdint>
#include <limits>

#include "cuda/device/element.h"

namespace onnxrun::cuda {

using AnyNumber = JoinElements<NumberElements, Elements<bool>>;

template <class W>
__device__ inline W load_number(const void* data, DType type, int64_t i) {
  switch (type) {
    case DType::kFloat32: return static_cast<W>(static_cast<const float*>(data)[i]);
    case DType::kFloat64: return static_cast<W>(static_cast<const double*>(data)[i]);
    case DType::kFloat16: return static_cast<W>(__half2float(static_cast<const __half*>(data)[i]));
    case DType::kBfloat16: return static_cast<W>(__bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]));
    case DType::kInt8: return static_cast<W>(static_cast<const int8_t*>(data)[i]);
    case DType::kInt16: return static_cast<W>(static_cast<const int16_t*>(data)[i]);
    case DType::kInt32: return static_cast<W>(static_cast<const int32_t*>(data)[i]);
    case DType::kInt64: return static_cast<W>(static_cast<const int64_t*>(data)[i]);
    case DType::kUint16: return static_cast<W>(static_cast<const uint16_t*>(data)[i]);
    case DType::kUint32: return static_cast<W>(static_cast<const uint32_t*>(data)[i]);
    case DType::kUint64: return static_cast<W>(static_cast<const uint64_t*>(data)[i]);
    default: return static_cast<W>(static_cast<const uint8_t*>(data)[i]);
  }
}

// Cut off and saturated; NaN is 0.
template <class T, class W>
__device__ inline T whole_number(W value) {
  if (!(value == value)) return 0;
  if (value <= static_cast<W>(std::numeric_limits<T>::lowest())) return std::numeric_limits<T>::lowest();
  if (value >= static_cast<W>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

// W is float or double.
template <class W>
__device__ inline void store_number(void* data, DType type, int64_t i, W value) {
  switch (type) {
    case DType::kFloat32: static_cast<float*>(data)[i] = static_cast<float>(value); return;
    case DType::kFloat64: static_cast<double*>(data)[i] = static_cast<double>(value); return;
    case DType::kFloat16: static_cast<__half*>(data)[i] = narrow<__half>(value); return;
    case DType::kBfloat16: static_cast<__nv_bfloat16*>(data)[i] = narrow<__nv_bfloat16>(value); return;
    case DType::kInt8: static_cast<int8_t*>(data)[i] = whole_number<int8_t>(value); return;
    case DType::kInt16: static_cast<int16_t*>(data)[i] = whole_number<int16_t>(value); return;
    case DType::kInt32: static_cast<int32_t*>(data)[i] = whole_number<int32_t>(value); return;
    case DType::kInt64: static_cast<int64_t*>(data)[i] = whole_number<int64_t>(value); return;
    case DType::kUint16: static_cast<uint16_t*>(data)[i] = whole_number<uint16_t>(value); return;
    case DType::kUint32: static_cast<uint32_t*>(data)[i] = whole_number<uint32_t>(value); return;
    case DType::kUint64: static_cast<uint64_t*>(data)[i] = whole_number<uint64_t>(value); return;
    case DType::kBool: static_cast<bool*>(data)[i] = value != W(0); return;
    default: static_cast<uint8_t*>(data)[i] = whole_number<uint8_t>(value); return;
  }
}

}  // namespace onnxrun::cuda
