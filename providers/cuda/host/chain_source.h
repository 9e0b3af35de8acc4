// The source of a kernel for one chain, to be compiled at run time.
#pragma once

#include <string>

#include "base/dtype.h"
#include "cuda/device/chain.h"

namespace onnxrun::cuda {

inline constexpr const char* kChainKernel = "chain";

// How an input is read.
enum class ChainForm : uint8_t { kWhole, kSingle, kStrided };

// Whether sources can be written for elements of the type: float32, float16 and bfloat16.
bool has_chain_source(base::DType type);

// A kernel `extern "C" __global__ void chain(ChainArguments)` that includes no header. Constants are part of it; sizes are not, but for the number of axes.
std::string chain_source(const Chain& chain, base::DType type, int rank, const ChainForm (&forms)[kMaxChainInputs]);

}  // namespace onnxrun::cuda
