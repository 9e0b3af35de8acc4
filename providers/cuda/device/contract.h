// Sums of products of elements that lie wherever labels put them: Einsum.
#pragma once

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

constexpr int kMaxTerms = 8;  // inputs

// y[item] = sum over `summed` of the product of all inputs, each at the place that `kept` gives for the item, moved by that of `summed`. Steps of
// inputs that are not there are 0.
template <int N>
struct Contraction {
  int terms = 0;
  const void* inputs[N] = {};
  Axes<N> kept, summed;
};
// Numbers; integers wrap. Null for other types.
template <int N>
using ContractLaunch = void (*)(const Queue& queue, const Contraction<N>& how, void* y);
template <int N>
ContractLaunch<N> find_contract(base::DType type);
extern template ContractLaunch<2> find_contract<2>(base::DType type);
extern template ContractLaunch<kMaxTerms> find_contract<kMaxTerms>(base::DType type);

}  // namespace onnxrun::cuda
