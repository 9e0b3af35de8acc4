// What stands in for providers/cpu/onednn in a build without oneDNN: it adds no kernel and takes no node.
#include "cpu/kernels/blocked.h"
#include "cpu/kernels/fast_products.h"

namespace onnxrun::cpu {

int64_t onednn_block() { return 0; }
std::unique_ptr<const BlockedConvolution> onednn_blocked_convolution(const Node&, const void*) { return nullptr; }
Acceptance accept_blocked_by_onednn(const Node&) { return Acceptance::decline("this build has no oneDNN"); }
void add_onednn_convolutions(provider::KernelTable&) {}
void add_onednn_blocked_convolutions(provider::KernelTable&) {}
void add_onednn_blocked_pools(provider::KernelTable&) {}

}  // namespace onnxrun::cpu
