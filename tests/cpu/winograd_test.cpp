// Convolutions on blocked channels by Winograd's transforms: against those by definition, within the bound that transforming has, and where they step aside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "cpu/convolution_cases.h"
#include "cpu/loops/winograd.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

class WinogradConvolutions : public testing::Test {
 protected:
  void SetUp() override {
    const int64_t block = winograd_functions().block;
    if (block == 0 || block != block_here()) GTEST_SKIP() << "no transforms at this instruction set level";
  }
};

ConvCase three_by_three(const Dims& x, int64_t filters, std::vector<int64_t> pads) {
  return {x, {filters, x[1], 3, 3}, {1, 1}, {1, 1}, std::move(pads), 1, true};
}

// Results that fill tiles and that do not, padding on all sides, on some and more than the kernel sees, strips of few tiles and of many, begun blocks.
const ConvCase kCases[] = {
    three_by_three({1, 16, 12, 12}, 16, {1, 1, 1, 1}), three_by_three({1, 33, 14, 13}, 47, {1, 1, 1, 1}),
    three_by_three({3, 24, 9, 17}, 40, {0, 0, 0, 0}),  three_by_three({2, 70, 31, 30}, 67, {2, 0, 1, 3}),
    three_by_three({2, 18, 8, 9}, 17, {4, 5, 6, 3}),   three_by_three({1, 20, 100, 3}, 24, {0, 1, 0, 0}),
    three_by_three({1, 16, 3, 150}, 32, {0, 0, 0, 0}), three_by_three({1, 700, 10, 11}, 20, {1, 1, 1, 1}),
    three_by_three({100, 16, 3, 3}, 16, {0, 0, 0, 0})};

TEST_F(WinogradConvolutions, AgreeWithTheReference) {
  for (const ConvCase& c : kCases)
    for (const bool ends : {false, true})
      for (const int threads : {1, 3, 64}) {
        KernelCall call = blocked_call(c, random(c.x, 1), random(c.w, 2), "winograd", ONNXRUN_PRECISION_HIGH);
        call.threads = threads;
        if (ends) {
          call.inputs.insert(call.inputs.end(), {random({c.w[0]}, 3), blocked(random(output_of(c), 4))});
          call.attributes["activation"] = std::string(c.x[1] % 2 == 0 ? "Relu" : "Sigmoid");
        }
        const Tensor got = run_kernel(call)[0];
        call.kernel = "reference";
        expect_close(got, run_kernel(call)[0], 9 * c.w[1], base::to_string(c.x) + " with " + base::to_string(c.w));
      }
}

// Numbers of very different sizes, which cancel: the error is within the bound of WinogradConvolution. Any position of a result's tile is at most three away from
// each that the result sees.
TEST_F(WinogradConvolutions, ErrIncludingCancellationByTheBoundAtMost) {
  for (const ConvCase& c : kCases) {
    Tensor x = random(c.x, 1), w = random(c.w, 2);
    const int64_t height = c.x[2], width = c.x[3], plane = height * width;
    float *xs = x.mutable_data<float>(), *ws = w.mutable_data<float>();
    for (int64_t i = 0; i < x.count(); ++i) xs[i] = std::ldexp(xs[i], static_cast<int>(i * 7 % 41) - 20);
    for (int64_t i = 0; i < w.count(); ++i) ws[i] = std::ldexp(ws[i], static_cast<int>(i / 9 * 5 % 31) - 15);
    // Each odd channel all but takes back what the one before it gave.
    for (int64_t i = 0; i < c.x[0] * c.x[1]; ++i)
      if (i % c.x[1] % 2 != 0)
        for (int64_t at = 0; at < plane; ++at) xs[i * plane + at] = xs[(i - 1) * plane + at] * (1.0f + 0x1p-12f);
    for (int64_t i = 0; i < c.w[0] * c.w[1]; ++i)
      if (i % c.w[1] % 2 != 0)
        for (int64_t at = 0; at < 9; ++at) ws[i * 9 + at] = -ws[(i - 1) * 9 + at];
    const Tensor got = run_kernel(blocked_call(c, x, w, "winograd", ONNXRUN_PRECISION_HIGH))[0];
    const Tensor exact = run_kernel(blocked_call(c, x, w, "reference", ONNXRUN_PRECISION_HIGH))[0];
    Tensor near(DType::kFloat32, c.x);
    for (int64_t i = 0; i < x.count(); ++i) {
      const int64_t row = i / width % height, column = i % width, first = i - i % plane;
      float largest = 0;
      for (int64_t r = std::max<int64_t>(0, row - 3); r <= std::min(height - 1, row + 3); ++r)
        for (int64_t s = std::max<int64_t>(0, column - 3); s <= std::min(width - 1, column + 3); ++s)
          largest = std::max(largest, std::abs(xs[first + r * width + s]));
      near.mutable_data<float>()[i] = largest;
    }
    // Padding may count as the positions beside it do.
    ConvCase padded = c;
    padded.x[2] += c.pads[0] + c.pads[2];
    padded.x[3] += c.pads[1] + c.pads[3];
    padded.pads = {0, 0, 0, 0};
    Tensor wide(DType::kFloat32, padded.x);
    for (int64_t i = 0; i < wide.count(); ++i) {
      const int64_t row = i / padded.x[3] % padded.x[2] - c.pads[0], column = i % padded.x[3] - c.pads[1];
      wide.mutable_data<float>()[i] =
          near.data<float>()[i / (padded.x[2] * padded.x[3]) * plane + std::clamp<int64_t>(row, 0, height - 1) * width +
                             std::clamp<int64_t>(column, 0, width - 1)];
    }
    for (int64_t i = 0; i < w.count(); ++i) ws[i] = std::abs(ws[i]);
    const Tensor sizes = run_kernel(blocked_call(padded, wide, w, "reference", ONNXRUN_PRECISION_HIGH))[0];
    const float bound = 0x1p-24f * static_cast<float>(4 * c.w[1] + 32);
    for (int64_t i = 0; i < exact.count(); ++i)
      ASSERT_LE(std::abs(got.data<float>()[i] - exact.data<float>()[i]), bound * sizes.data<float>()[i])
          << base::to_string(c.x) << " with " << base::to_string(c.w) << " at element " << i;
  }
}

// Numbers that the transforms would spread over a tile, or make infinite, are seen by no results but those that see them by definition.
TEST_F(WinogradConvolutions, KeepInfinityNanAndWhatIsNearlyInfiniteWhereTheyAre) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN(),
              max = std::numeric_limits<float>::max();
  const ConvCase c = three_by_three({2, 24, 17, 13}, 20, {1, 1, 1, 1});
  Tensor w = random(c.w, 2);
  // No weight is 0, whose product with infinity is none.
  for (int64_t i = 0; i < w.count(); ++i)
    w.mutable_data<float>()[i] = std::copysign(std::abs(w.data<float>()[i]) / 2 + 0.25f, w.data<float>()[i]);
  for (const float odd : {inf, -inf, nan, max, -max, 0x1p126f})
    for (const int64_t at : {0, 12, 100, 17 * 13 - 1, 17 * 13 * 30 + 77}) {
      Tensor x = random(c.x, 1);
      x.mutable_data<float>()[at] = odd;
      KernelCall call = blocked_call(c, x, w, "winograd", ONNXRUN_PRECISION_HIGH);
      call.inputs.insert(call.inputs.end(), {random({c.w[0]}, 3), blocked(random(output_of(c), 4))});
      call.attributes["activation"] = std::string("Relu");
      const Tensor got = run_kernel(call)[0];
      call.kernel = "reference";
      const Tensor want = run_kernel(call)[0];
      call.kernel = "winograd";
      call.threads = 16;
      EXPECT_EQ(std::memcmp(run_kernel(call)[0].raw(), got.raw(), got.bytes()), 0) << odd << " at " << at;
      for (int64_t i = 0; i < want.count(); ++i) {
        const float a = got.data<float>()[i], b = want.data<float>()[i];
        const float bound = std::abs(b) > 1e6f ? std::abs(b) * 1e-4f : 2e-4f;
        ASSERT_TRUE(std::isnan(b) ? std::isnan(a) : a == b || std::abs(a - b) <= bound)
            << odd << " at " << at << ": element " << i << " is " << a << ", by definition " << b;
      }
    }
}

TEST_F(WinogradConvolutions, AreOnlyTakenWhereAllowedAndWorthIt) {
  const auto reason = [](const ConvCase& c, int precision, float weight = 1) -> std::string {
    Tensor w = random(c.w, 2);
    w.mutable_data<float>()[0] = weight;
    KernelCall call = blocked_call(c, random(c.x, 1), w, "winograd", ONNXRUN_PRECISION_HIGH);
    call.precision = precision;
    try {
      run_kernel(call);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUnsupported);
      return error.what();
    }
  };
  const ConvCase taken = three_by_three({1, 16, 12, 12}, 16, {1, 1, 1, 1});
  for (const int precision : {ONNXRUN_PRECISION_HIGH, ONNXRUN_PRECISION_MEDIUM})
    EXPECT_EQ(reason(taken, precision), "");
  EXPECT_THAT(reason(taken, ONNXRUN_PRECISION_HIGHEST), testing::HasSubstr("float32_matmul_precision"));
  for (const float weight : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 0x1p120f})
    EXPECT_THAT(reason(taken, ONNXRUN_PRECISION_HIGH, weight), testing::HasSubstr("largest"));
  // Plain inputs of many channels, which only files have.
  const int64_t block = block_here(), blocks = (taken.w[0] + block - 1) / block;
  KernelCall plain{.op = "BlockedConv",
                   .inputs = {random(taken.x, 1), random(taken.w, 2)},
                   .outputs = {{DType::kFloat32, {1, blocks, 12, 12, block}}},
                   .attributes = {{"pads", taken.pads}, {"block", block}},
                   .kernel = "winograd",
                   .domain = "onnxrun",
                   .precision = ONNXRUN_PRECISION_HIGH};
  EXPECT_THROW(run_kernel(plain), Error);
  ConvCase strided = taken, dilated = taken, grouped = taken;
  strided.strides = {1, 2};
  dilated.dilations = {2, 1};
  grouped.group = 2;
  grouped.x[1] = 32;
  EXPECT_THAT(reason(strided, ONNXRUN_PRECISION_HIGH), testing::HasSubstr("strides"));
  EXPECT_THAT(reason(dilated, ONNXRUN_PRECISION_HIGH), testing::HasSubstr("dilations"));
  EXPECT_THAT(reason(grouped, ONNXRUN_PRECISION_HIGH), testing::HasSubstr("groups"));
  EXPECT_THAT(reason(three_by_three({1, 16, 12, 12}, 8, {1, 1, 1, 1}), ONNXRUN_PRECISION_HIGH),
              testing::HasSubstr("not worth"));
  EXPECT_THAT(reason(three_by_three({1, 16, 9, 9}, 16, {1, 1, 1, 1}), ONNXRUN_PRECISION_HIGH),
              testing::HasSubstr("so few positions"));
}

}  // namespace
}  // namespace onnxrun::cpu
