// A double of cuDNN's convolutions: checks descriptors, pointers and workspaces and computes with plain loops.
#include <cudnn.h>

#include <utility>
#include <vector>

#include "cudnn_types.h"

using cuda_double::bytes_of;
using cuda_double::Element;
using cuda_double::element_of;

struct CudnnDoubleFilter {
  cudnnDataType_t type;
  std::vector<int> dims;
};
struct CudnnDoubleConvolution {
  std::vector<int> pads, strides, dilations;
  cudnnDataType_t compute;
  int groups = 1;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};

struct CudnnDoubleActivation {
  cudnnActivationMode_t mode;
  cudnnNanPropagation_t nan;
};

namespace {

constexpr size_t kWorkspace = 4096;

size_t bytes_of(const CudnnDoubleFilter& filter) {
  size_t count = 1;
  for (int dim : filter.dims) count *= static_cast<size_t>(dim);
  return count * cuda_double::bytes_of(element_of(filter.type));
}

// Whether `y` is what a convolution of `x` with `w` gives.
cudnnStatus_t check(const CudnnDoubleTensor& x, const CudnnDoubleFilter& w, const CudnnDoubleConvolution& conv,
                    const CudnnDoubleTensor& y) {
  const size_t rank = x.dims.size();
  if (rank < 4 || rank > 5 || w.dims.size() != rank || y.dims.size() != rank || conv.pads.size() != rank - 2)
    return CUDNN_STATUS_BAD_PARAM;
  if (x.type != w.type || x.type != y.type) return CUDNN_STATUS_BAD_PARAM;
  const cudnnDataType_t compute = x.type == CUDNN_DATA_DOUBLE ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT;
  if (conv.compute != compute) return CUDNN_STATUS_NOT_SUPPORTED;
  if (x.dims[0] != y.dims[0] || x.dims[1] != w.dims[1] * conv.groups || y.dims[1] != w.dims[0] ||
      w.dims[0] % conv.groups != 0)
    return CUDNN_STATUS_BAD_PARAM;
  for (size_t d = 0; d + 2 < rank; ++d) {
    const int reach = x.dims[d + 2] + 2 * conv.pads[d] - ((w.dims[d + 2] - 1) * conv.dilations[d] + 1);
    if (reach < 0 || y.dims[d + 2] != reach / conv.strides[d] + 1) return CUDNN_STATUS_BAD_PARAM;
  }
  return CUDNN_STATUS_SUCCESS;
}

// A convolution's sizes with three spatial axes, the missing ones of size 1.
struct Geometry {
  int in[3], out[3], kernel[3], pad[3], step[3], dilation[3];
  int64_t x_steps[3], y_steps[3];
  int per_group, filters;

  Geometry(const CudnnDoubleTensor& x, const CudnnDoubleFilter& w, const CudnnDoubleConvolution& conv,
           const CudnnDoubleTensor& y)
      : per_group(w.dims[1]), filters(w.dims[0] / conv.groups) {
    const size_t spatial = x.dims.size() - 2, missing = 3 - spatial;
    for (size_t d = 0; d < 3; ++d) {
      const bool there = d >= missing;
      const size_t k = there ? d - missing : 0;
      in[d] = there ? x.dims[k + 2] : 1, out[d] = there ? y.dims[k + 2] : 1, kernel[d] = there ? w.dims[k + 2] : 1;
      x_steps[d] = there ? x.strides[k + 2] : 0, y_steps[d] = there ? y.strides[k + 2] : 0;
      pad[d] = there ? conv.pads[k] : 0, step[d] = there ? conv.strides[k] : 1;
      dilation[d] = there ? conv.dilations[k] : 1;
    }
  }
  // The positions of the output along axis d that position k of the kernel brings inside the input: [first, last).
  std::pair<int, int> reach(size_t d, int k) const {
    const int shift = k * dilation[d] - pad[d];
    int first = shift >= 0 ? 0 : (-shift + step[d] - 1) / step[d];
    int last = in[d] - shift <= 0 ? 0 : (in[d] - shift + step[d] - 1) / step[d];
    last = last < out[d] ? last : out[d];
    return {first < last ? first : last, last};
  }
};

// Calls f(offset in x, step in x, offset in w, offset in y, count) for every run of products along the output's last axis.
template <class F>
void each_run(const CudnnDoubleTensor& x, const CudnnDoubleFilter& w, const CudnnDoubleConvolution& conv,
              const CudnnDoubleTensor& y, F&& f) {
  const Geometry g(x, w, conv, y);
  for (int n = 0; n < y.dims[0]; ++n)
    for (int m = 0; m < y.dims[1]; ++m)
      for (int c = 0; c < g.per_group; ++c)
        for (int kz = 0; kz < g.kernel[0]; ++kz)
          for (int ky = 0; ky < g.kernel[1]; ++ky)
            for (int kx = 0; kx < g.kernel[2]; ++kx) {
              const auto [z0, z1] = g.reach(0, kz);
              const auto [y0, y1] = g.reach(1, ky);
              const auto [x0, x1] = g.reach(2, kx);
              const int64_t channel = int64_t{m / g.filters} * g.per_group + c;
              const int64_t weight =
                  (((int64_t{m} * g.per_group + c) * g.kernel[0] + kz) * g.kernel[1] + ky) * g.kernel[2] + kx;
              for (int oz = z0; oz < z1; ++oz)
                for (int oy = y0; oy < y1; ++oy) {
                  const int64_t iz = oz * g.step[0] - g.pad[0] + kz * g.dilation[0];
                  const int64_t iy = oy * g.step[1] - g.pad[1] + ky * g.dilation[1];
                  const int64_t ix = x0 * g.step[2] - g.pad[2] + kx * g.dilation[2];
                  f(int64_t{n} * x.strides[0] + channel * x.strides[1] + iz * g.x_steps[0] + iy * g.x_steps[1] +
                        ix * g.x_steps[2],
                    g.step[2] * g.x_steps[2], weight,
                    int64_t{n} * y.strides[0] + int64_t{m} * y.strides[1] + oz * g.y_steps[0] + oy * g.y_steps[1] +
                        x0 * g.y_steps[2],
                    x1 - x0);
                }
            }
}

std::vector<double> doubles(Element element, const void* data, size_t bytes) {
  std::vector<double> result(bytes / cuda_double::bytes_of(element));
  for (size_t i = 0; i < result.size(); ++i) result[i] = cuda_double::load(element, data, static_cast<int64_t>(i));
  return result;
}

// Adds up in double and stores once.
void store_sums(const CudnnDoubleTensor& tensor, const std::vector<double>& sums, double alpha, double beta,
                void* data) {
  const Element element = element_of(tensor.type);
  std::vector<int> at(tensor.dims.size(), 0);
  for (;;) {
    int64_t offset = 0;
    for (size_t d = 0; d < at.size(); ++d) offset += int64_t{at[d]} * tensor.strides[d];
    double value = alpha * sums[static_cast<size_t>(offset)];
    if (beta != 0) value += beta * cuda_double::load(element, data, offset);
    cuda_double::store(element, data, offset, value);
    size_t d = at.size();
    while (d-- > 0) {
      if (++at[d] < tensor.dims[d]) break;
      at[d] = 0;
    }
    if (d == static_cast<size_t>(-1)) return;
  }
}

std::vector<double> forward_sums(const CudnnDoubleTensor& xt, const void* x, const CudnnDoubleFilter& wf, const void* w,
                                 const CudnnDoubleConvolution& conv, const CudnnDoubleTensor& yt) {
  const Element element = element_of(xt.type);
  const std::vector<double> in = doubles(element, x, bytes_of(xt)), weights = doubles(element, w, bytes_of(wf));
  std::vector<double> sums(bytes_of(yt) / cuda_double::bytes_of(element), 0.0);
  each_run(xt, wf, conv, yt, [&](int64_t from, int64_t step, int64_t weight, int64_t to, int count) {
    const double factor = weights[static_cast<size_t>(weight)];
    const double* source = in.data() + from;
    double* sum = sums.data() + to;
    for (int i = 0; i < count; ++i) sum[i] += factor * source[i * step];
  });
  return sums;
}

double scalar(const void* value, cudnnDataType_t type) {
  return cuda_double::load(type == CUDNN_DATA_DOUBLE ? Element::kDouble : Element::kFloat, value, 0);
}

bool workspace_fits(bool needed, void* workspace, size_t bytes) {
  return !needed || (bytes >= kWorkspace && reinterpret_cast<uintptr_t>(workspace) % 256 == 0 &&
                     cuda_double::cuda_double_is_device(workspace, kWorkspace));
}

}  // namespace

size_t cudnnGetVersion() { return 91900; }
const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS: return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_INITIALIZED: return "CUDNN_STATUS_NOT_INITIALIZED";
    case CUDNN_STATUS_BAD_PARAM: return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
  }
  return "unknown";
}
cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = new CudnnDouble;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  delete handle;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* tensor) {
  *tensor = new CudnnDoubleTensor{};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor) {
  delete tensor;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t tensor, cudnnDataType_t type, int rank,
                                         const int dims[], const int strides[]) {
  if (rank < 3 || rank > 8 || element_of(type) == Element::kUnknown) return CUDNN_STATUS_BAD_PARAM;
  for (int d = 0; d < rank; ++d)
    if (dims[d] < 1 || strides[d] < 1) return CUDNN_STATUS_BAD_PARAM;
  *tensor = {type, {dims, dims + rank}, {strides, strides + rank}};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* filter) {
  *filter = new CudnnDoubleFilter{};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filter) {
  delete filter;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetFilterNdDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int rank, const int dims[]) {
  if (rank < 4 || rank > 8 || format != CUDNN_TENSOR_NCHW || element_of(type) == Element::kUnknown)
    return CUDNN_STATUS_BAD_PARAM;
  for (int d = 0; d < rank; ++d)
    if (dims[d] < 1) return CUDNN_STATUS_BAD_PARAM;
  *filter = {type, {dims, dims + rank}};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* convolution) {
  *convolution = new CudnnDoubleConvolution{};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convolution) {
  delete convolution;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionNdDescriptor(cudnnConvolutionDescriptor_t convolution, int rank, const int pads[],
                                              const int strides[], const int dilations[], cudnnConvolutionMode_t mode,
                                              cudnnDataType_t compute) {
  if (rank < 2 || rank > 3 || mode != CUDNN_CROSS_CORRELATION) return CUDNN_STATUS_BAD_PARAM;
  for (int d = 0; d < rank; ++d)
    if (pads[d] < 0 || strides[d] < 1 || dilations[d] < 1) return CUDNN_STATUS_BAD_PARAM;
  convolution->pads.assign(pads, pads + rank);
  convolution->strides.assign(strides, strides + rank);
  convolution->dilations.assign(dilations, dilations + rank);
  convolution->compute = compute;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t convolution, int groups) {
  if (groups < 1) return CUDNN_STATUS_BAD_PARAM;
  convolution->groups = groups;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t convolution, cudnnMathType_t math) {
  convolution->math = math;
  return CUDNN_STATUS_SUCCESS;
}

// The best needs a workspace, the next one does not; an algorithm that failed stands between them.
cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, cudnnTensorDescriptor_t x,
                                                     cudnnFilterDescriptor_t w,
                                                     cudnnConvolutionDescriptor_t convolution,
                                                     cudnnTensorDescriptor_t y, int wanted, int* found,
                                                     cudnnConvolutionFwdAlgoPerf_t* results) {
  if (const cudnnStatus_t status = check(*x, *w, *convolution, *y); status != CUDNN_STATUS_SUCCESS) return status;
  const cudnnConvolutionFwdAlgoPerf_t all[] = {{CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                                CUDNN_STATUS_SUCCESS,
                                                -1,
                                                kWorkspace,
                                                CUDNN_DETERMINISTIC,
                                                convolution->math,
                                                {}},
                                               {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                                CUDNN_STATUS_NOT_SUPPORTED,
                                                -1,
                                                0,
                                                CUDNN_DETERMINISTIC,
                                                convolution->math,
                                                {}},
                                               {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM,
                                                CUDNN_STATUS_SUCCESS,
                                                -1,
                                                0,
                                                CUDNN_DETERMINISTIC,
                                                convolution->math,
                                                {}}};
  *found = wanted < 3 ? wanted : 3;
  for (int i = 0; i < *found; ++i) results[i] = all[i];
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t, cudnnFilterDescriptor_t w,
                                                          cudnnTensorDescriptor_t dy,
                                                          cudnnConvolutionDescriptor_t convolution,
                                                          cudnnTensorDescriptor_t dx, int wanted, int* found,
                                                          cudnnConvolutionBwdDataAlgoPerf_t* results) {
  if (const cudnnStatus_t status = check(*dx, *w, *convolution, *dy); status != CUDNN_STATUS_SUCCESS) return status;
  const cudnnConvolutionBwdDataAlgoPerf_t all[] = {
      {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1,
       CUDNN_STATUS_SUCCESS,
       -1,
       kWorkspace,
       CUDNN_DETERMINISTIC,
       convolution->math,
       {}},
      {CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, CUDNN_STATUS_SUCCESS, -1, 0, CUDNN_NON_DETERMINISTIC, convolution->math, {}}};
  *found = wanted < 2 ? wanted : 2;
  for (int i = 0; i < *found; ++i) results[i] = all[i];
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_tensor,
                                      const void* x, cudnnFilterDescriptor_t w_filter, const void* w,
                                      cudnnConvolutionDescriptor_t convolution, cudnnConvolutionFwdAlgo_t algorithm,
                                      void* workspace, size_t workspace_bytes, const void* beta,
                                      cudnnTensorDescriptor_t y_tensor, void* y) {
  const CudnnDoubleTensor xt = *x_tensor, yt = *y_tensor;
  const CudnnDoubleFilter wf = *w_filter;
  const CudnnDoubleConvolution conv = *convolution;
  if (const cudnnStatus_t status = check(xt, wf, conv, yt); status != CUDNN_STATUS_SUCCESS) return status;
  const bool spacious = algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
  if (!workspace_fits(spacious, workspace, workspace_bytes) || !cuda_double::cuda_double_is_device(x, bytes_of(xt)) ||
      !cuda_double::cuda_double_is_device(w, bytes_of(wf)) || !cuda_double::cuda_double_is_device(y, bytes_of(yt)))
    return CUDNN_STATUS_BAD_PARAM;
  const double by = scalar(alpha, conv.compute), add = scalar(beta, conv.compute);
  const auto error = cuda_double::cuda_double_enqueue(
      [=] {
        if (spacious) std::memset(workspace, 0x5A, kWorkspace);
        store_sums(yt, forward_sums(xt, x, wf, w, conv, yt), by, add, y);
      },
      handle->stream);
  return error == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* activation) {
  *activation = new CudnnDoubleActivation{};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t activation) {
  delete activation;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t activation, cudnnActivationMode_t mode,
                                           cudnnNanPropagation_t nan, double) {
  *activation = {mode, nan};
  return CUDNN_STATUS_SUCCESS;
}

// Ends convolutions of float32 and float16 only, so that the other types show what a refusal does.
cudnnStatus_t cudnnConvolutionBiasActivationForward(
    cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_tensor, const void* x,
    cudnnFilterDescriptor_t w_filter, const void* w, cudnnConvolutionDescriptor_t convolution,
    cudnnConvolutionFwdAlgo_t algorithm, void* workspace, size_t workspace_bytes, const void* alpha_z,
    cudnnTensorDescriptor_t z_tensor, const void* z, cudnnTensorDescriptor_t bias_tensor, const void* bias,
    cudnnActivationDescriptor_t activation, cudnnTensorDescriptor_t y_tensor, void* y) {
  const CudnnDoubleTensor xt = *x_tensor, yt = *y_tensor, zt = *z_tensor, bt = *bias_tensor;
  const CudnnDoubleFilter wf = *w_filter;
  const CudnnDoubleConvolution conv = *convolution;
  const CudnnDoubleActivation act = *activation;
  if (const cudnnStatus_t status = check(xt, wf, conv, yt); status != CUDNN_STATUS_SUCCESS) return status;
  if (yt.type != CUDNN_DATA_FLOAT && yt.type != CUDNN_DATA_HALF) return CUDNN_STATUS_NOT_SUPPORTED;
  std::vector<int> channels(yt.dims.size(), 1);
  channels[1] = yt.dims[1];
  if (act.mode != CUDNN_ACTIVATION_RELU || zt.dims != yt.dims || zt.strides != yt.strides || zt.type != yt.type ||
      bt.dims != channels || bt.type != yt.type)
    return CUDNN_STATUS_BAD_PARAM;
  const double by = scalar(alpha, conv.compute), by_z = scalar(alpha_z, conv.compute);
  const bool spacious = algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
  if (!workspace_fits(spacious, workspace, workspace_bytes) || !cuda_double::cuda_double_is_device(x, bytes_of(xt)) ||
      !cuda_double::cuda_double_is_device(w, bytes_of(wf)) || !cuda_double::cuda_double_is_device(y, bytes_of(yt)) ||
      !cuda_double::cuda_double_is_device(z, bytes_of(zt)) || !cuda_double::cuda_double_is_device(bias, bytes_of(bt)) ||
      (by_z != 0 && z == y))
    return CUDNN_STATUS_BAD_PARAM;
  const auto error = cuda_double::cuda_double_enqueue(
      [=] {
        if (spacious) std::memset(workspace, 0x5A, kWorkspace);
        const Element element = element_of(xt.type);
        const std::vector<double> channel = doubles(element, bias, bytes_of(bt)),
                                  sums = forward_sums(xt, x, wf, w, conv, yt);
        const auto plane = static_cast<size_t>(yt.strides[1]);
        for (size_t i = 0; i < sums.size(); ++i) {
          double value = by * sums[i] + channel[i / plane % channel.size()];
          if (by_z != 0) value += by_z * cuda_double::load(element, z, static_cast<int64_t>(i));
          cuda_double::store(element, y, static_cast<int64_t>(i), value < 0 ? 0 : value);
        }
      },
      handle->stream);
  return error == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha, cudnnFilterDescriptor_t w_filter,
                                           const void* w, cudnnTensorDescriptor_t dy_tensor, const void* dy,
                                           cudnnConvolutionDescriptor_t convolution,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace,
                                           size_t workspace_bytes, const void* beta, cudnnTensorDescriptor_t dx_tensor,
                                           void* dx) {
  const CudnnDoubleTensor dxt = *dx_tensor, dyt = *dy_tensor;
  const CudnnDoubleFilter wf = *w_filter;
  const CudnnDoubleConvolution conv = *convolution;
  if (const cudnnStatus_t status = check(dxt, wf, conv, dyt); status != CUDNN_STATUS_SUCCESS) return status;
  const bool spacious = algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;
  if (!workspace_fits(spacious, workspace, workspace_bytes) || !cuda_double::cuda_double_is_device(dx, bytes_of(dxt)) ||
      !cuda_double::cuda_double_is_device(w, bytes_of(wf)) || !cuda_double::cuda_double_is_device(dy, bytes_of(dyt)))
    return CUDNN_STATUS_BAD_PARAM;
  const double by = scalar(alpha, conv.compute), add = scalar(beta, conv.compute);
  const auto error = cuda_double::cuda_double_enqueue(
      [=] {
        if (spacious) std::memset(workspace, 0x5A, kWorkspace);
        const Element element = element_of(dxt.type);
        const std::vector<double> in = doubles(element, dy, bytes_of(dyt)), weights = doubles(element, w, bytes_of(wf));
        std::vector<double> sums(bytes_of(dxt) / cuda_double::bytes_of(element), 0.0);
        each_run(dxt, wf, conv, dyt, [&](int64_t to, int64_t step, int64_t weight, int64_t from, int count) {
          const double factor = weights[static_cast<size_t>(weight)];
          const double* source = in.data() + from;
          double* sum = sums.data() + to;
          for (int i = 0; i < count; ++i) sum[i * step] += factor * source[i];
        });
        store_sums(dxt, sums, by, add, dx);
      },
      handle->stream);
  return error == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}
