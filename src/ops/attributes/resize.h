// Attributes of Resize, and the sizes and scales that follow from them and from concrete inputs.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/checked.h"
#include "base/error.h"
#include "base/shape.h"

namespace onnxrun::ops {

enum class ResizeMode { kNearest, kLinear, kCubic };
enum class ResizeTransform {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kCropAndResize,
  kHalfPixelForNearest
};
enum class ResizeNearest { kPreferFloor, kPreferCeil, kFloor, kCeil };
enum class ResizePolicy { kStretch, kNotLarger, kNotSmaller };

struct ResizeAttributes {
  ResizeMode mode = ResizeMode::kNearest;
  ResizeTransform transform = ResizeTransform::kHalfPixel;
  ResizeNearest nearest = ResizeNearest::kPreferFloor;
  ResizePolicy policy = ResizePolicy::kStretch;
  bool antialias = false, exclude_outside = false;
  double cubic_a = -0.75;
  float extrapolation = 0;
  std::vector<int64_t> axes;  // normalised; all of them where the attribute is absent
};

namespace resize_detail {
template <class E, size_t N>
E pick(const std::string& value, const char* name, const std::pair<const char*, E> (&choices)[N]) {
  for (const auto& [text, choice] : choices)
    if (value == text) return choice;
  base::fail(base::Code::kInvalidModel, "attribute '{}' is '{}', which Resize does not know", name, value);
}
}  // namespace resize_detail

// Throws kInvalidModel.
template <class Source>
ResizeAttributes read_resize(const Source& source, int64_t rank) {
  using resize_detail::pick;
  using T = ResizeTransform;
  using N = ResizeNearest;
  using P = ResizePolicy;
  ResizeAttributes a;
  a.mode = pick<ResizeMode>(
      source.get_string("mode", "nearest"), "mode",
      {{"nearest", ResizeMode::kNearest}, {"linear", ResizeMode::kLinear}, {"cubic", ResizeMode::kCubic}});
  a.transform =
      pick<T>(source.get_string("coordinate_transformation_mode", "half_pixel"), "coordinate_transformation_mode",
              {{"half_pixel", T::kHalfPixel},
               {"half_pixel_symmetric", T::kHalfPixelSymmetric},
               {"pytorch_half_pixel", T::kPytorchHalfPixel},
               {"align_corners", T::kAlignCorners},
               {"asymmetric", T::kAsymmetric},
               {"tf_crop_and_resize", T::kCropAndResize},
               {"tf_half_pixel_for_nn", T::kHalfPixelForNearest}});
  a.nearest = pick<N>(source.get_string("nearest_mode", "round_prefer_floor"), "nearest_mode",
                      {{"round_prefer_floor", N::kPreferFloor},
                       {"round_prefer_ceil", N::kPreferCeil},
                       {"floor", N::kFloor},
                       {"ceil", N::kCeil}});
  a.policy = pick<P>(source.get_string("keep_aspect_ratio_policy", "stretch"), "keep_aspect_ratio_policy",
                     {{"stretch", P::kStretch}, {"not_larger", P::kNotLarger}, {"not_smaller", P::kNotSmaller}});
  a.antialias = source.get_int("antialias", 0) != 0 && a.mode != ResizeMode::kNearest;
  a.exclude_outside = source.get_int("exclude_outside", 0) != 0;
  a.cubic_a = source.get_float("cubic_coeff_a", -0.75f);
  a.extrapolation = source.get_float("extrapolation_value", 0.0f);
  if (source.has("axes")) {
    a.axes = base::normalize_axes(source.get_ints("axes"), rank);
  } else {
    for (int64_t axis = 0; axis < rank; ++axis) a.axes.push_back(axis);
  }
  return a;
}

// An output dimension from an input's and a scale, as float32 arithmetic gives it. Throws kInvalidModel for scales that are not positive.
inline int64_t resized(int64_t in, float scale) {
  if (!(scale > 0) || !std::isfinite(scale))
    base::fail(base::Code::kInvalidModel, "input 'scales' has the value {}, expected more than 0", scale);
  const float out = std::floor(static_cast<float>(in) * scale);
  if (!(out < 9.2e18f)) base::fail(base::Code::kLimitExceeded, "Resize of {} elements by {} gives too many", in, scale);
  return static_cast<int64_t>(out);
}

// One axis of a resize.
struct ResizeAxis {
  int64_t in = 1, out = 1;
  double scale = 1;
};

// All axes of a resize of `in`, from `scales` or (where that is empty) `sizes`, given along a.axes. Throws kInvalidModel.
inline std::vector<ResizeAxis> resize_axes(const ResizeAttributes& a, std::span<const int64_t> in,
                                           std::span<const float> scales, std::span<const int64_t> sizes) {
  std::vector<ResizeAxis> result(in.size());
  for (size_t d = 0; d < in.size(); ++d) result[d].in = result[d].out = in[d];
  const size_t given = scales.empty() ? sizes.size() : scales.size();
  if (given != a.axes.size())
    base::fail(base::Code::kInvalidModel, "input '{}' has {} values for {} axes", scales.empty() ? "sizes" : "scales",
               given, a.axes.size());
  double common = 0;
  for (size_t i = 0; i < given; ++i) {
    ResizeAxis& axis = result[static_cast<size_t>(a.axes[i])];
    if (!scales.empty()) {
      axis.scale = static_cast<double>(scales[i]);
      axis.out = resized(axis.in, scales[i]);
      continue;
    }
    if (sizes[i] < 0) base::fail(base::Code::kInvalidModel, "input 'sizes' has the value {}", sizes[i]);
    axis.out = sizes[i];
    axis.scale = axis.in == 0 ? 1.0 : static_cast<double>(sizes[i]) / static_cast<double>(axis.in);
    const bool take = i == 0 || (a.policy == ResizePolicy::kNotLarger ? axis.scale < common : axis.scale > common);
    if (take) common = axis.scale;
  }
  if (scales.empty() && a.policy != ResizePolicy::kStretch) {
    for (int64_t d : a.axes) {
      ResizeAxis& axis = result[static_cast<size_t>(d)];
      axis.scale = common;
      const double size = common * static_cast<double>(axis.in) + 0.5;
      if (!(size < 9e18)) base::fail(base::Code::kInvalidModel, "Resize to {} elements along an axis", size);
      axis.out = static_cast<int64_t>(size);
    }
  }
  for (const ResizeAxis& axis : result)
    if (axis.in == 0 && axis.out != 0)
      base::fail(base::Code::kInvalidModel, "Resize of an axis without elements to {} elements", axis.out);
  return result;
}

}  // namespace onnxrun::ops
