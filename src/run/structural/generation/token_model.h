// The model behind a search: gives the logits of the next token, and keeps its states from one token to the next.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "run/structural/generation/request.h"
#include "run/structural/generation/sequences.h"

namespace onnxrun::run {

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  // Logits [batch, length, vocabulary] for what the sequences begin with.
  virtual base::Tensor first() = 0;
  // Logits [rows, length, vocabulary] once row r has become row parents[r] followed by tokens[r]; before `sequences` has appended them, for the first
  // time when every row is still its batch item's prompt.
  virtual base::Tensor next(const Sequences& sequences, std::span<const int64_t> parents,
                            std::span<const int32_t> tokens) = 0;
};

std::unique_ptr<TokenModel> make_decoder_model(StructuralContext& context, const SearchRequest& request);
std::unique_ptr<TokenModel> make_encoder_decoder_model(StructuralContext& context, const SearchRequest& request);
std::unique_ptr<TokenModel> make_token_model(StructuralContext& context, const SearchRequest& request);

// Runs a body after the types of its inputs have been checked; its outputs are tensors.
std::vector<base::Tensor> run_checked(StructuralContext& context, std::string_view body,
                                      std::span<const base::Tensor> inputs);

// States of batch items or rows that become those of the rows `parents`. A state that has one row a batch item is first repeated for each of `beams`.
void follow(std::vector<base::Tensor>& states, int64_t axis, std::span<const int64_t> parents, int64_t beams,
            TensorPool& pool);

}  // namespace onnxrun::run
