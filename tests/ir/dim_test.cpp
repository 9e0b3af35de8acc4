// Symbolic dims: canonical form, arithmetic and the limits of what is known.
#include "ir/dim.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace onnxrun::ir {
namespace {

const Dim n = Dim::symbol("n"), m = Dim::symbol("m");

TEST(Dim, EqualExpressionsCompareEqualWhateverTheirOrder) {
  EXPECT_EQ((n + Dim(2)) * Dim(3), Dim(6) + n + n * Dim(2));
  EXPECT_EQ(n * m, m * n);
  EXPECT_EQ(n - n, Dim(0));
  EXPECT_FALSE(n == m);
  EXPECT_FALSE(n + Dim(1) == n);
}

TEST(Dim, UnknownEqualsNothingAndSpreads) {
  EXPECT_FALSE(Dim() == Dim());
  EXPECT_TRUE((Dim() + Dim(1)).is_unknown());
  EXPECT_EQ(Dim() * Dim(0), Dim(0));
}

TEST(Dim, PrintsAsWritten) {
  EXPECT_EQ((n * Dim(2) + Dim(1)).to_string(), "2*n + 1");
  EXPECT_EQ((Dim(1) - n).to_string(), "-n + 1");
  EXPECT_EQ(floor_div(n + Dim(1), Dim(2)).to_string(), "floor((n + 1)/(2))");
  EXPECT_EQ(to_string(Shape{n, Dim(3), Dim()}), "[n,3,?]");
}

TEST(Dim, DividesWhereProvable) {
  EXPECT_EQ(exact_div(n * Dim(6), n * Dim(2)), Dim(3));
  EXPECT_TRUE(exact_div(n * Dim(3), Dim(2)).is_unknown());
  EXPECT_EQ(floor_div(n * Dim(4) + Dim(5), Dim(2)), n * Dim(2) + Dim(2));
  EXPECT_EQ(ceil_div(Dim(7), Dim(2)), Dim(4));
  EXPECT_EQ(floor_div(Dim(-7), Dim(2)), Dim(-4));
  EXPECT_EQ(mod(n * Dim(4), Dim(2)), Dim(0));
  EXPECT_EQ(mod(Dim(-7), Dim(3)), Dim(2));
  EXPECT_EQ(mod(Dim(7), Dim(-3)), Dim(-2));
}

TEST(Dim, MinAndMaxUseConstantDifferences) {
  EXPECT_EQ(min(n, n + Dim(1)), n);
  EXPECT_EQ(max(n, n + Dim(1)), n + Dim(1));
  EXPECT_EQ(min(n, m), min(m, n));
}

TEST(Dim, ConstantArithmeticIsChecked) {
  EXPECT_THROW(Dim(INT64_MAX) + Dim(1), base::Error);
  EXPECT_THROW(Dim(INT64_MAX) * Dim(2), base::Error);
  EXPECT_THROW(floor_div(Dim(1), Dim(0)), base::Error);
  EXPECT_THROW(floor_div(Dim(INT64_MIN), Dim(-1)), base::Error);
}

TEST(Dim, SubstitutesInsideOfCalls) {
  const Dim dim = floor_div(n * m + Dim(3), Dim(2)) + max(n, m);
  const Dim known = dim.substitute([](std::string_view name) { return name == "n" ? Dim(4) : Dim(5); });
  EXPECT_EQ(known, Dim(11 + 5));
  const Dim partly = dim.substitute([](std::string_view name) { return name == "n" ? Dim(4) : Dim(); });
  EXPECT_EQ(partly, floor_div(m * Dim(4) + Dim(3), Dim(2)) + max(Dim(4), m));
}

TEST(Dim, GrowthEndsInUnknown) {
  Dim sum(0);
  for (int i = 0; i < 100; ++i) sum = sum + Dim::symbol("s" + std::to_string(i));
  EXPECT_TRUE(sum.is_unknown());
  Dim nested = n;
  for (int i = 0; i < 200; ++i) nested = floor_div(nested + Dim(1), Dim(2));
  EXPECT_TRUE(nested.is_unknown());
}

TEST(Dim, CountsElements) {
  EXPECT_EQ(element_count({n, Dim(2), Dim(3)}), n * Dim(6));
  EXPECT_EQ(element_count({}), Dim(1));
  EXPECT_EQ(element_count({Dim(), Dim(0)}), Dim(0));
  EXPECT_FALSE(concrete({n, Dim(2)}).has_value());
  EXPECT_EQ(concrete(make_shape({4, 2})).value(), (std::vector<int64_t>{4, 2}));
}

}  // namespace
}  // namespace onnxrun::ir
