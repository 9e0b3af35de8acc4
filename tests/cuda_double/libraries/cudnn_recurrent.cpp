// A double of cuDNN's recurrent networks of one layer: checks descriptors, sizes and places, keeps weights in an order of its own, and computes
// with plain loops in double.
#include <cmath>
#include <cstring>
#include <vector>

#include "cudnn_types.h"

using cuda_double::bytes_of;
using cuda_double::cuda_double_is_device;
using cuda_double::Element;
using cuda_double::element_of;

struct CudnnDoubleNetwork {
  cudnnRNNMode_t cell;
  int directions = 0;  // 0: not described
  cudnnDataType_t type;
  int input, hidden;
  bool rough = false;  // as is the algorithm for small networks

  int gates() const { return cell == CUDNN_LSTM ? 4 : cell == CUDNN_GRU ? 3 : 1; }
  size_t element_bytes() const { return bytes_of(element_of(type)); }
};
struct CudnnDoubleSequences {
  cudnnDataType_t type;
  int steps = 0, batch = 0, width = 0;  // 0: not described

  size_t bytes() const { return static_cast<size_t>(int64_t{steps} * batch * width) * bytes_of(element_of(type)); }
};

namespace {

constexpr size_t kGap = 48;  // before each part of the weights

// Where the parts of a network's weights lie: from the last gate to the first, biases between the matrices, nothing without a gap.
struct Places {
  std::vector<size_t> matrices, biases;  // by direction and gate
  size_t bytes = kGap;

  explicit Places(const CudnnDoubleNetwork& n) {
    const int gates = 2 * n.gates();
    matrices.resize(static_cast<size_t>(n.directions * gates));
    biases.resize(matrices.size());
    const auto take = [&](size_t& at, int64_t count) {
      at = bytes;
      bytes += static_cast<size_t>(count) * n.element_bytes() + kGap;
      bytes = (bytes + 15) / 16 * 16;
    };
    for (size_t part = matrices.size(); part-- > 0;) {
      const bool recurrent = static_cast<int>(part) % gates >= n.gates();
      take(matrices[part], int64_t{n.hidden} * (recurrent ? n.hidden : n.input));
      take(biases[part], n.hidden);
    }
  }
};

size_t workspace_of(const CudnnDoubleNetwork& n, const CudnnDoubleSequences& x) {
  return static_cast<size_t>(int64_t{x.steps} * x.batch * n.directions * n.gates() * n.hidden) * n.element_bytes() +
         512;
}

bool described(cudnnRNNDescriptor_t network) { return network != nullptr && network->directions != 0; }
bool described(cudnnRNNDataDescriptor_t data) { return data != nullptr && data->steps != 0; }

// Whether a descriptor is that of a network's states, without gaps.
bool are_states(cudnnTensorDescriptor_t tensor, const CudnnDoubleNetwork& n, int batch) {
  return tensor != nullptr && tensor->type == n.type &&
         tensor->dims == std::vector<int>{n.directions, batch, n.hidden} &&
         tensor->strides == std::vector<int>{batch * n.hidden, n.hidden, 1};
}

// A run of a network, with everything it reads and writes.
struct Run {
  CudnnDoubleNetwork n;
  CudnnDoubleSequences x;
  const void *from, *h, *c;
  void *y, *last_h, *last_c;
  const char* weights;

  double sigmoid(double x) const { return (n.rough ? 1.0001 : 1) / (1 + std::exp(-x)); }
  double at(const void* data, int64_t i) const { return cuda_double::load(element_of(n.type), data, i); }
  // As the element type keeps it.
  double kept(void* data, int64_t i, double value) const {
    cuda_double::store(element_of(n.type), data, i, value);
    return at(data, i);
  }

  // weights * values + bias of a part.
  std::vector<double> product(const Places& places, size_t part, const std::vector<double>& values) const {
    std::vector<double> result(static_cast<size_t>(n.hidden), 0.0);
    for (int row = 0; row < n.hidden; ++row) {
      double sum = at(weights + places.biases[part], row);
      for (size_t k = 0; k < values.size(); ++k)
        sum +=
            at(weights + places.matrices[part], row * static_cast<int64_t>(values.size()) + static_cast<int64_t>(k)) *
            values[k];
      result[static_cast<size_t>(row)] = sum;
    }
    return result;
  }

  // The new states of one sequence after a step.
  void step(const Places& places, int direction, const std::vector<double>& in, std::vector<double>& state,
            std::vector<double>& memory) const {
    const auto gates = static_cast<size_t>(n.gates());
    std::vector<std::vector<double>> a, b;
    for (size_t gate = 0; gate < gates; ++gate) {
      const size_t part = static_cast<size_t>(direction) * 2 * gates + gate;
      a.push_back(product(places, part, in));
      b.push_back(product(places, part + gates, state));
    }
    for (size_t j = 0; j < state.size(); ++j) {
      const auto sum = [&](size_t gate) { return a[gate][j] + b[gate][j]; };
      switch (n.cell) {
        case CUDNN_RNN_RELU: state[j] = sum(0) > 0 || sum(0) != sum(0) ? sum(0) : 0; break;
        case CUDNN_RNN_TANH: state[j] = std::tanh(sum(0)); break;
        case CUDNN_LSTM:
          memory[j] = sigmoid(sum(1)) * memory[j] + sigmoid(sum(0)) * std::tanh(sum(2));
          state[j] = sigmoid(sum(3)) * std::tanh(memory[j]);
          break;
        case CUDNN_GRU: {
          const double update = sigmoid(sum(1));
          state[j] = (1 - update) * std::tanh(a[2][j] + sigmoid(sum(0)) * b[2][j]) + update * state[j];
          break;
        }
      }
    }
  }

  void compute() const {
    const Places places(n);
    const int64_t width = int64_t{n.directions} * n.hidden;
    for (int d = 0; d < n.directions; ++d)
      for (int s = 0; s < x.batch; ++s) {
        std::vector<double> state(static_cast<size_t>(n.hidden), 0.0), memory = state, in(static_cast<size_t>(n.input));
        const int64_t start = (int64_t{d} * x.batch + s) * n.hidden;
        for (int j = 0; j < n.hidden; ++j) {
          if (h != nullptr) state[static_cast<size_t>(j)] = at(h, start + j);
          if (c != nullptr) memory[static_cast<size_t>(j)] = at(c, start + j);
        }
        for (int i = 0; i < x.steps; ++i) {
          const int64_t row = int64_t{d == 0 ? i : x.steps - 1 - i} * x.batch + s;
          for (int k = 0; k < n.input; ++k) in[static_cast<size_t>(k)] = at(from, row * n.input + k);
          step(places, d, in, state, memory);
          for (int j = 0; j < n.hidden; ++j)
            state[static_cast<size_t>(j)] = kept(y, row * width + d * n.hidden + j, state[static_cast<size_t>(j)]);
        }
        for (int j = 0; j < n.hidden; ++j) {
          if (last_h != nullptr) kept(last_h, start + j, state[static_cast<size_t>(j)]);
          if (last_c != nullptr) kept(last_c, start + j, memory[static_cast<size_t>(j)]);
        }
      }
  }
};

}  // namespace

cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t* network) {
  *network = new CudnnDoubleNetwork{};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t network) {
  delete network;
  return CUDNN_STATUS_SUCCESS;
}

// One layer with two biases a gate, without projection and dropout. The algorithm for small networks is not there for an input of 13, which stands for
// what a real one refuses for reasons of its own.
cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t network, cudnnRNNAlgo_t algorithm, cudnnRNNMode_t cell,
                                       cudnnRNNBiasMode_t biases, cudnnDirectionMode_t direction,
                                       cudnnRNNInputMode_t input_mode, cudnnDataType_t type, cudnnDataType_t precision,
                                       cudnnMathType_t math, int32_t input, int32_t hidden, int32_t projection,
                                       int32_t layers, cudnnDropoutDescriptor_t dropout, uint32_t flags) {
  if (network == nullptr || input < 1 || hidden < 1 || projection < 1 || layers < 1 || input_mode != CUDNN_LINEAR_INPUT)
    return CUDNN_STATUS_BAD_PARAM;
  if (projection != hidden || biases != CUDNN_RNN_DOUBLE_BIAS || layers != 1 || dropout != nullptr ||
      flags != CUDNN_RNN_PADDED_IO_ENABLED)
    return CUDNN_STATUS_NOT_SUPPORTED;
  if ((type != CUDNN_DATA_FLOAT && type != CUDNN_DATA_HALF) || precision != CUDNN_DATA_FLOAT)
    return CUDNN_STATUS_NOT_SUPPORTED;
  if (type == CUDNN_DATA_HALF ? math != CUDNN_TENSOR_OP_MATH : math == CUDNN_TENSOR_OP_MATH)
    return CUDNN_STATUS_NOT_SUPPORTED;
  const int gates = cell == CUDNN_LSTM ? 4 : cell == CUDNN_GRU ? 3 : 1;
  if (algorithm == CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H) {
    if (input == 13 || hidden > (gates == 1 ? 384 : 192)) return CUDNN_STATUS_NOT_SUPPORTED;
  } else if (algorithm != CUDNN_RNN_ALGO_STANDARD) {
    return CUDNN_STATUS_NOT_SUPPORTED;
  }
  *network = {cell,   direction == CUDNN_BIDIRECTIONAL ? 2 : 1,          type, input,
              hidden, algorithm == CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t* data) {
  *data = new CudnnDoubleSequences{};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t data) {
  delete data;
  return CUDNN_STATUS_SUCCESS;
}

// Of sequences that are all as long as the longest.
cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t data, cudnnDataType_t type,
                                        cudnnRNNDataLayout_t layout, int steps, int batch, int width,
                                        const int lengths[], void*) {
  if (data == nullptr || lengths == nullptr || steps < 1 || batch < 1 || width < 1 ||
      layout != CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED)
    return CUDNN_STATUS_BAD_PARAM;
  for (int i = 0; i < batch; ++i) {
    if (lengths[i] < 0 || lengths[i] > steps) return CUDNN_STATUS_BAD_PARAM;
    if (lengths[i] != steps) return CUDNN_STATUS_NOT_SUPPORTED;
  }
  *data = {type, steps, batch, width};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t handle, cudnnRNNDescriptor_t network, size_t* bytes) {
  if (handle == nullptr || !described(network)) return CUDNN_STATUS_BAD_PARAM;
  *bytes = Places(*network).bytes;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t handle, cudnnRNNDescriptor_t network, cudnnForwardMode_t mode,
                                        cudnnRNNDataDescriptor_t x, size_t* workspace, size_t* reserved) {
  if (handle == nullptr || !described(network) || !described(x) || x->type != network->type)
    return CUDNN_STATUS_BAD_PARAM;
  if (mode != CUDNN_FWD_MODE_INFERENCE) return CUDNN_STATUS_NOT_SUPPORTED;
  if (workspace != nullptr) *workspace = workspace_of(*network, *x);
  if (reserved != nullptr) *reserved = 0;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t handle, cudnnRNNDescriptor_t network, int32_t pseudo_layer,
                                      size_t weight_bytes, const void* weights, int32_t gate,
                                      cudnnTensorDescriptor_t matrix, void** matrix_at, cudnnTensorDescriptor_t bias,
                                      void** bias_at) {
  if (handle == nullptr || !described(network)) return CUDNN_STATUS_BAD_PARAM;
  const CudnnDoubleNetwork& n = *network;
  const Places places(n);
  if (pseudo_layer < 0 || pseudo_layer >= n.directions || gate < 0 || gate >= 2 * n.gates() ||
      weight_bytes != places.bytes || matrix == nullptr || matrix_at == nullptr || bias == nullptr ||
      bias_at == nullptr)
    return CUDNN_STATUS_BAD_PARAM;
  const auto part = static_cast<size_t>(pseudo_layer * 2 * n.gates() + gate);
  const auto place = [&](size_t at) { return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(weights) + at); };
  const int columns = gate < n.gates() ? n.input : n.hidden;
  *matrix = {n.type, {1, n.hidden, columns}, {n.hidden * columns, columns, 1}};
  *matrix_at = place(places.matrices[part]);
  *bias = {n.type, {1, n.hidden, 1}, {n.hidden, 1, 1}};
  *bias_at = place(places.biases[part]);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnRNNForward(cudnnHandle_t handle, cudnnRNNDescriptor_t network, cudnnForwardMode_t mode,
                              const int32_t lengths[], cudnnRNNDataDescriptor_t x_data, const void* x,
                              cudnnRNNDataDescriptor_t y_data, void* y, cudnnTensorDescriptor_t h_tensor, const void* h,
                              void* last_h, cudnnTensorDescriptor_t c_tensor, const void* c, void* last_c,
                              size_t weight_bytes, const void* weights, size_t workspace_bytes, void* workspace,
                              size_t reserved_bytes, void* reserved) {
  if (handle == nullptr || !described(network) || !described(x_data) || !described(y_data))
    return CUDNN_STATUS_BAD_PARAM;
  const CudnnDoubleNetwork n = *network;
  const CudnnDoubleSequences in = *x_data, out = *y_data;
  if (mode != CUDNN_FWD_MODE_INFERENCE || lengths != nullptr || reserved_bytes != 0 || reserved != nullptr)
    return CUDNN_STATUS_NOT_SUPPORTED;
  if (in.type != n.type || out.type != n.type || in.width != n.input || out.width != n.directions * n.hidden ||
      in.steps != out.steps || in.batch != out.batch)
    return CUDNN_STATUS_BAD_PARAM;
  if (!cuda_double_is_device(x, in.bytes()) || !cuda_double_is_device(y, out.bytes())) return CUDNN_STATUS_BAD_PARAM;
  const size_t state_bytes = static_cast<size_t>(int64_t{n.directions} * in.batch * n.hidden) * n.element_bytes();
  for (const void* states : {h, static_cast<const void*>(last_h), c, static_cast<const void*>(last_c)})
    if (states != nullptr && !cuda_double_is_device(states, state_bytes)) return CUDNN_STATUS_BAD_PARAM;
  if (!are_states(h_tensor, n, in.batch)) return CUDNN_STATUS_BAD_PARAM;
  if (n.cell == CUDNN_LSTM ? !are_states(c_tensor, n, in.batch) : c != nullptr || last_c != nullptr)
    return CUDNN_STATUS_BAD_PARAM;
  const size_t needed = workspace_of(n, in);
  if (weight_bytes != Places(n).bytes || !cuda_double_is_device(weights, weight_bytes) || workspace_bytes < needed ||
      reinterpret_cast<uintptr_t>(weights) % 256 != 0 || reinterpret_cast<uintptr_t>(workspace) % 256 != 0 ||
      !cuda_double_is_device(workspace, needed))
    return CUDNN_STATUS_BAD_PARAM;
  const auto error = cuda_double::cuda_double_enqueue(
      [=] {
        std::memset(workspace, 0x5A, needed);
        Run{n, in, x, h, c, y, last_h, last_c, static_cast<const char*>(weights)}.compute();
      },
      handle->stream);
  return error == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}
