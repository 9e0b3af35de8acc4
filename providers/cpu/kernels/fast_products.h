// The faster kernels of convolutions, matrix products, pools and resizing, added to the table before the plain ones.
#pragma once

namespace onnxrun::provider {
class KernelTable;
}

namespace onnxrun::cpu {

void add_fast_convolutions(provider::KernelTable& table);             // Conv, ConvInteger, QLinearConv
void add_fast_transposed_convolutions(provider::KernelTable& table);  // ConvTranspose
void add_fast_products(provider::KernelTable& table);                 // MatMul, MatMulInteger, QLinearMatMul
void add_fast_gemm(provider::KernelTable& table);                     // Gemm
void add_fast_pools(provider::KernelTable& table);                    // MaxPool, AveragePool
void add_indexed_pools(provider::KernelTable& table);                 // MaxPool with indices
void add_fast_resize(provider::KernelTable& table);                   // Resize

// What those are made of.
void add_onednn_convolutions(provider::KernelTable& table);
void add_panel_convolutions(provider::KernelTable& table);
void add_sequence_convolutions(provider::KernelTable& table);
void add_panel_transposed_convolutions(provider::KernelTable& table);
void add_block_resize(provider::KernelTable& table);
void add_integer_convolutions(provider::KernelTable& table);
void add_integer_products(provider::KernelTable& table);
void add_panel_products(provider::KernelTable& table);
void add_panel_gemm(provider::KernelTable& table);
void add_panel_fused_gemm(provider::KernelTable& table);
void add_panel_turned_products(provider::KernelTable& table);  // FusedMatMul
void add_panel_wide_products(provider::KernelTable& table);    // WideMatMul

}  // namespace onnxrun::cpu
