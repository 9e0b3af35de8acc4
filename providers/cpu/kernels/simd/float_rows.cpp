// float32 row kernels of the elementwise operators, one copy per instruction set level.
#include "cpu/kernels/simd/float_rows.h"

#include <algorithm>

#include "cpu/kernels/simd/float_math.h"
#include "cpu/kernels/simd/inverse_angles.h"
#include "cpu/kernels/simd/vector_exp.h"
#include "ops/attributes/activation.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

using ops::ActivationAttributes;

template <float (*kFunction)(float)>
void function_row(const Row& row) {
  unary_row<float, float>(row, [](float x) { return kFunction(x); });
}

void exp_row(const Row& row) {
  if (row.stride[0] == 0) return function_row<exp>(row);
  const float* x = static_cast<const float*>(row.in[0]);
  float* y = static_cast<float*>(row.out);
  int64_t i = 0;
  for (; i + kWidth <= row.count; i += kWidth) store(y + i, exp_of(load(x + i)));
  if (i < row.count) store_part(y + i, exp_of(load_part(x + i, row.count - i, 0.0f)), row.count - i);
}

template <float (*kFunction)(float, const ActivationAttributes&)>
void activation_row(const Row& row) {
  const ActivationAttributes a = *static_cast<const ActivationAttributes*>(row.parameters);
  unary_row<float, float>(row, [&](float x) { return kFunction(x, a); });
}

template <float (*kFunction)(float, float)>
void pair_row(const Row& row) {
  binary_row<float, float, float>(row, [](float a, float b) { return kFunction(a, b); });
}

// Angles too large for the reduction, infinities and NaN are done again one by one; `out` may be the input.
template <float (*kFunction)(float), float (*kExact)(float)>
void angle_row(const Row& row) {
  constexpr int64_t kBlock = 128;
  const float* x = static_cast<const float*>(row.in[0]);
  float* y = static_cast<float*>(row.out);
  for (int64_t done = 0; done < row.count; done += kBlock) {
    const int64_t n = std::min(kBlock, row.count - done);
    float copy[kBlock];
    uint32_t beyond = 0;
    for (int64_t i = 0; i < n; ++i) {
      copy[i] = x[row.stride[0] != 0 ? done + i : 0];
      beyond |= fabs(copy[i]) <= kMaxAngle ? 0u : 1u;
    }
    for (int64_t i = 0; i < n; ++i) y[done + i] = kFunction(copy[i]);
    for (int64_t i = 0; beyond != 0 && i < n; ++i)
      if (!(fabs(copy[i]) <= kMaxAngle)) y[done + i] = kExact(copy[i]);
  }
}
float exact_sin(float x) { return std::sin(x); }
float exact_cos(float x) { return std::cos(x); }

float sqrt(float x) { return __builtin_sqrtf(x); }
float reciprocal(float x) { return 1.0f / x; }
float softsign(float x) { return x / (1.0f + fabs(x)); }
float hard_swish(float x) {
  const float y = x / 6.0f + 0.5f;
  const float low = y < 0.0f ? 0.0f : y;
  return x * (low > 1.0f ? 1.0f : low);
}
float relu(float x) { return x < 0.0f ? 0.0f : x; }
float leaky_relu(float x, const ActivationAttributes& a) { return x < 0.0f ? a.alpha * x : x; }
float hard_sigmoid(float x, const ActivationAttributes& a) {
  const float y = a.alpha * x + a.beta;
  const float low = y < 0.0f ? 0.0f : y;
  return low > 1.0f ? 1.0f : low;
}
float elu(float x, const ActivationAttributes& a) {
  const float low = a.alpha * expm1_negative(x < 0.0f ? x : 0.0f);
  return x < 0.0f ? low : x;
}
float selu(float x, const ActivationAttributes& a) { return a.gamma * elu(x, a); }
// For a positive alpha; the caller sees to that.
float celu(float x, const ActivationAttributes& a) {
  const float low = a.alpha * expm1_negative(x < 0.0f ? x / a.alpha : 0.0f);
  return x < 0.0f ? low : x;
}
float swish_of(float x, const ActivationAttributes& a) { return swish(x, a.alpha); }

float add(float a, float b) { return a + b; }
float sub(float a, float b) { return a - b; }
float mul(float a, float b) { return a * b; }
float div(float a, float b) { return a / b; }
// Either operand's NaN is the result.
float smaller(float a, float b) { return (a < b) | (a != a) ? a : b; }
float larger(float a, float b) { return (a > b) | (a != a) ? a : b; }
float prelu(float x, float slope) { return x < 0.0f ? slope * x : x; }

void swiglu_row(const Row& row) {
  const float alpha = static_cast<const ActivationAttributes*>(row.parameters)->alpha;
  binary_row<float, float, float>(row, [&](float a, float b) { return swish(a, alpha) * b; });
}

struct Entry {
  std::string_view op;
  RowKernel kernel;
};

constexpr Entry kActivations[] = {
    {"Tanh", function_row<tanh>},
    {"Relu", function_row<relu>},
    {"LeakyRelu", activation_row<leaky_relu>},
    {"Elu", activation_row<elu>},
    {"Selu", activation_row<selu>},
    {"Celu", activation_row<celu>},
    {"Sigmoid", function_row<sigmoid>},
    {"HardSigmoid", activation_row<hard_sigmoid>},
    {"HardSwish", function_row<hard_swish>},
    {"Softplus", function_row<softplus>},
    {"Softsign", function_row<softsign>},
    {"Mish", function_row<mish>},
    {"Gelu", function_row<gelu>},
    {"GeluTanh", function_row<gelu_tanh>},
    {"Swish", activation_row<swish_of>},
};

constexpr Entry kOthers[] = {
    {"Exp", exp_row},
    {"Log", function_row<log>},
    {"Erf", function_row<erf>},
    {"Sin", angle_row<sin, exact_sin>},
    {"Cos", angle_row<cos, exact_cos>},
    {"Asin", function_row<asin>},
    {"Acos", function_row<acos>},
    {"Atan", function_row<atan>},
    {"Sqrt", function_row<sqrt>},
    {"Reciprocal", function_row<reciprocal>},
    {"SwiGLU", swiglu_row},
    {"Add", pair_row<add>},
    {"Sub", pair_row<sub>},
    {"Mul", pair_row<mul>},
    {"Div", pair_row<div>},
    {"Min", pair_row<smaller>},
    {"Max", pair_row<larger>},
    {"Sum", pair_row<add>},
    {"PRelu", pair_row<prelu>},
};

template <size_t kSize>
RowKernel find(const Entry (&entries)[kSize], std::string_view op) {
  for (const Entry& entry : entries)
    if (entry.op == op) return entry.kernel;
  return nullptr;
}

}  // namespace

RowKernel float_activation(std::string_view op) { return find(kActivations, op); }

RowKernel float_row(std::string_view op) {
  const RowKernel activation = float_activation(op);
  return activation != nullptr ? activation : find(kOthers, op);
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
