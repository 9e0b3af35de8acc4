// Scores of the next token of each row, and the rules that change them before one is chosen.
#pragma once

#include <limits>
#include <span>
#include <vector>

#include "run/structural/generation/request.h"
#include "run/structural/generation/sequences.h"

namespace onnxrun::run {

// What a token gets that must not be chosen.
inline constexpr float kForbidden = std::numeric_limits<float>::lowest();

// float32 [rows, vocabulary] from the last position of logits [rows or batch, length, at least vocabulary]; `vocabulary` 0 takes all of them.
base::Tensor last_logits(const base::Tensor& logits, int64_t rows, int64_t vocabulary, TensorPool& pool);

// Each row becomes the logarithm of its softmax.
void log_softmax(base::Tensor& scores);

// Penalties and prohibitions in ONNX Runtime's order. `step` counts from 1. Polls the run's end.
void apply_rules(StructuralContext& context, const SearchRequest& request, const Sequences& sequences, int64_t step,
                 base::Tensor& scores);

// Whisper's rules for timestamps: they come in pairs, never decrease, and win over text when together they are likelier.
void apply_timestamp_rules(const SpeechTokens& tokens, int64_t eos, std::span<const int32_t> sequence,
                           std::span<float> scores);

// One row of a float32 matrix.
std::span<float> row_of(base::Tensor& scores, int64_t r);

}  // namespace onnxrun::run
