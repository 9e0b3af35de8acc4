// Convolutions and transposed convolutions by cuDNN.
#include "cuda/host/convolution.h"

#include <onnxrun/provider.hpp>

#include <climits>
#include <optional>

#include "base/error.h"
#include "cuda/host/check.h"
#include "cuda/host/libraries.h"

namespace onnxrun::cuda {

using base::DType;

namespace {

constexpr int kAlgorithms = 10;

cudnnDataType_t data_type(DType type) {
  switch (type) {
    case DType::kFloat64: return CUDNN_DATA_DOUBLE;
    case DType::kFloat16: return CUDNN_DATA_HALF;
    case DType::kBfloat16: return CUDNN_DATA_BFLOAT16;
    default: return CUDNN_DATA_FLOAT;
  }
}

std::vector<int> ints(const base::Dims& values) {
  std::vector<int> result;
  for (int64_t value : values) {
    if (value > INT_MAX) throw provider::Declined{"a dimension beyond cuDNN's range"};
    result.push_back(static_cast<int>(value));
  }
  return result;
}

class TensorDescriptor {
 public:
  TensorDescriptor(DType type, const base::Dims& dims) {
    const std::vector<int> sizes = ints(dims), steps = ints(base::contiguous_strides(dims));
    check(cudnn().tensor_create(&tensor_), "describing a tensor");
    check(cudnn().tensor_set(tensor_, data_type(type), static_cast<int>(sizes.size()), sizes.data(), steps.data()),
          "describing a tensor");
  }
  ~TensorDescriptor() { cudnn().tensor_destroy(tensor_); }
  TensorDescriptor(const TensorDescriptor&) = delete;
  TensorDescriptor& operator=(const TensorDescriptor&) = delete;
  cudnnTensorDescriptor_t get() const { return tensor_; }

 private:
  cudnnTensorDescriptor_t tensor_ = nullptr;
};

class FilterDescriptor {
 public:
  FilterDescriptor(DType type, const base::Dims& dims) {
    const std::vector<int> sizes = ints(dims);
    check(cudnn().filter_create(&filter_), "describing a filter");
    check(cudnn().filter_set(filter_, data_type(type), CUDNN_TENSOR_NCHW, static_cast<int>(sizes.size()), sizes.data()),
          "describing a filter");
  }
  ~FilterDescriptor() { cudnn().filter_destroy(filter_); }
  FilterDescriptor(const FilterDescriptor&) = delete;
  FilterDescriptor& operator=(const FilterDescriptor&) = delete;
  cudnnFilterDescriptor_t get() const { return filter_; }

 private:
  cudnnFilterDescriptor_t filter_ = nullptr;
};

class ConvolutionDescriptor {
 public:
  ConvolutionDescriptor(DType type, int precision, const ConvolutionShape& shape) {
    const std::vector<int> pads = ints(shape.pads), strides = ints(shape.strides), dilations = ints(shape.dilations);
    const bool wide = type == DType::kFloat64;
    check(cudnn().convolution_create(&convolution_), "describing a convolution");
    check(
        cudnn().convolution_set(convolution_, static_cast<int>(pads.size()), pads.data(), strides.data(),
                                dilations.data(), CUDNN_CROSS_CORRELATION, wide ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT),
        "describing a convolution");
    check(cudnn().convolution_groups(convolution_, static_cast<int>(shape.groups)), "describing a convolution");
    // The default math takes TF32 for float32.
    const bool exact = type == DType::kFloat32 && precision != ONNXRUN_PRECISION_MEDIUM;
    check(cudnn().convolution_math(convolution_, exact ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH),
          "describing a convolution");
  }
  ~ConvolutionDescriptor() { cudnn().convolution_destroy(convolution_); }
  ConvolutionDescriptor(const ConvolutionDescriptor&) = delete;
  ConvolutionDescriptor& operator=(const ConvolutionDescriptor&) = delete;
  cudnnConvolutionDescriptor_t get() const { return convolution_; }

 private:
  cudnnConvolutionDescriptor_t convolution_ = nullptr;
};

// The first that succeeded, fits the workspace and gives the same result each time.
template <class Performance>
auto first_that_fits(const Performance* results, int count) {
  for (int i = 0; i < count; ++i)
    if (results[i].status == CUDNN_STATUS_SUCCESS && results[i].memory <= Convolution::kWorkspace &&
        results[i].determinism == CUDNN_DETERMINISTIC)
      return results[i].algo;
  base::fail(base::Code::kRunFailed, "cuda: cuDNN has no algorithm for a convolution within {} bytes of workspace",
             Convolution::kWorkspace);
}

}  // namespace

struct Convolution::State {
  bool wide;
  TensorDescriptor x, y;
  FilterDescriptor w;
  ConvolutionDescriptor convolution;
  mutable std::mutex mutex;
  mutable std::optional<cudnnConvolutionFwdAlgo_t> forward;
  mutable std::optional<cudnnConvolutionBwdDataAlgo_t> backward;

  State(DType type, int precision, const ConvolutionShape& shape)
      : wide(type == DType::kFloat64),
        x(type, shape.x),
        y(type, shape.y),
        w(type, shape.w),
        convolution(type, precision, shape) {}

  cudnnConvolutionFwdAlgo_t choose_forward(cudnnHandle_t handle) const {
    const std::lock_guard lock(mutex);
    if (forward) return *forward;
    cudnnConvolutionFwdAlgoPerf_t results[kAlgorithms];
    int found = 0;
    check(
        cudnn().forward_algorithms(handle, x.get(), w.get(), convolution.get(), y.get(), kAlgorithms, &found, results),
        "choosing a convolution's algorithm");
    forward = first_that_fits(results, found);
    return *forward;
  }
  cudnnConvolutionBwdDataAlgo_t choose_backward(cudnnHandle_t handle) const {
    const std::lock_guard lock(mutex);
    if (backward) return *backward;
    cudnnConvolutionBwdDataAlgoPerf_t results[kAlgorithms];
    int found = 0;
    check(
        cudnn().backward_algorithms(handle, w.get(), y.get(), convolution.get(), x.get(), kAlgorithms, &found, results),
        "choosing a convolution's algorithm");
    backward = first_that_fits(results, found);
    return *backward;
  }
};

namespace {

// Factors in the type that cuDNN reads them in.
struct Factors {
  float one32 = 1, zero32 = 0;
  double one64 = 1, zero64 = 0;
  bool wide;
  explicit Factors(bool w) : wide(w) {}
  const void* one() const { return wide ? static_cast<const void*>(&one64) : &one32; }
  const void* zero() const { return wide ? static_cast<const void*>(&zero64) : &zero32; }
};

}  // namespace

bool Convolution::serves(DType type) {
  return type == DType::kFloat32 || type == DType::kFloat64 || type == DType::kFloat16 || type == DType::kBfloat16;
}

Convolution::Convolution(DType type, int precision, const ConvolutionShape& shape)
    : state_(std::make_unique<State>(type, precision, shape)) {}
Convolution::~Convolution() = default;
Convolution::Convolution(Convolution&&) noexcept = default;

void Convolution::forward(Stream& stream, const void* x, const void* w, void* y, void* workspace) const {
  const Factors factors(state_->wide);
  const cudnnHandle_t handle = stream.convolutions();
  check(cudnn().forward(handle, factors.one(), state_->x.get(), x, state_->w.get(), w, state_->convolution.get(),
                        state_->choose_forward(handle), workspace, kWorkspace, factors.zero(), state_->y.get(), y),
        "a convolution");
  stream.count_work();
}

void Convolution::transposed(Stream& stream, const void* y, const void* w, void* x, void* workspace) const {
  const Factors factors(state_->wide);
  const cudnnHandle_t handle = stream.convolutions();
  check(cudnn().backward(handle, factors.one(), state_->w.get(), w, state_->y.get(), y, state_->convolution.get(),
                         state_->choose_backward(handle), workspace, kWorkspace, factors.zero(), state_->x.get(), x),
        "a transposed convolution");
  stream.count_work();
}

}  // namespace onnxrun::cuda
