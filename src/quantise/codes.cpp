// Finding scales and zero points.
#include "quantise/codes.h"

#include <algorithm>
#include <cmath>

namespace onnxrun::quantise {
namespace {

constexpr float kLeastScale = 1e-30f;  // its reciprocal, and products of a few of them, are finite

float usable(double scale) {
  if (!(scale > kLeastScale)) return kLeastScale;
  return static_cast<float>(std::min(scale, 3e38));
}

struct Extent {
  float low = 0, high = 0;
};

// Of finite values, and 0.
Extent extent_of(std::span<const float> values) {
  Extent extent;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    extent.low = std::min(extent.low, value);
    extent.high = std::max(extent.high, value);
  }
  return extent;
}

// The grid of a range, shrunk by a factor. `turned`: a symmetric one whose scale is negative, so that the lowest code is the highest value.
Grid grid_of(Extent extent, double factor, const GridSearch& s, bool turned) {
  Grid grid;
  if (!s.symmetric) {
    const double width = (static_cast<double>(extent.high) - extent.low) * factor;
    grid.scale = usable(width / (s.range.high - s.range.low));
    const double zero = std::nearbyint(s.range.low - extent.low * factor / grid.scale);
    grid.zero = static_cast<int>(std::clamp(zero, double(s.range.low), double(s.range.high)));
    return grid;
  }
  grid.zero = s.middle;
  double below = s.middle - s.range.low;
  const double above = s.range.high - s.middle;
  if (!s.full) below = std::min(below, above);
  double low = -static_cast<double>(extent.low), high = extent.high;
  if (turned) std::swap(low, high);
  grid.scale = usable(std::max(low / below, high / above) * factor);
  if (turned) grid.scale = -grid.scale;
  return grid;
}

// The scale that fits the codes of a grid best.
float fitted_scale(std::span<const float> values, std::span<const float> weights, const Grid& grid, CodeRange range) {
  double product = 0, square = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const double code = code_of(values[i], grid, range) - grid.zero, weight = weights.empty() ? 1 : weights[i];
    product += weight * code * values[i];
    square += weight * code * code;
  }
  const double sign = grid.scale < 0 ? -1 : 1;
  return square > 0 && product * sign > 0 ? static_cast<float>(sign * usable(product * sign / square)) : grid.scale;
}

struct Best {
  std::span<const float> values, weights;
  CodeRange range;
  const Allowance& allowance;
  Grid grid;
  double error;

  void offer(const Grid& other) {
    allowance.check();
    const double found = squared_error(values, weights, other, range);
    if (found < error) {
      error = found;
      grid = other;
    }
  }
};

}  // namespace

int code_of(float value, const Grid& grid, CodeRange range) {
  const float code = std::nearbyint(value / grid.scale) + static_cast<float>(grid.zero);
  if (!(code > static_cast<float>(range.low))) return range.low;
  return code >= static_cast<float>(range.high) ? range.high : static_cast<int>(code);
}

double squared_error(std::span<const float> values, std::span<const float> weights, const Grid& grid, CodeRange range) {
  double sum = 0;
  const float low = static_cast<float>(range.low - grid.zero), high = static_cast<float>(range.high - grid.zero),
              inverse = 1 / grid.scale;
  if (weights.empty()) {
    for (const float value : values) {
      const float code = std::min(std::max(std::nearbyint(value * inverse), low), high);
      const float apart = value - code * grid.scale;
      sum += static_cast<double>(apart * apart);
    }
  } else {
    for (size_t i = 0; i < values.size(); ++i) {
      const float code = std::min(std::max(std::nearbyint(values[i] * inverse), low), high);
      const float apart = values[i] - code * grid.scale;
      sum += static_cast<double>(weights[i] * apart * apart);
    }
  }
  return std::isnan(sum) ? HUGE_VAL : sum;
}

Grid find_grid(std::span<const float> values, std::span<const float> weights, const GridSearch& s) {
  s.allowance.check();
  const Extent extent = extent_of(values);
  if (extent.low == 0 && extent.high == 0)
    return {1, s.symmetric ? s.middle : std::clamp(0, s.range.low, s.range.high)};
  const bool turned = s.symmetric && s.full && extent.high > -extent.low;
  const Grid plain = grid_of(extent, 1, s, turned);
  if (!s.refine) return plain;
  Best best{values, weights, s.range, s.allowance, plain, squared_error(values, weights, plain, s.range)};
  constexpr int kSteps = 16;
  for (int step = 0; step <= kSteps; ++step) {
    const double factor = 1.05 - 0.5 * step / kSteps;
    best.offer(grid_of(extent, factor, s, turned));
    if (s.symmetric && s.full) best.offer(grid_of(extent, factor, s, !turned));
  }
  for (int round = 0; round < 3; ++round) {
    const double before = best.error;
    Grid grid = best.grid;
    grid.scale = fitted_scale(values, weights, grid, s.range);
    best.offer(grid);
    if (!s.symmetric)
      for (const int step : {-1, 1}) {
        Grid moved = best.grid;
        moved.zero += step;
        if (moved.zero < s.range.low || moved.zero > s.range.high) continue;
        moved.scale = fitted_scale(values, weights, moved, s.range);
        best.offer(moved);
      }
    if (best.error >= before) break;
  }
  return best.grid;
}

}  // namespace onnxrun::quantise
