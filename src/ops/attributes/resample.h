// Resampling tables of Resize: which input elements each output coordinate along an axis takes, and with what weights.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/kernel_memory.h"
#include "ops/attributes/resize.h"

namespace onnxrun::ops {

namespace resample_detail {

// The input coordinate of output coordinate `o`.
inline double source(const ResizeAttributes& a, const ResizeAxis& axis, double start, double end, double o) {
  const double in = static_cast<double>(axis.in), wide = axis.scale * in;
  switch (a.transform) {
    case ResizeTransform::kAlignCorners: return wide == 1 ? 0.0 : o * (in - 1) / (wide - 1);
    case ResizeTransform::kAsymmetric: return o / axis.scale;
    case ResizeTransform::kCropAndResize:
      return (wide == 1 ? (end - start) * (in - 1) / 2 : o * (end - start) * (in - 1) / (wide - 1)) + start * (in - 1);
    case ResizeTransform::kPytorchHalfPixel: return wide == 1 ? -0.5 : (o + 0.5) / axis.scale - 0.5;
    case ResizeTransform::kHalfPixelSymmetric:
      return in / 2 * (1 - static_cast<double>(axis.out) / wide) + (o + 0.5) / axis.scale - 0.5;
    case ResizeTransform::kHalfPixelForNearest: return (o + 0.5) / axis.scale;
    default: return (o + 0.5) / axis.scale - 0.5;
  }
}

inline int64_t nearest(ResizeNearest mode, double x) {
  const double low = std::floor(x);
  double result = low;
  switch (mode) {
    case ResizeNearest::kPreferFloor: result = x - low > 0.5 ? low + 1 : low; break;
    case ResizeNearest::kPreferCeil: result = x - low >= 0.5 ? low + 1 : low; break;
    case ResizeNearest::kFloor: break;
    case ResizeNearest::kCeil: result = std::ceil(x); break;
  }
  return static_cast<int64_t>(result);
}

inline double kernel(ResizeMode mode, double a, double x) {
  x = std::abs(x);
  if (mode == ResizeMode::kLinear) return std::max(0.0, 1 - x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0.0;
}

}  // namespace resample_detail

// Of one axis. Output coordinate o takes `taps` elements: indices[o * taps + t] with weights[o * taps + t].
struct ResampleAxis {
  int64_t in = 1, out = 1, taps = 1;
  bool identity = true;  // o takes element o
  std::vector<int64_t> indices;
  std::vector<double> weights;
  std::vector<bool> extrapolated;  // coordinates outside the input (tf_crop_and_resize); empty where there are none

  ResampleAxis() = default;
  // `start` and `end`: the region of interest along this axis, used by tf_crop_and_resize.
  ResampleAxis(const ResizeAttributes& attributes, const ResizeAxis& axis, double start, double end);

  size_t table_bytes() const {
    return indices.capacity() * sizeof(int64_t) + weights.capacity() * sizeof(double) + extrapolated.capacity() / 8;
  }
};

inline ResampleAxis::ResampleAxis(const ResizeAttributes& a, const ResizeAxis& axis, double start, double end)
    : in(axis.in), out(axis.out) {
  const bool crop = a.transform == ResizeTransform::kCropAndResize;
  identity = in == out && std::abs(axis.scale - 1) < 1e-9 && (!crop || (start == 0 && end == 1));
  if (identity) return;
  const double shrink = a.antialias ? std::min(axis.scale, 1.0) : 1.0;
  const double reach = a.mode == ResizeMode::kLinear ? 1.0 : 2.0;
  // Taps lie in (x - reach / shrink, x + reach / shrink).
  const double wanted = a.mode == ResizeMode::kNearest ? 1.0 : 2.0 * std::ceil(reach / shrink);
  if (!(wanted < 1e6))
    base::fail(base::Code::kLimitExceeded, "Resize with antialias by {} takes too many elements", axis.scale);
  taps = static_cast<int64_t>(wanted);
  const size_t count = static_cast<size_t>(base::checked_mul(out, taps));
  base::take_kernel_memory(base::checked_mul(static_cast<int64_t>(count), sizeof(int64_t) + sizeof(double) + 1));
  indices.resize(count);
  weights.assign(count, 1.0);
  if (crop) extrapolated.resize(static_cast<size_t>(out));
  std::vector<double> row(static_cast<size_t>(taps));
  for (int64_t o = 0; o < out; ++o) {
    const double x = std::clamp(resample_detail::source(a, axis, start, end, static_cast<double>(o)), -1e15, 1e15);
    if (crop) extrapolated[static_cast<size_t>(o)] = !(x >= 0 && x <= static_cast<double>(in - 1));
    int64_t* index = indices.data() + o * taps;
    if (a.mode == ResizeMode::kNearest) {
      *index = std::clamp<int64_t>(std::isnan(x) ? 0 : resample_detail::nearest(a.nearest, x), 0, in - 1);
      continue;
    }
    const int64_t first = (std::isnan(x) ? 0 : static_cast<int64_t>(std::floor(x))) - taps / 2 + 1;
    double sum = 0;
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t i = first + t;
      double w = resample_detail::kernel(a.mode, a.cubic_a, (static_cast<double>(i) - x) * shrink);
      if (a.exclude_outside && (i < 0 || i >= in)) w = 0;
      row[static_cast<size_t>(t)] = w;
      sum += w;
      index[t] = std::clamp<int64_t>(i, 0, in - 1);
    }
    const bool normalise = (a.antialias || a.exclude_outside) && sum != 0;
    for (int64_t t = 0; t < taps; ++t)
      weights[static_cast<size_t>(o * taps + t)] =
          normalise ? row[static_cast<size_t>(t)] / sum : row[static_cast<size_t>(t)];
  }
}

}  // namespace onnxrun::ops
