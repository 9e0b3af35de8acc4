// Symbolic dims: canonical form, arithmetic and the limits of what is known.
#include "ir/dim.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

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

TEST(Dim, RangesDecide) {
  EXPECT_EQ(max(n, Dim(0)), n);
  EXPECT_EQ(max(n - Dim(1), Dim(0)).to_string(), "max(0, n - 1)") << "n may be 0";
  EXPECT_EQ(min(n, n + m), n);
  EXPECT_EQ(max(n * m + Dim(2), Dim(-1) * n), n * m + Dim(2));
  EXPECT_EQ(min(mod(n, Dim(4)), Dim(3)), mod(n, Dim(4)));
  EXPECT_EQ(floor_div(mod(n, Dim(4)), Dim(8)), Dim(0));
  EXPECT_EQ(mod(min(n, Dim(5)), Dim(8)), min(n, Dim(5)));
  EXPECT_EQ(max(max(n - Dim(1), Dim(0)), Dim(0)), max(n - Dim(1), Dim(0)));
}

TEST(Dim, RangesHoldEveryValue) {
  const auto expect = [](const Dim& dim, int64_t low, int64_t high) {
    EXPECT_EQ(range_of(dim).low, low) << dim.to_string();
    EXPECT_EQ(range_of(dim).high, high) << dim.to_string();
  };
  expect(Dim(), INT64_MIN, INT64_MAX);
  expect(Dim(7), 7, 7);
  expect(n, 0, INT64_MAX);
  expect(Dim(3) - n, INT64_MIN, 3);
  expect(Dim(2) * mod(n, Dim(4)) + Dim(1), 1, 7);
  expect(floor_div(min(n, Dim(9)) - Dim(4), Dim(2)), -2, 2);
  expect(max(n - m, Dim(2)), 2, INT64_MAX);
  expect(min(n, Dim(5)) * (Dim(0) - min(m, Dim(3))), -15, 0);
  EXPECT_EQ(range_of_difference(n + Dim(3), n).low, 3);
}

TEST(Dim, SimplificationsAndRangesAgreeWithArithmetic) {
  struct Number {
    Dim dim;
    std::function<int64_t(int64_t, int64_t)> of;
  };
  uint32_t state = 1;
  const auto draw = [&](uint32_t count) { return (state = state * 1664525 + 1013904223) / 65536 % count; };
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<Number> pool{{n, [](int64_t a, int64_t) { return a; }}, {m, [](int64_t, int64_t b) { return b; }}};
    for (int step = 0; step < 5; ++step) {
      const Number a = pool[draw(static_cast<uint32_t>(pool.size()))],
                   b = pool[draw(static_cast<uint32_t>(pool.size()))];
      const int64_t c = static_cast<int64_t>(draw(7)) + 1, shift = static_cast<int64_t>(draw(9)) - 4;
      const auto f = a.of, g = b.of;
      switch (draw(7)) {
        case 0: pool.push_back({a.dim + b.dim, [=](int64_t x, int64_t y) { return f(x, y) + g(x, y); }}); break;
        case 1: pool.push_back({a.dim - b.dim, [=](int64_t x, int64_t y) { return f(x, y) - g(x, y); }}); break;
        case 2: pool.push_back({a.dim + Dim(shift), [=](int64_t x, int64_t y) { return f(x, y) + shift; }}); break;
        case 3:
          pool.push_back({floor_div(a.dim, Dim(c)), [=](int64_t x, int64_t y) {
                            const int64_t v = f(x, y);
                            return v / c - (v % c < 0);
                          }});
          break;
        case 4:
          pool.push_back({mod(a.dim, Dim(c)), [=](int64_t x, int64_t y) { return (f(x, y) % c + c) % c; }});
          break;
        case 5:
          pool.push_back({min(a.dim, b.dim), [=](int64_t x, int64_t y) { return std::min(f(x, y), g(x, y)); }});
          break;
        default:
          pool.push_back({max(a.dim, Dim(shift)), [=](int64_t x, int64_t y) { return std::max(f(x, y), shift); }});
      }
    }
    for (const Number& number : pool) {
      if (number.dim.is_unknown()) continue;
      for (const auto& sizes : {std::pair<int64_t, int64_t>{0, 0}, {1, 0}, {0, 5}, {7, 3}, {20, 1}, {6, 64}}) {
        const int64_t x = sizes.first, y = sizes.second;
        const Dim value = number.dim.substitute([&](std::string_view name) { return Dim(name == "n" ? x : y); });
        ASSERT_EQ(value, Dim(number.of(x, y))) << number.dim.to_string() << " for n = " << x << ", m = " << y;
        ASSERT_TRUE(range_of(number.dim).holds(value.value())) << number.dim.to_string() << " is " << value.value();
      }
    }
  }
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
