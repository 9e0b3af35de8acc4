// Movement and indexing operators on what the official suite leaves out: strings, packed types, empty tensors, indices out of range.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;

const float kNan = std::numeric_limits<float>::quiet_NaN();

Tensor matrix() { return tensor<float>({1, 2, 3, 4, 5, 6}, {2, 3}); }
Tensor names() { return tensor<std::string>({"a", "b", "c", "d", "e", "f"}, {2, 3}); }

// [[1,2,3],[4,5,6]] as int4.
Tensor nibbles() {
  Tensor result(DType::kInt4, {2, 3});
  const uint8_t bytes[] = {0x21, 0x43, 0x65};
  std::copy(std::begin(bytes), std::end(bytes), static_cast<uint8_t*>(result.mutable_raw()));
  return result;
}
std::vector<int> bytes(const Tensor& tensor) {
  const auto* data = static_cast<const uint8_t*>(tensor.raw());
  return {data, data + tensor.bytes()};
}

// The run fails, and says `text`.
void expect_failure(const OpCase& test, const std::string& text) {
  try {
    run_op(test);
    ADD_FAILURE() << "ran";
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

TEST(MovementEdges, Strings) {
  EXPECT_EQ(values<std::string>(run_op({.op = "Transpose", .inputs = {names()}})[0]),
            (Strings{"a", "d", "b", "e", "c", "f"}));
  EXPECT_EQ(values<std::string>(
                run_op({.op = "Gather", .attributes = {{"axis", int64_t{1}}}, .inputs = {names(), int64s({-1})}})[0]),
            (Strings{"c", "f"}));
  EXPECT_EQ(values<std::string>(run_op({.op = "Pad", .inputs = {tensor<std::string>({"x"}, {1}), int64s({1, 1})}})[0]),
            (Strings{"", "x", ""}));
  EXPECT_EQ(values<std::string>(run_op({.op = "Reshape", .inputs = {names(), int64s({3, 2})}})[0]),
            values<std::string>(names()));
  EXPECT_EQ(values<std::string>(run_op({.op = "Unique", .inputs = {tensor<std::string>({"b", "a", "b"}, {3})}})[0]),
            (Strings{"a", "b"}));
  EXPECT_EQ(values<std::string>(
                run_op({.op = "Concat", .attributes = {{"axis", int64_t{1}}}, .inputs = {names(), names()}})[0])[3],
            "a");
}

TEST(MovementEdges, PackedTypes) {
  EXPECT_EQ(bytes(run_op({.op = "Transpose", .inputs = {nibbles()}})[0]), (std::vector<int>{0x41, 0x52, 0x63}));
  EXPECT_EQ(bytes(run_op({.op = "Slice", .inputs = {nibbles(), int64s({1}), int64s({3}), int64s({1})}})[0]),
            (std::vector<int>{0x32, 0x65}));
  EXPECT_EQ(bytes(run_op({.op = "Gather", .inputs = {nibbles(), int64s({1})}})[0]), (std::vector<int>{0x54, 0x06}));
  EXPECT_EQ(bytes(run_op({.op = "Reshape", .inputs = {nibbles(), int64s({6})}})[0]), bytes(nibbles()));
  EXPECT_EQ(bytes(run_op({.op = "Concat", .attributes = {{"axis", int64_t{0}}}, .inputs = {nibbles(), nibbles()}})[0]),
            (std::vector<int>{0x21, 0x43, 0x65, 0x21, 0x43, 0x65}));
  EXPECT_EQ(bytes(run_op({.op = "Pad", .inputs = {nibbles(), int64s({0, 0, 0, 1})}})[0]),
            (std::vector<int>{0x21, 0x03, 0x54, 0x06}));
  Tensor three(DType::kInt4, {1});
  *static_cast<uint8_t*>(three.mutable_raw()) = 3;
  EXPECT_EQ(bytes(run_op({.op = "ConstantOfShape", .attributes = {{"value", three}}, .inputs = {int64s({11})}})[0]),
            (std::vector<int>{0x33, 0x33, 0x33, 0x33, 0x33, 0x03}));
}

TEST(MovementEdges, EmptyTensors) {
  const Tensor none = tensor<float>({}, {0, 3});
  EXPECT_EQ(run_op({.op = "Transpose", .inputs = {none}})[0].dims(), (Dims{3, 0}));
  EXPECT_EQ(run_op({.op = "Reshape", .inputs = {none, int64s({0, -1})}})[0].dims(), (Dims{0, 3}));
  EXPECT_EQ(
      values<float>(run_op({.op = "Concat", .attributes = {{"axis", int64_t{0}}}, .inputs = {none, matrix()}})[0]),
      values<float>(matrix()));
  EXPECT_EQ(run_op({.op = "Gather", .inputs = {matrix(), int64s({})}})[0].dims(), (Dims{0, 3}));
  EXPECT_EQ(run_op({.op = "NonZero", .inputs = {none}})[0].dims(), (Dims{2, 0}));
  EXPECT_EQ(run_op({.op = "Unique", .inputs = {none}, .outputs = 4})[2].dims(), (Dims{0}));
  EXPECT_EQ(run_op({.op = "TopK", .inputs = {matrix(), int64s({0})}, .outputs = 2})[1].dims(), (Dims{2, 0}));
  EXPECT_EQ(run_op({.op = "CumSum", .inputs = {none, Tensor::scalar<int64_t>(1)}})[0].dims(), (Dims{0, 3}));
  EXPECT_EQ(run_op({.op = "Tile", .inputs = {matrix(), int64s({0, 2})}})[0].dims(), (Dims{0, 6}));
  EXPECT_EQ(values<float>(run_op({.op = "Pad", .inputs = {none, int64s({1, 0, 0, 0}), Tensor::scalar<float>(7)}})[0]),
            (Floats{7, 7, 7}));
}

TEST(MovementEdges, IndicesOutOfRange) {
  for (int64_t index : {int64_t{2}, int64_t{-3}, INT64_MAX, INT64_MIN}) {
    const std::string text = "index " + std::to_string(index) + " is out of range for axis 0";
    expect_failure({.op = "Gather", .inputs = {matrix(), int64s({index})}}, text);
    expect_failure({.op = "GatherElements", .inputs = {matrix(), tensor<int64_t>({index}, {1, 1})}}, text);
    expect_failure({.op = "GatherND", .inputs = {matrix(), int64s({index})}}, text);
    expect_failure(
        {.op = "ScatterElements", .inputs = {matrix(), tensor<int64_t>({index}, {1, 1}), tensor<float>({0}, {1, 1})}},
        text);
    expect_failure({.op = "ScatterND", .inputs = {matrix(), int64s({index}), floats({0, 0, 0})}}, text);
  }
  expect_failure({.op = "GatherND", .inputs = {tensor<float>({}, {0, 3}), int64s({0})}},
                 "axis 0, which has no elements");
  expect_failure({.op = "Compress", .inputs = {floats({1}), tensor<bool>({false, true}, {2})}},
                 "'condition' is true at 1");
  expect_failure({.op = "ReverseSequence", .inputs = {matrix(), int64s({1, 3, 1})}}, "sequence 1 has length 3");
  expect_failure({.op = "TensorScatter",
                  .inputs = {tensor<float>({1, 2, 3, 4}, {1, 2, 2}), tensor<float>({5, 6}, {1, 1, 2}), int64s({2})}},
                 "written at 2");
  expect_failure({.op = "TopK", .inputs = {matrix(), int64s({4})}, .outputs = 2}, "'K' is 4");
  expect_failure(
      {.op = "Range", .inputs = {Tensor::scalar<int64_t>(0), Tensor::scalar<int64_t>(5), Tensor::scalar<int64_t>(0)}},
      "'delta'");
  expect_failure({.op = "OneHot", .inputs = {int64s({0}), int64s({-1}), floats({0, 1})}}, "'depth'");
}

TEST(MovementEdges, SlicesLikeNumpy) {
  const Tensor line = floats({0, 1, 2, 3, 4});
  const auto slice = [&](int64_t start, int64_t end, int64_t step) {
    return values<float>(
        run_op({.op = "Slice", .inputs = {line, int64s({start}), int64s({end}), int64s({0}), int64s({step})}})[0]);
  };
  EXPECT_EQ(slice(INT64_MAX, INT64_MIN, -1), (Floats{4, 3, 2, 1, 0}));
  EXPECT_EQ(slice(-2, -10, -2), (Floats{3, 1}));
  EXPECT_EQ(slice(1, 4, INT64_MAX), (Floats{1}));
  EXPECT_EQ(slice(3, 0, INT64_MIN), (Floats{3}));
  EXPECT_EQ(slice(4, 2, 1), (Floats{}));
  EXPECT_EQ(slice(-100, 2, 1), (Floats{0, 1}));
  EXPECT_EQ(slice(2, 2, -1), (Floats{}));
}

TEST(MovementEdges, PadsInEveryMode) {
  const auto pad = [](const std::string& mode, int64_t before, int64_t after) {
    return values<float>(run_op(
        {.op = "Pad", .attributes = {{"mode", mode}}, .inputs = {floats({1, 2, 3}), int64s({before, after})}})[0]);
  };
  EXPECT_EQ(pad("reflect", 5, 1), (Floats{2, 1, 2, 3, 2, 1, 2, 3, 2}));
  EXPECT_EQ(pad("wrap", 4, 2), (Floats{3, 1, 2, 3, 1, 2, 3, 1, 2}));
  EXPECT_EQ(pad("edge", 2, -2), (Floats{1, 1, 1}));
  EXPECT_EQ(pad("constant", -1, 1), (Floats{2, 3, 0}));
  EXPECT_EQ(pad("reflect", -1, 2), (Floats{2, 3, 2, 3}));
  const Tensor image = tensor<float>({1, 2, 3, 4}, {1, 2, 2});
  EXPECT_EQ(values<float>(run_op({.op = "Pad",
                                  .attributes = {{"mode", std::string("edge")}},
                                  .inputs = {image, int64s({1, 0}), {}, int64s({-2})}})[0]),
            (Floats{1, 2, 1, 2, 3, 4}));
}

TEST(MovementEdges, TopKOrdersNansAndTies) {
  const Tensor line = floats({1, kNan, 3, 3, -0.0f, 0});
  auto out = run_op({.op = "TopK", .inputs = {line, int64s({3})}, .outputs = 2});
  EXPECT_EQ(values<int64_t>(out[1]), (Ints{1, 2, 3}));
  out = run_op({.op = "TopK", .attributes = {{"largest", int64_t{0}}}, .inputs = {line, int64s({3})}, .outputs = 2});
  EXPECT_EQ(values<int64_t>(out[1]), (Ints{4, 5, 0}));
  const Tensor wide = tensor<uint64_t>({1, UINT64_MAX, 5}, {3});
  EXPECT_EQ(values<int64_t>(run_op({.op = "TopK", .inputs = {wide, int64s({2})}, .outputs = 2})[1]), (Ints{1, 2}));
}

TEST(MovementEdges, UniqueCountsEqualNumbersOnce) {
  const auto out = run_op({.op = "Unique",
                           .attributes = {{"sorted", int64_t{0}}},
                           .inputs = {floats({2, -0.0f, kNan, 0, kNan, 2})},
                           .outputs = 4});
  EXPECT_EQ(values<int64_t>(out[1]), (Ints{0, 1, 2}));
  EXPECT_EQ(values<int64_t>(out[2]), (Ints{0, 1, 2, 1, 2, 0}));
  EXPECT_EQ(values<int64_t>(out[3]), (Ints{2, 2, 2}));
}

TEST(MovementEdges, ScatterReductionsOfEveryKind) {
  const auto scatter = [](const std::string& reduction, Tensor data, Tensor updates) {
    return run_op({.op = "ScatterND",
                   .attributes = {{"reduction", reduction}},
                   .inputs = {data, tensor<int64_t>({0, 0}, {2, 1}), updates}})[0];
  };
  EXPECT_EQ(values<uint8_t>(scatter("add", tensor<uint8_t>({250, 1}, {2}), tensor<uint8_t>({5, 3}, {2}))),
            (std::vector<uint8_t>{2, 1}));
  EXPECT_EQ(values<int32_t>(scatter("mul", tensor<int32_t>({INT32_MAX, 1}, {2}), tensor<int32_t>({2, 3}, {2}))),
            (std::vector<int32_t>{-6, 1}));
  EXPECT_TRUE(std::isnan(values<float>(scatter("max", floats({1, 2}), floats({kNan, 9})))[0]));
  EXPECT_EQ(values<float>(scatter("min", floats({1, 2}), floats({-3, -2})))[0], -3);
  EXPECT_THROW(scatter("median", floats({1, 2}), floats({-3, -2})), base::Error);
}

TEST(MovementEdges, RangesOfNarrowTypes) {
  using base::Float16;
  const auto out = run_op(
      {.op = "Range",
       .inputs = {Tensor::scalar(Float16(1.0f)), Tensor::scalar(Float16(2.0f)), Tensor::scalar(Float16(0.25f))}});
  EXPECT_EQ(out[0].dims(), (Dims{4}));
  EXPECT_EQ(static_cast<float>(values<Float16>(out[0])[3]), 1.75f);
  EXPECT_EQ(values<int16_t>(run_op(
                {.op = "Range",
                 .inputs = {Tensor::scalar<int16_t>(3), Tensor::scalar<int16_t>(-4), Tensor::scalar<int16_t>(-3)}})[0]),
            (std::vector<int16_t>{3, 0, -3}));
}

TEST(MovementEdges, OneHotOfFloatsAndNegativeIndices) {
  const auto out = run_op({.op = "OneHot",
                           .attributes = {{"axis", int64_t{0}}},
                           .inputs = {floats({-1, 0.9f, 7, kNan}), Tensor::scalar<float>(2), floats({5, 8})}});
  EXPECT_EQ(out[0].dims(), (Dims{2, 4}));
  EXPECT_EQ(values<float>(out[0]), (Floats{5, 8, 5, 5, 8, 5, 5, 5}));
}

TEST(MovementEdges, NonZeroIgnoresTheSignOfZero) {
  EXPECT_EQ(values<int64_t>(run_op({.op = "NonZero", .inputs = {tensor<float>({-0.0f, kNan, 0, 2}, {2, 2})}})[0]),
            (Ints{0, 1, 1, 1}));
  EXPECT_EQ(run_op({.op = "NonZero", .inputs = {Tensor::scalar<float>(3)}})[0].dims(), (Dims{0, 1}));
}

}  // namespace
}  // namespace onnxrun::ops
