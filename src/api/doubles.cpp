// Elements of any numeric type as doubles and back.
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "api/doubles.h"
#include "api/functions.h"
#include "api/status.h"
#include "api/tensor_argument.h"
#include "base/floats.h"
#include "base/packed.h"

namespace onnxrun::api {
namespace {

using base::DType;
using base::Tensor;

template <class T>
struct Type {
  using type = T;
};

// Calls f(Type<T>) for the plain C++ type that stores `dtype`; false for narrow types and strings.
template <class F>
bool with_type(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kFloat32: f(Type<float>()); return true;
    case DType::kFloat64: f(Type<double>()); return true;
    case DType::kFloat16: f(Type<base::Float16>()); return true;
    case DType::kBfloat16: f(Type<base::Bfloat16>()); return true;
    case DType::kInt8: f(Type<int8_t>()); return true;
    case DType::kInt16: f(Type<int16_t>()); return true;
    case DType::kInt32: f(Type<int32_t>()); return true;
    case DType::kInt64: f(Type<int64_t>()); return true;
    case DType::kUint8: f(Type<uint8_t>()); return true;
    case DType::kUint16: f(Type<uint16_t>()); return true;
    case DType::kUint32: f(Type<uint32_t>()); return true;
    case DType::kUint64: f(Type<uint64_t>()); return true;
    case DType::kBool: f(Type<bool>()); return true;
    case DType::kComplex64: f(Type<std::complex<float>>()); return true;
    case DType::kComplex128: f(Type<std::complex<double>>()); return true;
    default: return false;
  }
}

template <class T>
T to_integer(double value) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(value)) return 0;
  if (value <= static_cast<double>(Limits::min())) return Limits::min();
  if (value >= static_cast<double>(Limits::max())) return Limits::max();
  return static_cast<T>(value);
}

bool is_minifloat(DType dtype) { return base::is_float(dtype) && base::dtype_bits(dtype) <= 8; }

uint8_t code_at(const Tensor& tensor, int64_t i) {
  const auto* bytes = static_cast<const uint8_t*>(tensor.raw());
  const int bits = base::dtype_bits(tensor.dtype());
  return bits == 8 ? bytes[i] : base::packed_get(bytes, bits, i);
}

uint8_t encode_narrow(DType dtype, double value) {
  if (is_minifloat(dtype)) return base::encode_minifloat(dtype, base::round_to_odd(value));
  const int bits = base::dtype_bits(dtype);
  const bool is_signed = base::is_signed_integer(dtype);
  const double low = is_signed ? -std::ldexp(1.0, bits - 1) : 0;
  const double high = std::ldexp(1.0, is_signed ? bits - 1 : bits) - 1;
  const double clamped = std::isnan(value) ? 0 : std::min(std::max(value, low), high);
  return static_cast<uint8_t>(static_cast<int>(clamped) & ((1 << bits) - 1));
}

void write(Tensor& tensor, const double* from) {
  const DType dtype = tensor.dtype();
  const bool plain = with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    auto* to = static_cast<T*>(tensor.mutable_raw());
    for (int64_t i = 0; i < tensor.count(); ++i) {
      if constexpr (requires { to[i].imag(); }) {
        using Part = typename T::value_type;
        to[i] = T(static_cast<Part>(from[2 * i]), static_cast<Part>(from[2 * i + 1]));
      } else if constexpr (std::is_same_v<T, bool>) {
        to[i] = from[i] != 0;
      } else if constexpr (std::is_integral_v<T>) {
        to[i] = to_integer<T>(from[i]);
      } else {
        to[i] = static_cast<T>(from[i]);
      }
    }
  });
  if (plain) return;
  auto* bytes = static_cast<uint8_t*>(tensor.mutable_raw());
  const int bits = base::dtype_bits(dtype);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    const uint8_t code = encode_narrow(dtype, from[i]);
    if (bits == 8) bytes[i] = code;
    else base::packed_set(bytes, bits, i, code);
  }
}

void check(const Tensor& tensor, size_t count) {
  if (tensor.dtype() == DType::kString) fail(Code::kInvalidArgument, "strings are no numbers");
  const size_t needed = static_cast<size_t>(tensor.count()) * (base::is_complex(tensor.dtype()) ? 2 : 1);
  if (count != needed) fail(Code::kInvalidArgument, "the tensor has {} numbers, not {}", needed, count);
}

}  // namespace

void read_doubles(const Tensor& tensor, int64_t first, int64_t count, double* out) {
  const DType dtype = tensor.dtype();
  const bool plain = with_type(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const auto* from = static_cast<const T*>(tensor.raw()) + first;
    for (int64_t i = 0; i < count; ++i) {
      if constexpr (requires { from[i].imag(); }) {
        out[2 * i] = from[i].real();
        out[2 * i + 1] = from[i].imag();
      } else if constexpr (std::is_arithmetic_v<T>) {
        out[i] = static_cast<double>(from[i]);
      } else {
        out[i] = static_cast<float>(from[i]);
      }
    }
  });
  if (plain) return;
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t code = code_at(tensor, first + i);
    out[i] = is_minifloat(dtype) ? base::decode_minifloat(dtype, code) : base::packed_integer(dtype, code);
  }
}

onnxrun_status* value_to_doubles(const onnxrun_value* value, double* out, size_t count) {
  return guard([&] {
    const Tensor& tensor = tensor_argument(value);
    check(tensor, count);
    if (count != 0) read_doubles(tensor, 0, tensor.count(), &need(out, "out"));
  });
}

onnxrun_status* value_from_doubles(onnxrun_value* value, const double* data, size_t count) {
  return guard([&] {
    Tensor& tensor = writable_argument(value);
    check(tensor, count);
    if (count != 0) write(tensor, &need(data, "data"));
  });
}

}  // namespace onnxrun::api
