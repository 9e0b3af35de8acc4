// The axes of a Resize.
#include "cpu/loops/resample.h"

#include "base/checked.h"
#include "cpu/loops/convert.h"

namespace onnxrun::cpu {

using ops::ResizeAttributes;
using ops::ResizeTransform;

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
  for (size_t d = 0; d + 1 < axes.size(); ++d) outer_taps = base::checked_mul(outer_taps, axes[d].taps);
}

ResizePlan ResizePlan::of(const Node& node) {
  for (size_t i : {2, 3})
    if (node.has_input(i) && node.input(i).data == nullptr)
      throw provider::Declined{"scales or sizes that are not known before the run"};
  return {ops::read_resize(node, node.input(0).rank), node.input(0), node.input(1), node.input(2), node.input(3)};
}

}  // namespace onnxrun::cpu
