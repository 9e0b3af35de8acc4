// Checked arithmetic, shapes, axes and broadcasting.
#include "base/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>

namespace onnxrun::base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Code and message of the error that `call` throws; 0 and "" when it throws none.
template <class F>
std::pair<int, std::string> error_of(F&& call) {
  try {
    call();
  } catch (const Error& error) {
    return {static_cast<int>(error.code()), error.message()};
  }
  return {0, ""};
}

TEST(Checked, ThrowsInsteadOfOverflowing) {
  EXPECT_EQ(checked_add(2, 3), 5);
  EXPECT_EQ(checked_sub(2, 3), -1);
  EXPECT_EQ(checked_mul(-2, 3), -6);
  EXPECT_THROW(checked_add(INT64_MAX, 1), Error);
  EXPECT_THROW(checked_sub(INT64_MIN, 1), Error);
  EXPECT_THROW(checked_mul(INT64_MAX, 2), Error);
}

TEST(Checked, DivisionRoundsTowardsTheNamedSide) {
  for (int64_t a = -9; a <= 9; ++a) {
    for (int64_t b = -4; b <= 4; ++b) {
      if (b == 0) continue;
      EXPECT_EQ(floor_div(a, b), static_cast<int64_t>(std::floor(static_cast<double>(a) / static_cast<double>(b))))
          << a << "/" << b;
      EXPECT_EQ(ceil_div(a, b), static_cast<int64_t>(std::ceil(static_cast<double>(a) / static_cast<double>(b))))
          << a << "/" << b;
    }
  }
  EXPECT_THROW(floor_div(1, 0), Error);
  EXPECT_THROW(ceil_div(1, 0), Error);
  EXPECT_THROW(floor_div(INT64_MIN, -1), Error);
  EXPECT_THROW(ceil_div(INT64_MIN, -1), Error);
}

TEST(Shape, CountsElements) {
  EXPECT_EQ(element_count(Dims{}), 1);
  EXPECT_EQ(element_count(Dims{2, 3, 4}), 24);
  EXPECT_EQ(element_count(Dims{2, 0, 4}), 0);
  EXPECT_THAT(error_of([] { element_count(Dims{2, -1}); }).second, HasSubstr("[2,-1]"));
  const auto overflow = error_of([] { element_count(Dims{INT64_MAX, 2}); });
  EXPECT_EQ(overflow.first, static_cast<int>(Code::kLimitExceeded));
  EXPECT_THAT(overflow.second, HasSubstr("9223372036854775807,2"));
  EXPECT_THROW(element_count(Dims{0, INT64_MAX, 2}), Error);
  EXPECT_THROW(element_count(Dims{INT64_MAX, 2, 0}), Error);
  EXPECT_THROW(element_count(Dims{0, -1}), Error);
}

TEST(Shape, StridesAndText) {
  EXPECT_THAT(contiguous_strides(Dims{}), ElementsAre());
  EXPECT_THAT(contiguous_strides(Dims{2, 3, 4}), ElementsAre(12, 4, 1));
  EXPECT_THAT(contiguous_strides(Dims{2, 0, 4}), ElementsAre(4, 4, 1));
  EXPECT_EQ(to_string(Dims{}), "[]");
  EXPECT_EQ(to_string(Dims{2, 3, 4}), "[2,3,4]");
}

TEST(Shape, NormalizesAxes) {
  EXPECT_EQ(normalize_axis(-1, 3), 2);
  EXPECT_EQ(normalize_axis(0, 3), 0);
  EXPECT_THAT(error_of([] { normalize_axis(3, 3, "split axis"); }).second,
              testing::AllOf(HasSubstr("split axis 3"), HasSubstr("[-3, 3)")));
  EXPECT_THROW(normalize_axis(-4, 3), Error);
  EXPECT_THROW(normalize_axis(0, 0), Error);
  EXPECT_THROW(normalize_axis(INT64_MIN, 3), Error);
  EXPECT_THAT(normalize_axes(Dims{2, -3}, 3), ElementsAre(2, 0));
  EXPECT_THAT(normalize_axes(Dims{}, 0), ElementsAre());
  EXPECT_THAT(error_of([] { normalize_axes(Dims{1, -2}, 3); }).second, HasSubstr("axis 1 twice"));
  EXPECT_THROW(normalize_axes(Dims{0, 1, 0}, 2), Error);
}

TEST(Shape, Broadcasts) {
  EXPECT_THAT(broadcast(Dims{}, Dims{}), ElementsAre());
  EXPECT_THAT(broadcast(Dims{2, 1, 4}, Dims{3, 1}), ElementsAre(2, 3, 4));
  EXPECT_THAT(broadcast(Dims{1}, Dims{0}), ElementsAre(0));
  EXPECT_THAT(broadcast(Dims{0, 2}, Dims{1, 1}), ElementsAre(0, 2));
  EXPECT_THAT(error_of([] {
                broadcast(Dims{2, 3}, Dims{4, 2});
              }).second,
              testing::AllOf(HasSubstr("[2,3]"), HasSubstr("[4,2]")));
  EXPECT_THROW(broadcast(Dims{0}, Dims{2}), Error);
}

TEST(Shape, BroadcastStrides) {
  EXPECT_THAT(broadcast_strides(Dims{3, 1}, Dims{2, 3, 4}), ElementsAre(0, 1, 0));
  EXPECT_THAT(broadcast_strides(Dims{2, 3}, Dims{2, 3}), ElementsAre(3, 1));
  EXPECT_THAT(broadcast_strides(Dims{}, Dims{2}), ElementsAre(0));
  EXPECT_THAT(broadcast_strides(Dims{1}, Dims{1}), ElementsAre(0));
  EXPECT_THROW(broadcast_strides(Dims{2}, Dims{3}), Error);
  EXPECT_THROW(broadcast_strides(Dims{2}, Dims{1}), Error);
  EXPECT_THROW(broadcast_strides(Dims{1, 2}, Dims{2}), Error);
}

}  // namespace
}  // namespace onnxrun::base
