// float8, float6 and float4: every code, and every float32 around and between their rounding limits.
#include <gtest/gtest.h>

#include <cmath>
#include <span>

#include "base/error.h"
#include "base/floats.h"
#include "base/parallel.h"
#include "minifloat_tables.h"

namespace onnxrun::base {
namespace {

uint32_t word_of(float value) { return std::bit_cast<uint32_t>(value); }
float float_of(uint32_t word) { return std::bit_cast<float>(word); }

struct Case {
  DType dtype;
  int bits;
  std::span<const uint32_t> values;
  std::span<const uint32_t> least;
  uint8_t top;       // largest finite magnitude
  uint8_t overflow;  // what lies above it without saturation
  uint8_t negative_overflow;
  uint8_t nan;
  uint8_t negative_nan;
  uint8_t negative_zero;
};

const Case kCases[] = {
    {DType::kFloat8E4M3FN, 8, reference::kFloat8E4M3FNValues, reference::kFloat8E4M3FNLeast, 0x7e, 0x7f, 0xff, 0x7f,
     0xff, 0x80},
    {DType::kFloat8E4M3FNUZ, 8, reference::kFloat8E4M3FNUZValues, reference::kFloat8E4M3FNUZLeast, 0x7f, 0x80, 0x80,
     0x80, 0x80, 0},
    {DType::kFloat8E5M2, 8, reference::kFloat8E5M2Values, reference::kFloat8E5M2Least, 0x7b, 0x7c, 0xfc, 0x7e, 0xfe,
     0x80},
    {DType::kFloat8E5M2FNUZ, 8, reference::kFloat8E5M2FNUZValues, reference::kFloat8E5M2FNUZLeast, 0x7f, 0x80, 0x80,
     0x80, 0x80, 0},
    {DType::kFloat6E2M3, 6, reference::kFloat6E2M3Values, reference::kFloat6E2M3Least, 0x1f, 0x1f, 0x3f, 0x20, 0x00,
     0x20},
    {DType::kFloat6E3M2, 6, reference::kFloat6E3M2Values, reference::kFloat6E3M2Least, 0x1f, 0x1f, 0x3f, 0x20, 0x00,
     0x20},
    {DType::kFloat4E2M1, 4, reference::kFloat4E2M1Values, reference::kFloat4E2M1Least, 0x07, 0x07, 0x0f, 0x08, 0x00,
     0x08},
};

class Minifloat : public testing::TestWithParam<Case> {};

TEST_P(Minifloat, DecodesEveryCode) {
  const Case& format = GetParam();
  ASSERT_EQ(format.values.size(), size_t{1} << format.bits);
  const DenormalGuard guard(true);
  for (uint32_t code = 0; code < format.values.size(); ++code) {
    const uint32_t word = word_of(decode_minifloat(format.dtype, static_cast<uint8_t>(code)));
    if (format.values[code] == 0x7fc00000u) ASSERT_GT(word & 0x7fffffffu, 0x7f800000u) << code;
    else ASSERT_EQ(word, format.values[code]) << code;
  }
}

TEST_P(Minifloat, EncodesEveryMagnitude) {
  const Case& format = GetParam();
  const auto check = [&](uint32_t word, uint32_t magnitude) {
    const bool over = magnitude > format.top;
    const uint8_t sign =
        format.negative_zero == 0 && magnitude == 0 ? 0 : static_cast<uint8_t>(1u << (format.bits - 1));
    const auto strict = static_cast<uint8_t>(over ? format.overflow : magnitude);
    const auto saturated = static_cast<uint8_t>(over ? format.top : magnitude);
    ASSERT_EQ(encode_minifloat(format.dtype, float_of(word), Saturate::kNo), strict) << word;
    ASSERT_EQ(encode_minifloat(format.dtype, float_of(word), Saturate::kYes), saturated) << word;
    ASSERT_EQ(encode_minifloat(format.dtype, float_of(word | 0x80000000u), Saturate::kNo),
              over ? format.negative_overflow : strict | sign)
        << word;
    ASSERT_EQ(encode_minifloat(format.dtype, float_of(word | 0x80000000u), Saturate::kYes), saturated | sign) << word;
  };
  const DenormalGuard guard(true);
  uint32_t from = 0;
  for (uint32_t code = 0; code <= format.least.size(); ++code) {
    const uint32_t end = code < format.least.size() ? format.least[code] : 0x7f800001u;
    check(from, code);
    check(end - 1, code);
    for (uint32_t word = from; word < end; word += 16381) check(word, code);
    from = end;
  }
}

TEST_P(Minifloat, RoundTripsAndSpecialValues) {
  const Case& format = GetParam();
  for (uint32_t code = 0; code < format.values.size(); ++code) {
    const float value = float_of(format.values[code]);
    if (std::isnan(value)) continue;
    ASSERT_EQ(encode_minifloat(format.dtype, value, Saturate::kNo), code);
  }
  for (const Saturate saturate : {Saturate::kNo, Saturate::kYes}) {
    for (const uint32_t payload : {0x7fc00000u, 0x7f800001u, 0x7fffffffu}) {
      EXPECT_EQ(encode_minifloat(format.dtype, float_of(payload), saturate), format.nan);
      EXPECT_EQ(encode_minifloat(format.dtype, float_of(payload | 0x80000000u), saturate), format.negative_nan);
    }
    EXPECT_EQ(encode_minifloat(format.dtype, -0.0f, saturate), format.negative_zero);
  }
  EXPECT_EQ(encode_minifloat(format.dtype, HUGE_VALF, Saturate::kYes), format.top);
  EXPECT_EQ(encode_minifloat(format.dtype, HUGE_VALF, Saturate::kNo), format.overflow);
  EXPECT_EQ(encode_minifloat(format.dtype, -HUGE_VALF, Saturate::kNo), format.negative_overflow);
}

INSTANTIATE_TEST_SUITE_P(Formats, Minifloat, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(dtype_name(info.param.dtype)); });

constexpr DType kScale = DType::kFloat8E8M0;

TEST(Float8E8M0, DecodesEveryCode) {
  const DenormalGuard guard(true);
  for (uint32_t code = 0; code < 255; ++code)
    ASSERT_EQ(word_of(decode_minifloat(kScale, static_cast<uint8_t>(code))), reference::kFloat8E8M0Values[code])
        << code;
  EXPECT_TRUE(std::isnan(decode_minifloat(kScale, 255)));
}

TEST(Float8E8M0, RoundsAroundEveryPowerOfTwo) {
  const auto encode = [](double value, RoundMode mode) {
    return int{encode_minifloat(kScale, static_cast<float>(value), Saturate::kYes, mode)};
  };
  for (int code = 0; code < 254; ++code) {
    const float power = std::ldexp(1.0f, code - 127);
    const float middle = 1.5f * power;
    const float above = std::nextafter(power, HUGE_VALF);
    const float below = std::nextafter(2 * power, 0.0f);
    for (const RoundMode mode : {RoundMode::kUp, RoundMode::kDown, RoundMode::kNearest})
      ASSERT_EQ(encode(power, mode), code);
    ASSERT_EQ(encode(above, RoundMode::kUp), code + 1);
    ASSERT_EQ(encode(above, RoundMode::kDown), code);
    ASSERT_EQ(encode(above, RoundMode::kNearest), code);
    ASSERT_EQ(encode(below, RoundMode::kUp), code + 1);
    ASSERT_EQ(encode(below, RoundMode::kDown), code);
    ASSERT_EQ(encode(below, RoundMode::kNearest), code + 1);
    ASSERT_EQ(encode(middle, RoundMode::kNearest), code + 1);
    ASSERT_EQ(encode(std::nextafter(middle, 0.0f), RoundMode::kNearest), code);
    ASSERT_EQ(encode(-power, RoundMode::kDown), code);
  }
}

TEST(Float8E8M0, FollowsTheTableOfSpecialValues) {
  const auto up = [](float value) { return int{encode_minifloat(kScale, value, Saturate::kYes, RoundMode::kUp)}; };
  const auto nearest = [](float value) {
    return int{encode_minifloat(kScale, value, Saturate::kNo, RoundMode::kNearest)};
  };
  EXPECT_EQ(up(0.0f), 0);
  EXPECT_EQ(nearest(0.0f), 255);
  EXPECT_EQ(up(NAN), 255);
  EXPECT_EQ(nearest(NAN), 255);
  EXPECT_EQ(up(HUGE_VALF), 254);
  EXPECT_EQ(nearest(HUGE_VALF), 255);
  EXPECT_EQ(up(0x1.8p127f), 254);
  EXPECT_EQ(nearest(0x1.8p127f), 255);
  EXPECT_EQ(nearest(0x1.7p127f), 254);
  EXPECT_EQ(up(0x1p-140f), 0);
  EXPECT_EQ(nearest(0x1p-140f), 255);
  EXPECT_EQ(up(0x1.8p-127f), 1);
  EXPECT_EQ(nearest(0x1.8p-128f), 0);
}

TEST(MinifloatErrors, OtherTypesAreRefused) {
  EXPECT_THROW(encode_minifloat(DType::kFloat16, 1.0f), Error);
  EXPECT_THROW(decode_minifloat(DType::kInt4, 1), Error);
  EXPECT_THROW(decode_minifloat(static_cast<DType>(99), 1), Error);
}

}  // namespace
}  // namespace onnxrun::base
