// Inference that fused operators share with what they are made of.
#pragma once

#include "ir/infer.h"

namespace onnxrun::ops {

void infer_conv(ir::InferContext& c);  // inputs X, W, B
void infer_gemm(ir::InferContext& c);  // inputs A, B, C

}  // namespace onnxrun::ops
