// How far a value is from what it should be, in numbers and in words.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>

#include "difference.h"

namespace cli {

struct Agreement {
  bool agrees = true;
  double largest =
      0;  // difference between two elements; NaN where one of them alone is NaN, or where they cannot be held against each other
  double relative = 0;  // norm of the difference over the norm of what was expected
  std::string detail;   // where and how they differ; "" where they agree
};

// Real floating-point types are held against each other as numbers, so that a float16 model has a float32 one for reference; other types must be the same.
Agreement agreement(const onnxrun::Value& actual, const onnxrun::Value& expected, const Tolerance& tolerance);

}  // namespace cli
