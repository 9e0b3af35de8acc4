// Sizes that oneDNN's kernels can count: they keep extents and products of them in 32-bit integers, and do not check.
#pragma once

#include <cstdint>

#include <onnxrun/provider.hpp>

#include "cpu/loops/window_geometry.h"

namespace onnxrun::cpu::onednn {

// Throws provider::Declined where the windows of `g` are too large.
inline void require_int_sizes(const WindowGeometry& g) {
  constexpr int64_t kMost = INT32_MAX;
  bool fits = g.batch <= kMost && g.in_channels <= kMost && g.out_channels <= kMost && g.in_size <= kMost &&
              g.out_size <= kMost && g.kernel_size <= kMost;
  for (size_t d = 0; d < g.rank(); ++d) {
    for (const int64_t size : {g.kernel[d], g.strides[d], g.dilations[d]}) fits = fits && size <= kMost;
    for (const int64_t pad : {g.pad_begin[d], g.pad_end[d]}) fits = fits && pad <= kMost && pad >= -kMost;
    // Neither product can overflow once its factors fit.
    fits = fits && (g.kernel[d] - 1) * g.dilations[d] <= kMost && g.out[d] * g.strides[d] <= kMost;
  }
  if (!fits) throw provider::Declined{"sizes beyond 32 bits"};
}

}  // namespace onnxrun::cpu::onednn
