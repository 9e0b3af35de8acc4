// Names, sizes and families of the element types, from one table indexed by type number.
#include "base/dtype.h"

#include <array>
#include <string>

#include "base/checked.h"

namespace onnxrun::base {
namespace {

enum Family : uint8_t { kOther, kFloating, kSigned, kUnsigned, kComplex };

struct Entry {
  std::string_view name;
  int bits;
  Family family;
};

constexpr std::array<Entry, kLastDType + 1> kEntries{{
    {"none", 0, kOther},
    {"float32", 32, kFloating},
    {"uint8", 8, kUnsigned},
    {"int8", 8, kSigned},
    {"uint16", 16, kUnsigned},
    {"int16", 16, kSigned},
    {"int32", 32, kSigned},
    {"int64", 64, kSigned},
    {"string", static_cast<int>(sizeof(std::string) * 8), kOther},
    {"bool", 8, kOther},
    {"float16", 16, kFloating},
    {"float64", 64, kFloating},
    {"uint32", 32, kUnsigned},
    {"uint64", 64, kUnsigned},
    {"complex64", 64, kComplex},
    {"complex128", 128, kComplex},
    {"bfloat16", 16, kFloating},
    {"float8e4m3fn", 8, kFloating},
    {"float8e4m3fnuz", 8, kFloating},
    {"float8e5m2", 8, kFloating},
    {"float8e5m2fnuz", 8, kFloating},
    {"uint4", 4, kUnsigned},
    {"int4", 4, kSigned},
    {"float4e2m1", 4, kFloating},
    {"float8e8m0", 8, kFloating},
    {"uint2", 2, kUnsigned},
    {"int2", 2, kSigned},
    {"float6e2m3", 6, kFloating},
    {"float6e3m2", 6, kFloating},
}};

// Numbers outside the enumeration, which a careless cast may bring, count as kNone.
const Entry& entry(DType dtype) {
  const auto number = static_cast<int32_t>(dtype);
  return kEntries[is_dtype(number) ? static_cast<size_t>(number) : 0];
}

}  // namespace

std::string_view dtype_name(DType dtype) { return entry(dtype).name; }

std::optional<DType> parse_dtype(std::string_view name) {
  for (int32_t number = 1; number <= kLastDType; ++number)
    if (kEntries[static_cast<size_t>(number)].name == name) return static_cast<DType>(number);
  return std::nullopt;
}

int dtype_bits(DType dtype) { return entry(dtype).bits; }

size_t dtype_bytes(DType dtype, int64_t count) {
  if (count < 0) fail(Code::kInvalidArgument, "a tensor cannot have {} elements", count);
  const int bits = dtype_bits(dtype);
  if (bits % 8 == 0) return static_cast<size_t>(checked_mul(count, bits / 8));
  // In whole groups of 8 elements, `bits` bytes each, so that no size in bits can overflow before one in bytes does.
  const int64_t rest = (count % 8 * bits + 7) / 8;
  return static_cast<size_t>(checked_add(checked_mul(count / 8, bits), rest));
}

bool is_float(DType dtype) { return entry(dtype).family == kFloating; }

bool is_integer(DType dtype) { return entry(dtype).family == kSigned || entry(dtype).family == kUnsigned; }

bool is_signed_integer(DType dtype) { return entry(dtype).family == kSigned; }

bool is_complex(DType dtype) { return entry(dtype).family == kComplex; }

bool is_sub_byte(DType dtype) { return entry(dtype).bits % 8 != 0; }

bool is_numeric(DType dtype) { return entry(dtype).family != kOther; }

DType unsigned_of(DType dtype) {
  switch (dtype) {
    case DType::kInt8: return DType::kUint8;
    case DType::kInt16: return DType::kUint16;
    case DType::kInt32: return DType::kUint32;
    case DType::kInt64: return DType::kUint64;
    default: return dtype;
  }
}

}  // namespace onnxrun::base
