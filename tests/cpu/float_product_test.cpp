// Products of float32 on panels against sums in double: every number of rows and columns that a tile leaves over, and depths that are cut into parts.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cpu/loops/panels.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

void expect_product(int64_t m, int64_t k, int64_t n) {
  const Tensor a = random({m, k}, 1), b = random({k, n}, 2);
  Tensor want(DType::kFloat32, {m, n});
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += static_cast<double>(a.data<float>()[i * k + p]) * static_cast<double>(b.data<float>()[p * n + j]);
      want.mutable_data<float>()[i * n + j] = static_cast<float>(sum);
    }
  for (const bool constants : {true, false})
    expect_close(run_kernel({.op = "MatMul",
                             .inputs = {a, b},
                             .outputs = {{DType::kFloat32, {m, n}}},
                             .kernel = "panels",
                             .constants = constants})[0],
                 want, k, std::to_string(m) + " x " + std::to_string(k) + " x " + std::to_string(n));
}

TEST(FloatProducts, LeaveOverNoRow) {
  for (int64_t m = 1; m <= 13; ++m) expect_product(m, 9, 70);
}

TEST(FloatProducts, LeaveOverNoColumn) {
  for (int64_t n = 1; n <= 2 * kPanel + 1; ++n)
    for (int64_t m : {1, 7}) expect_product(m, 5, n);
}

TEST(FloatProducts, DepthIsCutIntoParts) {
  for (int64_t k : {1023, 1024, 1025, 3001}) {
    expect_product(13, k, 66);
    expect_product(200, k, 3);
  }
}

// What a tile leaves alone stays as it was.
TEST(FloatProducts, WriteNothingBesideTheResult) {
  constexpr int64_t kStride = kPanel + 5, kDepth = 3;
  for (int64_t m = 1; m <= 7; ++m)
    for (int64_t n = 1; n <= kPanel; ++n) {
      const Tensor a = random({m, kDepth}, 3), b = random({kDepth, n}, 4);
      std::vector<float> packed(static_cast<size_t>(panel_floats(kDepth, n))),
          c(static_cast<size_t>((m + 1) * kStride), 7.0f);
      pack_panels(b.data<float>(), n, 1, kDepth, n, packed.data());
      multiply_panels(a.data<float>(), kDepth, packed.data(), m, kDepth, n, false, c.data(), kStride);
      for (int64_t i = 0; i <= m; ++i)
        for (int64_t j = i < m ? n : 0; j < kStride; ++j)
          ASSERT_EQ(c[static_cast<size_t>(i * kStride + j)], 7.0f) << m << " x " << n << " at " << i << ", " << j;
    }
}

// Pointwise convolutions in groups that fill no blocks, with sums and activations, against the plain loops.
TEST(FloatProducts, OfPointwiseConvolutions) {
  for (const Dims& size : {Dims{7, 7}, Dims{14, 14}, Dims{1, 1}, Dims{9, 40}})
    for (const bool fused : {false, true}) {
      const Dims x{2, 4 * 17, size[0], size[1]}, y{2, 4 * 13, size[0], size[1]};
      KernelCall call{.op = fused ? "FusedConv" : "Conv",
                      .inputs = {random(x, 1), random({y[1], 17, 1, 1}, 2), random({y[1]}, 3)},
                      .outputs = {{DType::kFloat32, y}},
                      .attributes = {{"group", int64_t{4}}},
                      .domain = fused ? "com.microsoft" : ""};
      if (fused) {
        call.inputs.push_back(random(y, 4));
        call.attributes["activation"] = "Relu";
      }
      call.kernel = "reference";
      const Tensor want = run_kernel(call)[0];
      call.kernel = "panels";
      for (const int threads : {1, 3}) {
        call.threads = threads;
        expect_close(run_kernel(call)[0], want, 17, base::to_string(x));
      }
    }
}

// Windows of more rows than one put rows together before they take columns.
TEST(FloatPools, RowsAgreeWithPlainLoops) {
  const struct {
    Dims x, y;
    std::vector<int64_t> kernel, strides, pads, dilations;
  } cases[] = {{{2, 3, 15, 17}, {2, 3, 8, 9}, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}},
               {{1, 2, 9, 900}, {1, 2, 8, 899}, {2, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
               {{1, 2, 9, 900}, {1, 2, 4, 224}, {3, 7}, {2, 4}, {0, 0, 0, 0}, {1, 1}},
               {{1, 1, 9, 2000}, {1, 1, 5, 400}, {5, 5}, {1, 5}, {0, 0, 0, 0}, {1, 1}},
               {{1, 3, 2, 2}, {1, 3, 1, 1}, {3, 3}, {3, 3}, {1, 1, 1, 1}, {1, 1}},
               {{1, 2, 12, 21}, {1, 2, 8, 13}, {3, 5}, {1, 1}, {0, 0, 0, 0}, {2, 2}},
               {{1, 2, 5, 6, 7}, {1, 2, 5, 3, 4}, {3, 3, 3}, {1, 2, 2}, {1, 1, 1, 1, 1, 1}, {1, 1, 1}}};
  for (const auto& c : cases)
    for (const char* op : {"MaxPool", "AveragePool"}) {
      KernelCall call{.op = op,
                      .inputs = {random(c.x, 5)},
                      .outputs = {{DType::kFloat32, c.y}},
                      .attributes = {{"kernel_shape", c.kernel},
                                     {"strides", c.strides},
                                     {"pads", c.pads},
                                     {"dilations", c.dilations}},
                      .kernel = "reference"};
      const Tensor want = run_kernel(call)[0];
      call.kernel = "rows";
      expect_close(run_kernel(call)[0], want, 1, std::string(op) + " of " + base::to_string(c.x));
    }
}

}  // namespace
}  // namespace onnxrun::cpu
