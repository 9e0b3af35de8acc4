// The float32 functions of every instruction set level this machine has, against libm in double over the whole range of
// floats.
#include "cpu/kernels/simd/float_rows.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "cpu/levels_here.h"
#include "ops/attributes/activation.h"

namespace onnxrun::cpu {
namespace {

struct Function {
  const char* op;
  double bound;  // units in the last place
  std::function<double(double)> exact;
};

double sigma(double x) { return 1 / (1 + std::exp(-x)); }

const ops::ActivationAttributes kAttributes{
    .alpha = 1.0f, .beta = 0.5f, .gamma = 1.0507010221481323f, .lambd = 0, .bias = 0};

const std::vector<Function>& functions() {
  static const std::vector<Function> kFunctions = {
      {"Exp", 1.5, [](double x) { return std::exp(x); }},
      {"Log", 1.5, [](double x) { return std::log(x); }},
      {"Erf", 2, [](double x) { return std::erf(x); }},
      {"Tanh", 2, [](double x) { return std::tanh(x); }},
      {"Sin", 1.5, [](double x) { return std::sin(x); }},
      {"Cos", 1.5, [](double x) { return std::cos(x); }},
      {"Asin", 2.5, [](double x) { return std::asin(x); }},
      {"Acos", 2.5, [](double x) { return std::acos(x); }},
      {"Atan", 2.5, [](double x) { return std::atan(x); }},
      {"Sqrt", 0.501, [](double x) { return std::sqrt(x); }},
      {"Reciprocal", 0.501, [](double x) { return 1 / x; }},
      {"Sigmoid", 2.5, sigma},
      {"Softplus", 2.5, [](double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x))); }},
      {"Elu", 2, [](double x) { return x < 0 ? std::expm1(x) : x; }},
      {"Celu", 2, [](double x) { return x < 0 ? std::expm1(x) : x; }},
      {"Selu", 3, [](double x) { return 1.0507010221481323 * (x < 0 ? std::expm1(x) : x); }},
      {"Mish", 4, [](double x) { return x == -INFINITY ? 0 : x * std::tanh(std::log1p(std::exp(x))); }},
      {"Gelu", 6, [](double x) { return x == -INFINITY ? 0 : 0.5 * x * std::erfc(-x * M_SQRT1_2); }},
      {"Swish", 4, [](double x) { return x == -INFINITY ? 0 : x * sigma(x); }},
      {"Relu", 0, [](double x) { return x < 0 ? 0 : x; }},
      {"HardSigmoid", 1, [](double x) { return x != x ? x : std::fmin(1, std::fmax(0, x + 0.5)); }},
  };
  return kFunctions;
}

using FloatRows = AtLevel;

// Floats of every exponent and both signs, with what functions trip over.
std::vector<float> sweep() {
  std::vector<float> result = {0.0f, -0.0f, 1.0f, -1.0f, INFINITY, -INFINITY, NAN, 1e6f, -1e6f, 1e9f};
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 10007)
    result.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  for (float x = -20; x < 20; x += 0.00037f) result.push_back(x);
  return result;
}

double ulps(float got, double exact) {
  const float nearest = static_cast<float>(exact);
  if (std::isnan(nearest)) return std::isnan(got) ? 0 : INFINITY;
  if (std::isinf(nearest) || std::isinf(got)) {
    if (got == nearest) return 0;
    // Rounding at the edge of the range may go either way.
    return std::fabs(exact) > 3.4028233e38 && std::fabs(got) > 3.4028233e38f && (got > 0) == (exact > 0) ? 0.5
                                                                                                         : INFINITY;
  }
  const double smallest = std::numeric_limits<float>::min();
  if (std::fabs(exact) < smallest && std::fabs(got) <= smallest) return 0;  // may be flushed to zero
  const float magnitude = std::fmax(std::fabs(nearest), std::numeric_limits<float>::min());
  return std::fabs(got - exact) / (std::nextafter(magnitude, INFINITY) - magnitude);
}

TEST_P(FloatRows, AreWithinTheirBounds) {
  const std::vector<float> x = sweep();
  std::vector<float> y(x.size());
  for (const Function& function : functions()) {
    const RowKernel kernel = simd::float_row(function.op);
    ASSERT_NE(kernel, nullptr) << function.op;
    kernel({{x.data()}, {1}, y.data(), static_cast<int64_t>(x.size()), &kAttributes});
    double worst = 0;
    float where = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double error = ulps(y[i], function.exact(x[i]));
      if (error > worst) worst = error, where = x[i];
    }
    EXPECT_LE(worst, function.bound) << function.op << " at " << where;
    RecordProperty(function.op, std::to_string(worst));
  }
}

TEST_P(FloatRows, WorkInPlaceAndOnOneElement) {
  for (const Function& function : functions()) {
    const RowKernel kernel = simd::float_row(function.op);
    std::vector<float> x(77), y(77);
    for (size_t i = 0; i < x.size(); ++i) x[i] = 0.1f * static_cast<float>(i) - 3.0f;
    kernel({{x.data()}, {1}, y.data(), 77, &kAttributes});
    std::vector<float> in_place = x;
    kernel({{in_place.data()}, {1}, in_place.data(), 77, &kAttributes});
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(std::bit_cast<uint32_t>(in_place[i]), std::bit_cast<uint32_t>(y[i])) << function.op;
      float one[2] = {0, 42};
      kernel({{&x[i]}, {0}, one, 1, &kAttributes});
      EXPECT_LE(ulps(one[0], y[i]), 1) << function.op;
      EXPECT_EQ(one[1], 42);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, FloatRows, testing::ValuesIn(levels_here()), name_of_level);

}  // namespace
}  // namespace onnxrun::cpu
