// The counters behind sessions' statistics.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "api/latency.h"
#include "api/tensor_summary.h"

namespace onnxrun::api {
namespace {

TEST(LatencyBuckets, HoldWhatLiesBetweenTheirBounds) {
  for (size_t i = 0; i + 1 < kLatencyBuckets; ++i) {
    EXPECT_EQ(bucket_of(bucket_end(i)), i);
    EXPECT_EQ(bucket_of(bucket_end(i) + 1), i + 1);
    EXPECT_LT(i == 0 ? 0 : bucket_end(i - 1), bucket_end(i));
  }
  EXPECT_EQ(bucket_of(0), 0u);
  EXPECT_EQ(bucket_of(INT64_MAX), kLatencyBuckets - 1);
}

TEST(LatencyBuckets, GiveQuantilesWithinTheirBounds) {
  Latency latency;
  for (int64_t us = 1; us <= 1000; ++us) latency.succeeded(us * 1000);
  const auto counts = latency.counts();
  EXPECT_EQ(counts.count, 1000);
  EXPECT_EQ(counts.min_ns, 1000);
  EXPECT_EQ(counts.max_ns, 1000000);
  EXPECT_NEAR(counts.quantile(0.5), 500e-6, 20e-6);
  EXPECT_NEAR(counts.quantile(0.99), 990e-6, 20e-6);
  EXPECT_DOUBLE_EQ(counts.quantile(1), 1e-3);
  EXPECT_EQ(Latency().counts().quantile(0.5), 0);
}

TEST(Moments, AreThoseOfAllElementsHoweverSplit) {
  std::vector<double> numbers;
  for (int i = 0; i < 999; ++i) numbers.push_back(std::sin(i) * 5 + 1000);
  const auto whole = moments_of(std::span<const double>(numbers));
  Moments parts;
  for (size_t at = 0; at < numbers.size(); at += 111)
    parts.add(moments_of(std::span<const double>(numbers).subspan(at, 111)));
  EXPECT_EQ(parts.elements, 999);
  EXPECT_NEAR(parts.mean, whole.mean, 1e-9);
  EXPECT_NEAR(parts.deviation(), whole.deviation(), 1e-9);
  EXPECT_EQ(parts.min, whole.min);
  EXPECT_EQ(parts.max, whole.max);
}

// Each element is kept with the same probability, whenever it came.
TEST(TensorSummary, SamplesEvenly) {
  TensorSummary summary(1000);
  constexpr int kRuns = 200, kEach = 500;
  for (int run = 0; run < kRuns; ++run) {
    base::Tensor values(base::DType::kFloat32, {kEach});
    std::fill_n(values.mutable_data<float>(), kEach, static_cast<float>(run));
    summary.add(values);
  }
  const auto seen = summary.snapshot();
  ASSERT_EQ(seen.sample.size(), 1000u);
  double mean = 0, early = 0;
  for (const float run : seen.sample) {
    mean += run / 1000;
    early += run < kRuns / 4 ? 1 : 0;
  }
  // Five standard errors of a mean of 1000 even numbers, and of a share of a quarter.
  EXPECT_NEAR(mean, (kRuns - 1) / 2.0, 5 * kRuns / std::sqrt(12.0) / std::sqrt(1000.0));
  EXPECT_NEAR(early / 1000, 0.25, 5 * std::sqrt(0.25 * 0.75 / 1000));
}

}  // namespace
}  // namespace onnxrun::api
