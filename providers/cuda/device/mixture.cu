// Mixtures of experts: a thread a token to route, a warp an element of a projection.
#include "cuda/device/mixture.h"

#include <cmath>

#include "cuda/device/code.h"
#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

// NaN comes after all numbers.
__device__ bool likelier(float a, float b) { return a == a && (b != b || a > b); }

__global__ void route(Routing how, int64_t* chosen, float* shares) {
  for (int64_t token = first_item(); token < how.tokens; token += item_step()) {
    const auto score = [&](int64_t e) { return load_number<float>(how.scores, how.type, token * how.experts + e); };
    int64_t* mine = chosen + token * how.taken;
    for (int64_t k = 0; k < how.taken; ++k) {
      int64_t best = -1;
      for (int64_t e = 0; e < how.experts; ++e) {
        bool free = true;
        for (int64_t before = 0; before < k; ++before) free = free && mine[before] != e;
        if (free && (best < 0 || likelier(score(e), score(best)))) best = e;
      }
      mine[k] = best;
    }
    float largest = score(0);
    for (int64_t e = 1; e < how.experts; ++e) largest = likelier(score(e), largest) ? score(e) : largest;
    double total = 0, sum = 0;
    for (int64_t e = 0; how.weights == nullptr && e < how.experts; ++e) total += exp(score(e) - largest);
    const auto weight = [&](int64_t k) {
      if (how.weights != nullptr) return load_number<double>(how.weights, how.type, token * how.experts + mine[k]);
      return exp(static_cast<double>(score(mine[k])) - static_cast<double>(largest)) / total;
    };
    for (int64_t k = 0; k < how.taken; ++k) sum += weight(k);
    if (!how.normalize) sum = 1;
    for (int64_t k = 0; k < how.taken; ++k)
      shares[token * how.taken + k] = sum == 0 ? 0.0f : static_cast<float>(weight(k) / sum);
  }
}

// Weight i of row `at` of all experts' rows, which is row `n` of expert `e`.
__device__ float weight_of(const ExpertProduct& how, int64_t e, int64_t n, int64_t i) {
  const int64_t at = e * how.rows + n;
  if (how.scales == nullptr) return load_number<float>(how.weights, how.weight_type, at * how.columns + i);
  const int64_t blocks = how.block == 0 ? 1 : (how.columns + how.block - 1) / how.block;
  const int64_t k = how.block == 0 ? 0 : i / how.block;
  auto zero = static_cast<float>(1u << (how.bits - 1));
  if (how.zeros != nullptr) {
    const int64_t row = how.block == 0 ? e * ((how.rows * how.bits + 7) / 8) : at * ((blocks * how.bits + 7) / 8);
    zero = static_cast<float>(code_at(how.zeros + row, static_cast<int>(how.bits), how.block == 0 ? n : k));
  }
  const auto* packed = static_cast<const uint8_t*>(how.weights) + at * ((how.columns * how.bits + 7) / 8);
  return (static_cast<float>(code_at(packed, static_cast<int>(how.bits), i)) - zero) *
         load_number<float>(how.scales, how.scale_type, at * blocks + k);
}

__global__ void expert_product(ExpertProduct how, const void* x, float* y) {
  const int64_t lane = threadIdx.x % 32, warps = static_cast<int64_t>(gridDim.x) * (blockDim.x / 32);
  for (int64_t at = static_cast<int64_t>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32; at < how.items * how.rows;
       at += warps) {
    const int64_t item = at / how.rows, n = at % how.rows, e = how.chosen[item];
    float sum = 0;
    for (int64_t i = lane; i < how.columns; i += 32)
      sum += load_number<float>(x, how.x_type, item / how.shared * how.columns + i) * weight_of(how, e, n, i);
    for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
    if (lane != 0) continue;
    if (how.bias != nullptr) sum += load_number<float>(how.bias, how.bias_type, e * how.rows + n);
    y[at] = sum;
  }
}

__device__ float swiglu(const Opening& how, float gate, float linear) {
  if (gate > how.limit) gate = how.limit;
  if (linear > how.limit) linear = how.limit;
  if (linear < -how.limit) linear = -how.limit;
  return gate / (1.0f + exp(-how.alpha * gate)) * (linear + how.beta);
}

__device__ float activated(ExpertOpening activation, float x) {
  switch (activation) {
    case ExpertOpening::kRelu: return x < 0.0f ? 0.0f : x;
    case ExpertOpening::kGelu: return 0.5f * x * (1.0f + tanh(0.7978845608028654f * (x + 0.044715f * x * x * x)));
    case ExpertOpening::kSilu: return x / (1.0f + exp(-x));
    default: return x;
  }
}

__global__ void open(Opening how, const float* first, const float* third, float* opened) {
  const bool fused = how.activation == ExpertOpening::kSwiglu && how.fusion != 0;
  for (int64_t at = first_item(); at < how.items * how.inner; at += item_step()) {
    const int64_t i = at % how.inner;
    const float* row = first + at / how.inner * how.inner * (fused ? 2 : 1);
    if (how.activation != ExpertOpening::kSwiglu)
      opened[at] = activated(how.activation, row[i]) * (third != nullptr ? third[at] : 1.0f);
    else if (how.fusion == 1) opened[at] = swiglu(how, row[2 * i], row[2 * i + 1]);
    else opened[at] = swiglu(how, row[i], how.fusion == 2 ? row[how.inner + i] : third[at]);
  }
}

__global__ void join(int64_t tokens, int64_t taken, int64_t size, const float* shares, const float* x, DType type,
                     void* y) {
  for (int64_t at = first_item(); at < tokens * size; at += item_step()) {
    const int64_t token = at / size;
    float sum = 0;
    for (int64_t k = token * taken; k < (token + 1) * taken; ++k) sum += shares[k] * x[k * size + at % size];
    store_number(y, type, at, sum);
  }
}

}  // namespace

void launch_route(const Queue& queue, const Routing& how, int64_t* chosen, float* shares) {
  if (how.tokens > 0) launch(queue, route, blocks_for(how.tokens, 32), 32, how, chosen, shares);
}

void launch_expert_product(const Queue& queue, const ExpertProduct& how, const void* x, float* y) {
  const int64_t count = how.items * how.rows;
  if (count > 0) launch(queue, expert_product, blocks_for(count, 4), 128, how, x, y);
}

void launch_open(const Queue& queue, const Opening& how, const float* first, const float* third, float* opened) {
  const int64_t count = how.items * how.inner;
  if (count > 0) launch(queue, open, blocks_for(count), kThreads, how, first, third, opened);
}

void launch_join(const Queue& queue, int64_t tokens, int64_t taken, int64_t size, const float* shares, const float* x,
                 DType type, void* y) {
  if (tokens * size > 0)
    launch(queue, join, blocks_for(tokens * size), kThreads, tokens, taken, size, shares, x, type, y);
}

}  // namespace onnxrun::cuda
