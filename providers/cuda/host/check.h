// Turns what CUDA's libraries return into errors.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>
#include <cudnn.h>

namespace onnxrun::cuda {

// Each throws a base::Error that names `what` was tried and says what the library said.
void check(cudaError_t error, const char* what);
void check(cublasStatus_t status, const char* what);
void check(cudnnStatus_t status, const char* what);

}  // namespace onnxrun::cuda
