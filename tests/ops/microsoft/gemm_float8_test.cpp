// com.microsoft.GemmFloat8: results whose numbers float8 holds, and inputs and attributes that do not fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/floats.h"
#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

Tensor float8(const std::vector<float>& values, Dims dims, DType type = DType::kFloat8E4M3FN) {
  Tensor result(type, std::move(dims));
  auto* to = static_cast<uint8_t*>(result.mutable_raw());
  for (const float value : values) *to++ = base::encode_minifloat(type, value);
  return result;
}
std::vector<float> decoded(const Tensor& tensor) {
  std::vector<float> result;
  const auto* codes = static_cast<const uint8_t*>(tensor.raw());
  for (int64_t i = 0; i < tensor.count(); ++i) result.push_back(base::decode_minifloat(tensor.dtype(), codes[i]));
  return result;
}
Tensor scalar(float value) { return tensor<float>({value}, {}); }

// [1 2; 3 4] times [1 0 2; 0 1 1], as [2, 3] or turned.
OpCase product(ir::Attributes attributes = {}) {
  OpCase test{.op = "GemmFloat8", .domain = "com.microsoft", .attributes = std::move(attributes)};
  test.inputs = {float8({1, 2, 3, 4}, {2, 2}), float8({1, 0, 2, 0, 1, 1}, {2, 3}, DType::kFloat8E5M2)};
  return test;
}

TEST(GemmFloat8, Multiplies) { EXPECT_THAT(values<float>(run_op(product())[0]), ElementsAre(1, 2, 4, 3, 4, 10)); }

TEST(GemmFloat8, TurnsBothOperands) {
  OpCase test = product({{"transA", int64_t{1}}, {"transB", int64_t{1}}});
  test.inputs = {float8({1, 3, 2, 4}, {2, 2}), float8({1, 0, 0, 1, 2, 1}, {3, 2})};
  EXPECT_THAT(values<float>(run_op(test)[0]), ElementsAre(1, 2, 4, 3, 4, 10));
}

TEST(GemmFloat8, ScalesAddsAndSaturates) {
  OpCase test =
      product({{"alpha", 2.0f}, {"beta", -1.0f}, {"activation", std::string("RELU")}, {"dtype", int64_t{17}}});
  test.inputs.insert(test.inputs.end(), {floats({1, 20, 3}), scalar(0.5f), floats({3}), scalar(16)});
  // 3 * [1 2 4; 3 4 10] - [1 20 3], times 16, of which 448 is the largest.
  EXPECT_THAT(decoded(run_op(test)[0]), ElementsAre(32, 0, 144, 128, 0, 448));
}

TEST(GemmFloat8, LeavesCOutByDefault) {
  OpCase test = product();
  test.inputs.push_back(scalar(std::numeric_limits<float>::quiet_NaN()));
  EXPECT_THAT(values<float>(run_op(test)[0]), ElementsAre(1, 2, 4, 3, 4, 10));
}

TEST(GemmFloat8, TakesAScaleForEachColumnAndAStack) {
  OpCase test = product({{"alpha", 0.5f}});
  test.inputs[0] = float8({1, 2, 3, 4}, {2, 1, 2});
  test.inputs.insert(test.inputs.end(), {Tensor(), Tensor(), floats({2, 4, 6})});
  const auto results = run_op(test);
  EXPECT_EQ(results[0].dims(), (Dims{2, 1, 3}));
  EXPECT_THAT(values<float>(results[0]), ElementsAre(1, 4, 12, 3, 8, 30));
}

TEST(GemmFloat8, SumsUpNothing) {
  OpCase test = product({{"beta", 1.0f}});
  test.inputs = {float8({}, {2, 0}), float8({}, {0, 1}), scalar(3)};
  EXPECT_THAT(values<float>(run_op(test)[0]), ElementsAre(3, 3));
  test.inputs = {float8({}, {0, 2}), float8({1, 1}, {2, 1})};
  EXPECT_EQ(run_op(test)[0].dims(), (Dims{0, 1}));
}

TEST(GemmFloat8, RefusesWhatDoesNotFit) {
  expect_refused(product({{"transA", int64_t{1}}, {"transB", int64_t{1}}}), "2 columns against 3 rows");
  expect_refused(product({{"dtype", int64_t{11}}}), "attribute 'dtype' is 11");
  expect_refused(product({{"dtype", int64_t{-1}}}), "attribute 'dtype' is -1");
  expect_refused(product({{"dtype", int64_t{257}}}), "attribute 'dtype' is 257");
  expect_refused(product({{"activation", std::string("Relu")}}), "'Relu', expected NONE, RELU or GELU");
  OpCase test = product();
  test.inputs[0] = float8({1, 2}, {2});
  expect_refused(test, "expected a matrix or a stack of them");
  test = product({{"transA", int64_t{1}}});
  test.inputs[0] = float8({1, 2}, {1, 1, 2});
  expect_refused(test, "expected a matrix");
  test = product();
  test.inputs[1] = float8({1, 2}, {1, 2, 1});
  expect_refused(test, "input 'B' has the shape [1,2,1]");
  test = product();
  test.inputs.insert(test.inputs.end(), {Tensor(), floats({1, 2})});
  expect_refused(test, "'scaleA'");
  test = product();
  test.inputs.insert(test.inputs.end(), {Tensor(), Tensor(), floats({1, 2})});
  expect_refused(test, "'scaleB' has the shape [2]");
  test = product();
  test.inputs.push_back(floats({1, 2}));
  expect_refused(test, "'C'");
}

}  // namespace
}  // namespace onnxrun::ops
