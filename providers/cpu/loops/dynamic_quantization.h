// How DynamicQuantizeLinear and its kin choose a scale and a zero point for uint8.
#pragma once

#include <algorithm>
#include <cmath>

#include "cpu/cpu.h"
#include "cpu/loops/quantized_rows.h"

namespace onnxrun::cpu {

struct DynamicScale {
  float scale = 1;
  ByteType type;  // uint8
};

// The range of the elements, widened to hold 0, over 255 steps.
inline DynamicScale dynamic_scale(RunContext& context, const float* x, int64_t count) {
  constexpr int64_t kPieces = 64;
  float low[kPieces] = {}, high[kPieces] = {};
  const int64_t pieces = std::clamp<int64_t>(count / 16384, 1, kPieces);
  context.parallel(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = count * i / pieces;
      quantized_rows().extremes(x + first, count * (i + 1) / pieces - first, &low[i], &high[i]);
    }
  });
  const float least = *std::min_element(low, low + pieces), most = *std::max_element(high, high + pieces);
  DynamicScale result;
  if (least != most) result.scale = (most - least) / 255.0f;
  const float zero = std::nearbyint(std::clamp(0.0f - least / result.scale, 0.0f, 255.0f));
  result.type.zero = zero > 0 ? static_cast<int32_t>(zero) : 0;  // infinite ranges give NaN
  return result;
}

}  // namespace onnxrun::cpu
