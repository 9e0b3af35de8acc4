// Float16 and Bfloat16: every code and every tie, from float and from double, whatever the denormal mode.
#include "base/floats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/parallel.h"

namespace onnxrun::base {
namespace {

struct HalfFormat {
  using Type = Float16;
  static constexpr int kMantissa = 10;
  static constexpr int kBias = 15;
};

struct BrainFormat {
  using Type = Bfloat16;
  static constexpr int kMantissa = 7;
  static constexpr int kBias = 127;
};

template <class Format>
class FloatsTest : public testing::Test {
 protected:
  using Type = typename Format::Type;
  static constexpr uint16_t kInfinity = static_cast<uint16_t>(0x7fff >> Format::kMantissa << Format::kMantissa);

  static Type of(uint16_t bits) {
    Type value;
    value.bits = bits;
    return value;
  }

  // The value of a finite code, from the definition of the format; the code of infinity gives the value it would have.
  static double define(uint16_t bits) {
    const int field = (bits & 0x7fff) >> Format::kMantissa;
    const int fraction = bits & ((1 << Format::kMantissa) - 1);
    const double significand = field == 0 ? fraction : fraction + (1 << Format::kMantissa);
    const double magnitude = std::ldexp(significand, std::max(field, 1) - Format::kBias - Format::kMantissa);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
  }
};

using Formats = testing::Types<HalfFormat, BrainFormat>;
TYPED_TEST_SUITE(FloatsTest, Formats);

TYPED_TEST(FloatsTest, DecodesAndEncodesEveryCode) {
  for (const bool flush : {false, true}) {
    for (uint32_t code = 0; code < 0x10000; ++code) {
      const auto bits = static_cast<uint16_t>(code);
      const DenormalGuard guard(flush);
      const float value = this->of(bits);
      const uint32_t word = std::bit_cast<uint32_t>(value);
      const uint16_t back = typename TestFixture::Type(value).bits;
      const DenormalGuard exact(false);
      const uint16_t magnitude = bits & 0x7fff;
      if (magnitude > TestFixture::kInfinity) {
        ASSERT_TRUE((word & 0x7fffffff) > 0x7f800000) << code;
        ASSERT_GT(back & 0x7fff, TestFixture::kInfinity) << code;
        ASSERT_EQ(back & 0x8000, bits & 0x8000) << code;
        continue;
      }
      if (magnitude == TestFixture::kInfinity) {
        ASSERT_EQ(word & 0x7fffffff, 0x7f800000u);
      } else {
        ASSERT_EQ(static_cast<double>(std::bit_cast<float>(word)), this->define(bits)) << code;
      }
      ASSERT_EQ(word >> 31, code >> 15);
      ASSERT_EQ(back, bits);
    }
  }
}

TYPED_TEST(FloatsTest, RoundsBetweenEveryTwoCodesToNearestEven) {
  using Type = typename TestFixture::Type;
  for (const bool flush : {false, true}) {
    for (uint16_t low = 0; low < TestFixture::kInfinity; ++low) {
      const auto high = static_cast<uint16_t>(low + 1);
      const auto even = (low & 1) == 0 ? low : high;
      const double tie = (this->define(low) + this->define(high)) / 2;
      const double below = std::nextafter(tie, 0.0);
      const double above = std::nextafter(tie, HUGE_VAL);
      const auto narrow_tie = static_cast<float>(tie);  // exact: float has more bits than either format
      const float narrow_below = std::nextafter(narrow_tie, 0.0f);
      const float narrow_above = std::nextafter(narrow_tie, HUGE_VALF);
      const DenormalGuard guard(flush);
      ASSERT_EQ(Type(tie).bits, even) << low;
      ASSERT_EQ(Type(below).bits, low) << low;
      ASSERT_EQ(Type(above).bits, high) << low;
      ASSERT_EQ(Type(-tie).bits, even | 0x8000) << low;
      ASSERT_EQ(Type(-below).bits, low | 0x8000) << low;
      ASSERT_EQ(Type(-above).bits, high | 0x8000) << low;
      ASSERT_EQ(Type(narrow_tie).bits, even) << low;
      ASSERT_EQ(Type(narrow_below).bits, low) << low;
      ASSERT_EQ(Type(narrow_above).bits, high) << low;
      ASSERT_EQ(Type(-narrow_tie).bits, even | 0x8000) << low;
    }
  }
}

TYPED_TEST(FloatsTest, ExtremesBecomeInfinityZeroOrNan) {
  using Type = typename TestFixture::Type;
  EXPECT_EQ(Type(std::numeric_limits<double>::max()).bits, TestFixture::kInfinity);
  EXPECT_EQ(Type(-std::numeric_limits<double>::infinity()).bits, TestFixture::kInfinity | 0x8000);
  EXPECT_EQ(Type(std::numeric_limits<float>::max()).bits, TestFixture::kInfinity);
  EXPECT_EQ(Type(std::numeric_limits<double>::denorm_min()).bits, 0);
  EXPECT_EQ(Type(-std::numeric_limits<double>::min()).bits, 0x8000);
  EXPECT_EQ(Type(-0.0).bits, 0x8000);
  EXPECT_GT(Type(std::nan("")).bits & 0x7fff, TestFixture::kInfinity);
  EXPECT_GT(Type(std::nanf("")).bits & 0x7fff, TestFixture::kInfinity);
  // A NaN whose payload lies in the bits that are cut must not become infinity.
  EXPECT_GT(Type(std::bit_cast<double>(0x7ff0000000000001ull)).bits & 0x7fff, TestFixture::kInfinity);
  EXPECT_GT(Type(std::bit_cast<float>(0x7f800001u)).bits & 0x7fff, TestFixture::kInfinity);
}

TYPED_TEST(FloatsTest, ManyEqualOne) {
  using Type = typename TestFixture::Type;
  for (const int64_t count : {0, 1, 7, 64, 1001}) {
    std::vector<float> wide(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i)
      wide[static_cast<size_t>(i)] = std::bit_cast<float>(static_cast<uint32_t>(i * 4289449u));
    std::vector<Type> narrow(wide.size() + 1, this->of(0x1234));
    convert(wide.data(), narrow.data(), count);
    for (size_t i = 0; i < wide.size(); ++i) ASSERT_EQ(narrow[i].bits, Type(wide[i]).bits) << i;
    ASSERT_EQ(narrow.back().bits, 0x1234);
    std::vector<float> back(wide.size() + 1, 5.0f);
    convert(narrow.data(), back.data(), count);
    for (size_t i = 0; i < wide.size(); ++i)
      ASSERT_EQ(std::bit_cast<uint32_t>(back[i]), std::bit_cast<uint32_t>(static_cast<float>(narrow[i]))) << i;
    ASSERT_EQ(back.back(), 5.0f);
  }
}

TEST(RoundToOdd, KeepsExactValuesAndMarksOthers) {
  EXPECT_EQ(round_to_odd(0.5), 0.5f);
  EXPECT_EQ(std::bit_cast<uint32_t>(round_to_odd(-0.0)), 0x80000000u);
  EXPECT_EQ(round_to_odd(1.0 + 0x1p-23), 1.0f + 0x1p-23f);
  EXPECT_EQ(round_to_odd(1.0 + 0x1p-24), 1.0f + 0x1p-23f);
  EXPECT_EQ(round_to_odd(1.0 + 0x1p-22 + 0x1p-52), 1.0f + 0x1p-22f + 0x1p-23f);
  EXPECT_EQ(round_to_odd(1e300), std::numeric_limits<float>::max());
  EXPECT_EQ(round_to_odd(-HUGE_VAL), -HUGE_VALF);
  EXPECT_EQ(round_to_odd(0x1p-149), 0x1p-149f);
  EXPECT_EQ(round_to_odd(0x1p-148), 0x1p-148f);
  EXPECT_EQ(round_to_odd(0x1.8p-148), 0x1.8p-148f);
  EXPECT_EQ(round_to_odd(0x1.cp-148), 0x1.8p-148f);
  EXPECT_EQ(round_to_odd(0x1p-150), 0x1p-149f);
  EXPECT_EQ(round_to_odd(-0x1p-1074), -0x1p-149f);
  EXPECT_EQ(round_to_odd(0x1.fffffffffffffp-127), 0x1.fffffcp-127f);
}

}  // namespace
}  // namespace onnxrun::base
