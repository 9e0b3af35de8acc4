// Names, sizes and families of element types, and packed elements.
#include "base/dtype.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/packed.h"

namespace onnxrun::base {
namespace {

TEST(DType, NamesAreUniqueAndParse) {
  std::set<std::string_view> names;
  for (int32_t number = 1; number <= kLastDType; ++number) {
    const auto dtype = static_cast<DType>(number);
    EXPECT_TRUE(names.insert(dtype_name(dtype)).second);
    EXPECT_EQ(parse_dtype(dtype_name(dtype)), dtype);
    EXPECT_GT(dtype_bits(dtype), 0);
  }
  EXPECT_EQ(dtype_name(DType::kFloat8E4M3FNUZ), "float8e4m3fnuz");
  EXPECT_EQ(dtype_name(DType::kFloat6E3M2), "float6e3m2");
  EXPECT_EQ(dtype_name(DType::kNone), "none");
  EXPECT_EQ(dtype_name(static_cast<DType>(-1)), "none");
  EXPECT_EQ(dtype_name(static_cast<DType>(29)), "none");
  EXPECT_FALSE(parse_dtype("none"));
  EXPECT_FALSE(parse_dtype("Float32"));
}

TEST(DType, FamiliesAreDisjoint) {
  int floats = 0;
  int integers = 0;
  int signed_integers = 0;
  int complexes = 0;
  for (int32_t number = 0; number <= kLastDType; ++number) {
    const auto dtype = static_cast<DType>(number);
    EXPECT_LE(is_float(dtype) + is_integer(dtype) + is_complex(dtype), 1);
    EXPECT_EQ(is_numeric(dtype), is_float(dtype) || is_integer(dtype) || is_complex(dtype));
    EXPECT_EQ(is_sub_byte(dtype), number != 0 && dtype_bits(dtype) < 8);
    floats += is_float(dtype);
    integers += is_integer(dtype);
    signed_integers += is_signed_integer(dtype);
    complexes += is_complex(dtype);
  }
  EXPECT_EQ(floats, 12);
  EXPECT_EQ(integers, 12);
  EXPECT_EQ(signed_integers, 6);
  EXPECT_EQ(complexes, 2);
  EXPECT_FALSE(is_numeric(DType::kBool));
  EXPECT_FALSE(is_numeric(DType::kString));
}

TEST(DType, BytesRoundUpAndDoNotOverflow) {
  EXPECT_EQ(dtype_bytes(DType::kFloat32, 3), 12u);
  EXPECT_EQ(dtype_bytes(DType::kInt4, 0), 0u);
  EXPECT_EQ(dtype_bytes(DType::kInt4, 3), 2u);
  EXPECT_EQ(dtype_bytes(DType::kUint2, 5), 2u);
  EXPECT_EQ(dtype_bytes(DType::kFloat6E2M3, 4), 3u);
  EXPECT_EQ(dtype_bytes(DType::kFloat6E2M3, 5), 4u);
  EXPECT_EQ(dtype_bytes(DType::kFloat6E2M3, 8), 6u);
  EXPECT_EQ(dtype_bytes(DType::kUint8, INT64_MAX), static_cast<size_t>(INT64_MAX));
  EXPECT_EQ(dtype_bytes(DType::kInt4, INT64_MAX), size_t{1} << 62);
  EXPECT_EQ(dtype_bytes(DType::kString, 2), 2 * sizeof(std::string));
  EXPECT_THROW(dtype_bytes(DType::kUint8, -1), Error);
  try {
    dtype_bytes(DType::kFloat64, INT64_MAX / 4);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kLimitExceeded);
  }
}

TEST(Packed, ElementsAreIndependent) {
  for (const int bits : {2, 4, 6}) {
    const int64_t count = 37;
    std::vector<uint8_t> data(static_cast<size_t>((count * bits + 7) / 8), 0xff);
    std::vector<uint8_t> codes(static_cast<size_t>(count));
    for (int64_t step = 0; step < count; ++step) {
      const int64_t i = step * 16 % count;
      codes[static_cast<size_t>(i)] = static_cast<uint8_t>((i * 37 + 11) & ((1 << bits) - 1));
      packed_set(data.data(), bits, i, codes[static_cast<size_t>(i)]);
    }
    for (int64_t i = 0; i < count; ++i)
      EXPECT_EQ(packed_get(data.data(), bits, i), codes[static_cast<size_t>(i)]) << bits << " " << i;
  }
}

TEST(Packed, LittleEndFirst) {
  const uint8_t nibbles[] = {0x21, 0x43};
  EXPECT_EQ(packed_get(nibbles, 4, 0), 1);
  EXPECT_EQ(packed_get(nibbles, 4, 3), 4);
  const uint8_t sixes[] = {0x41, 0x20, 0x0c};  // 1, 1, 2, 3
  EXPECT_EQ(packed_get(sixes, 6, 0), 1);
  EXPECT_EQ(packed_get(sixes, 6, 1), 1);
  EXPECT_EQ(packed_get(sixes, 6, 2), 2);
  EXPECT_EQ(packed_get(sixes, 6, 3), 3);
  EXPECT_EQ(packed_integer(DType::kInt4, 15), -1);
  EXPECT_EQ(packed_integer(DType::kInt4, 7), 7);
  EXPECT_EQ(packed_integer(DType::kUint4, 15), 15);
  EXPECT_EQ(packed_integer(DType::kInt2, 2), -2);
  EXPECT_EQ(packed_integer(DType::kUint2, 3), 3);
}

}  // namespace
}  // namespace onnxrun::base
