// x * r + (bias - mean * r), where r is scale / sqrt(variance + epsilon): a normalization as TensorFlow and Keras write it.
#pragma once

#include <optional>
#include <vector>

#include "optimize/reading.h"

namespace onnxrun::optimize {

struct ShiftedNormalization {
  ir::ValueId x = ir::kNone;
  std::vector<int64_t> axes;            // that mean and variance are of
  const base::Tensor* scale = nullptr;  // null: 1
  const base::Tensor* bias = nullptr;
  double epsilon = 0;
  std::vector<ir::NodeId> nodes;  // that compute it and nothing else
};

// That which the Add `root` ends, with scale and bias of the sizes of the last `parameter_axes` axes, which must be known.
std::optional<ShiftedNormalization> shifted_normalization(const ir::Graph& graph, const ir::Node& root,
                                                          size_t parameter_axes);

}  // namespace onnxrun::optimize
