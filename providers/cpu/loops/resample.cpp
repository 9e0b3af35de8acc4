// Coordinates and weights of Resize.
#include "cpu/loops/resample.h"

#include <algorithm>
#include <cmath>

#include "cpu/loops/convert.h"

namespace onnxrun::cpu {

using ops::ResizeAttributes;
using ops::ResizeMode;
using ops::ResizeNearest;
using ops::ResizeTransform;

namespace {

// The input coordinate of output coordinate `o`.
double source(const ResizeAttributes& a, const ops::ResizeAxis& axis, double start, double end, double o) {
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

int64_t nearest(ResizeNearest mode, double x) {
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

double kernel(ResizeMode mode, double a, double x) {
  x = std::abs(x);
  if (mode == ResizeMode::kLinear) return std::max(0.0, 1 - x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0.0;
}

}  // namespace

ResampleAxis::ResampleAxis(const ResizeAttributes& a, const ops::ResizeAxis& axis, double start, double end)
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
  indices.resize(count);
  weights.assign(count, 1.0);
  if (crop) extrapolated.resize(static_cast<size_t>(out));
  std::vector<double> row(static_cast<size_t>(taps));
  for (int64_t o = 0; o < out; ++o) {
    const double x = std::clamp(source(a, axis, start, end, static_cast<double>(o)), -1e15, 1e15);
    if (crop) extrapolated[static_cast<size_t>(o)] = !(x >= 0 && x <= static_cast<double>(in - 1));
    int64_t* index = indices.data() + o * taps;
    if (a.mode == ResizeMode::kNearest) {
      *index = std::clamp<int64_t>(std::isnan(x) ? 0 : nearest(a.nearest, x), 0, in - 1);
      continue;
    }
    const int64_t first = static_cast<int64_t>(std::floor(x)) - taps / 2 + 1;
    double sum = 0;
    for (int64_t t = 0; t < taps; ++t) {
      const int64_t i = first + t;
      double w = kernel(a.mode, a.cubic_a, (static_cast<double>(i) - x) * shrink);
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

ResizePlan::ResizePlan(const ResizeAttributes& a, const onnxrun_tensor& x, const onnxrun_tensor& roi,
                       const onnxrun_tensor& scales, const onnxrun_tensor& sizes) {
  const auto in = provider::dims(x);
  const bool by_sizes = provider::present(sizes) && provider::count(sizes) != 0;
  std::span<const float> factors;
  if (!by_sizes && provider::present(scales))
    factors = {static_cast<const float*>(scales.data), static_cast<size_t>(provider::count(scales))};
  std::span<const int64_t> wanted;
  if (by_sizes) wanted = {static_cast<const int64_t*>(sizes.data), static_cast<size_t>(provider::count(sizes))};
  const auto resized = ops::resize_axes(a, in, factors, wanted);
  std::vector<double> start(in.size(), 0.0), end(in.size(), 1.0);
  if (a.transform == ResizeTransform::kCropAndResize) {
    std::vector<double> region(provider::present(roi) ? static_cast<size_t>(provider::count(roi)) : 0);
    if (region.size() != 2 * a.axes.size())
      base::fail(base::Code::kRunFailed, "input 'roi' has {} values, expected {}", region.size(), 2 * a.axes.size());
    converter(dtype(roi), DType::kFloat64)(roi.data, region.data(), static_cast<int64_t>(region.size()));
    for (size_t i = 0; i < a.axes.size(); ++i) {
      start[static_cast<size_t>(a.axes[i])] = region[i];
      end[static_cast<size_t>(a.axes[i])] = region[a.axes.size() + i];
    }
  }
  for (size_t d = 0; d < in.size(); ++d) {
    out.push_back(resized[d].out);
    ResampleAxis axis(a, resized[d], start[d], end[d]);
    if (axis.identity && !axes.empty() && axes.back().identity && d + 1 < in.size()) {
      axes.back().in = axes.back().out = base::checked_mul(axes.back().in, axis.in);
    } else {
      axes.push_back(std::move(axis));
    }
  }
  if (axes.empty()) axes.emplace_back();
  for (size_t d = 0; d + 1 < axes.size(); ++d) outer_taps *= axes[d].taps;
}

ResizePlan ResizePlan::of(const Node& node) {
  for (size_t i : {2, 3})
    if (node.has_input(i) && node.input(i).data == nullptr)
      throw provider::Declined{"scales or sizes that are not known before the run"};
  return {ops::read_resize(node, node.input(0).rank), node.input(0), node.input(1), node.input(2), node.input(3)};
}

}  // namespace onnxrun::cpu
