// The attributes of Attention.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/error.h"

namespace onnxrun::ops::attributes {

struct AttentionAttributes {
  int64_t q_heads = 0, kv_heads = 0;  // 0: not given
  bool causal = false;
  float scale = 0;  // 0: 1 / sqrt(head size)
  float softcap = 0;
  int64_t left = -1, right = -1;  // window; -1: unbounded
  int64_t qk_output = 0;          // 0 product, 1 after softcap, 2 with bias, 3 probabilities

  double scale_for(int64_t head) const {
    return scale != 0 ? static_cast<double>(scale) : 1.0 / std::sqrt(static_cast<double>(head));
  }
};

// Throws kInvalidModel for values out of range.
template <class Source>
AttentionAttributes read_attention(const Source& source) {
  AttentionAttributes result;
  const auto check = [](bool ok, const char* name, int64_t value) {
    if (!ok) base::fail(base::Code::kInvalidModel, "attribute {} of Attention cannot be {}", name, value);
  };
  result.q_heads = source.get_int("q_num_heads", 0);
  check(result.q_heads >= 0, "q_num_heads", result.q_heads);
  result.kv_heads = source.get_int("kv_num_heads", 0);
  check(result.kv_heads >= 0, "kv_num_heads", result.kv_heads);
  result.causal = source.get_int("is_causal", 0) != 0;
  result.scale = source.get_float("scale", 0);
  result.softcap = source.get_float("softcap", 0);
  result.left = source.get_int("left_window_size", -1);
  check(result.left >= -1, "left_window_size", result.left);
  result.right = source.get_int("right_window_size", -1);
  check(result.right >= -1, "right_window_size", result.right);
  result.qk_output = source.get_int("qk_matmul_output_mode", 0);
  check(result.qk_output >= 0 && result.qk_output <= 3, "qk_matmul_output_mode", result.qk_output);
  return result;
}

}  // namespace onnxrun::ops::attributes
