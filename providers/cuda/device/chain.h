// Chains: several elementwise steps in one pass over memory, by a kernel that interprets them or by one that was compiled for them.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string_view>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

constexpr int kMaxChainInputs = 8, kMaxChainSteps = 8;

struct ChainStep {
  int32_t op = 0;                // chain_operator(name)
  int32_t operands[2] = {0, 0};  // below the number of inputs: an input; from there on: a step
  float numbers[2] = {0, 0};
};

struct Chain {
  int32_t inputs = 0, count = 0;
  ChainStep steps[kMaxChainSteps];
};

// What a run hands to the kernel; compiled sources define it in the same way.
struct ChainArguments {
  const void* in[kMaxChainInputs];
  void* out;
  long long count;
  long long dims[kMaxAxes];
  long long steps[kMaxChainInputs][kMaxAxes];
  // For compiled chains: how many packs of elements they take from the start on, and a bit for each strided input that they read by packs.
  long long packs, packed;
};
// Elements in a pack of 16 bytes; 0 for types that are not compiled.
constexpr int chain_pack(base::DType type) {
  return type == base::DType::kFloat32 ? 4 : type == base::DType::kFloat16 || type == base::DType::kBfloat16 ? 8 : 0;
}

constexpr int kChainOperators = 29;
// The number of an operator's name, below kChainOperators; -1 where chains have none.
int chain_operator(std::string_view name);

// Interprets the chain over float32, float16 or bfloat16 elements, not rounded between the steps.
void launch_chain(const Queue& queue, base::DType type, const Chain& chain, int rank, const ChainArguments& arguments);

// The same by a kernel that was compiled for the chain.
void launch_compiled_chain(const Queue& queue, cudaKernel_t kernel, const ChainArguments& arguments);

}  // namespace onnxrun::cuda
