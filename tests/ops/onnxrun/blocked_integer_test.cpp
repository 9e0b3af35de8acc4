// Operators on blocked 8-bit integers: their kernels give the bytes that their decompositions give.
#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;
using Ints = std::vector<int64_t>;

Tensor bytes(DType type, const Dims& dims, uint32_t seed) {
  Tensor tensor(type, dims);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    static_cast<uint8_t*>(tensor.mutable_raw())[i] = static_cast<uint8_t>(seed >> 24);
  }
  return tensor;
}

Tensor point(uint8_t value) { return Tensor::scalar(value); }
Tensor scale(float value) { return Tensor::scalar(value); }

void expect_same_as_composed(OpCase test, const std::string& what) {
  const Tensor direct = run_op(test)[0];
  test.decomposed = true;
  const Tensor composed = run_op(test)[0];
  ASSERT_EQ(direct.dims(), composed.dims()) << what;
  ASSERT_EQ(direct.dtype(), composed.dtype()) << what;
  EXPECT_EQ(std::memcmp(direct.raw(), composed.raw(), direct.bytes()), 0) << what;
}

TEST(BlockedIntegers, MovingThereAndBack) {
  for (const DType type : {DType::kInt8, DType::kUint8})
    for (const int64_t flip : {0, 1})
      for (const Dims& dims : {Dims{2, 20, 5, 7}, Dims{1, 32, 9}, Dims{1, 3, 2, 3, 4}, Dims{0, 8, 3, 3}}) {
        const OpCase there{.op = "ToBlocked",
                           .domain = "onnxrun",
                           .attributes = {{"block", int64_t{16}}, {"flip", flip}},
                           .inputs = {bytes(type, dims, 3)}};
        expect_same_as_composed(there, base::to_string(dims));
        const OpCase back{.op = "FromBlocked",
                          .domain = "onnxrun",
                          .attributes = {{"channels", dims[1]}, {"flip", flip}},
                          .inputs = {run_op(there)[0]}};
        expect_same_as_composed(back, base::to_string(dims));
        const Tensor again = run_op(back)[0];
        ASSERT_EQ(again.dtype(), type);
        EXPECT_EQ(std::memcmp(again.raw(), there.inputs[0].raw(), again.bytes()), 0) << base::to_string(dims);
      }
}

TEST(BlockedIntegers, LargestOfWindows) {
  for (const int64_t block : {8, 16})
    for (const Dims& dims : {Dims{2, 2, 9, 10, block}, Dims{1, 3, 11, block}, Dims{1, 1, 5, 6, 7, block}})
      for (const int64_t stride : {1, 2, 3})
        for (const int64_t dilation : {1, 2})
          for (const int64_t ceil_mode : {0, 1}) {
            const size_t axes = dims.size() - 3;
            expect_same_as_composed({.op = "BlockedMaxPool",
                                     .domain = "onnxrun",
                                     .attributes = {{"kernel_shape", Ints(axes, 3)},
                                                    {"strides", Ints(axes, stride)},
                                                    {"dilations", Ints(axes, dilation)},
                                                    {"ceil_mode", ceil_mode},
                                                    {"pads", Ints(2 * axes, 1)}},
                                     .inputs = {bytes(DType::kUint8, dims, 8)}},
                                    base::to_string(dims));
          }
}

TEST(BlockedIntegers, FunctionsOfOneByte) {
  for (const DType from : {DType::kInt8, DType::kUint8})
    for (const DType to : {DType::kInt8, DType::kUint8})
      expect_same_as_composed(
          {.op = "ByteTable", .domain = "onnxrun", .inputs = {bytes(from, {3, 171}, 1), bytes(to, {256}, 2)}},
          "a table");
}

TEST(BlockedIntegers, ConvolutionsWithWhatTheyEndIn) {
  // Blocks of another level than this machine's are decomposed.
  for (const int64_t block : {8, 16})
    for (const bool adds : {false, true})
      for (const bool looks_up : {false, true}) {
        const int64_t blocks = 48 / block;
        OpCase test{.op = "BlockedQLinearConv",
                    .domain = "onnxrun",
                    .attributes = {{"block", block}, {"pads", Ints{1, 1, 1, 1}}},
                    .inputs = {bytes(DType::kUint8, {2, blocks, 6, 7, block}, 1), scale(0.03f), point(120),
                               bytes(DType::kInt8, {48, 48, 3, 3}, 2), scale(0.004f), Tensor::scalar<int8_t>(0),
                               scale(0.9f), point(131), Tensor()}};
        if (adds)
          test.inputs.insert(test.inputs.end(), {bytes(DType::kUint8, {2, blocks, 6, 7, block}, 3), scale(0.5f),
                                                 point(9), scale(1.2f), point(99)});
        if (looks_up) {
          test.inputs.resize(14);
          test.inputs.push_back(bytes(DType::kUint8, {256}, 4));
        }
        for (size_t i = 0; i < test.inputs.size(); ++i) test.constant.push_back(i != 0 && i != 9);
        expect_same_as_composed(test, "block " + std::to_string(block));
      }
}

TEST(BlockedIntegers, WhatDoesNotFitIsNamed) {
  OpCase test{
      .op = "ByteTable", .domain = "onnxrun", .inputs = {bytes(DType::kUint8, {3}, 1), bytes(DType::kUint8, {255}, 2)}};
  EXPECT_THROW(run_op(test), base::Error);
  test = {.op = "ToBlocked",
          .domain = "onnxrun",
          .attributes = {{"block", int64_t{16}}, {"flip", int64_t{1}}},
          .inputs = {Tensor(DType::kFloat32, {1, 3, 4, 4})}};
  EXPECT_THROW(run_op(test), base::Error);
}

}  // namespace
}  // namespace onnxrun::ops
