// Convolutions and transposed convolutions by cuDNN.
#include "cuda/host/convolution.h"

#include <onnxrun/provider.hpp>

#include <atomic>
#include <climits>
#include <mutex>
#include <optional>
#include <string>

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

// cuDNN's math for a type: float32 in TF32 where the precision allows it; 16-bit types on tensor cores, which the default does not take.
cudnnMathType_t math_of(DType type, int precision) {
  if (type == DType::kFloat16 || type == DType::kBfloat16) return CUDNN_TENSOR_OP_MATH;
  return type == DType::kFloat32 && precision != ONNXRUN_PRECISION_MEDIUM ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH;
}

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
    take(math_of(type, precision));
  }
  ~ConvolutionDescriptor() { cudnn().convolution_destroy(convolution_); }
  ConvolutionDescriptor(const ConvolutionDescriptor&) = delete;
  ConvolutionDescriptor& operator=(const ConvolutionDescriptor&) = delete;
  cudnnConvolutionDescriptor_t get() const { return convolution_; }
  void take(cudnnMathType_t math) const {
    check(cudnn().convolution_math(convolution_, math), "describing a convolution");
  }

 private:
  cudnnConvolutionDescriptor_t convolution_ = nullptr;
};

class ReluDescriptor {
 public:
  ReluDescriptor() {
    check(cudnn().activation_create(&relu_), "describing an activation");
    check(cudnn().activation_set(relu_, CUDNN_ACTIVATION_RELU, CUDNN_PROPAGATE_NAN, 0), "describing an activation");
  }
  ~ReluDescriptor() { cudnn().activation_destroy(relu_); }
  ReluDescriptor(const ReluDescriptor&) = delete;
  ReluDescriptor& operator=(const ReluDescriptor&) = delete;
  cudnnActivationDescriptor_t get() const { return relu_; }

 private:
  cudnnActivationDescriptor_t relu_ = nullptr;
};

base::Dims channels_of(const base::Dims& y) {
  base::Dims result(y.size(), 1);
  result[1] = y[1];
  return result;
}

// A convolution in words, by which its algorithm is remembered.
std::string name_of(DType type, cudnnMathType_t math, const ConvolutionShape& shape) {
  std::string name = std::string(base::dtype_name(type)) + " math " + std::to_string(math);
  const auto add = [&](const char* what, const base::Dims& values) {
    name += std::string(" ") + what;
    for (int64_t value : values) name += " " + std::to_string(value);
  };
  add("x", shape.x), add("w", shape.w), add("y", shape.y), add("pads", shape.pads);
  add("strides", shape.strides), add("dilations", shape.dilations), add("groups", {shape.groups});
  return name;
}

// The first that succeeded, fits the workspace and gives the same result each time: cuDNN puts the fastest first. Timing them took slower ones on a GPU, as the
// calls take the host longer than many convolutions take the device.
template <class Performance>
Algorithm first_that_fits(const Performance* results, int count) {
  for (int i = 0; i < count; ++i)
    if (results[i].status == CUDNN_STATUS_SUCCESS && results[i].memory <= Convolution::kWorkspace &&
        results[i].determinism == CUDNN_DETERMINISTIC)
      return {static_cast<int>(results[i].algo), static_cast<int>(results[i].mathType)};
  base::fail(base::Code::kRunFailed, "cuda: cuDNN has no algorithm for a convolution within {} bytes of workspace",
             Convolution::kWorkspace);
}

}  // namespace

struct Convolution::State {
  bool wide;
  std::string key;
  TensorDescriptor x, y, bias;
  FilterDescriptor w;
  ConvolutionDescriptor convolution;
  ReluDescriptor relu;
  mutable std::mutex mutex;
  mutable std::optional<Algorithm> forward, backward;
  mutable std::atomic<bool> joins = true;  // until cuDNN refuses to end a convolution

  State(DType type, int precision, const ConvolutionShape& shape)
      : wide(type == DType::kFloat64),
        key(name_of(type, math_of(type, precision), shape)),
        x(type, shape.x),
        y(type, shape.y),
        bias(type, channels_of(shape.y)),
        w(type, shape.w),
        convolution(type, precision, shape) {}

  // What `known` holds, else what the device remembers, else what `ask` finds.
  template <class Ask>
  int choose(std::optional<Algorithm>& known, Stream& stream, const char* direction, Ask&& ask) const {
    const std::lock_guard lock(mutex);
    if (!known) {
      Algorithms& all = stream.device().algorithms();
      const std::string name = direction + key;
      std::optional<Algorithm> found = all.find(name);
      if (!found) all.keep(name, *(found = ask()));
      convolution.take(static_cast<cudnnMathType_t>(found->math));
      known = found;
    }
    return known->number;
  }

  cudnnConvolutionFwdAlgo_t choose_forward(Stream& stream) const {
    return static_cast<cudnnConvolutionFwdAlgo_t>(choose(forward, stream, "forward ", [&] {
      cudnnConvolutionFwdAlgoPerf_t results[kAlgorithms];
      int found = 0;
      check(cudnn().forward_algorithms(stream.convolutions(), x.get(), w.get(), convolution.get(), y.get(), kAlgorithms,
                                       &found, results),
            "choosing a convolution's algorithm");
      return first_that_fits(results, found);
    }));
  }
  cudnnConvolutionBwdDataAlgo_t choose_backward(Stream& stream) const {
    return static_cast<cudnnConvolutionBwdDataAlgo_t>(choose(backward, stream, "transposed ", [&] {
      cudnnConvolutionBwdDataAlgoPerf_t results[kAlgorithms];
      int found = 0;
      check(cudnn().backward_algorithms(stream.convolutions(), w.get(), y.get(), convolution.get(), x.get(),
                                        kAlgorithms, &found, results),
            "choosing a convolution's algorithm");
      return first_that_fits(results, found);
    }));
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
  const cudnnConvolutionFwdAlgo_t algorithm = state_->choose_forward(stream);
  check(
      cudnn().forward(stream.convolutions(), factors.one(), state_->x.get(), x, state_->w.get(), w,
                      state_->convolution.get(), algorithm, workspace, kWorkspace, factors.zero(), state_->y.get(), y),
      "a convolution");
  stream.count_work();
}

bool Convolution::forward_relu(Stream& stream, const void* x, const void* w, const void* bias, const void* added,
                               void* y, void* workspace) const {
  if (!state_->joins || added == y) return false;
  const Factors factors(state_->wide);
  const cudnnConvolutionFwdAlgo_t algorithm = state_->choose_forward(stream);
  const cudnnStatus_t status = cudnn().forward_activated(
      stream.convolutions(), factors.one(), state_->x.get(), x, state_->w.get(), w, state_->convolution.get(),
      algorithm, workspace, kWorkspace, added != nullptr ? factors.one() : factors.zero(), state_->y.get(),
      added != nullptr ? added : y, state_->bias.get(), bias, state_->relu.get(), state_->y.get(), y);
  if (status == CUDNN_STATUS_NOT_SUPPORTED) {
    state_->joins = false;
    return false;
  }
  check(status, "a convolution");
  stream.count_work();
  return true;
}

void Convolution::transposed(Stream& stream, const void* y, const void* w, void* x, void* workspace) const {
  const Factors factors(state_->wide);
  const cudnnConvolutionBwdDataAlgo_t algorithm = state_->choose_backward(stream);
  check(
      cudnn().backward(stream.convolutions(), factors.one(), state_->w.get(), w, state_->y.get(), y,
                       state_->convolution.get(), algorithm, workspace, kWorkspace, factors.zero(), state_->x.get(), x),
      "a transposed convolution");
  stream.count_work();
}

}  // namespace onnxrun::cuda
