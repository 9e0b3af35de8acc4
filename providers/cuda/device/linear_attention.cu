// LinearAttention: a thread a column of a head's state, which no other column needs. CausalConvWithState: a thread an element.
#include "cuda/device/linear_attention.h"

#include <cmath>

#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

__device__ float at(const AnyFloats& from, int64_t i) { return load_number<float>(from.data, from.type, i); }

__device__ void attend(const LinearAttending& how, int64_t b, int64_t h, int64_t j) {
  const int64_t first = (b * how.heads + h) * how.keys * how.values + j, group = how.query_heads / how.heads;
  const auto state = [&](int64_t i) -> float& { return how.state[first + i * how.values]; };
  for (int64_t i = 0; i < how.keys; ++i)
    state(i) = how.past.data == nullptr ? 0.0f : at(how.past, first + i * how.values);
  for (int64_t t = 0; t < how.length; ++t) {
    const int64_t step = b * how.length + t, head = step * how.heads + h;
    const auto key = [&](int64_t i) { return at(how.key, head * how.keys + i); };
    float value = at(how.value, head * how.values + j);
    if (how.decay.data != nullptr)
      for (int64_t i = 0; i < how.keys; ++i)
        state(i) *= exp(at(how.decay, how.decay_per_key ? head * how.keys + i : head));
    if (how.beta.data != nullptr) {
      float seen = 0;
      for (int64_t i = 0; i < how.keys; ++i) seen += key(i) * state(i);
      value = at(how.beta, step * how.beta_heads + (how.beta_heads == 1 ? 0 : h)) * (value - seen);
    }
    for (int64_t i = 0; i < how.keys; ++i) state(i) += key(i) * value;
    for (int64_t r = h * group; r < (h + 1) * group; ++r) {
      const int64_t query = step * how.query_heads + r;
      float sum = 0;
      for (int64_t i = 0; i < how.keys; ++i) sum += at(how.query, query * how.keys + i) * how.scale * state(i);
      store_number(how.y, how.y_type, query * how.values + j, sum);
    }
  }
  for (int64_t i = 0; how.present != nullptr && i < how.keys; ++i)
    store_number(how.present, how.present_type, first + i * how.values, state(i));
}

__global__ void linear_attention(LinearAttending how) {
  for (int64_t item = first_item(); item < how.batch * how.heads * how.values; item += item_step()) {
    const int64_t head = item / how.values;
    attend(how, head / how.heads, head % how.heads, item % how.values);
  }
}

template <class T>
__global__ void causal(const T* x, T* y, CausalConvolution how) {
  const int64_t reach = how.length + how.carried;
  const auto* past = static_cast<const T*>(how.past);
  const auto* weight = static_cast<const T*>(how.weight);
  const auto* bias = static_cast<const T*>(how.bias);
  auto* present = static_cast<T*>(how.present);
  for (int64_t item = first_item(); item < how.rows * reach; item += item_step()) {
    const int64_t row = item / reach, t = item % reach, channel = row % how.channels;
    // Element t of the past followed by the input.
    const auto element = [&](int64_t k) {
      if (k >= how.carried) return x[row * how.length + k - how.carried];
      return past != nullptr ? past[row * how.carried + k] : narrow<T>(0.0f);
    };
    if (t >= how.length) {
      if (present != nullptr) present[row * how.carried + t - how.length] = element(t);
      continue;
    }
    float sum = bias == nullptr ? 0.0f : widen(bias[channel]);
    for (int64_t i = 0; i <= how.carried; ++i)
      sum += widen(weight[channel * (how.carried + 1) + i]) * widen(element(t + i));
    if (how.silu) sum = sum / (1.0f + exp(-sum));
    y[row * how.length + t] = narrow<T>(sum);
  }
}

template <class T>
void launch_causal(const Queue& queue, const CausalConvolution& how, const void* x, void* y) {
  const int64_t count = how.rows * (how.length + how.carried);
  if (count > 0)
    launch(queue, causal<T>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how);
}

}  // namespace

void launch_linear_attention(const Queue& queue, const LinearAttending& how) {
  const int64_t count = how.batch * how.heads * how.values;
  if (count > 0) launch(queue, linear_attention, blocks_for(count, 32), 32, how);
}

CausalLaunch find_causal(DType type) {
  CausalLaunch result = nullptr;
  with_element(Elements<float, __half, __nv_bfloat16>{}, type,
               [&]<class T>(std::type_identity<T>) { result = launch_causal<T>; });
  return result;
}

}  // namespace onnxrun::cuda
