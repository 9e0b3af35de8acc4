// Convolutions of plain images by products of bfloat16 parts: against those by definition, within the bounds that one, two and three parts have, and where the float32 kernel steps in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "cpu/convolution_cases.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

class PlainPartConvolutions : public testing::Test {
 protected:
  void SetUp() override {
    if (detected_simd_level() < SimdLevel::kSpr) GTEST_SKIP() << "this machine has no tiles";
    if (block_here() != 16) GTEST_SKIP() << "blocks are oneDNN's";
  }
};

// How much of the products' magnitudes the parts of a precision leave out.
struct Precision {
  int value;
  float left_out;
};
constexpr Precision kPrecisions[] = {
    {ONNXRUN_PRECISION_HIGHEST, 0x1p-22f}, {ONNXRUN_PRECISION_HIGH, 0x1p-15f}, {ONNXRUN_PRECISION_MEDIUM, 0x1.01p-8f}};

// Rows of whole and begun tiles, one and several taps across, strides, pads on all sides and none, rows between which nothing is seen, one to four channels, filters that fill no block,
// several images.
const ConvCase kCases[] = {{{1, 3, 20, 35}, {64, 3, 7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}, 1, true},
                           {{3, 3, 33, 64}, {50, 3, 7, 7}, {1, 1}, {1, 1}, {3, 0, 2, 5}, 1, true},
                           {{1, 4, 9, 17}, {21, 4, 5, 11}, {3, 2}, {1, 1}, {0, 0, 0, 0}, 1, true},
                           {{2, 3, 12, 100}, {16, 3, 2, 16}, {1, 1}, {4, 1}, {1, 9, 4, 1}, 1, true},
                           {{1, 3, 5, 1}, {48, 3, 7, 7}, {1, 1}, {1, 1}, {3, 3, 3, 3}, 1, true},
                           {{1, 1, 30, 40}, {64, 1, 13, 15}, {1, 2}, {1, 1}, {6, 7, 6, 7}, 1, true},
                           {{2, 2, 40, 31}, {70, 2, 3, 13}, {2, 1}, {2, 1}, {2, 6, 2, 6}, 1, true},
                           {{1, 3, 8, 8}, {48, 3, 3, 7}, {1, 1}, {1, 1}, {30, 3, 30, 3}, 1, true},
                           {{1, 4, 31, 47}, {64, 4, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
                           {{1, 3, 4, 6}, {32, 3, 7, 7}, {1, 1}, {1, 1}, {60, 60, 60, 60}, 1, true}};

KernelCall call_of(const ConvCase& c, const Tensor& x, const Tensor& w, int precision) {
  return blocked_call(c, x, w, "plain parts", precision);
}

void add_ends(KernelCall& call, const ConvCase& c) {
  call.inputs.insert(call.inputs.end(), {random({c.w[0]}, 3), blocked(random(output_of(c), 4))});
  call.attributes["activation"] = std::string(c.x[1] % 3 == 0 ? "Sigmoid" : "Relu");
}

TEST_F(PlainPartConvolutions, AgreeWithTheReferenceOnAnyNumberOfThreads) {
  for (const Precision& precision : kPrecisions) {
    int taken = 0;
    for (const ConvCase& c : kCases)
      for (const bool ends : {false, true}) {
        const Tensor x = random(c.x, 1), w = random(c.w, 2);
        KernelCall call = call_of(c, x, w, precision.value);
        if (ends) add_ends(call, c);
        call.threads = 1;
        Tensor got;
        try {
          got = run_kernel(call)[0];
        } catch (const Error& error) {
          EXPECT_THAT(error.what(), testing::HasSubstr("so narrow a kernel")) << what_of(c);
          continue;
        }
        ++taken;
        for (const int threads : {2, 3, 64}) {
          call.threads = threads;
          EXPECT_TRUE(equal(run_kernel(call)[0], got)) << what_of(c) << " with " << threads << " threads";
        }
        call.kernel = "reference";
        const Tensor want = run_kernel(call)[0];
        const auto terms = static_cast<float>(c.w[1] * c.w[2] * c.w[3]);
        const float bound = terms * (precision.left_out + 0x1p-23f) + 1e-6f;
        for (int64_t i = 0; i < want.count(); ++i)
          ASSERT_LE(std::abs(got.data<float>()[i] - want.data<float>()[i]), bound)
              << what_of(c) << " at precision " << precision.value << ", element " << i;
      }
    EXPECT_GE(taken, precision.value == ONNXRUN_PRECISION_HIGHEST ? 10 : 14);
  }
}

// The zeros beside a kernel meet numbers that are not its own, which must not become NaN.
TEST_F(PlainPartConvolutions, LeaveNumbersThatPartsAreNotMadeForToTheFloat32Kernel) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const ConvCase c{{3, 3, 12, 30}, {56, 3, 7, 7}, {1, 2}, {1, 1}, {3, 3, 3, 3}, 1, true};
  const int64_t image = c.x[1] * c.x[2] * c.x[3];
  for (const Precision& precision : kPrecisions) {
    const auto run = [&](const Tensor& x, const Tensor& w, const char* name) {
      KernelCall call = blocked_call(c, x, w, name, precision.value);
      add_ends(call, c);
      return run_kernel(call)[0];
    };
    const Tensor plain = run(random(c.x, 1), random(c.w, 2), "plain parts");
    EXPECT_FALSE(equal(plain, run(random(c.x, 1), random(c.w, 2), "tiles")));
    const auto same = [&](const Tensor& a, const Tensor& b, int64_t of) {
      const size_t bytes = a.bytes() / 3;
      return std::memcmp(static_cast<const char*>(a.raw()) + static_cast<size_t>(of) * bytes,
                         static_cast<const char*>(b.raw()) + static_cast<size_t>(of) * bytes, bytes) == 0;
    };
    for (const float odd : {inf, -inf, nan, 3e38f}) {
      Tensor x = random(c.x, 1), w = random(c.w, 2);
      x.mutable_data<float>()[image + 77] = odd;
      const Tensor got = run(x, w, "plain parts");
      EXPECT_TRUE(same(got, run(x, w, "tiles"), 1)) << odd;
      EXPECT_TRUE(same(got, plain, 0) && same(got, plain, 2)) << odd;
      w.mutable_data<float>()[123] = odd;
      x.mutable_data<float>()[image + 77] = 1;
      EXPECT_TRUE(equal(run(x, w, "plain parts"), run(x, w, "tiles"))) << odd;
    }
  }
}

TEST_F(PlainPartConvolutions, ErrIncludingCancellationByTheBoundAtMost) {
  const ConvCase c{{2, 4, 9, 31}, {64, 4, 7, 7}, {2, 1}, {1, 1}, {3, 3, 3, 3}, 1, true};
  std::pair data = cancelling(c);
  Tensor &x = data.first, &w = data.second;
  const auto run = [&](const char* name, int precision) {
    return run_kernel(blocked_call(c, x, w, name, precision))[0];
  };
  const Tensor exact = run("reference", ONNXRUN_PRECISION_HIGHEST);
  std::vector<Tensor> got;
  for (const Precision& precision : kPrecisions) got.push_back(run("plain parts", precision.value));
  float *xs = x.mutable_data<float>(), *ws = w.mutable_data<float>();
  for (int64_t i = 0; i < x.count(); ++i) xs[i] = std::abs(xs[i]);
  for (int64_t i = 0; i < w.count(); ++i) ws[i] = std::abs(ws[i]);
  const Tensor sizes = run("reference", ONNXRUN_PRECISION_HIGHEST);
  const float of_sum = 0x1p-24f * static_cast<float>(c.w[1] * c.w[2] * c.w[3] + 2);
  for (size_t p = 0; p < got.size(); ++p)
    for (int64_t i = 0; i < exact.count(); ++i)
      ASSERT_LE(std::abs(got[p].data<float>()[i] - exact.data<float>()[i]),
                ((p == 0 ? 0 : kPrecisions[p].left_out) + of_sum) * sizes.data<float>()[i])
          << "at precision " << kPrecisions[p].value << ", element " << i;
}

TEST_F(PlainPartConvolutions, EndWhenTheRunIsCancelled) {
  KernelCall call = call_of(kCases[0], random(kCases[0].x, 1), random(kCases[0].w, 2), ONNXRUN_PRECISION_HIGH);
  call.cancelled = true;
  try {
    run_kernel(call);
    ADD_FAILURE() << "ran to its end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCancelled);
  }
}

}  // namespace
}  // namespace onnxrun::cpu
