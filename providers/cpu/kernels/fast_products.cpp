// The order of the faster kernels of convolutions and matrix products.
#include "cpu/kernels/fast_products.h"

#include <onnxrun/provider.hpp>

namespace onnxrun::cpu {

void add_fast_convolutions(provider::KernelTable& table) {
  add_onednn_convolutions(table);
  add_panel_convolutions(table);
  add_sequence_convolutions(table);
  add_integer_convolutions(table);
}

void add_fast_transposed_convolutions(provider::KernelTable& table) { add_panel_transposed_convolutions(table); }

void add_fast_products(provider::KernelTable& table) {
  add_panel_products(table);
  add_integer_products(table);
}

void add_fast_gemm(provider::KernelTable& table) { add_panel_gemm(table); }

}  // namespace onnxrun::cpu
