// Resampling tables of Resize: which input elements each output coordinate along an axis takes, and with what weights.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/attributes/resize.h"

namespace onnxrun::cpu {

// Of one axis. Output coordinate o takes `taps` elements: indices[o * taps + t] with weights[o * taps + t].
struct ResampleAxis {
  int64_t in = 1, out = 1, taps = 1;
  bool identity = true;             // o takes element o
  std::vector<int64_t> indices;
  std::vector<double> weights;
  std::vector<bool> extrapolated;   // coordinates outside the input (tf_crop_and_resize); empty where there are none

  ResampleAxis() = default;
  // `start` and `end`: the region of interest along this axis, used by tf_crop_and_resize.
  ResampleAxis(const ops::ResizeAttributes& attributes, const ops::ResizeAxis& axis, double start, double end);
};

}  // namespace onnxrun::cpu
