// How the scales of QuantizeLinear and DequantizeLinear map to elements.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "base/shape.h"

namespace onnxrun::ops::attributes {

enum class Granularity : uint8_t { kTensor, kAxis, kBlocks };

// A tensor seen along the quantisation axis: outer x size x inner elements, `block` of them along the axis to a scale.
struct QuantizeView {
  Granularity granularity = Granularity::kTensor;
  int64_t outer = 1, size = 1, inner = 1, block = 1;

  int64_t blocks() const { return size == 0 ? 0 : (size - 1) / block + 1; }
};

// Throws kInvalidModel where the scale's shape fits none of the granularities.
template <class Source>
QuantizeView quantize_view(const Source& source, std::span<const int64_t> x, std::span<const int64_t> scale) {
  QuantizeView view;
  const int64_t count = base::element_count(scale);
  const int64_t block = source.get_int("block_size", 0);
  const auto refuse = [&](const char* why) {
    base::fail(base::Code::kInvalidModel, "a scale of shape {} does not fit an input of shape {}: {}",
               base::to_string(scale), base::to_string(x), why);
  };
  if (scale.empty() || (count == 1 && block == 0)) {
    view.inner = base::element_count(x);
    return view;
  }
  if (block < 0) base::fail(base::Code::kInvalidModel, "block_size must not be negative, got {}", block);
  const auto axis =
      static_cast<size_t>(base::normalize_axis(source.get_int("axis", 1), static_cast<int64_t>(x.size())));
  view.size = x[axis];
  for (size_t i = 0; i < axis; ++i) view.outer *= x[i];
  for (size_t i = axis + 1; i < x.size(); ++i) view.inner *= x[i];
  if (block == 0) {
    view.granularity = Granularity::kAxis;
    if (scale.size() != 1) refuse("without block_size it must be a scalar or a vector");
    if (scale[0] != view.size) refuse("it must have one element for each of the axis");
    return view;
  }
  view.granularity = Granularity::kBlocks;
  view.block = block;
  if (scale.size() != x.size()) refuse("with block_size both must have one rank");
  for (size_t i = 0; i < x.size(); ++i)
    if (scale[i] != (i == axis ? view.blocks() : x[i])) refuse("with block_size it must have a scale for each block");
  return view;
}

}  // namespace onnxrun::ops::attributes
