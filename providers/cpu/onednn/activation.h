// Activations that oneDNN applies to a result before it is stored.
#pragma once

#if defined(ONNXRUN_ONEDNN)

#include <optional>
#include <string_view>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

namespace onnxrun::cpu::onednn {

struct Activation {
  bool present = false;
  dnnl::algorithm algorithm = dnnl::algorithm::undef;
  float alpha = 0, beta = 0;

  // By the name of ONNX's operator and its parameters (alpha and beta; of Clip its bounds), those of the operator where there are
  // none; no name is no activation. Nullopt where oneDNN has none that is the same.
  static std::optional<Activation> find(std::string_view name, const std::vector<float>& parameters);
  double of(double x) const;
  void append_to(dnnl::post_ops& post_ops) const {
    if (present) post_ops.append_eltwise(algorithm, alpha, beta);
  }
};

}  // namespace onnxrun::cpu::onednn

#endif
