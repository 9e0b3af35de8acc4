// Convolutions on blocked channels of float32 by products of bfloat16 parts: against those by definition, within the bounds that two and three parts have, and
// where the float32 kernel steps in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "cpu/convolution_cases.h"
#include "cpu/loops/parts.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

class PartConvolutions : public testing::Test {
 protected:
  void SetUp() override {
    if (detected_simd_level() < SimdLevel::kSpr) GTEST_SKIP() << "this machine has no tiles";
    if (block_here() != 16) GTEST_SKIP() << "blocks are oneDNN's";
  }
};

constexpr int kPrecisions[] = {ONNXRUN_PRECISION_HIGHEST, ONNXRUN_PRECISION_HIGH};

int64_t terms_of(const ConvCase& c) {
  int64_t terms = 1;
  for (size_t d = 1; d < c.w.size(); ++d) terms *= c.w[d];
  return terms;
}

// Those of other kernels, and: rows that fill no tile with strides, dilations and pads; many of those; strides of pointwise ones; groups; several images; more padding than the
// image has; pairs of filters that are begun.
std::vector<ConvCase> cases() {
  std::vector<ConvCase> result = blocked_convolutions();
  for (const ConvCase& c : std::initializer_list<ConvCase>{
           {{2, 64, 7, 7}, {80, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
           {{3, 100, 7, 5}, {49, 100, 5, 3}, {1, 1}, {1, 2}, {2, 2, 3, 1}, 1, true},
           {{2, 48, 14, 14}, {33, 48, 3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 1, true},
           {{2, 17, 15, 13}, {48, 17, 3, 3}, {2, 1}, {2, 3}, {2, 3, 2, 3}, 1, true},
           {{2, 64, 20, 22}, {128, 64, 1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}, 1, true},
           {{1, 64, 9, 20}, {128, 64, 1, 1}, {3, 2}, {1, 1}, {1, 2, 0, 3}, 1, true},
           {{2, 128, 7, 7}, {96, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 2, true},
           {{1, 192, 6, 30}, {240, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 3, true},
           {{1, 32, 3, 3}, {32, 32, 3, 3}, {1, 1}, {1, 1}, {60, 60, 60, 60}, 1, false},
           {{4, 40, 33}, {70, 40, 5}, {2}, {3}, {5, 6}, 1, true},
           {{40, 32, 2, 2}, {40, 32, 2, 2}, {1, 1}, {1, 1}, {0, 0, 1, 1}, 1, true},
           {{1, 600, 12, 17}, {130, 600, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
           {{2, 93, 13, 11}, {127, 93, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, true},
           {{2, 93, 13, 11}, {127, 93, 1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}, 1, true},
           {{2, 60, 13, 11}, {62, 60, 3, 3}, {2, 1}, {1, 1}, {0, 1, 1, 1}, 1, true},
           {{1, 90, 14, 14}, {92, 90, 3, 3}, {1, 1}, {2, 2}, {2, 0, 2, 1}, 1, true},
           {{1, 100, 11, 20}, {64, 100, 5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}, 1, true},
           {{1, 64, 150}, {64, 64, 3}, {1}, {1}, {1, 1}, 1, true},
           {{1, 64, 90, 1}, {96, 64, 5, 1}, {2, 1}, {1, 1}, {1, 0, 2, 0}, 1, true},
           {{1, 64, 5, 29}, {96, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
           {{1, 64, 5, 45}, {50, 64, 7, 7}, {1, 1}, {1, 1}, {3, 3, 3, 3}, 1, true},
           {{1, 1000, 9, 10}, {90, 1000, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, true},
           {{1, 64, 6, 100}, {64, 64, 30, 3}, {1, 1}, {1, 1}, {18, 1, 18, 1}, 1, false},
           // Rows too long to be split beside products.
           {{1, 128, 3000}, {128, 128, 1}, {2}, {1}, {0, 0}, 1, true},
           // Parts that would take many times the room of the numbers, most of them for padding.
           {{1, 64, 16384, 1}, {64, 64, 1, 16}, {2, 2}, {1, 1}, {0, 16, 0, 16}, 1, true},
           // More images than are split at once.
           {{4, 256, 80, 80}, {64, 256, 1, 1}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
       })
    result.push_back(c);
  return result;
}

TEST_F(PartConvolutions, AgreeWithTheReferenceOnAnyNumberOfThreads) {
  for (const int precision : kPrecisions) {
    int64_t taken = 0;
    for (const ConvCase& c : cases())
      for (const bool ends : {false, true}) {
        KernelCall call = blocked_call(c, random(c.x, 1), random(c.w, 2), "parts", precision);
        if (ends) {
          call.inputs.insert(call.inputs.end(), {random({c.w[0]}, 3), blocked(random(output_of(c), 4))});
          call.attributes["activation"] = std::string(c.x[1] % 3 == 0 ? "Sigmoid" : "Relu");
        }
        call.threads = 1;
        Tensor got;
        try {
          got = run_kernel(call)[0];
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), Code::kUnsupported) << what_of(c) << ": " << error.what();
          continue;
        }
        ++taken;
        for (const int threads : {2, 3, 64}) {
          call.threads = threads;
          EXPECT_TRUE(equal(run_kernel(call)[0], got)) << what_of(c) << " with " << threads << " threads";
        }
        call.kernel = "reference";
        const Tensor want = run_kernel(call)[0];
        if (precision == ONNXRUN_PRECISION_HIGHEST) expect_close(got, want, terms_of(c), what_of(c));
        const float bound = static_cast<float>(terms_of(c)) * 0x1p-15f + 1e-6f;
        for (int64_t i = 0; i < want.count(); ++i)
          ASSERT_LE(std::abs(got.data<float>()[i] - want.data<float>()[i]), bound) << what_of(c) << " at element " << i;
      }
    EXPECT_GT(taken, precision == ONNXRUN_PRECISION_HIGHEST ? 40 : 80);
  }
}

// Numbers of very different sizes, which cancel: errors stay within a bound by the products' magnitudes, which with three parts is that of float32 sums.
TEST_F(PartConvolutions, ErrIncludingCancellationByTheBoundAtMost) {
  const ConvCase cases_of_two_axes[] = {{{2, 64, 6, 9}, {128, 64, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, true},
                                        {{1, 57, 9, 15}, {60, 57, 3, 3}, {2, 1}, {1, 2}, {1, 2, 1, 2}, 1, true},
                                        {{1, 256, 7, 7}, {64, 128, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 2, true}};
  for (const ConvCase& c : cases_of_two_axes) {
    std::pair data = cancelling(c);
    Tensor &x = data.first, &w = data.second;
    float *xs = x.mutable_data<float>(), *ws = w.mutable_data<float>();
    const auto run = [&](const char* name, int precision) {
      return run_kernel(blocked_call(c, x, w, name, precision))[0];
    };
    const Tensor exact = run("reference", ONNXRUN_PRECISION_HIGHEST), tiles = run("tiles", ONNXRUN_PRECISION_HIGHEST);
    const Tensor three = run("parts", ONNXRUN_PRECISION_HIGHEST), two = run("parts", ONNXRUN_PRECISION_HIGH);
    for (int64_t i = 0; i < x.count(); ++i) xs[i] = std::abs(xs[i]);
    for (int64_t i = 0; i < w.count(); ++i) ws[i] = std::abs(ws[i]);
    const Tensor sizes = run("reference", ONNXRUN_PRECISION_HIGHEST);
    float of_three = 0, of_tiles = 0;  // greatest errors by magnitudes
    for (int64_t i = 0; i < exact.count(); ++i) {
      const auto error = [&](const Tensor& got) { return std::abs(got.data<float>()[i] - exact.data<float>()[i]); };
      const float size = sizes.data<float>()[i], of_sum = 0x1p-24f * static_cast<float>(terms_of(c) + 2);
      ASSERT_LE(error(three), of_sum * size) << what_of(c) << " at element " << i;
      ASSERT_LE(error(two), (0x1p-15f + of_sum) * size) << what_of(c) << " at element " << i;
      of_three = std::max(of_three, error(three) / size);
      of_tiles = std::max(of_tiles, error(tiles) / size);
    }
    // The products of parts that are left out, and how tiles add pairs.
    EXPECT_LE(of_three, of_tiles + 0x1p-23f) << what_of(c);
  }
}

// Of numbers as models have them.
TEST_F(PartConvolutions, OfThreePartsErrNoMoreThanFloat32) {
  for (const ConvCase& c : {ConvCase{{1, 256, 14, 14}, {64, 256, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
                            ConvCase{{1, 64, 20, 20}, {128, 64, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, true}}) {
    const Tensor x = random(c.x, 1), w = random(c.w, 2);
    const auto run = [&](const char* name) {
      return run_kernel(blocked_call(c, x, w, name, ONNXRUN_PRECISION_HIGHEST))[0];
    };
    const Tensor exact = run("reference"), parts = run("parts"), tiles = run("tiles");
    double of_parts = 0, of_tiles = 0;
    for (int64_t i = 0; i < exact.count(); ++i) {
      of_parts += std::pow(parts.data<float>()[i] - exact.data<float>()[i], 2);
      of_tiles += std::pow(tiles.data<float>()[i] - exact.data<float>()[i], 2);
    }
    EXPECT_LE(of_parts, of_tiles) << what_of(c);
  }
}

// Images of numbers whose parts would overflow or be denormal, and filters of such, are left to the float32 kernel; other images are not.
// As weights are held at `high` where parts hold them at all.
Tensor in_two_parts(Tensor weights) {
  float* values = weights.mutable_data<float>();
  const auto part = [](float value) {
    return std::bit_cast<float>((std::bit_cast<uint32_t>(value) + 0x8000) & 0xffff0000);
  };
  for (int64_t i = 0; i < weights.count(); ++i) values[i] = part(values[i]) + part(values[i] - part(values[i]));
  return weights;
}

TEST_F(PartConvolutions, LeaveNumbersThatPartsAreNotMadeForToTheFloat32Kernel) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const ConvCase c{{3, 60, 7, 9}, {56, 60, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true};
  const int64_t image = c.x[1] * c.x[2] * c.x[3];
  for (const int precision : kPrecisions) {
    const auto run = [&](const Tensor& x, const Tensor& w, const char* name) {
      KernelCall call = blocked_call(c, x, w, name, precision);
      call.inputs.insert(call.inputs.end(), {random({c.w[0]}, 3), blocked(random(output_of(c), 4))});
      call.attributes["activation"] = std::string("Relu");
      return run_kernel(call)[0];
    };
    const auto held = [&](const Tensor& w) { return precision == ONNXRUN_PRECISION_HIGH ? in_two_parts(w) : w; };
    const Tensor plain = run(random(c.x, 1), random(c.w, 2), "parts");
    EXPECT_FALSE(equal(plain, run(random(c.x, 1), random(c.w, 2), "tiles")));
    const auto same = [&](const Tensor& a, const Tensor& b, int64_t of) {
      const size_t bytes = a.bytes() / 3;
      return std::memcmp(static_cast<const char*>(a.raw()) + static_cast<size_t>(of) * bytes,
                         static_cast<const char*>(b.raw()) + static_cast<size_t>(of) * bytes, bytes) == 0;
    };
    for (const float odd : {inf, -inf, nan, 3e38f, -3e38f, 1e-40f, 0x1p-104f}) {
      Tensor x = random(c.x, 1), w = random(c.w, 2);
      x.mutable_data<float>()[image + 77] = odd;
      const Tensor got = run(x, w, "parts"), tiles = run(x, held(w), "tiles");
      EXPECT_TRUE(same(got, tiles, 1)) << odd;
      EXPECT_TRUE(same(got, plain, 0) && same(got, plain, 2)) << odd;
      w.mutable_data<float>()[123] = odd;
      x.mutable_data<float>()[image + 77] = 1;
      EXPECT_TRUE(equal(run(x, w, "parts"), run(x, w, "tiles"))) << odd;
    }
    // Neither is too small by itself.
    Tensor x = random(c.x, 1), w = random(c.w, 2);
    x.mutable_data<float>()[5] = 1e-18f;
    w.mutable_data<float>()[5] = 1e-18f;
    const Tensor got = run(x, w, "parts");
    EXPECT_TRUE(same(got, run(x, held(w), "tiles"), 0));
    x.mutable_data<float>()[5] = 1e-8f;
    EXPECT_FALSE(same(run(x, w, "parts"), run(x, held(w), "tiles"), 0));
    // A bias that tiles would take for zero.
    KernelCall call = blocked_call(c, random(c.x, 1), random(c.w, 2), "parts", precision);
    Tensor bias = random({c.w[0]}, 3);
    bias.mutable_data<float>()[3] = 1e-40f;
    call.inputs.push_back(bias);
    const Tensor with_bias = run_kernel(call)[0];
    call.kernel = "tiles";
    call.inputs[1] = held(call.inputs[1]);
    EXPECT_TRUE(equal(with_bias, run_kernel(call)[0]));
  }
}

TEST_F(PartConvolutions, OfZerosAreTheBias) {
  const ConvCase c{{1, 64, 5, 6}, {32, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true};
  Tensor x(DType::kFloat32, c.x);
  std::fill_n(x.mutable_data<float>(), x.count(), 0.0f);
  KernelCall call = blocked_call(c, x, random(c.w, 2), "parts", ONNXRUN_PRECISION_HIGHEST);
  call.inputs.push_back(random({32}, 3));
  const Tensor got = run_kernel(call)[0];
  for (int64_t i = 0; i < got.count(); ++i)
    ASSERT_EQ(got.data<float>()[i], call.inputs[2].data<float>()[i / (30 * 16) * 16 + i % 16]);
}

TEST_F(PartConvolutions, EndWhenTheRunIsCancelled) {
  const ConvCase c{{1, 64, 30, 30}, {64, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true};
  KernelCall call = blocked_call(c, random(c.x, 1), random(c.w, 2), "parts", ONNXRUN_PRECISION_HIGHEST);
  call.cancelled = true;
  try {
    run_kernel(call);
    ADD_FAILURE() << "ran to its end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCancelled);
  }
}

TEST_F(PartConvolutions, OfFewResultsAreThoseOfTheFloat32Kernel) {
  const ConvCase c{{2, 64, 4, 4}, {64, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true};
  KernelCall call = blocked_call(c, random(c.x, 1), random(c.w, 2), "parts", ONNXRUN_PRECISION_HIGHEST);
  call.inputs.insert(call.inputs.end(), {random({c.w[0]}, 3), blocked(random(output_of(c), 4))});
  const Tensor got = run_kernel(call)[0];
  call.kernel = "tiles";
  EXPECT_TRUE(equal(got, run_kernel(call)[0]));
}

TEST_F(PartConvolutions, AreOnlyTakenWhereWorthIt) {
  const auto reason = [](const ConvCase& c) -> std::string {
    try {
      run_kernel(blocked_call(c, random(c.x, 1), random(c.w, 2), "parts", ONNXRUN_PRECISION_HIGHEST));
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUnsupported);
      return error.what();
    }
  };
  const ConvCase taken{{1, 64, 9, 9}, {64, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true};
  EXPECT_EQ(reason(taken), "");
  ConvCase grouped = taken, depthwise = taken, few = taken;
  grouped.x[1] = 192;
  grouped.w = {192, 16, 3, 3};
  grouped.group = 12;
  EXPECT_THAT(reason(grouped), testing::HasSubstr("whole positions"));
  depthwise.w = {64, 1, 3, 3};
  depthwise.group = 64;
  EXPECT_THAT(reason(depthwise), testing::HasSubstr("depthwise"));
  few.w = {16, 64, 1, 1};
  few.pads = {0, 0, 0, 0};
  EXPECT_THAT(reason(few), testing::HasSubstr("not worth"));
  const SimdLevel level = simd_level();
  limit_simd_level(SimdLevel::kBf16);
  EXPECT_THAT(reason(taken), testing::HasSubstr("no tiles"));
  limit_simd_level(level);
}

}  // namespace
}  // namespace onnxrun::cpu
