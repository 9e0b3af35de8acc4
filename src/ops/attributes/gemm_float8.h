// The attributes of com.microsoft.GemmFloat8.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace onnxrun::ops::attributes {

// Y = activation(alpha * scaleA * scaleB * A' B' + beta * C) * scaleY.
struct GemmFloat8 {
  enum class Activation : uint8_t { kNone, kRelu, kGelu };

  bool a_transposed = false, b_transposed = false;
  float alpha = 1, beta = 0;
  Activation activation = Activation::kNone;  // Gelu is the approximation by tanh, as which cuBLASLt has it
};

// Throws kInvalidModel for an activation that is unknown.
template <class Source>
GemmFloat8 read_gemm_float8(const Source& source) {
  using Activation = GemmFloat8::Activation;
  GemmFloat8 result{source.get_int("transA", 0) != 0, source.get_int("transB", 0) != 0, source.get_float("alpha", 1),
                    source.get_float("beta", 0), Activation::kNone};
  const auto name = source.get_string("activation", "NONE");
  if (name == "RELU") result.activation = Activation::kRelu;
  else if (name == "GELU") result.activation = Activation::kGelu;
  else if (name != "NONE")
    base::fail(base::Code::kInvalidModel, "attribute 'activation' of GemmFloat8 is '{}', expected NONE, RELU or GELU",
               name);
  return result;
}

}  // namespace onnxrun::ops::attributes
