// Older versions of pooling, normalisation and resampling operators; expected values are those of ONNX Runtime (resampling) and numpy.
#include <gmock/gmock.h>

#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Tensor;
using testing::FloatNear;
using testing::Pointwise;

void expect_floats(const Tensor& got, const base::Dims& dims, const std::vector<float>& want) {
  EXPECT_EQ(got.dims(), dims);
  EXPECT_THAT(values<float>(got), Pointwise(FloatNear(2e-5f), want));
}

const Tensor kImage = tensor<float>({1, 2, 3, 4, 5, 6, 7, 8}, {1, 1, 2, 4});

TEST(ResampleLifts, UpsampleIsResizeWithAsymmetricCoordinates) {
  const std::vector<float> doubled{1, 1, 2, 2, 3, 3, 4, 4, 1, 1, 2, 2, 3, 3, 4, 4,
                                   5, 5, 6, 6, 7, 7, 8, 8, 5, 5, 6, 6, 7, 7, 8, 8};
  expect_floats(run_op({.op = "Upsample",
                        .attributes = {{"height_scale", 2.0f}, {"width_scale", 2.0f}},
                        .inputs = {kImage},
                        .since = 1})[0],
                {1, 1, 4, 8}, doubled);
  expect_floats(run_op({.op = "Upsample",
                        .attributes = {{"scales", std::vector<float>{1, 1, 2, 2}}},
                        .inputs = {kImage},
                        .since = 7})[0],
                {1, 1, 4, 8}, doubled);
  for (bool constant : {true, false})
    expect_floats(run_op({.op = "Upsample",
                          .attributes = {{"mode", std::string("linear")}},
                          .inputs = {kImage, floats({1, 1, 2, 1.5f})},
                          .since = 9,
                          .constant = {false, constant}})[0],
                  {1, 1, 4, 6}, {1, 1.666667f, 2.333333f, 3, 3.666667f, 4, 3, 3.666667f, 4.333333f, 5, 5.666667f, 6,
                                 5, 5.666667f, 6.333333f, 7, 7.666667f, 8, 5, 5.666667f, 6.333333f, 7, 7.666667f, 8});
}

TEST(ResampleLifts, Resize10TakesTheCeilingWhereItShrinks) {
  const auto resized = [](std::vector<float> scales, const char* mode) {
    return run_op({.op = "Resize",
                   .attributes = {{"mode", std::string(mode)}},
                   .inputs = {kImage, floats(std::move(scales))},
                   .since = 10,
                   .constant = {false, true}})[0];
  };
  expect_floats(resized({1, 1, 0.6f, 0.6f}, "nearest"), {1, 1, 1, 2}, {1, 3});
  expect_floats(resized({1, 1, 2, 0.6f}, "nearest"), {1, 1, 4, 2}, {1, 3, 1, 3, 5, 7, 5, 7});
  expect_floats(resized({1, 1, 1.5f, 0.5f}, "linear"), {1, 1, 3, 2}, {1, 3, 3.666667f, 5.666667f, 5, 7});
}

TEST(ResampleLifts, Resize11KnowsHalfPixelForNearestAndEmptyInputs) {
  expect_floats(run_op({.op = "Resize",
                        .attributes = {{"coordinate_transformation_mode", std::string("tf_half_pixel_for_nn")},
                                       {"nearest_mode", std::string("floor")}},
                        .inputs = {kImage, floats({}), floats({1, 1, 1.5f, 1.5f})},
                        .since = 11,
                        .constant = {false, true, true}})[0],
                {1, 1, 3, 6}, {1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 5, 6, 6, 7, 8, 8});
  expect_floats(run_op({.op = "Resize",
                        .inputs = {kImage, floats({}), floats({}), int64s({1, 1, 1, 2})},
                        .since = 11,
                        .constant = {false, true, true, false}})[0],
                {1, 1, 1, 2}, {1, 3});
}

TEST(ResampleLifts, OlderRoiAlignAndGridSample) {
  expect_floats(
      run_op(
          {.op = "RoiAlign",
           .attributes = {{"output_height", int64_t{2}}, {"output_width", int64_t{2}}, {"sampling_ratio", int64_t{2}}},
           .inputs = {kImage, tensor<float>({0.4f, 0.2f, 2.6f, 1.7f, 0, 0, 1, 1}, {2, 4}), int64s({0, 0})},
           .since = 10})[0],
      {2, 1, 2, 2}, {4.25f, 5.35f, 5.95f, 7.05f, 2.25f, 2.75f, 4.25f, 4.75f});
  const Tensor grid = tensor<float>({-0.7f, 0.3f, 0.2f, -0.9f, 1.3f, 0.1f}, {1, 1, 3, 2});
  expect_floats(run_op({.op = "GridSample",
                        .attributes = {{"mode", std::string("bilinear")}, {"padding_mode", std::string("reflection")}},
                        .inputs = {kImage, grid},
                        .since = 16})[0],
                {1, 1, 1, 3}, {4.3f, 2.9f, 6.3f});
  expect_floats(run_op({.op = "GridSample",
                        .attributes = {{"mode", std::string("bicubic")},
                                       {"padding_mode", std::string("border")},
                                       {"align_corners", int64_t{1}}},
                        .inputs = {kImage, grid},
                        .since = 16})[0],
                {1, 1, 1, 3}, {4.028532f, 2.909245f, 6.326844f});
}

const Tensor kSamples = tensor<float>({1, 2, 3, 5, 4, 0, -1, 2}, {2, 2, 2});

TEST(NormalizationLifts, BatchNormalizationForInference) {
  const std::vector<float> want{1, 1.999999f, -2.0027e-05f, 1.99994f, 3.999996f, 1.19e-06f, -3.99994f, -1};
  const std::vector<Tensor> inputs{kSamples, floats({2, 0.5f}), floats({1, -1}), floats({1, 2}), floats({4, 0.25f})};
  expect_floats(
      run_op({.op = "BatchNormalization",
              .attributes = {{"consumed_inputs", std::vector<int64_t>{0, 0, 0, 1, 1}}, {"is_test", int64_t{1}}},
              .inputs = inputs,
              .since = 1})[0],
      {2, 2, 2}, want);
  for (int since : {6, 7, 9, 14, 15})
    expect_floats(run_op({.op = "BatchNormalization", .inputs = inputs, .since = since})[0], {2, 2, 2}, want);
}

TEST(NormalizationLifts, BatchNormalizationWithParametersForEachElement) {
  const auto matrix = [](std::vector<float> v) { return tensor<float>(std::move(v), {2, 2}); };
  expect_floats(run_op({.op = "BatchNormalization",
                        .attributes = {{"spatial", int64_t{0}}},
                        .inputs = {kSamples, matrix({1, 2, 3, 4}), matrix({0, 1, 2, 3}), matrix({1, 0, 1, 2}),
                                   matrix({1, 4, 9, 16})},
                        .since = 7})[0],
                {2, 2, 2}, {0, 2.9999976f, 3.9999988f, 5.999999f, 2.999985f, 1, 1.19e-06f, 3});
}

TEST(NormalizationLifts, BatchNormalizationForTrainingGivesBatchAndRunningStatistics) {
  const auto results =
      run_op({.op = "BatchNormalization",
              .inputs = {kSamples, floats({2, 0.5f}), floats({1, -1}), floats({1, 2}), floats({4, 0.25f})},
              .outputs = 5,
              .since = 9});
  expect_floats(results[0], {2, 2, 2},
                {-0.0141828f, 1.3380609f, -0.8267951f, -0.3649154f, 4.042548f, -1.3664265f, -1.7505546f, -1.057735f});
  expect_floats(results[1], {2}, {1.075f, 2.025f});
  expect_floats(results[2], {2}, {3.81875f, 0.69375f});
  expect_floats(results[3], {2}, {1.75f, 2.25f});
  expect_floats(results[4], {2}, {2.1875f, 4.6875f});
}

TEST(NormalizationLifts, GroupNormalization18HasParametersForEachGroup) {
  expect_floats(
      run_op({.op = "GroupNormalization",
              .attributes = {{"num_groups", int64_t{2}}},
              .inputs = {tensor<float>({1, 2, 3, 5, 4, 0, -1, 2}, {1, 4, 2}), floats({2, 3}), floats({0.5f, -0.5f})},
              .since = 18})[0],
      {1, 4, 2}, {-1.8664265f, -0.5141828f, 0.8380609f, 3.5425484f, 3.7962284f, -2.452831f, -4.0150957f, 0.6716986f});
}

TEST(PoolLifts, LpPoolsOfVersion1HaveAFloatP) {
  expect_floats(run_op({.op = "LpPool",
                        .attributes = {{"p", 1.0f},
                                       {"kernel_shape", std::vector<int64_t>{2, 2}},
                                       {"strides", std::vector<int64_t>{2, 2}}},
                        .inputs = {kImage},
                        .since = 1})[0],
                {1, 1, 1, 2}, {14, 22});
  expect_floats(run_op({.op = "GlobalLpPool", .attributes = {{"p", 1.0f}}, .inputs = {kImage}, .since = 1})[0],
                {1, 1, 1, 1}, {36});
  EXPECT_THROW(run_op({.op = "GlobalLpPool", .attributes = {{"p", 1.5f}}, .inputs = {kImage}, .since = 1}),
               base::Error);
}

TEST(ProductLifts, Gemm6SaysThatCBroadcasts) {
  expect_floats(
      run_op({.op = "Gemm",
              .attributes = {{"broadcast", int64_t{1}}, {"transB", int64_t{1}}},
              .inputs = {tensor<float>({1, 2}, {1, 2}), tensor<float>({3, 4, 5, 6}, {2, 2}), floats({10, 20})},
              .since = 6})[0],
      {1, 2}, {21, 37});
}

}  // namespace
}  // namespace onnxrun::ops
