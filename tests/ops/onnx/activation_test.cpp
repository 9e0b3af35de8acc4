// The decompositions of activations, SwiGLU, Clip and comparisons give what their kernels give.
#include <gtest/gtest.h>

#include <cmath>

#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::DType;
using base::Tensor;

Tensor sample(float scale) {
  std::vector<float> values;
  for (int i = -40; i <= 40; ++i) values.push_back(scale * static_cast<float>(i));
  return floats(values);
}

Tensor in_type(const Tensor& x, DType type) {
  return run_op({.op = "Cast", .attributes = {{"to", static_cast<int64_t>(type)}}, .inputs = {x}})[0];
}

struct Case {
  std::string op;
  ir::Attributes attributes = {};
  size_t inputs = 1;
};

class Decomposition : public testing::TestWithParam<int> {};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"Relu"},
      {"LeakyRelu", {{"alpha", 0.3f}}},
      {"PRelu", {}, 2},
      {"Elu", {{"alpha", 2.0f}}},
      {"Celu", {{"alpha", 2.0f}}},
      {"Selu"},
      {"HardSigmoid", {{"alpha", 0.4f}}},
      {"HardSwish"},
      {"Softplus"},
      {"Softsign"},
      {"ThresholdedRelu", {{"alpha", 1.5f}}},
      {"Mish"},
      {"Gelu"},
      {"Gelu", {{"approximate", std::string("tanh")}}},
      {"Shrink", {{"bias", 0.5f}, {"lambd", 1.0f}}},
      {"Swish", {{"alpha", 1.5f}}},
      {"SwiGLU", {{"alpha", 1.5f}}, 2},
      {"Clip", {}, 3},
      {"GreaterOrEqual", {}, 2},
      {"LessOrEqual", {}, 2},
  };
  return kCases;
}

TEST_P(Decomposition, MatchesTheKernel) {
  const Case& test = cases()[static_cast<size_t>(GetParam())];
  for (const DType type : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
    OpCase call{.op = test.op, .attributes = test.attributes};
    call.inputs.push_back(in_type(sample(0.25f), type));
    if (test.op == "Clip") {
      call.inputs.push_back(in_type(tensor<float>({-1}, {}), type));
      call.inputs.push_back(in_type(tensor<float>({2}, {}), type));
    } else if (test.inputs == 2) {
      call.inputs.push_back(in_type(sample(-0.125f), type));
    }
    const Tensor direct = run_op(call)[0];
    call.decomposed = true;
    const Tensor composed = run_op(call)[0];
    ASSERT_EQ(composed.dtype(), direct.dtype());
    const Tensor a = in_type(composed, DType::kFloat64), b = in_type(direct, DType::kFloat64);
    const double tolerance = type == DType::kFloat16 ? 0.02 : 2e-6;
    for (int64_t i = 0; i < a.count(); ++i)
      ASSERT_NEAR(a.data<double>()[i], b.data<double>()[i], tolerance * std::fmax(1.0, std::fabs(b.data<double>()[i])))
          << test.op << " on " << base::dtype_name(type) << " element " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, Decomposition, testing::Range(0, static_cast<int>(cases().size())));

}  // namespace
}  // namespace onnxrun::ops
