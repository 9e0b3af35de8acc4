// What BeamSearch, GreedySearch, Sampling or WhisperBeamSearch is asked to do: its attributes and inputs, checked.
#pragma once

#include <optional>
#include <string_view>

#include "ops/generation_layout.h"
#include "run/structural.h"

namespace onnxrun::run {

// Tokens of Whisper's vocabulary that its timestamp rules speak of.
struct SpeechTokens {
  int64_t start = -1, translate = -1, transcribe = -1, language_model = -1, no_timestamps = -1, first_timestamp = -1;
};

struct SearchRequest {
  // Throws kRunFailed naming the input that is out of range.
  explicit SearchRequest(StructuralContext& context);

  bool beam_search = false;  // else greedy
  ops::GenerationLayout layout;
  int64_t batch = 0, beams = 1, returned = 1;
  int64_t min_length = 0, max_length = 0;
  int64_t eos = 0, pad = 0, start = -1;
  int64_t vocabulary = 0;  // 0: as many as there are logits
  int64_t ngram = 0;       // tokens of an n-gram that may not come twice; 0: any may
  float length_penalty = 1, repetition_penalty = 1, temperature = 1;
  bool early_stopping = false;
  bool timestamps = false;  // Whisper's rules
  SpeechTokens speech;
  base::Tensor source;   // token ids or features
  base::Tensor prompts;  // int32 [batch, length]: what sequences begin with
  // int32, absent where not given: [vocabulary], [batch, vocabulary], as source, [batch, vocabulary], [batch, length]
  base::Tensor vocab_mask, prefix_mask, attention_mask, presence_mask, forced;

 private:
  void read_source(StructuralContext& context, size_t attention, std::optional<size_t> start_ids);
  void check() const;
};

// Input i, one number of its type; nullopt where it is absent.
std::optional<int64_t> read_integer(StructuralContext& context, size_t i, std::string_view name);
std::optional<float> read_float(StructuralContext& context, size_t i, std::string_view name);

}  // namespace onnxrun::run
