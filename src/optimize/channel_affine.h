// Factors and shifts of channels: what a BatchNormalization, or a Mul or Add of constants, does to each channel of its input.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace onnxrun::optimize {

// y = scale * x + shift for each channel.
struct ChannelAffine {
  std::vector<float> scale, shift;
  explicit operator bool() const { return !scale.empty(); }
};

// Of a BatchNormalization of `channels` channels for inference with constant parameters; else empty.
ChannelAffine batch_normalization_affine(const ir::Graph& graph, const ir::Node& node, int64_t channels);

// Of a Mul or Add of `x` with a constant that has one value, or one for each of the channels that axis `axis` of `rank` counts; else empty.
ChannelAffine arithmetic_affine(const ir::Graph& graph, const ir::Node& node, ir::ValueId x, int64_t channels,
                                int64_t axis, int64_t rank);

}  // namespace onnxrun::optimize
