// How many elements a kernel may add up one after the other in float32, whose error grows with their number.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

inline constexpr int64_t kMostFloatSum = 4096;

}  // namespace onnxrun::cpu
