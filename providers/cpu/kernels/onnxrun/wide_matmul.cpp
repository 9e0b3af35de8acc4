// WideMatMul with constant weights, which are packed as float32.
#include <onnxrun/provider.hpp>

#include "cpu/kernels/fast_products.h"

namespace onnxrun::cpu {

void kernels_onnxrun_wide_matmul(provider::KernelTable& table) { add_panel_wide_products(table); }

}  // namespace onnxrun::cpu
