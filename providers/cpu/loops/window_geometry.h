// Concrete sizes of a sliding window operator: everything its loops need.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <onnxrun/provider.hpp>

#include "ops/attributes/window.h"

namespace onnxrun::cpu {

// Of an input [batch, channels, in...] and an output [batch, ., out...] with known shapes.
struct WindowGeometry {
  int64_t batch = 0, in_channels = 0, out_channels = 0;
  std::vector<int64_t> in, out, kernel, strides, dilations, pad_begin, pad_end;
  int64_t in_size = 1, out_size = 1, kernel_size = 1;  // products

  WindowGeometry() = default;
  WindowGeometry(const ops::Window& window, const onnxrun_tensor& x, const onnxrun_tensor& y)
      : kernel(window.kernel), strides(window.strides), dilations(window.dilations) {
    const auto xd = provider::dims(x), yd = provider::dims(y);
    batch = xd[0];
    in_channels = xd[1];
    out_channels = yd[1];
    for (size_t d = 0; d < window.rank(); ++d) {
      in.push_back(xd[d + 2]);
      out.push_back(yd[d + 2]);
      const auto [begin, end] = window.padding(d, in[d]);
      pad_begin.push_back(begin);
      pad_end.push_back(end);
      in_size = base::checked_mul(in_size, in[d]);  // beside a batch of 0 images sizes may be anything
      out_size = base::checked_mul(out_size, out[d]);
      // Only windows of pools, which read no weights, can be that large.
      if (__builtin_mul_overflow(kernel_size, kernel[d], &kernel_size)) kernel_size = INT64_MAX;
    }
  }
  size_t rank() const { return kernel.size(); }
};

// The window sizes that weights [M, C, k1, ...] give.
inline std::vector<int64_t> kernel_of(const onnxrun_tensor& weights) {
  const auto dims = provider::dims(weights);
  return {dims.begin() + 2, dims.end()};
}

}  // namespace onnxrun::cpu
