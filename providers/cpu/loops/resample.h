// The resampling tables of all axes of a Resize.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/cpu.h"
#include "ops/attributes/resample.h"

namespace onnxrun::cpu {

using ops::ResampleAxis;

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
