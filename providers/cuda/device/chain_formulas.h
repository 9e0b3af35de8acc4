// What the steps of a chain compute, as code for the kernel that interprets chains and as text for kernels that are compiled at run time.
#pragma once

// Functions that steps use; `chain_device` is to be defined as __device__ where they are compiled.
#define ONNXRUN_CHAIN_FUNCTIONS                                                                                 \
  chain_device inline float chain_logistic(float x) {                                                           \
    const float e = expf(-fabsf(x));                                                                            \
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);                                                                  \
  }                                                                                                             \
  chain_device inline float chain_softplus(float x) { return (x < 0.0f ? 0.0f : x) + log1pf(expf(-fabsf(x))); } \
  chain_device inline float chain_unit(float x) { return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x; }               \
  chain_device inline float chain_clip(float x, float low, float high) {                                        \
    const float y = x < low ? low : x;                                                                          \
    return y > high ? high : y;                                                                                 \
  }

// X(operator, value): of operands a and b with the numbers p and q, as ops/attributes/elementwise_steps.h names them. Where no order is told, NaN stays.
#define ONNXRUN_CHAIN_STEPS(X)                                                          \
  X(Add, a + b)                                                                         \
  X(Sub, a - b)                                                                         \
  X(Mul, a* b)                                                                          \
  X(Div, a / b)                                                                         \
  X(Min, a < b || a != a ? a : b)                                                       \
  X(Max, a > b || a != a ? a : b)                                                       \
  X(Abs, fabsf(a))                                                                      \
  X(Neg, -a)                                                                            \
  X(Exp, expf(a))                                                                       \
  X(Log, logf(a))                                                                       \
  X(Sqrt, sqrtf(a))                                                                     \
  X(Reciprocal, 1.0f / a)                                                               \
  X(Erf, erff(a))                                                                       \
  X(Tanh, tanhf(a))                                                                     \
  X(Sin, sinf(a))                                                                       \
  X(Cos, cosf(a))                                                                       \
  X(Relu, a < 0.0f ? 0.0f : a)                                                          \
  X(Sigmoid, chain_logistic(a))                                                         \
  X(HardSwish, a* chain_unit(a / 6.0f + 0.5f))                                          \
  X(Softplus, chain_softplus(a))                                                        \
  X(Softsign, a / (1.0f + fabsf(a)))                                                    \
  X(Mish, a* tanhf(chain_softplus(a)))                                                  \
  X(Gelu, 0.5f * a * erfcf(a * -0.70710678118654752440f))                               \
  X(GeluTanh, a* chain_logistic(1.59576912160573071176f * (a + 0.044715f * a * a * a))) \
  X(Swish, a* chain_logistic(p* a))                                                     \
  X(LeakyRelu, a < 0.0f ? p * a : a)                                                    \
  X(Elu, a < 0.0f ? p * expm1f(a) : a)                                                  \
  X(HardSigmoid, chain_unit(p* a + q))                                                  \
  X(Clip, chain_clip(a, p, q))
