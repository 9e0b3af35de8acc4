// Fourier transforms of every kind of length, quantisation at its borders, boxes, random numbers and strings.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "base/error.h"
#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

TEST(Dft, LengthsThatAreNoPowersOfTwo) {
  for (int64_t n : {1, 2, 3, 7, 12, 31, 64, 100}) {
    std::vector<double> x;
    for (int64_t i = 0; i < 2 * n; ++i) x.push_back(std::sin(static_cast<double>(i * i % 23)));
    const auto y = run_op({.op = "DFT", .inputs = {tensor<double>(x, {1, n, 2})}})[0];
    for (int64_t k = 0; k < n; ++k) {
      std::complex<double> sum;
      for (int64_t i = 0; i < n; ++i)
        sum += std::complex<double>(x[static_cast<size_t>(2 * i)], x[static_cast<size_t>(2 * i + 1)]) *
               std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i * k % n) / static_cast<double>(n));
      ASSERT_NEAR(y.data<double>()[2 * k], sum.real(), 1e-11) << n;
      ASSERT_NEAR(y.data<double>()[2 * k + 1], sum.imag(), 1e-11) << n;
    }
    const auto back = run_op({.op = "DFT", .attributes = {{"inverse", int64_t{1}}}, .inputs = {y}})[0];
    for (int64_t i = 0; i < 2 * n; ++i) ASSERT_NEAR(back.data<double>()[i], x[static_cast<size_t>(i)], 1e-12) << n;
  }
}

TEST(Dft, OneSidedThereAndBack) {
  for (int64_t n : {8, 9}) {
    std::vector<double> x;
    for (int64_t i = 0; i < n; ++i) x.push_back(static_cast<double>(i * i % 7));
    const ir::Attributes half = {{"onesided", int64_t{1}}};
    const auto spectrum = run_op({.op = "DFT", .attributes = half, .inputs = {tensor<double>(x, {1, n, 1})}})[0];
    EXPECT_EQ(spectrum.dims(), (Dims{1, n / 2 + 1, 2}));
    const auto back = run_op({.op = "DFT",
                              .attributes = {{"onesided", int64_t{1}}, {"inverse", int64_t{1}}},
                              .inputs = {spectrum, base::Tensor::scalar<int64_t>(n)}})[0];
    ASSERT_EQ(back.dims(), (Dims{1, n, 1}));
    for (int64_t i = 0; i < n; ++i) EXPECT_NEAR(back.data<double>()[i], x[static_cast<size_t>(i)], 1e-13);
  }
}

TEST(QuantizeLinear, RoundsToEvenAndSaturates) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  const auto y = run_op({.op = "QuantizeLinear",
                         .inputs = {floats({0.5f, 1.5f, -2.5f, 300, -300, infinity, -infinity, nan}),
                                    base::Tensor::scalar(1.0f), base::Tensor::scalar<int8_t>(1)}})[0];
  EXPECT_EQ(values<int8_t>(y), (std::vector<int8_t>{1, 3, -1, 127, -128, 127, -128, -128}));
}

TEST(QuantizeLinear, LastBlockMayBeShort) {
  const ir::Attributes blocks = {{"axis", int64_t{1}}, {"block_size", int64_t{2}}};
  const Tensor scale = tensor<float>({1, 2, 4, 8}, {2, 2});
  const auto y = run_op(
      {.op = "QuantizeLinear", .attributes = blocks, .inputs = {tensor<float>({8, 8, 8, 8, 8, 8}, {2, 3}), scale}})[0];
  EXPECT_EQ(values<uint8_t>(y), (std::vector<uint8_t>{8, 8, 4, 2, 2, 1}));
  const auto x = run_op({.op = "DequantizeLinear", .attributes = blocks, .inputs = {y, scale}})[0];
  EXPECT_EQ(values<float>(x), (std::vector<float>{8, 8, 8, 8, 8, 8}));
  EXPECT_THROW(
      run_op({.op = "QuantizeLinear", .attributes = blocks, .inputs = {tensor<float>({8, 8, 8, 8}, {2, 2}), scale}}),
      base::Error);
}

TEST(NonMaxSuppression, TiesGoToTheFirstBox) {
  const Tensor boxes = tensor<float>({0, 0, 1, 1, 0, 0, 1, 1, 5, 5, 6, 6}, {1, 3, 4}),
               scores = tensor<float>({0.5f, 0.5f, 0.5f}, {1, 1, 3});
  const auto picked = run_op({.op = "NonMaxSuppression", .inputs = {boxes, scores, int64s({3}), floats({0.5f})}})[0];
  EXPECT_EQ(values<int64_t>(picked), (std::vector<int64_t>{0, 0, 0, 0, 0, 2}));
  EXPECT_EQ(run_op({.op = "NonMaxSuppression", .inputs = {boxes, scores}})[0].dims(), (Dims{0, 3}));
}

TEST(Random, DistributionsAndSeeds) {
  const ir::Attributes normal = {
      {"shape", std::vector<int64_t>{100000}}, {"seed", 3.0f}, {"mean", 2.0f}, {"scale", 0.5f}};
  const auto a = run_op({.op = "RandomNormal", .attributes = normal})[0];
  EXPECT_EQ(values<float>(a), values<float>(run_op({.op = "RandomNormal", .attributes = normal})[0]));
  double mean = 0, square = 0;
  for (float x : a.span<float>()) {
    mean += static_cast<double>(x) / 1e5;
    square += std::pow(static_cast<double>(x) - 2.0, 2) / 1e5;
  }
  EXPECT_NEAR(mean, 2.0, 0.01);
  EXPECT_NEAR(square, 0.25, 0.005);
  const auto ones = run_op({.op = "Bernoulli",
                            .attributes = {{"seed", 1.0f}},
                            .inputs = {tensor<float>(std::vector<float>(100000, 0.3f), {100000})}})[0];
  double share = 0;
  for (float x : ones.span<float>()) share += static_cast<double>(x) / 1e5;
  EXPECT_NEAR(share, 0.3, 0.01);
  const auto uniform =
      run_op({.op = "RandomUniform",
              .attributes = {{"shape", std::vector<int64_t>{1000}}, {"low", -1.0f}, {"high", 3.0f}}})[0];
  for (float x : uniform.span<float>()) EXPECT_TRUE(x >= -1 && x <= 3);
  EXPECT_NE(values<float>(uniform),
            values<float>(
                run_op({.op = "RandomUniform",
                        .attributes = {{"shape", std::vector<int64_t>{1000}}, {"low", -1.0f}, {"high", 3.0f}}})[0]));
}

TEST(Strings, CaseBeyondAscii) {
  const auto normal = [](const char* action) {
    return values<std::string>(run_op(
        {.op = "StringNormalizer",
         .attributes = {{"case_change_action", std::string(action)}, {"stopwords", std::vector<std::string>{"UND"}}},
         .inputs = {tensor<std::string>({"Ärger", "und", "ЖИЗНЬ", "λόγος"}, {4})}})[0]);
  };
  EXPECT_EQ(normal("LOWER"), (std::vector<std::string>{"ärger", "жизнь", "λόγος"}));
  EXPECT_EQ(normal("UPPER")[0], "ÄRGER");
}

TEST(Strings, SplitKeepsTheRest) {
  const auto out = run_op({.op = "StringSplit",
                           .attributes = {{"maxsplit", int64_t{1}}},
                           .inputs = {tensor<std::string>({" a  b c ", ""}, {2})},
                           .outputs = 2});
  EXPECT_EQ(values<std::string>(out[0]), (std::vector<std::string>{"a", "b c ", "", ""}));
  EXPECT_EQ(values<int64_t>(out[1]), (std::vector<int64_t>{2, 0}));
}

}  // namespace
}  // namespace onnxrun::ops
