// Resampling tables of Resize: which input elements each output coordinate along an axis takes, and with what weights.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/cpu.h"
#include "ops/attributes/resize.h"

namespace onnxrun::cpu {

// Of one axis. Output coordinate o takes `taps` elements: indices[o * taps + t] with weights[o * taps + t].
struct ResampleAxis {
  int64_t in = 1, out = 1, taps = 1;
  bool identity = true;  // o takes element o
  std::vector<int64_t> indices;
  std::vector<double> weights;
  std::vector<bool> extrapolated;  // coordinates outside the input (tf_crop_and_resize); empty where there are none

  ResampleAxis() = default;
  // `start` and `end`: the region of interest along this axis, used by tf_crop_and_resize.
  ResampleAxis(const ops::ResizeAttributes& attributes, const ops::ResizeAxis& axis, double start, double end);
};

// The axes of one resize. Neighbouring axes before the last that stay as they are are one.
struct ResizePlan {
  std::vector<ResampleAxis> axes;
  base::Dims out;
  int64_t outer_taps = 1;  // input rows that an output row takes

  // From the inputs of Resize, all given as values but `x`. Throws for inputs that do not fit the attributes.
  ResizePlan(const ops::ResizeAttributes& attributes, const onnxrun_tensor& x, const onnxrun_tensor& roi,
             const onnxrun_tensor& scales, const onnxrun_tensor& sizes);
  // Of a node that is bound; throws Declined where its scales or sizes are not known yet.
  static ResizePlan of(const Node& node);
};

}  // namespace onnxrun::cpu
