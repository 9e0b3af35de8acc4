// Convolutions and transposed convolutions by cuDNN.
#include "cuda/host/convolution.h"

#include <onnxrun/provider.hpp>

#include <atomic>
#include <climits>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"
#include "cuda/host/descriptor.h"

namespace onnxrun::cuda {

using base::DType;

namespace {

constexpr int kAlgorithms = 10;
constexpr int kUnchosen = -1;

std::vector<int> ints(const base::Dims& values) {
  std::vector<int> result;
  for (int64_t value : values) {
    if (value > INT_MAX) throw provider::Declined{"a dimension beyond cuDNN's range"};
    result.push_back(static_cast<int>(value));
  }
  return result;
}

constexpr const char* kDescribing = "describing a convolution";

struct Tensor : TensorDescriptor {
  Tensor(DType type, const base::Dims& dims) {
    const std::vector<int> sizes = ints(dims), steps = ints(base::contiguous_strides(dims));
    check(cudnn().tensor_set(get(), cudnn_type(type), static_cast<int>(sizes.size()), sizes.data(), steps.data()),
          kDescribing);
  }
};

struct Filter : Descriptor<cudnnFilterDescriptor_t> {
  Filter(DType type, const base::Dims& dims) : Descriptor(cudnn().filter_create, cudnn().filter_destroy) {
    const std::vector<int> sizes = ints(dims);
    check(cudnn().filter_set(get(), cudnn_type(type), CUDNN_TENSOR_NCHW, static_cast<int>(sizes.size()), sizes.data()),
          kDescribing);
  }
};

struct Operation : Descriptor<cudnnConvolutionDescriptor_t> {
  Operation(DType type, int precision, const ConvolutionShape& shape)
      : Descriptor(cudnn().convolution_create, cudnn().convolution_destroy) {
    const std::vector<int> pads = ints(shape.pads), strides = ints(shape.strides), dilations = ints(shape.dilations);
    check(cudnn().convolution_set(get(), static_cast<int>(pads.size()), pads.data(), strides.data(), dilations.data(),
                                  CUDNN_CROSS_CORRELATION,
                                  type == DType::kFloat64 ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT),
          kDescribing);
    check(cudnn().convolution_groups(get(), static_cast<int>(shape.groups)), kDescribing);
    take(cudnn_math(type, precision));
  }
  void take(cudnnMathType_t math) const { check(cudnn().convolution_math(get(), math), kDescribing); }
};

struct Relu : Descriptor<cudnnActivationDescriptor_t> {
  Relu() : Descriptor(cudnn().activation_create, cudnn().activation_destroy) {
    check(cudnn().activation_set(get(), CUDNN_ACTIVATION_RELU, CUDNN_PROPAGATE_NAN, 0), kDescribing);
  }
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
  Tensor x, y, bias;
  Filter w;
  Operation convolution;
  Relu relu;
  mutable std::mutex mutex;
  mutable std::atomic<int> forward = kUnchosen, backward = kUnchosen;  // algorithms
  mutable std::atomic<bool> joins = true;                              // until cuDNN refuses to end a convolution

  State(DType type, int precision, const ConvolutionShape& shape)
      : wide(type == DType::kFloat64),
        key(name_of(type, cudnn_math(type, precision), shape)),
        x(type, shape.x),
        y(type, shape.y),
        bias(type, channels_of(shape.y)),
        w(type, shape.w),
        convolution(type, precision, shape) {}

  // What was chosen, else what the device remembers, else what `ask` finds.
  template <class Ask>
  int choose(std::atomic<int>& chosen, Stream& stream, const char* direction, Ask&& ask) const {
    if (const int known = chosen.load(std::memory_order_acquire); known != kUnchosen) return known;
    const std::lock_guard lock(mutex);
    if (chosen != kUnchosen) return chosen;
    Algorithms& all = stream.device().algorithms();
    const std::string name = direction + key;
    std::optional<Algorithm> found = all.find(name);
    if (!found) all.keep(name, *(found = ask()));
    convolution.take(static_cast<cudnnMathType_t>(found->math));
    chosen.store(found->number, std::memory_order_release);
    return found->number;
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
