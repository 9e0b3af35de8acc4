// What operands are rounded to at medium precision where weights have few bits and in attention, and what that costs at most.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cpu/loops/panels.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

Tensor random_bytes(const Dims& dims, uint32_t seed) {
  Tensor tensor(DType::kUint8, dims);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    tensor.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(seed >> 24);
  }
  return tensor;
}

TEST(MediumPrecision, WeightsOfFewBitsMeetBytes) {
  if (simd_level() < SimdLevel::kVnni) GTEST_SKIP() << "this machine gains nothing by it";
  constexpr int64_t kDepth = 96, kColumns = 70, kBlock = 32, kBlocks = kDepth / kBlock;
  for (const int64_t bits : {4, 8})
    for (const int64_t rows : {1, 5, 21}) {
      Tensor a = random({rows, kDepth}, 1);
      for (int64_t i = 0; i < rows; ++i) a.mutable_data<float>()[i * kDepth + 3] *= 100;  // one block with an outlier
      const Tensor b = random_bytes({kColumns, kBlocks, kBlock * bits / 8}, 2),
                   scales = random({kColumns * kBlocks}, 3);
      KernelCall call{.op = "MatMulNBits",
                      .inputs = {a, b, scales},
                      .outputs = {{DType::kFloat32, {rows, kColumns}}},
                      .attributes = {{"K", kDepth}, {"N", kColumns}, {"bits", bits}, {"block_size", kBlock}},
                      .kernel = "reference",
                      .domain = "com.microsoft"};
      const Tensor want = run_kernel(call)[0];
      call.kernel = "blocks";
      const Tensor exact = run_kernel(call)[0];
      call.precision = ONNXRUN_PRECISION_MEDIUM;
      const Tensor got = run_kernel(call)[0];
      const auto weight = [&](int64_t j, int64_t p) {
        const uint8_t byte = b.data<uint8_t>()[(j * kDepth + p) * bits / 8];
        const int number = bits == 8 ? byte : p % 2 == 0 ? byte & 15 : byte >> 4;
        return static_cast<float>(number - (1 << (bits - 1))) * scales.data<float>()[j * kBlocks + p / kBlock];
      };
      bool differs = false;
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < kColumns; ++j) {
          float bound = 0, sum = 0;
          for (int64_t block = 0; block < kBlocks; ++block) {
            float largest = 0, weights = 0;
            for (int64_t p = block * kBlock; p < (block + 1) * kBlock; ++p) {
              largest = std::max(largest, std::abs(a.data<float>()[i * kDepth + p]));
              weights += std::abs(weight(j, p));
              sum += std::abs(a.data<float>()[i * kDepth + p] * weight(j, p));
            }
            bound += largest / 254 * weights;
          }
          const int64_t at = i * kColumns + j;
          ASSERT_NEAR(exact.data<float>()[at], want.data<float>()[at], 1e-5f * sum);
          ASSERT_NEAR(got.data<float>()[at], want.data<float>()[at], bound + 1e-5f * sum)
              << bits << " bits, " << i << ", " << j;
          differs = differs || got.data<float>()[at] != exact.data<float>()[at];
        }
      EXPECT_TRUE(differs) << "nothing was rounded";
    }
}

// Values are averages of numbers up to 1, with weights and scores that are off by the rounding of their operands.
TEST(MediumPrecision, AttentionMultipliesBfloat16) {
  if (!multiplies_pairs()) GTEST_SKIP() << "this machine does not multiply bfloat16";
  const struct {
    int64_t queries, keys, size, value_size;
    bool causal;
  } cases[] = {{30, 30, 64, 64, false},
               {30, 30, 64, 64, true},
               {13, 301, 33, 70, false},
               {300, 300, 31, 129, true},
               {8, 257, 7, 1, false}};
  for (const auto& c : cases) {
    KernelCall call{.op = "Attention",
                    .inputs = {random({2, 3, c.queries, c.size}, 1), random({2, 3, c.keys, c.size}, 2),
                               random({2, 3, c.keys, c.value_size}, 3)},
                    .outputs = {{DType::kFloat32, {2, 3, c.queries, c.value_size}}},
                    .attributes = {{"is_causal", int64_t{c.causal}}},
                    .kernel = "reference"};
    const Tensor want = run_kernel(call)[0];
    call.kernel = "tiled";
    const Tensor exact = run_kernel(call)[0];
    call.precision = ONNXRUN_PRECISION_MEDIUM;
    const Tensor got = run_kernel(call)[0];
    const float score_error = 0x1p-8f * static_cast<float>(c.size) / std::sqrt(static_cast<float>(c.size));
    bool differs = false;
    for (int64_t i = 0; i < want.count(); ++i) {
      ASSERT_NEAR(exact.data<float>()[i], want.data<float>()[i], 2e-6f);
      ASSERT_NEAR(got.data<float>()[i], want.data<float>()[i], 2 * score_error + 0x1p-8f);
      differs = differs || got.data<float>()[i] != exact.data<float>()[i];
    }
    EXPECT_TRUE(differs) << "nothing was rounded";
  }
}

}  // namespace
}  // namespace onnxrun::cpu
