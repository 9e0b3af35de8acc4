// Recurrent networks of one layer by cuDNN.
#include "cuda/host/recurrence.h"

#include <fmt/format.h>
#include <onnxrun/provider.hpp>

#include <algorithm>
#include <climits>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/host/descriptor.h"

namespace onnxrun::cuda {

using base::DType;

namespace {

constexpr const char* kDescribing = "describing a recurrent network";

// A handle to ask what networks need, before a stream with one of its own runs them; kept while a network is.
class Advisor {
 public:
  // The calling thread's device's. Devices of one machine are taken to be alike: what cuDNN needs on another is refused by its run.
  static std::shared_ptr<Advisor> get() {
    static std::mutex mutex;
    static std::map<int, std::weak_ptr<Advisor>> all;
    const std::lock_guard lock(mutex);
    int device = 0;
    check(cudaGetDevice(&device), "finding the device");
    std::shared_ptr<Advisor> advisor = all[device].lock();
    if (!advisor) all[device] = advisor = std::make_shared<Advisor>();
    return advisor;
  }
  Advisor() { check(cudnn().create(&handle_), "creating a handle"); }
  ~Advisor() { cudnn().destroy(handle_); }
  Advisor(const Advisor&) = delete;
  Advisor& operator=(const Advisor&) = delete;

  template <class F>
  auto ask(F&& f) {
    const std::lock_guard lock(mutex_);
    return f(handle_);
  }

 private:
  std::mutex mutex_;
  cudnnHandle_t handle_ = nullptr;
};

struct DataDescriptor : Descriptor<cudnnRNNDataDescriptor_t> {
  DataDescriptor() : Descriptor(cudnn().recurrence_data_create, cudnn().recurrence_data_destroy) {}
};
struct NetworkDescriptor : Descriptor<cudnnRNNDescriptor_t> {
  NetworkDescriptor() : Descriptor(cudnn().recurrence_create, cudnn().recurrence_destroy) {}
};

cudnnRNNMode_t mode_of(RecurrenceCell cell) {
  switch (cell) {
    case RecurrenceCell::kRelu: return CUDNN_RNN_RELU;
    case RecurrenceCell::kTanh: return CUDNN_RNN_TANH;
    case RecurrenceCell::kLstm: return CUDNN_LSTM;
    default: return CUDNN_GRU;
  }
}

// Whether tensors of these sizes keep below 2^31 elements.
bool within_range(std::initializer_list<int64_t> sizes) {
  int64_t elements = 1;
  for (const int64_t size : sizes) {
    if (size > INT_MAX / elements) return false;
    elements *= size;
  }
  return true;
}

// Best first. The one for small networks keeps the matrices of the recurrence on the chip during all steps; up to these sizes it can.
std::vector<cudnnRNNAlgo_t> algorithms(const RecurrenceShape& shape) {
  if (shape.hidden > (shape.gates() == 1 ? 384 : 192)) return {CUDNN_RNN_ALGO_STANDARD};
  return {CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H, CUDNN_RNN_ALGO_STANDARD};
}

}  // namespace

struct Recurrence::State {
  DType type;
  int precision;
  RecurrenceShape shape;
  std::shared_ptr<Advisor> advisor = Advisor::get();
  NetworkDescriptor network;
  DataDescriptor x, y;
  TensorDescriptor states;
  size_t weights = 0, workspace = 0;
  std::vector<size_t> matrices, biases;  // by direction and gate

  State(DType t, int p, const RecurrenceShape& s) : type(t), precision(p), shape(s) {
    if (!within_range({s.seq, s.batch, s.input}) ||
        !within_range({s.seq, s.batch, s.directions, s.gates(), s.hidden}) ||
        !within_range({s.directions, s.gates(), s.hidden, std::max(s.input, s.hidden)}))
      throw provider::Declined{"a recurrent network beyond cuDNN's range"};
    describe_data(x, s.input);
    describe_data(y, s.directions * s.hidden);
    const int dims[] = {static_cast<int>(s.directions), static_cast<int>(s.batch), static_cast<int>(s.hidden)};
    const int steps[] = {dims[1] * dims[2], dims[2], 1};
    check(cudnn().tensor_set(states.get(), cudnn_type(type), 3, dims, steps), kDescribing);
    advisor->ask([&](cudnnHandle_t handle) {
      choose(handle);
      find_places(handle);
    });
  }

  void describe_data(const DataDescriptor& data, int64_t width) const {
    const std::vector<int> lengths(static_cast<size_t>(shape.batch), static_cast<int>(shape.seq));
    check(cudnn().recurrence_data_set(data.get(), cudnn_type(type), CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED,
                                      static_cast<int>(shape.seq), static_cast<int>(shape.batch),
                                      static_cast<int>(width), lengths.data(), nullptr),
          kDescribing);
  }

  // The first algorithm that cuDNN has for the network.
  void choose(cudnnHandle_t handle) {
    std::string reasons;
    for (const cudnnRNNAlgo_t algorithm : algorithms(shape)) {
      const cudnnStatus_t status = plan(handle, algorithm);
      if (status == CUDNN_STATUS_SUCCESS) return;
      // What it does not support has numbers of its own.
      if (status < CUDNN_STATUS_NOT_SUPPORTED || status >= CUDNN_STATUS_NOT_SUPPORTED + 1000)
        check(status, kDescribing);
      reasons += fmt::format(" algorithm {}: {}", static_cast<int>(algorithm), cudnn().error_string(status));
    }
    throw provider::Declined{"cuDNN has no algorithm:" + reasons};
  }

  cudnnStatus_t plan(cudnnHandle_t handle, cudnnRNNAlgo_t algorithm) {
    const auto hidden = static_cast<int>(shape.hidden);
    cudnnStatus_t status =
        cudnn().recurrence_set(network.get(), algorithm, mode_of(shape.cell), CUDNN_RNN_DOUBLE_BIAS,
                               shape.directions == 2 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT,
                               cudnn_type(type), CUDNN_DATA_FLOAT, cudnn_math(type, precision),
                               static_cast<int>(shape.input), hidden, hidden, 1, nullptr, CUDNN_RNN_PADDED_IO_ENABLED);
    if (status == CUDNN_STATUS_SUCCESS) status = cudnn().recurrence_weight_bytes(handle, network.get(), &weights);
    size_t reserved = 0;
    if (status == CUDNN_STATUS_SUCCESS)
      status = cudnn().recurrence_temporary_bytes(handle, network.get(), CUDNN_FWD_MODE_INFERENCE, x.get(), &workspace,
                                                  &reserved);
    return status;
  }

  // Where each gate's weights lie: without an address of the whole, cuDNN's answers are offsets.
  void find_places(cudnnHandle_t handle) {
    const TensorDescriptor matrix, bias;
    for (int direction = 0; direction < shape.directions; ++direction)
      for (int gate = 0; gate < 2 * shape.gates(); ++gate) {
        void *matrix_at = nullptr, *bias_at = nullptr;
        check(cudnn().recurrence_weights(handle, network.get(), direction, weights, nullptr, gate, matrix.get(),
                                         &matrix_at, bias.get(), &bias_at),
              kDescribing);
        matrices.push_back(reinterpret_cast<size_t>(matrix_at));
        biases.push_back(reinterpret_cast<size_t>(bias_at));
      }
  }

  size_t index(int64_t direction, int64_t gate) const {
    return static_cast<size_t>(direction * 2 * shape.gates() + gate);
  }
};

bool Recurrence::serves(DType type, int precision) {
  return type == DType::kFloat16 || (type == DType::kFloat32 && precision != ONNXRUN_PRECISION_HIGHEST);
}

Recurrence::Recurrence(DType type, int precision, const RecurrenceShape& shape)
    : state_(std::make_unique<State>(type, precision, shape)) {}
Recurrence::~Recurrence() = default;
Recurrence::Recurrence(Recurrence&&) noexcept = default;

size_t Recurrence::weight_bytes() const { return state_->weights; }
size_t Recurrence::workspace_bytes() const { return state_->workspace; }
size_t Recurrence::matrix_at(int64_t direction, int64_t gate) const {
  return state_->matrices[state_->index(direction, gate)];
}
size_t Recurrence::bias_at(int64_t direction, int64_t gate) const {
  return state_->biases[state_->index(direction, gate)];
}

void Recurrence::run(Stream& stream, const Memory& memory) const {
  const State& s = *state_;
  // Null for the lengths on the device: cuDNN takes them from the descriptors since 8.9.1.
  check(cudnn().recurrence_forward(stream.convolutions(), s.network.get(), CUDNN_FWD_MODE_INFERENCE, nullptr, s.x.get(),
                                   memory.x, s.y.get(), memory.y, s.states.get(), memory.h, memory.last_h,
                                   s.states.get(), memory.c, memory.last_c, s.weights, memory.weights, s.workspace,
                                   memory.workspace, 0, nullptr),
        "a recurrent network");
  stream.count_work();
}

}  // namespace onnxrun::cuda
