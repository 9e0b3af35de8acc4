// Products of operands rounded to bfloat16 against the plain ones of the rounded operands in double.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/floats.h"
#include "cpu/loops/panels.h"
#include "cpu/loops/thin_product.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

using base::Bfloat16;

class Bfloat16Products : public testing::Test {
 protected:
  void SetUp() override {
    if (!multiplies_pairs()) GTEST_SKIP() << "this machine does not multiply bfloat16";
  }
};

Tensor as_bfloat16(const Tensor& from) {
  Tensor to(DType::kBfloat16, from.dims());
  for (int64_t i = 0; i < from.count(); ++i) to.mutable_data<Bfloat16>()[i] = Bfloat16(from.data<float>()[i]);
  return to;
}

TEST_F(Bfloat16Products, AreThoseOfRoundedOperands) {
  const struct {
    Dims a, b, y;
  } cases[] = {{{1, 70}, {70, 130}, {1, 130}},
               {{13, 701}, {701, 65}, {13, 65}},
               {{2, 3, 7, 9}, {9, 64}, {2, 3, 7, 64}},
               {{3, 1, 5, 6}, {2, 6, 3}, {3, 2, 5, 3}},
               {{7}, {7, 3}, {3}},
               {{5, 6}, {6}, {5}},
               {{2, 0}, {0, 3}, {2, 3}},
               {{0, 4}, {4, 3}, {0, 3}},
               {{300, 501}, {501, 200}, {300, 200}},
               {{2, 3, 6001}, {2, 6001, 1430}, {2, 3, 1430}}};
  for (const auto& c : cases) {
    const Tensor a = random(c.a, 1), b = random(c.b, 2);
    // Rows that are multiplied with one matrix.
    const bool one_b = c.b.size() <= 2;
    const int64_t rows = c.a.size() == 1 ? 1 : one_b ? a.count() / std::max<int64_t>(1, c.a.back()) : *(c.a.end() - 2);
    for (const bool constants : {true, false}) {
      const bool rounds = constants || rows > kThinRows;
      const Tensor want = run_kernel({.op = "MatMul",
                                      .inputs = {rounds ? rounded(a) : a, rounds ? rounded(b) : b},
                                      .outputs = {{DType::kFloat32, c.y}},
                                      .kernel = "reference"})[0];
      expect_close(run_kernel({.op = "MatMul",
                               .inputs = {a, b},
                               .outputs = {{DType::kFloat32, c.y}},
                               .kernel = "bfloat16",
                               .constants = constants,
                               .precision = ONNXRUN_PRECISION_MEDIUM})[0],
                   want, c.a.back(), base::to_string(c.a) + " by " + base::to_string(c.b));
    }
  }
}

TEST_F(Bfloat16Products, GemmScalesTransposesAndAdds) {
  for (int64_t ta : {0, 1})
    for (int64_t tb : {0, 1}) {
      const Tensor a = random(ta ? Dims{41, 11} : Dims{11, 41}, 1), b = random(tb ? Dims{70, 41} : Dims{41, 70}, 2),
                   c = random({1, 70}, 3);
      KernelCall call{.op = "Gemm",
                      .inputs = {rounded(a), rounded(b), c},
                      .outputs = {{DType::kFloat32, {11, 70}}},
                      .attributes = {{"transA", ta}, {"transB", tb}, {"alpha", 0.5f}, {"beta", -2.0f}},
                      .kernel = "reference"};
      const Tensor want = run_kernel(call)[0];
      call.inputs = {a, b, c};
      call.kernel = "bfloat16";
      call.precision = ONNXRUN_PRECISION_MEDIUM;
      for (const bool constants : {true, false}) {
        call.constants = constants;
        expect_close(run_kernel(call)[0], want, 41, "transA " + std::to_string(ta) + ", transB " + std::to_string(tb));
      }
    }
}

TEST_F(Bfloat16Products, AreOnlyTakenWhereAllowedOrExact) {
  KernelCall call{.op = "MatMul",
                  .inputs = {random({3, 8}, 1), random({8, 5}, 2)},
                  .outputs = {{DType::kFloat32, {3, 5}}},
                  .kernel = "bfloat16"};
  for (const int precision : {ONNXRUN_PRECISION_HIGHEST, ONNXRUN_PRECISION_HIGH}) {
    call.precision = precision;
    try {
      run_kernel(call);
      ADD_FAILURE() << "precision " << precision;
    } catch (const base::Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("float32_matmul_precision"));
    }
  }
  const Tensor a = random({3, 9}, 1), b = random({9, 5}, 2);
  const Tensor want = run_kernel({.op = "MatMul",
                                  .inputs = {rounded(a), rounded(b)},
                                  .outputs = {{DType::kFloat32, {3, 5}}},
                                  .kernel = "reference"})[0];
  const Tensor got = run_kernel({.op = "MatMul",
                                 .inputs = {as_bfloat16(a), as_bfloat16(b)},
                                 .outputs = {{DType::kBfloat16, {3, 5}}},
                                 .kernel = "bfloat16"})[0];
  for (int64_t i = 0; i < want.count(); ++i)
    EXPECT_NEAR(static_cast<float>(got.data<Bfloat16>()[i]), want.data<float>()[i],
                0x1p-8f * std::abs(want.data<float>()[i]) + 1e-6f);
}

TEST_F(Bfloat16Products, KeepInfinityAndNan) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const auto product = [](float a, float b) {
    return run_kernel({.op = "MatMul",
                       .inputs = {Tensor::vector<float>({a, 1}), Tensor::vector<float>({b, 2})},
                       .outputs = {{DType::kFloat32, {}}},
                       .kernel = "bfloat16",
                       .precision = ONNXRUN_PRECISION_MEDIUM})[0]
        .data<float>()[0];
  };
  EXPECT_EQ(product(inf, 1), inf);
  EXPECT_EQ(product(-inf, 1), -inf);
  EXPECT_TRUE(std::isnan(product(inf, 0)));
  EXPECT_TRUE(std::isnan(product(nan, 1)));
  EXPECT_EQ(product(3, 0.5f), 3.5f);
}

}  // namespace
}  // namespace onnxrun::cpu
