// FusedGemm, which the optimizer makes of a Gemm and the activation after it.
#include "cpu/kernels/fast_products.h"

#include <onnxrun/provider.hpp>

namespace onnxrun::cpu {

void kernels_microsoft_fused_gemm(provider::KernelTable& table) { add_panel_fused_gemm(table); }

}  // namespace onnxrun::cpu
