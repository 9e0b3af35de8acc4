// What QuantizeLinear and DequantizeLinear ask of the device.
#pragma once

#include <algorithm>

#include "cuda/device/quantize.h"
#include "cuda/kernel.h"
#include "ops/attributes/quantize.h"

namespace onnxrun::cuda {

// The whole numbers that an integer type holds; of floats 0 and 0.
inline void set_bounds(Quantization& how, DType type) {
  if (!base::is_integer(type)) return;
  const int bits = base::dtype_bits(type);
  const float range = static_cast<float>(uint64_t{1} << bits);
  how.low = base::is_signed_integer(type) ? -range / 2 : 0;
  how.high = how.low + range - 1;
}

inline Quantization quantization_of(const Node& node) {
  const auto view = ops::attributes::quantize_view(node, provider::dims(node.input(0)), provider::dims(node.input(1)));
  using ops::attributes::Granularity;
  Quantization how;
  how.count = provider::count(node.input(0));
  how.size = std::max<int64_t>(view.size, 1), how.inner = std::max<int64_t>(view.inner, 1);
  how.block = view.granularity == Granularity::kBlocks ? view.block
              : view.granularity == Granularity::kAxis ? 1
                                                       : how.size;
  how.blocks = view.granularity == Granularity::kBlocks ? view.blocks() : 1;
  how.by_outer = view.granularity == Granularity::kBlocks;
  how.scale_inner = view.granularity == Granularity::kBlocks ? how.inner : 1;
  how.scale_type = dtype(node.input(1));
  const int64_t precision = node.get_int("precision", 0);
  how.precision = precision != 0 ? static_cast<DType>(precision) : how.scale_type;
  return how;
}

inline bool has_float_scale(const Node& node) {
  const DType scale = dtype(node.input(1));
  return scale == DType::kFloat32 || scale == DType::kFloat16 || scale == DType::kBfloat16;
}

}  // namespace onnxrun::cuda
