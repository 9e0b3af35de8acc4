// Kernels of the domain onnxrun on blocked channels, and the geometry they share.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/block_end.h"
#include "cpu/loops/block_windows.h"
#include "cpu/loops/window_geometry.h"

namespace onnxrun::cpu {

void add_blocked_convolutions(provider::KernelTable& table);          // BlockedConv
void add_winograd_convolutions(provider::KernelTable& table);         // the same of 3x3 taps, where precision is `high`
void add_blocked_integer_convolutions(provider::KernelTable& table);  // BlockedQLinearConv
void add_blocked_byte_pools(provider::KernelTable& table);            // BlockedMaxPool of 8-bit integers
void add_blocked_lrn(provider::KernelTable& table);                   // BlockedLRN
void add_blocked_pools(provider::KernelTable& table);  // BlockedMaxPool, BlockedAveragePool, BlockedGlobalAveragePool

// A BlockedConv bound to shapes.
class BlockedConvolution {
 public:
  virtual ~BlockedConvolution() = default;
  virtual size_t scratch_bytes() const = 0;
  virtual size_t table_bytes() const = 0;
  virtual void run(RunContext& context) const = 0;
};

// Of providers/cpu/onednn; a build without oneDNN has empty ones.
void add_onednn_blocked_convolutions(provider::KernelTable& table);
void add_onednn_blocked_pools(provider::KernelTable& table);
Acceptance accept_blocked_by_onednn(const Node& node);  // of a BlockedConv
// By oneDNN with weights that lie as those of our tiles do, of a node that it accepts and whose input is in blocks; null where it has no kernel for the shapes.
std::unique_ptr<const BlockedConvolution> onednn_blocked_convolution(const Node& node, const void* packed);
int64_t onednn_block();  // channels of its blocks, 0 without it

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

// Of a BlockedConv: whether its input is plain, and its geometry.
inline bool takes_plain(const Node& node) { return node.input(0).rank == node.input(1).rank; }
inline WindowGeometry blocked_geometry(const Node& node) {
  const auto weights = provider::dims(node.input(1));
  return blocked_geometry(ops::read_window(node, kernel_of(node.input(1))), node.input(0), node.output(0),
                          weights[1] * node.get_int("group", 1), weights[0]);
}

// Of a BlockedConv: its activation, nullopt where none is known of that name; and why our own kernels on blocks of so many channels do not take it, empty where
// they may.
std::optional<BlockEnd> end_of_blocked(const Node& node);
std::string refuse_tiles(const Node& node, int64_t block);

// Of a pool on blocks; global ones have no windows.
ops::Window blocked_pool_window(const Node& node);
BlockWindows blocked_windows(const Node& node);
Acceptance accept_blocked_floats(const Node& node);  // float32 along one to three axes
Acceptance accept_blocked_windows(
    const Node& node);  // each of which sees an element: of nothing, lanes without a channel would grow
Acceptance accept_blocked_averages(const Node& node);  // windows as those, and short enough for sums in float32

}  // namespace onnxrun::cpu
