// Grids and histograms: what they promise of any numbers.
#include "quantise/codes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <random>

#include "quantise/compensate.h"
#include "quantise/histogram.h"
#include "quantise/matrix.h"

namespace onnxrun::quantise {
namespace {

std::vector<float> drawn(size_t count, uint32_t seed, float outlier = 0) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.1f, 1);
  std::vector<float> result(count);
  for (float& value : result) value = normal(random);
  if (outlier != 0) result[0] = outlier;
  return result;
}

GridSearch search(int low, int high, bool symmetric, bool refine) {
  GridSearch result;
  result.range = {low, high};
  result.middle = (low + high + 1) / 2;
  result.symmetric = symmetric;
  result.refine = refine;
  return result;
}

TEST(Codes, RangesAreKeptWithinHalfAStep) {
  for (const bool symmetric : {true, false})
    for (uint32_t seed = 0; seed < 20; ++seed) {
      const std::vector<float> values = drawn(32, seed, seed % 3 == 0 ? 9.0f : 0.0f);
      const GridSearch s = search(0, 15, symmetric, false);
      const Grid grid = find_grid(values, {}, s);
      for (const float value : values) {
        const int code = code_of(value, grid, s.range);
        ASSERT_GE(code, 0);
        ASSERT_LE(code, 15);
        EXPECT_LE(std::abs(static_cast<float>(code - grid.zero) * grid.scale - value), std::abs(grid.scale) * 0.5001f)
            << "seed " << seed << " symmetric " << symmetric;
      }
    }
}

TEST(Codes, RefinementNeverCostsAndMostlyGains) {
  int gained = 0;
  for (const bool symmetric : {true, false})
    for (uint32_t seed = 0; seed < 20; ++seed) {
      const std::vector<float> values = drawn(64, seed);
      const Grid nearest = find_grid(values, {}, search(0, 15, symmetric, false)),
                 refined = find_grid(values, {}, search(0, 15, symmetric, true));
      const double before = squared_error(values, {}, nearest, {0, 15}),
                   after = squared_error(values, {}, refined, {0, 15});
      EXPECT_LE(after, before);
      gained += after < 0.95 * before;
    }
  EXPECT_GT(gained, 20);
}

TEST(Codes, WeightsDecideWhichErrorsCount) {
  const std::vector<float> values = drawn(64, 7, 20.0f);
  std::vector<float> weights(64, 1.0f);
  weights[0] = 1e-6f;  // the outlier hardly counts
  const GridSearch s = search(0, 15, true, true);
  const Grid plain = find_grid(values, {}, s), weighed = find_grid(values, weights, s);
  EXPECT_LT(squared_error(values, weights, weighed, s.range), 0.5 * squared_error(values, weights, plain, s.range));
}

TEST(Codes, ZeroStaysZero) {
  for (const bool symmetric : {true, false})
    for (const auto& values : {std::vector<float>{3, 5, 4}, {-3, -5, -4}, {0, 0, 0}, {}}) {
      const GridSearch s = search(0, 255, symmetric, true);
      const Grid grid = find_grid(values, {}, s);
      EXPECT_EQ(code_of(0, grid, s.range), grid.zero);
    }
}

TEST(Codes, NumbersThatAreNotFiniteDoNotDecide) {
  const GridSearch s = search(0, 255, false, true);
  const Grid grid = find_grid(std::vector<float>{1, -1, INFINITY, NAN, -INFINITY}, {}, s);
  EXPECT_NEAR(grid.scale, 2.0 / 255, 1e-3);
  EXPECT_EQ(code_of(INFINITY, grid, s.range), 255);
  EXPECT_EQ(code_of(-INFINITY, grid, s.range), 0);
  EXPECT_EQ(code_of(NAN, grid, s.range), 0);
}

TEST(Codes, PackedBlocksHoldTheCodes) {
  Settings settings = parse_settings({"type=int4", "block=16"});
  Matrix matrix{3, 40, drawn(120, 3)};
  const Coded coded = encode(matrix, settings, 16, Codes::kUnsigned);
  const PackedBlocks packed = pack_blocks(coded, 4);
  EXPECT_EQ(packed.codes.dims(), (base::Dims{3, 3, 8}));
  EXPECT_EQ(packed.scales.dims(), (base::Dims{3, 3}));
  EXPECT_EQ(packed.zeros.dims(), (base::Dims{3, 2}));
  const Matrix back = decode(coded);
  for (int64_t r = 0; r < 3; ++r)
    for (int64_t i = 0; i < 40; ++i) {
      const auto nibble = [](const base::Tensor& from, int64_t row_bytes, int64_t row, int64_t at) {
        return from.data<uint8_t>()[row * row_bytes + at / 2] >> (at % 2 * 4) & 15;
      };
      const float value = static_cast<float>(nibble(packed.codes, 24, r, i) - nibble(packed.zeros, 2, r, i / 16)) *
                          packed.scales.data<float>()[r * 3 + i / 16];
      EXPECT_EQ(value, back.data[static_cast<size_t>(r * 40 + i)]);
    }
}

TEST(Histogram, IsAsGoodInPiecesAsAtOnce) {
  const std::vector<float> values = drawn(10000, 1, 50.0f);
  Histogram whole, pieces;
  whole.add(values);
  for (size_t begin = 0; begin < values.size(); begin += 100)
    pieces.add(std::span(values).subspan(values.size() - begin - 100, 100));  // the outlier last
  EXPECT_EQ(whole.count(), pieces.count());
  EXPECT_EQ(whole.low(), pieces.low());
  EXPECT_EQ(whole.high(), pieces.high());
  for (const Method method : {Method::kPercentile, Method::kMse, Method::kEntropy}) {
    const Range a = whole.range(method, 99.9, 256, false), b = pieces.range(method, 99.9, 256, false);
    EXPECT_NEAR(a.low, b.low, 0.6) << method_name(method);
    EXPECT_NEAR(a.high, b.high, 3) << method_name(method);
  }
}

TEST(Histogram, MethodsCutAnOutlierOff) {
  std::vector<float> values = drawn(100000, 5);
  values[17] = 400;
  Histogram seen;
  seen.add(values);
  EXPECT_EQ(seen.range(Method::kMinmax, 0, 256, false).high, 400);
  for (const Method method : {Method::kPercentile, Method::kMse, Method::kEntropy}) {
    const Range range = seen.range(method, 99.99, 256, false);
    EXPECT_LT(range.high, method == Method::kMse ? 399 : 200) << method_name(method);
    EXPECT_GT(range.high, 2) << method_name(method);
    EXPECT_LT(range.low, -2) << method_name(method);
  }
}

TEST(Histogram, CountsWhatIsNotFiniteApart) {
  Histogram seen;
  seen.add(std::vector<float>{1, 2, INFINITY, NAN});
  EXPECT_EQ(seen.count(), 2);
  EXPECT_EQ(seen.not_finite(), 2);
  EXPECT_EQ(seen.largest(), 2);
}

template <class F>
std::optional<base::Code> code_thrown(F&& work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error.code();
  }
  return std::nullopt;
}

TEST(Allowance, IsAskedBeforeMemoryIsTaken) {
  constexpr int64_t kPlaces = 100, kPairs = kPlaces * kPlaces;
  const std::vector<float> values = drawn(10 * kPlaces, 1);
  const auto with = [](int64_t bytes) { return Allowance{{}, std::make_shared<base::Budget>(bytes)}; };
  const auto observed = [&](int64_t bytes) {
    PairSums sums;
    sums.add(values, kPlaces, 1, with(bytes));
  };
  EXPECT_EQ(code_thrown([&] { observed(8 * kPairs); }), std::nullopt);
  EXPECT_EQ(code_thrown([&] { observed(8 * kPairs - 1); }), base::Code::kLimitExceeded);
  EXPECT_EQ(code_thrown([&] { ChannelSums().add(values, kPlaces, 1, with(1000)); }), base::Code::kLimitExceeded);
  EXPECT_EQ(code_thrown([&] { Histogram().add(values, with(1000)); }), base::Code::kLimitExceeded);
  PairSums sums;
  sums.add(values, kPlaces, 1);
  const Allowance enough = with(20 * kPairs);
  const auto made = Compensation::of(sums, enough);
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(enough.budget->used(), 4 * kPairs);
  EXPECT_EQ(enough.budget->peak(), 20 * kPairs);
  EXPECT_EQ(code_thrown([&] { Compensation::of(sums, with(20 * kPairs - 1)); }), base::Code::kLimitExceeded);
  Settings settings = parse_settings({"type=int4", "block=16"});
  settings.allowance = with(1000);
  const Matrix matrix{3, kPlaces, drawn(3 * kPlaces, 2)};
  EXPECT_EQ(code_thrown([&] { encode(matrix, settings, 16, Codes::kUnsigned); }), base::Code::kLimitExceeded);
  EXPECT_EQ(code_thrown([&] { encode_compensated(matrix, settings, 16, Codes::kUnsigned, *made); }),
            base::Code::kLimitExceeded);
}

TEST(Allowance, EndsWithItsDeadline) {
  constexpr int64_t kPlaces = 16;
  const Allowance past{base::Deadline::after(1e-9), nullptr};
  const std::vector<float> values = drawn(10 * kPlaces, 1);
  PairSums sums;
  EXPECT_EQ(code_thrown([&] { sums.add(values, kPlaces, 1, past); }), base::Code::kDeadline);
  sums.add(values, kPlaces, 1);
  EXPECT_EQ(code_thrown([&] { Compensation::of(sums, past); }), base::Code::kDeadline);
  const auto made = Compensation::of(sums, {});
  Settings settings = parse_settings({"type=int4", "block=16"});
  settings.allowance = past;
  const Matrix matrix{3, kPlaces, drawn(3 * kPlaces, 2)};
  EXPECT_EQ(code_thrown([&] { encode(matrix, settings, 16, Codes::kUnsigned); }), base::Code::kDeadline);
  EXPECT_EQ(code_thrown([&] { encode_compensated(matrix, settings, 16, Codes::kUnsigned, *made); }),
            base::Code::kDeadline);
}

}  // namespace
}  // namespace onnxrun::quantise
