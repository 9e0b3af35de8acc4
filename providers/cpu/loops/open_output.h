// Outputs whose shape may be known only to the kernel.
#pragma once

#include <span>

#include <onnxrun/provider.hpp>

namespace onnxrun::cpu {

// Output `i` with memory for `dims`: allocated here unless its shape was planned.
inline const onnxrun_tensor& open_output(provider::RunContext& context, size_t i, std::span<const int64_t> dims) {
  return provider::shape_known(context.output(i)) ? context.output(i) : context.allocate_output(i, dims);
}

}  // namespace onnxrun::cpu
