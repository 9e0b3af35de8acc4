// Linear samples of a plane of float32, built for every instruction set level.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

// Of each point and its four taps: the element of the plane, a mask of all bits unless it stands for a zero, and its weight.
struct SampleTaps {
  static constexpr int64_t kPoints = 256;

  int32_t from[4][kPoints];
  uint32_t inside[4][kPoints];
  float weight[4][kPoints];
};

void sample_row(const float* plane, const SampleTaps& taps, int64_t count, float* out);

}  // namespace onnxrun::cpu
