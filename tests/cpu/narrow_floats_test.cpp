// float16 and bfloat16 conversions of every level against base's, on every code and on floats of every exponent.
#include "cpu/kernels/simd/narrow_floats.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

using base::Bfloat16;
using base::Float16;

template <class Narrow>
void check_level() {
  std::vector<Narrow> codes(65536 + 5);
  for (size_t i = 0; i < codes.size(); ++i) codes[i].bits = static_cast<uint16_t>(i);
  std::vector<float> wide(codes.size());
  simd::convert(codes.data(), wide.data(), static_cast<int64_t>(codes.size()));
  for (size_t i = 0; i < codes.size(); ++i) {
    const float expected = codes[i];
    if (std::isnan(expected)) ASSERT_TRUE(std::isnan(wide[i])) << i;
    else ASSERT_EQ(std::bit_cast<uint32_t>(wide[i]), std::bit_cast<uint32_t>(expected)) << i;
  }

  std::vector<float> floats;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 4093)
    floats.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  for (float x = 0; x < 8; x += 0x1p-13f) floats.push_back(x);  // ties
  std::vector<Narrow> narrow(floats.size());
  simd::convert(floats.data(), narrow.data(), static_cast<int64_t>(floats.size()));
  for (size_t i = 0; i < floats.size(); ++i) {
    const Narrow expected(floats[i]);
    if (std::isnan(floats[i])) ASSERT_TRUE(std::isnan(static_cast<float>(narrow[i]))) << floats[i];
    else ASSERT_EQ(narrow[i].bits, expected.bits) << floats[i];
  }
}

TEST(NarrowFloats, ConvertAlikeOnEveryLevel) {
  for (const SimdLevel level : {SimdLevel::kGeneric, SimdLevel::kV2, SimdLevel::kV3, SimdLevel::kV4, SimdLevel::kVnni,
                                SimdLevel::kBf16, SimdLevel::kSpr}) {
    if (level > detected_simd_level() ||
        (level == SimdLevel::kGeneric) != (detected_simd_level() == SimdLevel::kGeneric))
      continue;
    SCOPED_TRACE(simd_level_name(level));
    limit_simd_level(level);
    check_level<Float16>();
    check_level<Bfloat16>();
    limit_simd_level(detected_simd_level());
  }
}

}  // namespace
}  // namespace onnxrun::cpu
