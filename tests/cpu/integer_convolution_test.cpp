// 8-bit convolutions on blocked channels give the bytes of the plain reference, at every instruction set level this machine has.
#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "cpu/loops/byte_table.h"
#include "cpu/loops/integer_block_convolution.h"
#include "cpu/run_kernel.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

Tensor bytes(DType type, const Dims& dims, uint32_t seed) {
  Tensor tensor(type, dims);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    static_cast<uint8_t*>(tensor.mutable_raw())[i] = static_cast<uint8_t>(seed >> 24);
  }
  return tensor;
}

// Bytes of small numbers, as signed ones or about 128, of which one of `every` is any byte.
Tensor weights(DType type, const Dims& dims, int64_t every) {
  Tensor tensor = bytes(type, dims, 2);
  const int middle = type == DType::kUint8 ? 128 : 0;
  auto* values = static_cast<uint8_t*>(tensor.mutable_raw());
  uint32_t seed = 3;
  for (int64_t i = 0; i < tensor.count(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    if ((seed >> 8) % static_cast<uint32_t>(every) != 0)
      values[i] = static_cast<uint8_t>(values[i] % 100 - 50 + middle);
  }
  return tensor;
}

Tensor scales(const Dims& dims, float size) {
  Tensor tensor(DType::kFloat32, dims);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] = size * (0.7f + 0.013f * static_cast<float>(i % 37));
  return tensor;
}

Tensor biases(int64_t count) {
  Tensor tensor(DType::kInt32, {count});
  for (int64_t i = 0; i < count; ++i)
    tensor.mutable_data<int32_t>()[i] = static_cast<int32_t>(i * 7919 % 20011 - 10000);
  return tensor;
}

Tensor filled(DType type, const Dims& dims, uint8_t value) {
  Tensor tensor(type, dims);
  std::memset(tensor.mutable_raw(), value, tensor.bytes());
  return tensor;
}

struct Case {
  Dims x, w;
  std::vector<int64_t> strides, dilations, pads;
  int64_t group = 1;
};

Dims output_of(const Case& c) {
  Dims y{c.x[0], c.w[0]};
  const size_t axes = c.strides.size();
  for (size_t d = 0; d < axes; ++d)
    y.push_back((c.x[d + 2] + c.pads[d] + c.pads[d + axes] - (c.w[d + 2] - 1) * c.dilations[d] - 1) / c.strides[d] + 1);
  return y;
}

std::vector<Case> cases() {
  std::vector<Case> result = {
      {{1, 3, 17, 19}, {20, 3, 7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}},
      {{2, 1, 9, 9}, {5, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
      {{1, 24, 13, 11}, {40, 24, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
      {{2, 24, 13, 11}, {40, 24, 1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
      {{1, 33, 14, 14}, {47, 33, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
      {{1, 33, 14, 14}, {47, 33, 3, 3}, {1, 1}, {2, 2}, {2, 0, 2, 1}},
      {{3, 16, 8, 8}, {64, 16, 3, 3}, {2, 1}, {1, 1}, {0, 1, 1, 1}},
      {{1, 40, 12, 12}, {40, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 40},
      {{2, 24, 15, 15}, {24, 1, 5, 5}, {2, 2}, {1, 1}, {2, 2, 2, 2}, 24},
      {{1, 64, 9, 9}, {96, 32, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 2},
      {{2, 64, 10, 40}, {64, 32, 3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 2},
      {{1, 20, 50}, {30, 20, 3}, {2}, {1}, {1, 1}},
      {{2, 32, 40}, {32, 1, 7}, {1}, {1}, {3, 3}, 32},
      {{1, 6, 5, 5}, {3, 6, 5, 5}, {1, 1}, {1, 1}, {4, 4, 4, 4}},
      {{1, 20, 50, 1}, {36, 20, 5, 1}, {2, 1}, {1, 1}, {1, 0, 2, 0}},
      {{1, 600, 6, 6}, {20, 600, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
      {{1, 64, 14, 14}, {64, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
      {{1, 64, 15, 13}, {48, 64, 1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
  };
  for (const int64_t width : {1, 2, 5, 7, 13, 29, 45})
    for (const int64_t kernel : {1, 3, 5})
      result.push_back({{1, 20, 5, width},
                        {24, 20, kernel, kernel},
                        {1, 1},
                        {1, 1},
                        {kernel / 2, kernel / 2, kernel / 2, kernel / 2}});
  return result;
}

Tensor moved(const Tensor& x, int64_t block) {
  Dims dims = x.dims();
  dims[1] = (dims[1] + block - 1) / block;
  dims.push_back(block);
  return run_kernel({.op = "ToBlocked",
                     .inputs = {x},
                     .outputs = {{x.dtype(), dims}},
                     .attributes = {{"block", block}},
                     .domain = "onnxrun"})[0];
}

// The plain operators one after the other, by their reference kernels.
Tensor wanted(const Case& c, const std::vector<Tensor>& inputs, const Tensor& table) {
  const Dims y = output_of(c);
  Tensor result = run_kernel(
      {.op = "QLinearConv",
       .inputs = {inputs.begin(), inputs.begin() + 9},
       .outputs = {{DType::kUint8, y}},
       .attributes = {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.group}},
       .kernel = "reference"})[0];
  if (inputs.size() > 9)
    result =
        run_kernel({.op = "QLinearAdd",
                    .inputs = {result, inputs[6], inputs[7], inputs[9], inputs[10], inputs[11], inputs[12], inputs[13]},
                    .outputs = {{DType::kUint8, y}},
                    .domain = "com.microsoft"})[0];
  if (table)
    for (int64_t i = 0; i < result.count(); ++i)
      result.mutable_data<uint8_t>()[i] = table.data<uint8_t>()[result.data<uint8_t>()[i]];
  return result;
}

void expect_same(const Case& c, DType weight_type, int64_t every, bool ends, const Tensor& table, int64_t block,
                 const char* kernel = "tiles", int threads = 0) {
  const int64_t filters = c.w[0];
  const bool many = filters % 2 == 0;  // scales
  std::vector<Tensor> inputs = {
      bytes(DType::kUint8, c.x, 1),
      scales({}, 0.02f),
      filled(DType::kUint8, {}, many ? 113 : 0),
      weights(weight_type, c.w, every),
      scales(many ? Dims{filters} : Dims{}, 0.004f),
      filled(weight_type, many ? Dims{filters} : Dims{}, weight_type == DType::kUint8 ? 128 : 0),
      scales({}, 1.1f),
      filled(DType::kUint8, {}, 119),
      ends ? biases(filters) : Tensor()};
  if (ends)
    inputs.insert(inputs.end(), {bytes(DType::kUint8, output_of(c), 3), scales({}, 0.7f),
                                 filled(DType::kUint8, {}, 101), scales({}, 1.9f), filled(DType::kUint8, {}, 130)});
  const Tensor want = moved(wanted(c, inputs, table), block);
  const bool plain = c.group == 1 && c.x[1] <= 4;
  if (!plain) inputs[0] = moved(inputs[0], block);
  if (ends) inputs[9] = moved(inputs[9], block);
  if (table) {
    inputs.resize(14);
    inputs.push_back(table);
  }
  const Tensor got = run_kernel(
      {.op = "BlockedQLinearConv",
       .inputs = inputs,
       .outputs = {{DType::kUint8, want.dims()}},
       .attributes =
           {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.group}, {"block", block}},
       .kernel = kernel,
       .domain = "onnxrun",
       .threads = threads})[0];
  const int64_t whole = filters / block * block, planes = want.count() / want.dims()[1] / want.dims()[0];
  for (int64_t i = 0; i < want.count(); ++i) {
    const int64_t channel = i / planes % want.dims()[1] * block + i % block;
    if (channel >= whole && channel >= filters) continue;
    ASSERT_EQ(got.data<uint8_t>()[i], want.data<uint8_t>()[i])
        << base::to_string(c.x) << " with " << base::to_string(c.w) << " at element " << i;
  }
}

class IntegerConvolutionAtLevel : public testing::TestWithParam<SimdLevel> {
 protected:
  void SetUp() override {
    if (GetParam() > detected_simd_level()) GTEST_SKIP() << "this machine lacks " << simd_level_name(GetParam());
    limit_simd_level(GetParam());
  }
  void TearDown() override { limit_simd_level(detected_simd_level()); }
};

TEST_P(IntegerConvolutionAtLevel, TilesGiveTheReferencesBytes) {
  const int64_t block = integer_block_convolution_functions().block;
  if (block == 0) GTEST_SKIP() << "no tiles at this level";
  const Tensor table = bytes(DType::kUint8, {256}, 5);
  for (const Case& c : cases())
    for (const DType type : {DType::kInt8, DType::kUint8})
      for (const bool ends : {false, true})
        for (const int64_t every : {1, 40, 400, 1 << 20})
          expect_same(c, type, every, ends, ends ? table : Tensor(), block);
}

TEST_P(IntegerConvolutionAtLevel, LargestProductsDoNotSaturate) {
  const int64_t block = integer_block_convolution_functions().block;
  if (block == 0) GTEST_SKIP() << "no tiles at this level";
  const Case c{{1, 32, 6, 6}, {16, 32, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}};
  for (const uint8_t weight : {uint8_t{127}, uint8_t{0x80}})
    for (const uint8_t zero : {uint8_t{0}, uint8_t{255}}) {
      const std::vector<Tensor> inputs = {filled(DType::kUint8, c.x, static_cast<uint8_t>(255 - zero)),
                                          scales({}, 1.0f),
                                          filled(DType::kUint8, {}, zero),
                                          filled(DType::kInt8, c.w, weight),
                                          scales({}, 1.0f),
                                          filled(DType::kInt8, {}, 0),
                                          scales({}, 100000.0f),
                                          filled(DType::kUint8, {}, 128),
                                          Tensor()};
      const Tensor want = moved(wanted(c, inputs, Tensor()), block);
      std::vector<Tensor> blocked = inputs;
      blocked[0] = moved(inputs[0], block);
      const Tensor got = run_kernel({.op = "BlockedQLinearConv",
                                     .inputs = blocked,
                                     .outputs = {{DType::kUint8, want.dims()}},
                                     .attributes = {{"pads", c.pads}, {"block", block}},
                                     .domain = "onnxrun"})[0];
      EXPECT_EQ(std::memcmp(got.raw(), want.raw(), want.bytes()), 0) << int{weight} << " " << int{zero};
    }
}

TEST_P(IntegerConvolutionAtLevel, TablesOfEveryLength) {
  const Tensor table = bytes(DType::kUint8, {256}, 7), x = bytes(DType::kUint8, {200}, 9);
  for (int64_t n = 0; n <= 200; ++n) {
    std::vector<uint8_t> y(static_cast<size_t>(n) + 1, 0xab);
    look_up(table.data<uint8_t>(), x.data<uint8_t>(), y.data(), n);
    for (int64_t i = 0; i < n; ++i)
      ASSERT_EQ(y[static_cast<size_t>(i)], table.data<uint8_t>()[x.data<uint8_t>()[i]]) << n << " bytes, at " << i;
    EXPECT_EQ(y[static_cast<size_t>(n)], 0xab);
  }
}

// Rows of whole and begun tiles, one and several taps across, pads on all sides and none, rows that see nothing of the image, one to four channels, filters that fill no block, images.
TEST(PlainIntegerConvolutions, GiveTheReferencesBytes) {
  if (detected_simd_level() < SimdLevel::kSpr) GTEST_SKIP() << "this machine has no tiles";
  const Tensor table = bytes(DType::kUint8, {256}, 5);
  for (const Case& c : {Case{{1, 3, 20, 35}, {64, 3, 7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}},
                        Case{{3, 3, 33, 64}, {50, 3, 5, 5}, {1, 1}, {1, 1}, {3, 0, 2, 5}},
                        Case{{1, 4, 9, 17}, {21, 4, 5, 16}, {3, 2}, {1, 1}, {0, 8, 0, 7}},
                        Case{{2, 1, 12, 100}, {16, 1, 2, 15}, {1, 1}, {4, 1}, {1, 9, 4, 1}},
                        Case{{1, 3, 5, 1}, {48, 3, 7, 7}, {1, 1}, {1, 1}, {3, 3, 3, 3}},
                        Case{{2, 2, 40, 31}, {70, 2, 3, 13}, {2, 1}, {2, 1}, {2, 6, 2, 6}},
                        Case{{1, 3, 8, 8}, {48, 3, 3, 7}, {1, 1}, {1, 1}, {30, 3, 30, 3}}})
    for (const DType type : {DType::kInt8, DType::kUint8})
      for (const bool ends : {false, true})
        for (const int threads : {1, 3})
          expect_same(c, type, 1, ends, ends ? table : Tensor(), 16, "plain tiles", threads);
}

TEST(PlainIntegerConvolutions, LeaveImagesThatArePadding) {
  if (detected_simd_level() < SimdLevel::kSpr) GTEST_SKIP() << "this machine has no tiles";
  const Case c{{1, 3, 4, 6}, {32, 3, 7, 7}, {1, 1}, {1, 1}, {60, 60, 60, 60}};
  EXPECT_THROW(expect_same(c, DType::kInt8, 1, false, Tensor(), 16, "plain tiles"), base::Error);
}

TEST(BlockedBytes, SignsAreFlippedOnTheWay) {
  const Tensor x = bytes(DType::kInt8, {2, 11, 3, 5}, 4);
  const Tensor blocked = run_kernel({.op = "ToBlocked",
                                     .inputs = {x},
                                     .outputs = {{DType::kUint8, {2, 2, 3, 5, 8}}},
                                     .attributes = {{"block", int64_t{8}}, {"flip", int64_t{1}}},
                                     .domain = "onnxrun"})[0];
  for (int64_t i = 0; i < x.count(); ++i) {
    const int64_t at = i % 15, c = i / 15 % 11, n = i / 165;
    ASSERT_EQ(blocked.data<uint8_t>()[((n * 2 + c / 8) * 15 + at) * 8 + c % 8], x.data<int8_t>()[i] + 128);
  }
  const Tensor back = run_kernel({.op = "FromBlocked",
                                  .inputs = {blocked},
                                  .outputs = {{DType::kInt8, x.dims()}},
                                  .attributes = {{"channels", int64_t{11}}, {"flip", int64_t{1}}},
                                  .domain = "onnxrun"})[0];
  EXPECT_EQ(std::memcmp(back.raw(), x.raw(), x.bytes()), 0);
}

INSTANTIATE_TEST_SUITE_P(Levels, IntegerConvolutionAtLevel,
                         testing::Values(SimdLevel::kV2, SimdLevel::kV3, SimdLevel::kV4, SimdLevel::kVnni,
                                         SimdLevel::kSpr),
                         [](const auto& info) { return std::string(simd_level_name(info.param)); });

}  // namespace
}  // namespace onnxrun::cpu
