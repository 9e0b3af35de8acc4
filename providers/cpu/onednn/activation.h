// Activations that end a convolution by oneDNN.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "cpu/loops/rows.h"

namespace onnxrun::cpu::onednn {

struct Activation {
  bool present = false;
  // Clamps between alpha and beta, around 0: done after oneDNN, which would make a bound of what is not a number.
  bool clamps = false;
  dnnl::algorithm algorithm = dnnl::algorithm::undef;
  float alpha = 0, beta = 0;

  // By the name of ONNX's operator and its parameters (alpha and beta; of Clip its bounds), those of the operator where there are
  // none; no name is no activation. Nullopt where there is none that is the same and keeps 0, or is oneDNN's.
  static std::optional<Activation> find(std::string_view name, const std::vector<float>& parameters);
  void append_to(dnnl::post_ops& post_ops) const {
    if (present && !clamps) post_ops.append_eltwise(algorithm, alpha, beta);
  }
  // What is left to do to values that oneDNN stored.
  void finish(float* values, int64_t count) const {
    if (clamps) row_functions().clamp(values, alpha, beta, values, count);
  }
};

}  // namespace onnxrun::cpu::onednn
