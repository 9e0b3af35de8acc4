// Elementwise kernels: for an operator's name and element type, the function that launches it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"
#include "cuda/device/report.h"

namespace onnxrun::cuda {

// Numbers that formulas take, whatever they are called there.
struct Formula {
  float alpha = 0, beta = 0, gamma = 0, lambd = 0, bias = 0;
  Report report;
};

// One input, contiguous.
using UnaryLaunch = void (*)(const Queue& queue, const Formula& formula, const void* x, void* y, int64_t count);
// Null where there is no kernel for this type. "GeluTanh" is Gelu by its approximation.
UnaryLaunch find_unary(std::string_view op, base::DType type);
UnaryLaunch find_activation(std::string_view op, base::DType type);
// IsNaN, IsInf (alpha: also negative, beta: also positive), Not: the result is bool.
UnaryLaunch find_predicate(std::string_view op, base::DType type);

// Two inputs, walked with their steps; the output is contiguous.
using BinaryLaunch = void (*)(const Queue& queue, const Formula& formula, const Axes<2>& axes, const void* a,
                              const void* b, void* y);
// Of equal types, giving the same: Add, Sub, Mul, Div, Max, Min, Mod, PRelu, BitwiseAnd, ...
BinaryLaunch find_binary(std::string_view op, base::DType type);
// Giving bool: Equal, Less, ..., And, Or, Xor.
BinaryLaunch find_comparison(std::string_view op, base::DType type);
// Pow, with a base and an exponent of different types.
BinaryLaunch find_pow(base::DType base, base::DType exponent);

// Element by element `yes` or `no`; elements of `bytes` bytes.
void launch_where(const Queue& queue, const Axes<3>& axes, int bytes, const bool* condition, const void* yes,
                  const void* no, void* y);

// Limits are of one element, or null.
using ClipLaunch = void (*)(const Queue& queue, const void* x, const void* low, const void* high, void* y,
                            int64_t count);
ClipLaunch find_clip(base::DType type);

using CastLaunch = void (*)(const Queue& queue, const void* x, void* y, int64_t count);
CastLaunch find_cast(base::DType from, base::DType to);
// Between float8 and float32, float16 or bfloat16; `saturate` as Cast has it.
CastLaunch find_float8_cast(base::DType from, base::DType to, bool saturate);

}  // namespace onnxrun::cuda
