// Movement operators with sizes, axes and counts that no output can have: each is refused, whether known beforehand or fed.
#include <gtest/gtest.h>

#include <limits>

#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Tensor;

constexpr int64_t kHuge = int64_t{1} << 62;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Tensor ones(base::Dims dims) {
  Tensor result(base::DType::kFloat32, std::move(dims));
  std::fill_n(result.mutable_data<float>(), result.count(), 1.0f);
  return result;
}
Tensor number(int64_t value) { return Tensor::scalar<int64_t>(value); }

void expect_refusal(OpCase test) {
  for (const bool constant : {false, true}) {
    test.constant.assign(test.inputs.size(), constant);
    EXPECT_THROW(run_op(test), base::Error) << test.op << (constant ? " of constants" : " of fed values");
  }
}

TEST(MovementHostile, Sizes) {
  expect_refusal({.op = "ConstantOfShape", .inputs = {int64s({int64_t{1} << 40})}});
  expect_refusal({.op = "ConstantOfShape", .inputs = {int64s({int64_t{1} << 40, int64_t{1} << 40})}});
  expect_refusal({.op = "ConstantOfShape", .inputs = {int64s({-5})}});
  expect_refusal({.op = "Tile", .inputs = {ones({2, 2}), int64s({kHuge, 2})}});
  expect_refusal({.op = "Tile", .inputs = {ones({2}), int64s({-1})}});
  expect_refusal({.op = "Expand", .inputs = {ones({1, 1}), int64s({int64_t{1} << 33, int64_t{1} << 33})}});
  expect_refusal({.op = "Expand", .inputs = {ones({1}), int64s({int64_t{1} << 45})}});
  expect_refusal({.op = "CenterCropPad", .inputs = {ones({2}), int64s({kHuge})}});
  expect_refusal({.op = "CenterCropPad", .inputs = {ones({2}), int64s({-kHuge})}});
  expect_refusal({.op = "TopK", .inputs = {ones({3}), int64s({kHuge})}, .outputs = 2});
  expect_refusal({.op = "TopK", .inputs = {ones({3}), int64s({-1})}, .outputs = 2});
  expect_refusal({.op = "OneHot", .inputs = {int64s({1}), number(kHuge), ones({2})}});
  expect_refusal({.op = "OneHot", .inputs = {int64s({1}), Tensor::scalar(kInfinity), ones({2})}});
}

TEST(MovementHostile, Ranges) {
  expect_refusal({.op = "Range", .inputs = {number(0), number(kHuge), number(1)}});
  expect_refusal({.op = "Range", .inputs = {number(INT64_MIN), number(INT64_MAX), number(1)}});
  expect_refusal({.op = "Range", .inputs = {Tensor::scalar(0.0f), Tensor::scalar(kInfinity), Tensor::scalar(1.0f)}});
  expect_refusal({.op = "Range", .inputs = {Tensor::scalar(0.0f), Tensor::scalar(3.0f), Tensor::scalar(0.0f)}});
}

TEST(MovementHostile, Pads) {
  for (const auto& [before, after] :
       {std::pair{kHuge, kHuge}, {-kHuge, -kHuge}, {-kHuge, kHuge + 2}, {INT64_MAX, int64_t{1}}})
    expect_refusal({.op = "Pad", .inputs = {ones({2}), int64s({before, after})}});
  expect_refusal({.op = "Pad", .inputs = {ones({2}), int64s({1})}});
  for (const char* mode : {"reflect", "edge", "wrap"})
    expect_refusal({.op = "Pad", .attributes = {{"mode", std::string(mode)}}, .inputs = {ones({0}), int64s({1, 1})}});
}

TEST(MovementHostile, Shapes) {
  expect_refusal({.op = "Reshape", .inputs = {ones({4}), int64s({-2})}});
  expect_refusal({.op = "Reshape", .inputs = {ones({4}), int64s({5})}});
  expect_refusal({.op = "Reshape", .inputs = {ones({4}), int64s({kHuge, kHuge})}});
  expect_refusal({.op = "Reshape", .inputs = {ones({1}), int64s(std::vector<int64_t>(1000, 1))}});
  expect_refusal({.op = "Squeeze", .inputs = {ones({2}), int64s({0})}});
  expect_refusal({.op = "Unsqueeze", .inputs = {ones({1}), int64s({kHuge})}});
  expect_refusal({.op = "Split", .inputs = {ones({4}), int64s({kHuge, kHuge})}, .outputs = 2});
  expect_refusal({.op = "Split", .inputs = {ones({4}), int64s({-1, 5})}, .outputs = 2});
  expect_refusal(
      {.op = "Split", .attributes = {{"num_outputs", int64_t{1} << 40}}, .inputs = {ones({4})}, .outputs = 2});
  expect_refusal({.op = "Slice", .inputs = {ones({3}), int64s({0}), int64s({3}), int64s({0}), int64s({0})}});
  expect_refusal({.op = "Slice", .inputs = {ones({3}), int64s({0}), int64s({3}), int64s({9})}});
  expect_refusal({.op = "DepthToSpace", .attributes = {{"blocksize", int64_t{0}}}, .inputs = {ones({1, 4, 2, 2})}});
  expect_refusal(
      {.op = "DepthToSpace", .attributes = {{"blocksize", int64_t{1} << 32}}, .inputs = {ones({1, 4, 2, 2})}});
  expect_refusal({.op = "GatherND",
                  .attributes = {{"batch_dims", kHuge}},
                  .inputs = {ones({2, 2}), tensor<int64_t>({0}, {1, 1})}});
}

TEST(MovementHostile, FarValuesThatAreDefined) {
  EXPECT_EQ(values<float>(run_op({.op = "Trilu", .inputs = {ones({1, 2}), number(INT64_MIN)}})[0]),
            (std::vector<float>{1, 1}));
  EXPECT_EQ(values<float>(run_op({.op = "Trilu", .inputs = {ones({1, 2}), number(INT64_MAX)}})[0]),
            (std::vector<float>{0, 0}));
  EXPECT_EQ(values<float>(run_op({.op = "EyeLike", .attributes = {{"k", INT64_MIN}}, .inputs = {ones({1, 2})}})[0]),
            (std::vector<float>{0, 0}));
  EXPECT_EQ(run_op({.op = "Range", .inputs = {number(INT64_MIN), number(INT64_MAX), number(INT64_MIN)}})[0].count(), 0);
  EXPECT_EQ(values<float>(run_op({.op = "TensorScatter",
                                  .attributes = {{"mode", std::string("circular")}},
                                  .inputs = {ones({1, 2, 1}), tensor<float>({5}, {1, 1, 1}), int64s({-1})}})[0]),
            (std::vector<float>{1, 5}));
}

}  // namespace
}  // namespace onnxrun::ops
