// The attributes of com.microsoft.GroupQueryAttention.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace onnxrun::ops::attributes {

// The places of the inputs.
enum GroupedInput : size_t {
  kQuery,
  kKey,
  kValue,
  kPastKey,
  kPastValue,
  kLengths,
  kTotal,
  kCos,
  kSin,
  kPositions,
  kBias,
  kSink,
  kKeyScale,
  kValueScale,
  kQueryNorm,
  kKeyNorm
};

// How a cache is stored: as the inputs are, or as whole numbers of a scale for all or for each channel.
enum class CacheScale { kNone, kTensor, kChannel };

struct GroupedAttention {
  int64_t heads = 0, kv_heads = 0;
  float scale = 0;  // 0: 1 / sqrt(head size)
  float softcap = 0;
  bool rotary = false, interleaved = false, causal = true;
  int64_t window = -1;         // keys up to and with the query's own; -1: all
  bool sliding_cache = false;  // the caches hold the window only
  bool smooth = false;         // the softmax has one more score, of 0
  int64_t qk_output = 0;       // 0 none, 1 scores, 2 probabilities
  float norm_epsilon = 1e-6f;
  CacheScale key_scale = CacheScale::kNone, value_scale = CacheScale::kNone;
  int64_t bits = 8;  // of a cached number with a scale

  bool quantized() const { return key_scale != CacheScale::kNone; }
};

// Throws kInvalidModel for values out of range. `Source` is ir::Attributes or provider::Node.
template <class Source>
GroupedAttention read_grouped_attention(const Source& source) {
  const auto check = [](bool ok, const char* name, const std::string& value) {
    if (!ok) base::fail(base::Code::kInvalidModel, "attribute '{}' of GroupQueryAttention cannot be {}", name, value);
  };
  const auto flag = [&](const char* name, int64_t fallback) { return source.get_int(name, fallback) == 1; };
  const auto cache = [&](const char* name) {
    const std::string kind = source.get_string(name, "NONE");
    check(kind == "NONE" || kind == "PER_TENSOR" || kind == "PER_CHANNEL", name, kind);
    return kind == "NONE" ? CacheScale::kNone : kind == "PER_TENSOR" ? CacheScale::kTensor : CacheScale::kChannel;
  };
  GroupedAttention a;
  a.heads = source.get_int("num_heads", 0);
  a.kv_heads = source.get_int("kv_num_heads", 0);
  check(a.heads > 0, "num_heads", std::to_string(a.heads));
  check(a.kv_heads > 0 && a.heads % a.kv_heads == 0, "kv_num_heads", std::to_string(a.kv_heads));
  a.scale = source.get_float("scale", 0);
  a.softcap = source.get_float("softcap", 0);
  a.rotary = flag("do_rotary", 0);
  a.interleaved = flag("rotary_interleaved", 0);
  a.causal = flag("causal", 1);
  a.window = source.get_int("local_window_size", -1);
  check(a.window >= -1 && (a.window < 0 || a.causal), "local_window_size", std::to_string(a.window));
  a.sliding_cache = flag("sliding_window_cache", 0);
  check(!a.sliding_cache || a.window > 0, "sliding_window_cache", "1 without a window");
  a.smooth = flag("smooth_softmax", -1);
  a.qk_output = source.get_int("qk_output", 0);
  check(a.qk_output >= 0 && a.qk_output <= 2, "qk_output", std::to_string(a.qk_output));
  a.norm_epsilon = source.get_float("qk_norm_epsilon", 1e-6f);
  a.key_scale = cache("k_quant_type");
  a.value_scale = cache("v_quant_type");
  check((a.key_scale == CacheScale::kNone) == (a.value_scale == CacheScale::kNone), "v_quant_type",
        "given for one of the caches only");
  a.bits = source.get_int("kv_cache_bit_width", 8);
  check(!a.quantized() || a.bits == 4 || a.bits == 8, "kv_cache_bit_width", std::to_string(a.bits));
  return a;
}

}  // namespace onnxrun::ops::attributes
