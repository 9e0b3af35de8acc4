// Kernels of the domain onnxrun on blocked channels, and the geometry they share.
#pragma once

#include <span>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/window_geometry.h"

namespace onnxrun::cpu {

void add_blocked_convolutions(provider::KernelTable& table);          // BlockedConv
void add_blocked_integer_convolutions(provider::KernelTable& table);  // BlockedQLinearConv
void add_blocked_byte_pools(provider::KernelTable& table);            // BlockedMaxPool of 8-bit integers
void add_blocked_lrn(provider::KernelTable& table);                   // BlockedLRN
void add_blocked_pools(provider::KernelTable& table);  // BlockedMaxPool, BlockedAveragePool, BlockedGlobalAveragePool

// The windows over a blocked input (or a plain one, of `rank` dims) and a blocked output, with the channels as given.
inline WindowGeometry blocked_geometry(const ops::Window& window, const onnxrun_tensor& x, const onnxrun_tensor& y,
                                       int64_t in_channels, int64_t out_channels) {
  const auto plain = [&](const onnxrun_tensor& tensor, int64_t channels, std::vector<int64_t>& dims) {
    const auto all = provider::dims(tensor);
    dims.assign(all.begin(), all.begin() + static_cast<int64_t>(window.rank()) + 2);
    dims[1] = channels;
    onnxrun_tensor result = tensor;
    result.dims = dims.data();
    result.rank = static_cast<int32_t>(dims.size());
    return result;
  };
  std::vector<int64_t> in, out;
  const onnxrun_tensor plain_x = plain(x, in_channels, in), plain_y = plain(y, out_channels, out);
  return {window, plain_x, plain_y};
}

}  // namespace onnxrun::cpu
