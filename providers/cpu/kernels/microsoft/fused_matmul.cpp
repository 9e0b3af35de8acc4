// FusedMatMul, which the optimizer makes of a MatMul whose right operand is transposed.
#include "cpu/kernels/fast_products.h"

#include <onnxrun/provider.hpp>

namespace onnxrun::cpu {

void kernels_microsoft_fused_matmul(provider::KernelTable& table) { add_panel_turned_products(table); }

}  // namespace onnxrun::cpu
