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

enum cudnnRNNAlgo_t {
  CUDNN_RNN_ALGO_STANDARD = 0,
  CUDNN_RNN_ALGO_PERSIST_STATIC = 1,
  CUDNN_RNN_ALGO_PERSIST_DYNAMIC = 2,
  CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H = 3
};
enum cudnnForwardMode_t { CUDNN_FWD_MODE_INFERENCE = 0, CUDNN_FWD_MODE_TRAINING = 1 };
enum cudnnRNNMode_t { CUDNN_RNN_RELU = 0, CUDNN_RNN_TANH = 1, CUDNN_LSTM = 2, CUDNN_GRU = 3 };
enum cudnnRNNBiasMode_t { CUDNN_RNN_DOUBLE_BIAS = 2 };
enum cudnnDirectionMode_t { CUDNN_UNIDIRECTIONAL = 0, CUDNN_BIDIRECTIONAL = 1 };
enum cudnnRNNInputMode_t { CUDNN_LINEAR_INPUT = 0 };
enum cudnnRNNDataLayout_t { CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED = 0 };
#define CUDNN_RNN_PADDED_IO_ENABLED (1U << 0)

using cudnnHandle_t = struct CudnnDouble*;
using cudnnTensorDescriptor_t = struct CudnnDoubleTensor*;
using cudnnFilterDescriptor_t = struct CudnnDoubleFilter*;
using cudnnConvolutionDescriptor_t = struct CudnnDoubleConvolution*;
using cudnnActivationDescriptor_t = struct CudnnDoubleActivation*;
using cudnnDropoutDescriptor_t = struct CudnnDoubleDropout*;
using cudnnRNNDescriptor_t = struct CudnnDoubleNetwork*;
using cudnnRNNDataDescriptor_t = struct CudnnDoubleSequences*;

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
CUDA_DOUBLE_API cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* activation);
CUDA_DOUBLE_API cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t activation);
CUDA_DOUBLE_API cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t activation,
                                                           cudnnActivationMode_t mode, cudnnNanPropagation_t nan,
                                                           double coefficient);
CUDA_DOUBLE_API cudnnStatus_t cudnnConvolutionBiasActivationForward(
    cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_tensor, const void* x,
    cudnnFilterDescriptor_t w_filter, const void* w, cudnnConvolutionDescriptor_t convolution,
    cudnnConvolutionFwdAlgo_t algorithm, void* workspace, size_t workspace_bytes, const void* alpha_z,
    cudnnTensorDescriptor_t z_tensor, const void* z, cudnnTensorDescriptor_t bias_tensor, const void* bias,
    cudnnActivationDescriptor_t activation, cudnnTensorDescriptor_t y_tensor, void* y);
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
CUDA_DOUBLE_API cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t* network);
CUDA_DOUBLE_API cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t network);
CUDA_DOUBLE_API cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t network, cudnnRNNAlgo_t algorithm,
                                                       cudnnRNNMode_t cell, cudnnRNNBiasMode_t biases,
                                                       cudnnDirectionMode_t direction, cudnnRNNInputMode_t input_mode,
                                                       cudnnDataType_t type, cudnnDataType_t precision,
                                                       cudnnMathType_t math, int32_t input, int32_t hidden,
                                                       int32_t projection, int32_t layers,
                                                       cudnnDropoutDescriptor_t dropout, uint32_t flags);
CUDA_DOUBLE_API cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t* data);
CUDA_DOUBLE_API cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t data);
CUDA_DOUBLE_API cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t data, cudnnDataType_t type,
                                                        cudnnRNNDataLayout_t layout, int steps, int batch, int width,
                                                        const int lengths[], void* padding);
CUDA_DOUBLE_API cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t handle, cudnnRNNDescriptor_t network,
                                                         size_t* bytes);
CUDA_DOUBLE_API cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t handle, cudnnRNNDescriptor_t network,
                                                        cudnnForwardMode_t mode, cudnnRNNDataDescriptor_t x,
                                                        size_t* workspace, size_t* reserved);
CUDA_DOUBLE_API cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t handle, cudnnRNNDescriptor_t network,
                                                      int32_t pseudo_layer, size_t weight_bytes, const void* weights,
                                                      int32_t gate, cudnnTensorDescriptor_t matrix, void** matrix_at,
                                                      cudnnTensorDescriptor_t bias, void** bias_at);
CUDA_DOUBLE_API cudnnStatus_t cudnnRNNForward(cudnnHandle_t handle, cudnnRNNDescriptor_t network,
                                              cudnnForwardMode_t mode, const int32_t lengths[],
                                              cudnnRNNDataDescriptor_t x_data, const void* x,
                                              cudnnRNNDataDescriptor_t y_data, void* y,
                                              cudnnTensorDescriptor_t h_tensor, const void* h, void* last_h,
                                              cudnnTensorDescriptor_t c_tensor, const void* c, void* last_c,
                                              size_t weight_bytes, const void* weights, size_t workspace_bytes,
                                              void* workspace, size_t reserved_bytes, void* reserved);
