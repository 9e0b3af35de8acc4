// cuBLASLt and cuDNN, opened when the provider is created: the plug-in is linked against neither.
#pragma once

#include <cublasLt.h>
#include <cudnn.h>

#include <string>

namespace onnxrun::cuda {

struct CublasLt {
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtDestroy) destroy;
  decltype(&cublasLtGetStatusString) status_string;
  decltype(&cublasLtMatmulDescCreate) matmul_create;
  decltype(&cublasLtMatmulDescDestroy) matmul_destroy;
  decltype(&cublasLtMatmulDescSetAttribute) matmul_set;
  decltype(&cublasLtMatrixLayoutCreate) layout_create;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy;
  decltype(&cublasLtMatrixLayoutSetAttribute) layout_set;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic;
  decltype(&cublasLtMatmul) matmul;
};

struct Cudnn {
  decltype(&cudnnGetVersion) version;
  decltype(&cudnnGetErrorString) error_string;
  decltype(&cudnnCreate) create;
  decltype(&cudnnDestroy) destroy;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnCreateTensorDescriptor) tensor_create;
  decltype(&cudnnDestroyTensorDescriptor) tensor_destroy;
  decltype(&cudnnSetTensorNdDescriptor) tensor_set;
  decltype(&cudnnCreateFilterDescriptor) filter_create;
  decltype(&cudnnDestroyFilterDescriptor) filter_destroy;
  decltype(&cudnnSetFilterNdDescriptor) filter_set;
  decltype(&cudnnCreateConvolutionDescriptor) convolution_create;
  decltype(&cudnnDestroyConvolutionDescriptor) convolution_destroy;
  decltype(&cudnnSetConvolutionNdDescriptor) convolution_set;
  decltype(&cudnnSetConvolutionGroupCount) convolution_groups;
  decltype(&cudnnSetConvolutionMathType) convolution_math;
  decltype(&cudnnGetConvolutionForwardAlgorithm_v7) forward_algorithms;
  decltype(&cudnnGetConvolutionBackwardDataAlgorithm_v7) backward_algorithms;
  decltype(&cudnnCreateActivationDescriptor) activation_create;
  decltype(&cudnnDestroyActivationDescriptor) activation_destroy;
  decltype(&cudnnSetActivationDescriptor) activation_set;
  decltype(&cudnnConvolutionBiasActivationForward) forward_activated;
  decltype(&cudnnConvolutionForward) forward;
  decltype(&cudnnConvolutionBackwardData) backward;
  decltype(&cudnnCreateRNNDescriptor) recurrence_create;
  decltype(&cudnnDestroyRNNDescriptor) recurrence_destroy;
  decltype(&cudnnSetRNNDescriptor_v8) recurrence_set;
  decltype(&cudnnCreateRNNDataDescriptor) recurrence_data_create;
  decltype(&cudnnDestroyRNNDataDescriptor) recurrence_data_destroy;
  decltype(&cudnnSetRNNDataDescriptor) recurrence_data_set;
  decltype(&cudnnGetRNNWeightSpaceSize) recurrence_weight_bytes;
  decltype(&cudnnGetRNNTempSpaceSizes) recurrence_temporary_bytes;
  decltype(&cudnnGetRNNWeightParams) recurrence_weights;
  decltype(&cudnnRNNForward) recurrence_forward;
};

// NVRTC, which need not be there; declared here, as its header need not be there either. Numbers are nvrtcResult.
struct Nvrtc {
  int (*create)(void** program, const char* source, const char* name, int headers, const char* const* texts,
                const char* const* names);
  int (*compile)(void* program, int options, const char* const* texts);
  int (*cubin_size)(void* program, size_t* bytes);
  int (*cubin)(void* program, char* code);
  int (*log_size)(void* program, size_t* bytes);
  int (*log)(void* program, char* text);
  int (*destroy)(void** program);
  const char* (*error_string)(int status);
};

// Opens both libraries, and NVRTC where it is, on the first call, first in `folder` where that is not empty, then where the system looks. Throws kUnsupported
// naming the library, the folder and the symbol that is missing. Later calls with another folder change nothing.
void open_libraries(const std::string& folder);

// Only after open_libraries.
const CublasLt& cublas_lt();
const Cudnn& cudnn();
const Nvrtc* nvrtc();  // null: there is none

}  // namespace onnxrun::cuda
