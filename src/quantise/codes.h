// Codes: floating-point numbers as small integers with a scale and a zero point, alone and in blocks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantise/allowance.h"

namespace onnxrun::quantise {

// value = (code - zero) * scale; codes go from `low` to `high`.
struct Grid {
  float scale = 1;
  int zero = 0;
};

struct CodeRange {
  int low = 0, high = 255;
};

// The nearest code.
int code_of(float value, const Grid& grid, CodeRange range);

// How to find grids of weights.
struct GridSearch {
  CodeRange range;
  int middle = 0;         // the code of 0 where grids are symmetric
  bool symmetric = true;  // zero is `middle`
  bool refine = true;     // least squared error instead of the range of the values
  bool full = true;       // a symmetric grid may use the lowest code, whose opposite does not exist
  Allowance allowance = {};
};

// A grid for values of which not all need be finite. Zero always has a code of its own. `weights`, as many as values or none, weigh the errors.
// Throws kDeadline.
Grid find_grid(std::span<const float> values, std::span<const float> weights, const GridSearch& search);

// Sum of the squared errors, weighed.
double squared_error(std::span<const float> values, std::span<const float> weights, const Grid& grid, CodeRange range);

}  // namespace onnxrun::quantise
