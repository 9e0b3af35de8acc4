// Resize: weighted sums of elements along each axis.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// One axis: output coordinate o takes element indices[o * taps + t] with weights[o * taps + t]; without indices, element o. Tables lie on the
// device. `outside`, where it is not null, marks coordinates that get the extrapolation value.
struct ResampleTable {
  int64_t in = 1, out = 1, taps = 1;
  const int64_t* indices = nullptr;
  const double* weights = nullptr;
  const bool* outside = nullptr;
};

struct Resampling {
  int rank = 0;
  int64_t count = 1, choices = 1;  // outputs; products of taps an output takes
  ResampleTable axes[kMaxAxes];
  bool nearest = false;
  float extrapolation = 0;
};

// Integers are rounded and saturated. Null where there is no kernel for this type.
using ResampleLaunch = void (*)(const Queue& queue, const Resampling& how, const void* x, void* y);
ResampleLaunch find_resample(base::DType type);

}  // namespace onnxrun::cuda
