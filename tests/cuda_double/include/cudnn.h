// The part of cuDNN's interface that the provider uses; numbers are those of cuDNN 9.
#pragma once

#include "cuda_runtime.h"

enum cudnnStatus_t {
  CUDNN_STATUS_SUCCESS = 0,
  CUDNN_STATUS_NOT_INITIALIZED = 1001,
  CUDNN_STATUS_BAD_PARAM = 2000,
  CUDNN_STATUS_NOT_SUPPORTED = 3000
};
enum cudnnDataType_t { CUDNN_DATA_FLOAT = 0, CUDNN_DATA_DOUBLE = 1, CUDNN_DATA_HALF = 2, CUDNN_DATA_BFLOAT16 = 9 };
enum cudnnTensorFormat_t { CUDNN_TENSOR_NCHW = 0 };
enum cudnnConvolutionMode_t { CUDNN_CONVOLUTION = 0, CUDNN_CROSS_CORRELATION = 1 };
enum cudnnMathType_t { CUDNN_DEFAULT_MATH = 0, CUDNN_TENSOR_OP_MATH = 1, CUDNN_FMA_MATH = 3 };
enum cudnnDeterminism_t { CUDNN_NON_DETERMINISTIC = 0, CUDNN_DETERMINISTIC = 1 };
enum cudnnConvolutionFwdAlgo_t {
  CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM = 0,
  CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM = 1
};
enum cudnnConvolutionBwdDataAlgo_t { CUDNN_CONVOLUTION_BWD_DATA_ALGO_0 = 0, CUDNN_CONVOLUTION_BWD_DATA_ALGO_1 = 1 };
enum cudnnActivationMode_t { CUDNN_ACTIVATION_RELU = 1, CUDNN_ACTIVATION_IDENTITY = 5 };
enum cudnnNanPropagation_t { CUDNN_NOT_PROPAGATE_NAN = 0, CUDNN_PROPAGATE_NAN = 1 };

using cudnnHandle_t = struct CudnnDouble*;
using cudnnTensorDescriptor_t = struct CudnnDoubleTensor*;
using cudnnFilterDescriptor_t = struct CudnnDoubleFilter*;
using cudnnConvolutionDescriptor_t = struct CudnnDoubleConvolution*;
using cudnnActivationDescriptor_t = struct CudnnDoubleActivation*;

struct cudnnConvolutionFwdAlgoPerf_t {
  cudnnConvolutionFwdAlgo_t algo;
  cudnnStatus_t status;
  float time;
  size_t memory;
  cudnnDeterminism_t determinism;
  cudnnMathType_t mathType;
  int reserved[3];
};
struct cudnnConvolutionBwdDataAlgoPerf_t {
  cudnnConvolutionBwdDataAlgo_t algo;
  cudnnStatus_t status;
  float time;
  size_t memory;
  cudnnDeterminism_t determinism;
  cudnnMathType_t mathType;
  int reserved[3];
};

CUDA_DOUBLE_API size_t cudnnGetVersion();
CUDA_DOUBLE_API const char* cudnnGetErrorString(cudnnStatus_t status);
CUDA_DOUBLE_API cudnnStatus_t cudnnCreate(cudnnHandle_t* handle);
CUDA_DOUBLE_API cudnnStatus_t cudnnDestroy(cudnnHandle_t handle);
CUDA_DOUBLE_API cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream);
CUDA_DOUBLE_API cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* tensor);
CUDA_DOUBLE_API cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor);
CUDA_DOUBLE_API cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t tensor, cudnnDataType_t type, int rank,
                                                         const int dims[], const int strides[]);
CUDA_DOUBLE_API cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* filter);
CUDA_DOUBLE_API cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filter);
CUDA_DOUBLE_API cudnnStatus_t cudnnSetFilterNdDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type,
                                                         cudnnTensorFormat_t format, int rank, const int dims[]);
CUDA_DOUBLE_API cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* convolution);
CUDA_DOUBLE_API cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convolution);
CUDA_DOUBLE_API cudnnStatus_t cudnnSetConvolutionNdDescriptor(cudnnConvolutionDescriptor_t convolution, int rank,
                                                              const int pads[], const int strides[],
                                                              const int dilations[], cudnnConvolutionMode_t mode,
                                                              cudnnDataType_t compute);
CUDA_DOUBLE_API cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t convolution, int groups);
CUDA_DOUBLE_API cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t convolution,
                                                          cudnnMathType_t math);
CUDA_DOUBLE_API cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                                     cudnnFilterDescriptor_t w,
                                                                     cudnnConvolutionDescriptor_t convolution,
                                                                     cudnnTensorDescriptor_t y, int wanted, int* found,
                                                                     cudnnConvolutionFwdAlgoPerf_t* results);
CUDA_DOUBLE_API cudnnStatus_t
cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t handle, cudnnFilterDescriptor_t w, cudnnTensorDescriptor_t dy,
                                            cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t dx,
                                            int wanted, int* found, cudnnConvolutionBwdDataAlgoPerf_t* results);
CUDA_DOUBLE_API cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha,
                                                      cudnnTensorDescriptor_t x_tensor, const void* x,
                                                      cudnnFilterDescriptor_t w_filter, const void* w,
                                                      cudnnConvolutionDescriptor_t convolution,
                                                      cudnnConvolutionFwdAlgo_t algorithm, void* workspace,
                                                      size_t workspace_bytes, const void* beta,
                                                      cudnnTensorDescriptor_t y_tensor, void* y);
CUDA_DOUBLE_API cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha,
                                                           cudnnFilterDescriptor_t w_filter, const void* w,
                                                           cudnnTensorDescriptor_t dy_tensor, const void* dy,
                                                           cudnnConvolutionDescriptor_t convolution,
                                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace,
                                                           size_t workspace_bytes, const void* beta,
                                                           cudnnTensorDescriptor_t dx_tensor, void* dx);
