// The order of the faster kernels of convolutions and matrix products.
#include "cpu/kernels/fast_products.h"

#include <onnxrun/provider.hpp>

namespace onnxrun::cpu {

void add_fast_convolutions(provider::KernelTable&) {}
void add_fast_transposed_convolutions(provider::KernelTable&) {}
void add_fast_products(provider::KernelTable&) {}
void add_fast_gemm(provider::KernelTable&) {}

}  // namespace onnxrun::cpu
