// The attributes of com.microsoft's mixtures of experts.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "base/error.h"

namespace onnxrun::ops::attributes {

enum class ExpertActivation { kRelu, kGelu, kSilu, kIdentity, kSwiglu };

struct Mixture {
  int64_t experts_per_token = 1;
  bool normalize = false;
  ExpertActivation activation = ExpertActivation::kRelu;
  int64_t fusion = 0;  // of SwiGLU: 0 in two matrices, 1 interleaved in one, 2 one after the other
  float alpha = 1, beta = 0, limit = std::numeric_limits<float>::infinity();
  // Of quantised weights.
  int64_t bits[3] = {4, 4, 4};
  int64_t block = 0;  // weights that share a scale along a row; 0: all

  bool fused() const { return activation == ExpertActivation::kSwiglu && fusion != 0; }
};

// Throws kInvalidModel and kUnsupported. `Source` is ir::Attributes or provider::Node; `op` is the operator's name.
template <class Source>
Mixture read_mixture(const Source& source, const std::string& op) {
  const auto refuse = [&](bool bad, const char* name, const auto& value) {
    if (bad)
      base::fail(base::Code::kUnsupported, "com.microsoft.{} with attribute '{}' {} is not supported", op, name, value);
  };
  Mixture m;
  m.experts_per_token = source.get_int("k", 1);
  refuse(m.experts_per_token < 1, "k", m.experts_per_token);
  m.normalize = source.get_int("normalize_routing_weights", 0) != 0;
  refuse(source.get_int("use_sparse_mixer", 0) != 0, "use_sparse_mixer", 1);
  const std::string activation = source.get_string("activation_type", "relu");
  if (activation == "relu") m.activation = ExpertActivation::kRelu;
  else if (activation == "gelu") m.activation = ExpertActivation::kGelu;
  else if (activation == "silu") m.activation = ExpertActivation::kSilu;
  else if (activation == "identity") m.activation = ExpertActivation::kIdentity;
  else if (activation == "swiglu") m.activation = ExpertActivation::kSwiglu;
  else refuse(true, "activation_type", activation);
  m.fusion = source.get_int("swiglu_fusion", 0);
  refuse(m.fusion < 0 || m.fusion > 2, "swiglu_fusion", m.fusion);
  m.alpha = source.get_float("activation_alpha", 1);
  m.beta = source.get_float("activation_beta", 0);
  m.limit = source.get_float("swiglu_limit", m.limit);
  const std::string kind = source.get_string("quant_type", "int");
  refuse(kind != "int", "quant_type", kind);
  refuse(source.get_int("weights_prepacked", -1) > 0, "weights_prepacked", 1);
  constexpr const char* kBits[] = {"fc1_expert_weight_bits", "fc2_expert_weight_bits", "fc3_expert_weight_bits"};
  for (int i = 0; i < 3; ++i) {
    m.bits[i] = source.get_int(kBits[i], source.get_int("expert_weight_bits", 4));
    refuse(m.bits[i] != 2 && m.bits[i] != 4 && m.bits[i] != 8, kBits[i], m.bits[i]);
  }
  m.block = source.get_int("block_size", 0);
  refuse(m.block < 0, "block_size", m.block);
  return m;
}

}  // namespace onnxrun::ops::attributes
