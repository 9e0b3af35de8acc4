// Convolutions on blocked channels of operands rounded to bfloat16: against the plain ones of the rounded operands in double, and within the bound that
// rounding has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "cpu/convolution_cases.h"
#include "cpu/loops/block_convolution.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

class Bfloat16Convolutions : public testing::TestWithParam<SimdLevel> {
 protected:
  void SetUp() override {
    if (detected_simd_level() < GetParam()) GTEST_SKIP() << "this machine lacks " << simd_level_name(GetParam());
    limit_simd_level(GetParam());
  }
  void TearDown() override { limit_simd_level(detected_simd_level()); }
};
INSTANTIATE_TEST_SUITE_P(Levels, Bfloat16Convolutions, testing::Values(SimdLevel::kBf16, SimdLevel::kSpr),
                         [](const auto& info) { return std::string(simd_level_name(info.param)); });

int64_t terms_of(const ConvCase& c) {
  int64_t terms = 1;
  for (size_t d = 1; d < c.w.size(); ++d) terms *= c.w[d];
  return terms;
}

TEST_P(Bfloat16Convolutions, AreThoseOfRoundedOperands) {
  int64_t taken = 0;
  for (const ConvCase& c : blocked_convolutions())
    for (const bool ends : {false, true}) {
      const Tensor x = random(c.x, 1), w = random(c.w, 2);
      const std::string what = base::to_string(c.x) + " with " + base::to_string(c.w);
      KernelCall call = blocked_call(c, x, w, "bfloat16", ONNXRUN_PRECISION_MEDIUM);
      if (ends) {
        call.inputs.insert(call.inputs.end(), {random({c.w[0]}, 3), blocked(random(output_of(c), 4))});
        call.attributes["activation"] = std::string(c.x[1] % 2 == 0 ? "Relu" : "Sigmoid");
      }
      Tensor got;
      try {
        got = run_kernel(call)[0];
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kUnsupported) << what << ": " << error.what();
        continue;
      }
      ++taken;
      call.inputs[0] = input_of(c, rounded(x));
      call.inputs[1] = rounded(w);
      call.kernel = "reference";
      expect_close(got, run_kernel(call)[0], terms_of(c), what);
    }
  EXPECT_GT(taken, GetParam() == SimdLevel::kSpr ? 50 : 80);  // tiles take no plain inputs
}

// Sums that cancel, of numbers of very different sizes: the error stays within what rounding the operands allows.
TEST_P(Bfloat16Convolutions, ErrIncludingCancellationByTheBoundAtMost) {
  const ConvCase cases[] = {{{2, 64, 6, 9}, {48, 64, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, true},
                            {{1, 37, 9, 15}, {40, 37, 3, 3}, {2, 1}, {1, 2}, {1, 2, 1, 2}, 1, true},
                            {{1, 256, 3, 14}, {32, 128, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 2, true}};
  for (const ConvCase& c : cases) {
    auto [x, w] = cancelling(c);
    float *xs = x.mutable_data<float>(), *ws = w.mutable_data<float>();
    const Tensor got = run_kernel(blocked_call(c, x, w, "bfloat16", ONNXRUN_PRECISION_MEDIUM))[0];
    const Tensor exact = run_kernel(blocked_call(c, x, w, "reference", ONNXRUN_PRECISION_MEDIUM))[0];
    for (int64_t i = 0; i < x.count(); ++i) xs[i] = std::abs(xs[i]);
    for (int64_t i = 0; i < w.count(); ++i) ws[i] = std::abs(ws[i]);
    const Tensor sizes = run_kernel(blocked_call(c, x, w, "reference", ONNXRUN_PRECISION_MEDIUM))[0];
    const float bound = 0x1p-8f * (1 + 0x1p-10f) + 0x1p-23f * static_cast<float>(terms_of(c));
    for (int64_t i = 0; i < exact.count(); ++i)
      ASSERT_LE(std::abs(got.data<float>()[i] - exact.data<float>()[i]), bound * sizes.data<float>()[i])
          << base::to_string(c.x) << " with " << base::to_string(c.w) << " at element " << i;
  }
}

TEST_P(Bfloat16Convolutions, KeepInfinityAndNanAndTakeDenormalNumbersForZero) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN(),
              max = std::numeric_limits<float>::max(), tiny = 0x1p-130f;
  const ConvCase c{{1, 33, 1, 17}, {48, 33, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, true};
  // One number at each position, times 1 on the way to filter 0, times 0 to filter 1, times 2 to filter 2.
  const float numbers[] = {inf, -inf, nan, max, -max, tiny, -tiny, 0x1p127f, 3, -0.0f, 1 + 0x1p-8f, 1 + 0x3p-8f};
  Tensor x(DType::kFloat32, c.x), w(DType::kFloat32, c.w);
  std::fill_n(x.mutable_data<float>(), x.count(), 0.0f);
  std::fill_n(w.mutable_data<float>(), w.count(), 0.0f);
  for (const int64_t channel : {0, 1, 32}) {
    std::copy(std::begin(numbers), std::end(numbers), x.mutable_data<float>() + channel * 17);
    w.mutable_data<float>()[channel] = 1;
    w.mutable_data<float>()[2 * 33 + channel] = 2;
    const Tensor y = run_kernel(blocked_call(c, x, w, "bfloat16", ONNXRUN_PRECISION_MEDIUM))[0];
    const auto at = [&](int64_t filter, int64_t position) { return y.data<float>()[position * 16 + filter]; };
    EXPECT_EQ(at(0, 0), inf);
    EXPECT_EQ(at(2, 1), -inf);
    for (const int64_t position : {0, 1, 2}) EXPECT_TRUE(std::isnan(at(1, position))) << "position " << position;
    for (const int64_t filter : {0, 1, 2}) EXPECT_TRUE(std::isnan(at(filter, 2))) << "filter " << filter;
    EXPECT_EQ(at(0, 3), inf);  // the bfloat16 next to it
    EXPECT_EQ(at(0, 4), -inf);
    EXPECT_EQ(at(0, 5), 0);
    EXPECT_EQ(at(2, 6), 0);
    EXPECT_EQ(at(0, 7), 0x1p127f);
    EXPECT_EQ(at(2, 7), inf);
    EXPECT_EQ(at(2, 8), 6);
    EXPECT_EQ(at(0, 9), 0);
    EXPECT_EQ(at(0, 10), 1);  // half way: to even
    EXPECT_EQ(at(0, 11), 1 + 0x1p-6f);
    for (int64_t position = 12; position < 17; ++position) EXPECT_EQ(at(0, position), 0) << "position " << position;
    std::fill_n(x.mutable_data<float>(), x.count(), 0.0f);
    std::fill_n(w.mutable_data<float>(), w.count(), 0.0f);
  }
}

TEST_P(Bfloat16Convolutions, OfFewPlainChannelsKeepInfinity) {
  if (GetParam() == SimdLevel::kSpr) GTEST_SKIP() << "tiles take no plain inputs";
  const float inf = std::numeric_limits<float>::infinity();
  for (const int64_t channels : {1, 2, 3, 4}) {
    const ConvCase c{{2, channels, 3, 7}, {36, channels, 1, 3}, {1, 1}, {1, 1}, {0, 1, 0, 1}, 1, true};
    Tensor x = random(c.x, 1), w = random(c.w, 2);
    for (int64_t i = 0; i < w.count(); ++i) w.mutable_data<float>()[i] = std::abs(w.data<float>()[i]) + 0.5f;
    x.mutable_data<float>()[x.count() - 1] = inf;
    const Tensor y = run_kernel(blocked_call(c, x, w, "bfloat16", ONNXRUN_PRECISION_MEDIUM))[0];
    x.mutable_data<float>()[x.count() - 1] = 0;
    const Tensor finite = run_kernel(blocked_call(c, rounded(x), rounded(w), "reference", ONNXRUN_PRECISION_MEDIUM))[0];
    // [2, 3 blocks, 3, 7, 16]
    for (int64_t i = 0; i < y.count(); ++i) {
      const int64_t filter = i / (21 * 16) % 3 * 16 + i % 16, position = i / 16 % 21;
      if (i >= 3 * 21 * 16 && position >= 19 && filter < 36)
        ASSERT_EQ(y.data<float>()[i], inf) << channels << " channels, element " << i;
      else ASSERT_NEAR(y.data<float>()[i], finite.data<float>()[i], 1e-5f) << channels << " channels, element " << i;
    }
  }
}

TEST_P(Bfloat16Convolutions, AreOnlyTakenWhereAllowedAndWorthIt) {
  const ConvCase blocks{{1, 32, 6, 6}, {32, 32, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
      few{{1, 32, 6, 6}, {8, 32, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, true},
      depthwise{{1, 32, 6, 6}, {32, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 32, true};
  const auto reason = [](const ConvCase& c, int32_t precision) -> std::string {
    KernelCall call = blocked_call(c, random(c.x, 1), random(c.w, 2), "bfloat16", ONNXRUN_PRECISION_MEDIUM);
    call.precision = precision;
    try {
      run_kernel(call);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUnsupported);
      return error.what();
    }
  };
  EXPECT_EQ(reason(blocks, ONNXRUN_PRECISION_MEDIUM), "");
  for (const int32_t precision : {ONNXRUN_PRECISION_HIGHEST, ONNXRUN_PRECISION_HIGH})
    EXPECT_THAT(reason(blocks, precision), testing::HasSubstr("float32_matmul_precision"));
  for (const ConvCase& c : {few, depthwise})
    EXPECT_THAT(reason(c, ONNXRUN_PRECISION_MEDIUM), testing::HasSubstr("not worth"));
}

}  // namespace
}  // namespace onnxrun::cpu
