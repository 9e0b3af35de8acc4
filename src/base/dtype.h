// Element types: names, sizes and families; the numbers are those of ONNX's TensorProto.DataType.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace onnxrun::base {

enum class DType : int32_t {
  kNone = 0,
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
  kFloat8E4M3FN = 17,
  kFloat8E4M3FNUZ = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2FNUZ = 20,
  kUint4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
  kFloat8E8M0 = 24,
  kUint2 = 25,
  kInt2 = 26,
  kFloat6E2M3 = 27,
  kFloat6E3M2 = 28,
};

inline constexpr int32_t kLastDType = 28;

// Whether `number` names a known element type (kNone does not).
constexpr bool is_dtype(int64_t number) { return number >= 1 && number <= kLastDType; }

// "float32", "int4", "float8e4m3fn", ...; "none" for kNone.
std::string_view dtype_name(DType dtype);
std::optional<DType> parse_dtype(std::string_view name);

// Bits an element takes in memory. Strings: sizeof(std::string) * 8. Float6 elements take 6 bits, packed.
int dtype_bits(DType dtype);

// Bytes of `count` elements, sub-byte types rounded up to a whole byte. Throws kLimitExceeded on overflow,
// kInvalidArgument for a negative count.
size_t dtype_bytes(DType dtype, int64_t count);

bool is_float(DType dtype);    // every real floating-point type, float4 to float64
bool is_integer(DType dtype);  // signed and unsigned, 2 to 64 bits; not bool
bool is_signed_integer(DType dtype);
bool is_complex(DType dtype);
bool is_sub_byte(DType dtype);  // 2, 4 and 6 bit types
bool is_numeric(DType dtype);   // float, integer, complex

// The unsigned type as wide as a signed one of whole bytes, whose wrapping sums, differences and products are the same; any other type itself.
DType unsigned_of(DType dtype);

}  // namespace onnxrun::base
