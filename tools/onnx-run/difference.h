// Comparing a result with what was expected.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>

namespace cli {

// |a - b| <= atol + rtol * |b|; NaN equals NaN, infinities by equality; integers, bool and strings are exact.
struct Tolerance {
  double rtol = 1e-3;
  double atol = 1e-7;
  bool given = false;  // by the case itself: then it holds for bfloat16 too, which else has rtol 2^-6
};

// "" when equal, otherwise where and how `actual` differs. Sequences, maps and optionals element by element.
std::string difference(const onnxrun::Value& actual, const onnxrun::Value& expected, const Tolerance& tolerance);

}  // namespace cli
