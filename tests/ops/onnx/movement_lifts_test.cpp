// Movement operators as old opsets wrote them.
#include <gtest/gtest.h>

#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::Tensor;

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

Tensor matrix() { return tensor<float>({1, 2, 3, 4, 5, 6}, {2, 3}); }

TEST(MovementLifts, ReshapeByAttribute) {
  const auto out = run_op({.op = "Reshape",
                           .attributes = {{"shape", Ints{3, -1}}, {"consumed_inputs", Ints{}}},
                           .inputs = {matrix()},
                           .since = 1});
  EXPECT_EQ(out[0].dims(), (Dims{3, 2}));
}

TEST(MovementLifts, TileByCountAndAxis) {
  const auto out =
      run_op({.op = "Tile", .inputs = {matrix(), Tensor::scalar<float>(2), Tensor::scalar<float>(1)}, .since = 1});
  EXPECT_EQ(out[0].dims(), (Dims{2, 6}));
  EXPECT_EQ(values<float>(out[0]), (Floats{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
}

TEST(MovementLifts, SliceByAttributes) {
  const auto out = run_op({.op = "Slice",
                           .attributes = {{"starts", Ints{-2}}, {"ends", Ints{1000}}, {"axes", Ints{1}}},
                           .inputs = {matrix()},
                           .since = 1});
  EXPECT_EQ(values<float>(out[0]), (Floats{2, 3, 5, 6}));
}

TEST(MovementLifts, PadByAttributes) {
  for (const auto& [name, since] : {std::pair{"paddings", 1}, std::pair{"pads", 2}}) {
    const auto out = run_op({.op = "Pad",
                             .attributes = {{name, Ints{0, 1, 0, -1}}, {"value", 9.0f}},
                             .inputs = {matrix()},
                             .since = since});
    EXPECT_EQ(values<float>(out[0]), (Floats{9, 1, 2, 9, 4, 5}));
  }
}

TEST(MovementLifts, SplitByAttributeAndByOutputs) {
  auto out = run_op({.op = "Split",
                     .attributes = {{"axis", int64_t{1}}, {"split", Ints{1, 2}}},
                     .inputs = {matrix()},
                     .outputs = 2,
                     .since = 2});
  EXPECT_EQ(values<float>(out[1]), (Floats{2, 3, 5, 6}));
  out = run_op({.op = "Split", .inputs = {matrix()}, .outputs = 2, .since = 13});
  EXPECT_EQ(values<float>(out[1]), (Floats{4, 5, 6}));
}

TEST(MovementLifts, ConcatJoinsAlongAxisOneByDefault) {
  const auto out = run_op({.op = "Concat", .inputs = {matrix(), matrix()}, .since = 1});
  EXPECT_EQ(out[0].dims(), (Dims{2, 6}));
}

TEST(MovementLifts, TopKByAttribute) {
  const auto out = run_op({.op = "TopK",
                           .attributes = {{"k", int64_t{2}}, {"axis", int64_t{1}}},
                           .inputs = {matrix()},
                           .outputs = 2,
                           .since = 1});
  EXPECT_EQ(values<float>(out[0]), (Floats{3, 2, 6, 5}));
  EXPECT_EQ(values<int64_t>(out[1]), (Ints{2, 1, 2, 1}));
}

TEST(MovementLifts, SqueezeAndUnsqueezeByAttribute) {
  EXPECT_EQ(
      run_op({.op = "Unsqueeze", .attributes = {{"axes", Ints{0, 3}}}, .inputs = {matrix()}, .since = 1})[0].dims(),
      (Dims{1, 2, 3, 1}));
  const Tensor one = tensor<float>({1, 2}, {1, 2, 1});
  EXPECT_EQ(run_op({.op = "Squeeze", .attributes = {{"axes", Ints{2}}}, .inputs = {one}, .since = 11})[0].dims(),
            (Dims{1, 2}));
}

TEST(MovementLifts, ScatterIsScatterElements) {
  const auto out = run_op({.op = "Scatter",
                           .attributes = {{"axis", int64_t{1}}},
                           .inputs = {matrix(), tensor<int64_t>({2}, {1, 1}), tensor<float>({9}, {1, 1})},
                           .since = 9});
  EXPECT_EQ(values<float>(out[0]), (Floats{1, 2, 9, 4, 5, 6}));
}

TEST(MovementLifts, ConstantByEveryAttribute) {
  EXPECT_EQ(values<int64_t>(run_op({.op = "Constant", .attributes = {{"value_ints", Ints{4, 5}}}})[0]), (Ints{4, 5}));
  EXPECT_EQ(values<float>(run_op({.op = "Constant", .attributes = {{"value_float", 2.5f}}})[0]), (Floats{2.5f}));
  EXPECT_EQ(values<std::string>(
                run_op({.op = "Constant", .attributes = {{"value_strings", std::vector<std::string>{"a", "b"}}}})[0]),
            (std::vector<std::string>{"a", "b"}));
  EXPECT_THROW(run_op({.op = "Constant"}), base::Error);
}

}  // namespace
}  // namespace onnxrun::ops
