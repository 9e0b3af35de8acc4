// The attributes of sliding windows, shared by convolutions and pools: kernel, strides, dilations and padding of each spatial axis.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/shape.h"

namespace onnxrun::ops {

enum class AutoPad { kNotSet, kSameUpper, kSameLower, kValid };

// A window over n spatial axes. Values are checked: sizes, strides and dilations are positive, pads not negative, all below 2^31.
struct Window {
  std::vector<int64_t> kernel, strides, dilations;  // n each
  std::vector<int64_t> pads;                        // n begins, then n ends; zeros unless auto_pad is kNotSet
  AutoPad auto_pad = AutoPad::kNotSet;
  bool ceil_mode = false;  // without meaning under auto_pad

  size_t rank() const { return kernel.size(); }
  // Input elements that one window spans along an axis.
  int64_t extent(size_t axis) const {
    return base::checked_add(base::checked_mul(kernel[axis] - 1, dilations[axis]), 1);
  }

  // Padding at the begin and end of an axis of `input` elements, with auto_pad resolved.
  std::pair<int64_t, int64_t> padding(size_t axis, int64_t input) const {
    if (auto_pad == AutoPad::kNotSet) return {pads[axis], pads[axis + rank()]};
    if (auto_pad == AutoPad::kValid || input == 0) return {0, 0};
    const int64_t outputs = base::ceil_div(input, strides[axis]);
    const int64_t reach = base::checked_add(base::checked_mul(outputs - 1, strides[axis]), extent(axis));
    const int64_t total = std::max<int64_t>(reach - input, 0), half = total / 2;
    return auto_pad == AutoPad::kSameUpper ? std::pair(half, total - half) : std::pair(total - half, half);
  }
};

// Reads strides, dilations, pads, auto_pad and ceil_mode of a window of shape `kernel` (from kernel_shape or the weights). Throws
// kInvalidModel naming the attribute that does not fit. `Source` is ir::Attributes or provider::Node.
template <class Source>
Window read_window(const Source& source, std::vector<int64_t> kernel) {
  using base::Code;
  using base::fail;
  Window window;
  const size_t rank = kernel.size();
  const auto axes = [&](const char* name, size_t count, int64_t fallback, int64_t least) {
    std::vector<int64_t> values = source.get_ints(name);
    if (values.empty()) values.assign(count, fallback);
    if (values.size() != count)
      fail(Code::kInvalidModel, "attribute '{}' must have {} values for {} spatial axes, got {}", name, count, rank,
           values.size());
    for (int64_t value : values)
      if (value < least || value > INT32_MAX)
        fail(Code::kInvalidModel, "attribute '{}' must be from {} to {} on each axis, got {}", name, least, INT32_MAX,
             value);
    return values;
  };
  for (int64_t size : kernel)
    if (size < 1 || size > INT32_MAX)
      fail(Code::kInvalidModel, "the window's shape must be from 1 to {} on each axis, got {}", INT32_MAX,
           base::to_string(kernel));
  window.kernel = std::move(kernel);
  window.strides = axes("strides", rank, 1, 1);
  window.dilations = axes("dilations", rank, 1, 1);
  window.pads = axes("pads", 2 * rank, 0, 0);
  window.ceil_mode = source.get_int("ceil_mode", 0) != 0;
  const std::string mode = source.get_string("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER") window.auto_pad = AutoPad::kSameUpper;
  else if (mode == "SAME_LOWER") window.auto_pad = AutoPad::kSameLower;
  else if (mode == "VALID") window.auto_pad = AutoPad::kValid;
  else if (mode != "NOTSET" && !mode.empty())
    fail(Code::kInvalidModel, "attribute 'auto_pad' must be NOTSET, SAME_UPPER, SAME_LOWER or VALID, got '{}'", mode);
  if (window.auto_pad != AutoPad::kNotSet) window.pads.assign(2 * rank, 0);
  return window;
}

// The window's shape over `rank` axes: attribute kernel_shape, or what the weights have (`weights`; -1 where that is not known yet; empty
// for operators without weights). Throws kInvalidModel where they disagree or neither says it.
template <class Source>
std::vector<int64_t> read_kernel(const Source& source, size_t rank, const std::vector<int64_t>& weights = {}) {
  using base::Code;
  std::vector<int64_t> kernel = source.get_ints("kernel_shape");
  if (kernel.empty() && !weights.empty()) return weights;
  if (kernel.size() != rank)
    base::fail(Code::kInvalidModel, "attribute 'kernel_shape' has {} values for an input with {} spatial axes",
               kernel.size(), rank);
  for (int64_t size : kernel)
    if (size < 1)
      base::fail(Code::kInvalidModel, "attribute 'kernel_shape' must be positive on each axis, got {}",
                 base::to_string(kernel));
  for (size_t axis = 0; axis < weights.size(); ++axis)
    if (weights[axis] >= 0 && weights[axis] != kernel[axis])
      base::fail(Code::kInvalidModel, "attribute 'kernel_shape' says {} along spatial axis {}, the weights have {}",
                 kernel[axis], axis, weights[axis]);
  return kernel;
}

// An integer list attribute of `count` values in [least, 2^31), all `fallback` where it is absent. Throws kInvalidModel.
template <class Source>
std::vector<int64_t> read_sizes(const Source& source, const char* name, size_t count, int64_t least, int64_t fallback) {
  std::vector<int64_t> values = source.get_ints(name);
  if (values.empty()) values.assign(count, fallback);
  if (values.size() != count)
    base::fail(base::Code::kInvalidModel, "attribute '{}' has {} values, expected {}", name, values.size(), count);
  for (int64_t value : values)
    if (value < least || value > INT32_MAX)
      base::fail(base::Code::kInvalidModel, "attribute '{}' has the value {}, expected {} to {}", name, value, least,
                 INT32_MAX);
  return values;
}

}  // namespace onnxrun::ops
