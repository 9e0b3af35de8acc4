// Sums so long, positions so fine and factors so large that float32 arithmetic would not do.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cpu/loops/block_end.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

Tensor filled(const Dims& dims, float value) {
  Tensor tensor(DType::kFloat32, dims);
  std::fill_n(tensor.mutable_data<float>(), tensor.count(), value);
  return tensor;
}

TEST(FloatExtremes, AveragesOfManyElements) {
  for (const auto& [dims, kernel] : {std::pair<Dims, std::vector<int64_t>>{{1, 1, 100000}, {100000}},
                                     {{1, 1, 200, 40000}, {200, 40000}},
                                     {{1, 1, 4097}, {4097}}}) {
    Dims y(dims.size(), 1);
    const Tensor got = run_kernel({.op = "AveragePool",
                                   .inputs = {filled(dims, 0.1f)},
                                   .outputs = {{DType::kFloat32, y}},
                                   .attributes = {{"kernel_shape", kernel}},
                                   .kernel = "rows"})[0];
    EXPECT_NEAR(got.data<float>()[0], 0.1f, 1e-8f) << base::to_string(dims);
  }
}

TEST(FloatExtremes, AveragesOfManyElementsAreNotTakenOnBlocks) {
  const KernelCall call{.op = "BlockedAveragePool",
                        .inputs = {filled({1, 1, 5000, 8}, 0.1f)},
                        .outputs = {{DType::kFloat32, {1, 1, 1, 8}}},
                        .attributes = {{"kernel_shape", std::vector<int64_t>{5000}}},
                        .domain = "onnxrun"};
  EXPECT_THROW(run_kernel(call), Error);
}

TEST(FloatExtremes, PositionsOfFloat64) {
  Tensor x(DType::kFloat64, {1, 1, 1, 2}), grid(DType::kFloat64, {1, 1, 1, 2});
  x.mutable_data<double>()[0] = 0;
  x.mutable_data<double>()[1] = 1e9;
  grid.mutable_data<double>()[0] = 0.123456789;
  grid.mutable_data<double>()[1] = 0;
  const Tensor got = run_kernel({.op = "GridSample",
                                 .inputs = {x, grid},
                                 .outputs = {{DType::kFloat64, {1, 1, 1, 1}}},
                                 .attributes = {{"mode", std::string("linear")},
                                                {"padding_mode", std::string("border")},
                                                {"align_corners", int64_t{1}}}})[0];
  EXPECT_NEAR(got.data<double>()[0], 561728394.5, 1e-4);
}

// Lanes without a channel are zero, and zero times infinity is not a number.
TEST(FloatExtremes, InfiniteParametersHaveNoBlocks) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const char* name : {"Swish", "LeakyRelu", "Elu", "HardSigmoid"}) {
    EXPECT_TRUE(BlockEnd::find(name, {0.5f})) << name;
    EXPECT_FALSE(BlockEnd::find(name, {kInfinity})) << name;
    EXPECT_FALSE(BlockEnd::find(name, {std::numeric_limits<float>::quiet_NaN()})) << name;
  }
  EXPECT_TRUE(BlockEnd::find("Clip", {0.0f, kInfinity}));
}

// What is divided by infinity is a zero with its sign, infinity itself not a number; a norm of 0 gives 0.
TEST(FloatExtremes, NormsOfInfinityAndOfZero) {
  for (const int64_t p : {1, 2})
    for (const DType type : {DType::kFloat32, DType::kFloat64}) {
      const double inf = std::numeric_limits<double>::infinity(), in[] = {inf, 1, -1, 0, 0, -0.0};
      Tensor x(type, {2, 3});
      for (int64_t i = 0; i < 6; ++i) {
        const double value = in[i];
        if (type == DType::kFloat32) x.mutable_data<float>()[i] = static_cast<float>(value);
        else x.mutable_data<double>()[i] = value;
      }
      const Tensor got = run_kernel(
          {.op = "LpNormalization", .inputs = {x}, .outputs = {{type, {2, 3}}}, .attributes = {{"p", p}}})[0];
      const auto at = [&](int64_t i) {
        return type == DType::kFloat32 ? static_cast<double>(got.data<float>()[i]) : got.data<double>()[i];
      };
      EXPECT_TRUE(std::isnan(at(0)));
      EXPECT_TRUE(at(1) == 0 && !std::signbit(at(1)));
      EXPECT_TRUE(at(2) == 0 && std::signbit(at(2)));
      for (int64_t i = 3; i < 6; ++i) EXPECT_EQ(at(i), 0) << i;
    }
}

// A variance that is not a number is not 0.
TEST(FloatExtremes, InfinityInANormalizedChannel) {
  Tensor x = filled({1, 2, 50}, 3.0f);
  x.mutable_data<float>()[7] = std::numeric_limits<float>::infinity();
  const Tensor got = run_kernel({.op = "InstanceNormalization",
                                 .inputs = {x, filled({2}, 1.0f), filled({2}, 0.0f)},
                                 .outputs = {{DType::kFloat32, {1, 2, 50}}}})[0];
  for (int64_t i = 0; i < 50; ++i) {
    EXPECT_TRUE(std::isnan(got.data<float>()[i])) << i;
    EXPECT_EQ(got.data<float>()[50 + i], 0.0f) << i;
  }
}

// The sum of a block's products, 255 - 128 times 127 each, is beyond int32.
TEST(FloatExtremes, LongBlocksOfBytes) {
  constexpr int64_t kBlock = int64_t{1} << 18;
  Tensor weights(DType::kUint8, {1, 1, kBlock}), scales = filled({1, 1}, 1.0f);
  std::fill_n(weights.mutable_data<uint8_t>(), kBlock, uint8_t{255});
  const Tensor got = run_kernel({.op = "MatMulNBits",
                                 .inputs = {filled({1, kBlock}, 1.0f), weights, scales},
                                 .outputs = {{DType::kFloat32, {1, 1}}},
                                 .attributes = {{"K", kBlock},
                                                {"N", int64_t{1}},
                                                {"bits", int64_t{8}},
                                                {"block_size", kBlock},
                                                {"accuracy_level", int64_t{4}}},
                                 .kernel = "blocks",
                                 .domain = "com.microsoft"})[0];
  EXPECT_NEAR(got.data<float>()[0], 127.0f * kBlock, 4.0f);
}

}  // namespace
}  // namespace onnxrun::cpu
