// The random generator: known answers of its authors, and the distributions made of it.
#include "cpu/loops/philox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace onnxrun::cpu {
namespace {

using Words = std::array<uint32_t, 4>;

// The counter's low half is the index, its high half the stream.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(Philox(0, 0).block(0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox(~uint64_t{0}, ~uint64_t{0}).block(~uint64_t{0}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox(0x299f31d0a4093822, 0x0370734413198a2e).block(0x85a308d3243f6a88),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The largest distance between the samples' distribution and `expected`; with n samples above 2.2 / sqrt(n) once in 10,000 times.
template <class F>
double kolmogorov(std::vector<double> samples, F expected) {
  std::sort(samples.begin(), samples.end());
  double distance = 0;
  const auto n = static_cast<double>(samples.size());
  for (size_t i = 0; i < samples.size(); ++i) {
    const double value = expected(samples[i]);
    distance = std::max({distance, value - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - value});
  }
  return distance * std::sqrt(n);
}

constexpr int kSamples = 200'000;
constexpr double kSlack = 2.2;

TEST(Philox, UniformNumbersAreUniform) {
  for (uint64_t key : {0, 1, 77}) {
    const Philox philox(key, key);
    std::vector<double> samples;
    for (uint64_t i = 0; i < kSamples; ++i) samples.push_back(philox.uniform(i));
    EXPECT_GE(*std::min_element(samples.begin(), samples.end()), 0.0);
    EXPECT_LT(*std::max_element(samples.begin(), samples.end()), 1.0);
    EXPECT_LT(kolmogorov(samples, [](double x) { return x; }), kSlack) << key;
  }
}

TEST(Philox, NormalNumbersAreNormal) {
  for (uint64_t key : {0, 1, 77}) {
    const Philox philox(key, 0);
    std::vector<double> samples;
    for (uint64_t i = 0; i < kSamples; ++i) samples.push_back(philox.normal(i));
    EXPECT_LT(kolmogorov(samples, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }), kSlack) << key;
  }
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - 0.5) * (b[i] - 0.5) * 12;
  return sum / std::sqrt(static_cast<double>(a.size()));
}

TEST(Philox, NeighboursStreamsAndKeysAreIndependent) {
  std::vector<double> first, next, stream, key;
  for (uint64_t i = 0; i < kSamples; ++i) {
    first.push_back(Philox(5, 0).uniform(i));
    next.push_back(Philox(5, 0).uniform(i + 1));
    stream.push_back(Philox(5, 1).uniform(i));
    key.push_back(Philox(6, 0).uniform(i));
  }
  EXPECT_LT(std::abs(correlation(first, next)), 5);
  EXPECT_LT(std::abs(correlation(first, stream)), 5);
  EXPECT_LT(std::abs(correlation(first, key)), 5);
  EXPECT_GT(correlation(first, first), 100);
}

}  // namespace
}  // namespace onnxrun::cpu
