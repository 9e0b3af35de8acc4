// MatMul and Gemm of float64 on panels against the plain loops.
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

Tensor waves(const Dims& dims, double step) {
  Tensor tensor(DType::kFloat64, dims);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<double>()[i] = std::sin(step * static_cast<double>(i + 1));
  return tensor;
}

void expect_equal_products(KernelCall call) {
  for (const bool constants : {true, false}) {
    call.constants = constants;
    call.kernel = "double panels";
    const auto got = run_kernel(call);
    call.kernel = "reference";
    const auto want = run_kernel(call);
    for (int64_t i = 0; i < want[0].count(); ++i)
      ASSERT_NEAR(got[0].data<double>()[i], want[0].data<double>()[i], 1e-13) << call.op << " at " << i;
  }
}

TEST(DoublePanels, MatMul) {
  for (const auto& [a, b, y] : std::vector<std::tuple<Dims, Dims, Dims>>{{{7, 33}, {33, 70}, {7, 70}},
                                                                         {{33}, {33, 5}, {5}},
                                                                         {{5, 33}, {33}, {5}},
                                                                         {{2, 3, 13, 20}, {3, 20, 65}, {2, 3, 13, 65}},
                                                                         {{3, 4, 9}, {9, 130}, {3, 4, 130}},
                                                                         {{3, 0}, {0, 4}, {3, 4}}})
    expect_equal_products(
        {.op = "MatMul", .inputs = {waves(a, 0.7), waves(b, 1.3)}, .outputs = {{DType::kFloat64, y}}});
}

TEST(DoublePanels, Gemm) {
  for (const int64_t ta : {0, 1})
    for (const int64_t tb : {0, 1})
      for (const Dims& c : {Dims{13, 70}, Dims{70}, Dims{13, 1}, Dims{1}})
        expect_equal_products({.op = "Gemm",
                               .inputs = {waves(ta ? Dims{21, 13} : Dims{13, 21}, 0.7),
                                          waves(tb ? Dims{70, 21} : Dims{21, 70}, 1.3), waves(c, 0.4)},
                               .outputs = {{DType::kFloat64, {13, 70}}},
                               .attributes = {{"transA", ta}, {"transB", tb}, {"alpha", 0.5f}, {"beta", 3.0f}}});
}

}  // namespace
}  // namespace onnxrun::cpu
