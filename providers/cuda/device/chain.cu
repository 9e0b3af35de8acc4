// Interpreting chains.
#include "cuda/device/chain.h"

#include <cmath>
#include <iterator>

#include "cuda/device/chain_formulas.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

#define chain_device __device__
ONNXRUN_CHAIN_FUNCTIONS

#define ONNXRUN_CHAIN_NAME(name, ...) k##name,
enum Operator : int32_t { ONNXRUN_CHAIN_STEPS(ONNXRUN_CHAIN_NAME) };

__device__ inline float step_value(int32_t op, float a, float b, float p, float q) {
#define ONNXRUN_CHAIN_CASE(name, ...) \
  case k##name: return __VA_ARGS__;
  switch (op) { ONNXRUN_CHAIN_STEPS(ONNXRUN_CHAIN_CASE) }
  return 0.0f;
}

template <class T>
__global__ void interpret_chain(Chain chain, int rank, ChainArguments c) {
  for (int64_t i = first_item(); i < c.count; i += item_step()) {
    long long at[kMaxChainInputs] = {};
    long long rest = i;
    for (int d = rank - 1; d >= 0; --d) {
      const long long next = d > 0 ? rest / c.dims[d] : 0;
      const long long place = rest - next * c.dims[d] * (d > 0);
      for (int k = 0; k < chain.inputs; ++k) at[k] += place * c.steps[k][d];
      rest = next;
    }
    float values[kMaxChainInputs + kMaxChainSteps];
    for (int k = 0; k < chain.inputs; ++k) values[k] = widen(static_cast<const T*>(c.in[k])[at[k]]);
    for (int s = 0; s < chain.count; ++s) {
      const ChainStep& step = chain.steps[s];
      values[chain.inputs + s] =
          step_value(step.op, values[step.operands[0]], values[step.operands[1]], step.numbers[0], step.numbers[1]);
    }
    static_cast<T*>(c.out)[i] = narrow<T>(values[chain.inputs + chain.count - 1]);
  }
}

}  // namespace

int chain_operator(std::string_view name) {
#define ONNXRUN_CHAIN_TEXT(name, ...) #name,
  static constexpr std::string_view kNames[] = {ONNXRUN_CHAIN_STEPS(ONNXRUN_CHAIN_TEXT)};
  static_assert(std::size(kNames) == kChainOperators);
  for (int i = 0; const std::string_view known : kNames) {
    if (known == name) return i;
    ++i;
  }
  return -1;
}

void launch_chain(const Queue& queue, DType type, const Chain& chain, int rank, const ChainArguments& arguments) {
  if (arguments.count == 0) return;
  with_element(Elements<float, __half, __nv_bfloat16>{}, type, [&]<class T>(std::type_identity<T>) {
    launch(queue, interpret_chain<T>, blocks_for(arguments.count), kThreads, chain, rank, arguments);
  });
}

void launch_compiled_chain(const Queue& queue, cudaKernel_t kernel, const ChainArguments& arguments) {
  if (arguments.count == 0) return;
  void* pointers[] = {const_cast<ChainArguments*>(&arguments)};
  const dim3 blocks = blocks_for(arguments.packs > 0 ? arguments.packs : arguments.count);
  queue.launched(queue.owner, cudaLaunchKernel(reinterpret_cast<const void*>(kernel), blocks, dim3(kThreads), pointers,
                                               0, queue.stream));
}

}  // namespace onnxrun::cuda
