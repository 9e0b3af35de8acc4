// How the bodies of BeamSearch, GreedySearch, Sampling and WhisperBeamSearch (com.microsoft) take and give values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ir/graph.h"

namespace onnxrun::ops {

enum class GenerationModel : int64_t {
  kDecoder = 0,         // like GPT-2: a prompt of tokens goes into the decoder
  kEncoderDecoder = 1,  // like T5: tokens go into an encoder
  kSpeech = 2,          // like Whisper: features go into an encoder
};

// Decoder inputs: ids, then for kDecoder positions and mask, for the others what `decoder_*` says; then the states that grow (self-attention) and those that
// stay (cross-attention); with `buffers` past_sequence_length, beam_width and cache_indirection follow. Decoder outputs: logits and the grown states. Encoder inputs: ids or features, for kEncoderDecoder the mask, and start ids when
// encoder_starts. Encoder outputs: with encoder_starts logits, hidden states and the states that grow; then the states that stay.
struct GenerationLayout {
  GenerationModel model = GenerationModel::kDecoder;
  size_t leading = 0;  // decoder inputs before the states
  size_t growing = 0, fixed = 0;
  bool decoder_ids = false, decoder_mask = false,
       decoder_hidden = false;  // the encoder's ids, its mask and its hidden states, in this order
  bool whole_sequence = false;  // the decoder's ids are all tokens so far rather than the last one
  bool encoder_starts = false;
  size_t buffers =
      0;  // states that grow are buffers of full length, filled up to past_sequence_length; how many inputs say so (0, 1 or 3)

  // The axis of states along which batch items and beams lie.
  int64_t row_axis() const { return model == GenerationModel::kDecoder ? 1 : 0; }
};

// Throws kInvalidModel where the node's bodies are not of this form.
GenerationLayout generation_layout(const ir::Node& node);

}  // namespace onnxrun::ops
