// Runs of elements of any numeric type read as float32, and float32 written as narrow types.
#include "cpu/loops/float_runs.h"

#include <algorithm>

#include "base/packed.h"
#include "cpu/cpu.h"

namespace onnxrun::cpu {
namespace {

using Whole = Types<float, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t>;

bool is_packed_integer(DType type) {
  return type == DType::kInt4 || type == DType::kUint4 || type == DType::kInt2 || type == DType::kUint2;
}

bool is_minifloat(DType type) { return base::is_float(type) && base::dtype_bits(type) <= 8; }

}  // namespace

bool has_float_runs(DType type) {
  if (type == DType::kFloat16 || type == DType::kBfloat16 || is_packed_integer(type) || is_minifloat(type)) return true;
  return dispatch(Whole(), type, [](auto) {});
}

void read_floats(DType type, const void* data, int64_t first, int64_t count, float* to) {
  if (type == DType::kFloat16) return base::convert(static_cast<const Float16*>(data) + first, to, count);
  if (type == DType::kBfloat16) return base::convert(static_cast<const Bfloat16*>(data) + first, to, count);
  const bool whole = dispatch(Whole(), type, [&]<class T>(std::type_identity<T>) {
    const T* from = static_cast<const T*>(data) + first;
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]);
  });
  if (whole) return;
  const int bits = base::dtype_bits(type);
  const auto* bytes = static_cast<const uint8_t*>(data);
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t code = bits == 8 ? bytes[first + i] : base::packed_get(bytes, bits, first + i);
    to[i] = is_packed_integer(type) ? static_cast<float>(base::packed_integer(type, code))
                                    : base::decode_minifloat(type, code);
  }
}

void write_floats(DType type, const float* from, void* data, int64_t first, int64_t count, base::Saturate saturate) {
  if (type == DType::kFloat16) return base::convert(from, static_cast<Float16*>(data) + first, count);
  if (type == DType::kBfloat16) return base::convert(from, static_cast<Bfloat16*>(data) + first, count);
  const bool whole = dispatch(Whole(), type, [&]<class T>(std::type_identity<T>) {
    T* to = static_cast<T*>(data) + first;
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]);
  });
  if (whole) return;
  const int bits = base::dtype_bits(type);
  auto* bytes = static_cast<uint8_t*>(data);
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t code = is_packed_integer(type) ? static_cast<uint8_t>(static_cast<int>(from[i]))
                                                 : base::encode_minifloat(type, from[i], saturate);
    if (bits == 8) bytes[first + i] = code;
    else base::packed_set(bytes, bits, first + i, static_cast<uint8_t>(code & ((1u << bits) - 1)));
  }
}

}  // namespace onnxrun::cpu
