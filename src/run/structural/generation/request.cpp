// Reads and checks what a search is asked to do.
#include "run/structural/generation/request.h"

#include <algorithm>

#include "base/error.h"
#include "base/floats.h"
#include "ir/op.h"

namespace onnxrun::run {

using base::Code;
using base::DType;
using base::fail;
using base::Tensor;

namespace {

// One number; ORT's models give it as a scalar or as a vector of one.
Tensor one_number(StructuralContext& context, size_t i, std::string_view name) {
  Tensor tensor = context.input(i).tensor();
  if (tensor.count() != 1)
    fail(Code::kRunFailed, "'{}' must be one number, got shape {}", name, base::to_string(tensor.dims()));
  return tensor;
}

Tensor optional_tensor(StructuralContext& context, size_t i) {
  return context.has_input(i) ? context.input(i).tensor() : Tensor();
}

void check_mask(const Tensor& mask, const base::Dims& dims, std::string_view name) {
  if (mask && mask.dims() != dims)
    fail(Code::kRunFailed, "'{}' must have the shape {}, got {}", name, base::to_string(dims),
         base::to_string(mask.dims()));
}

}  // namespace

std::optional<int64_t> read_integer(StructuralContext& context, size_t i, std::string_view name) {
  if (!context.has_input(i)) return std::nullopt;
  return one_number(context, i, name).as_int64()[0];
}

std::optional<float> read_float(StructuralContext& context, size_t i, std::string_view name) {
  if (!context.has_input(i)) return std::nullopt;
  const Tensor tensor = one_number(context, i, name);
  return tensor.dtype() == DType::kFloat16 ? static_cast<float>(*tensor.data<base::Float16>()) : *tensor.data<float>();
}

SearchRequest::SearchRequest(StructuralContext& context)
    : beam_search(std::string_view(context.node().op->name).ends_with("BeamSearch")),
      layout(ops::generation_layout(context.node())) {
  const ir::Attributes& attributes = context.node().attributes;
  eos = attributes.get_int("eos_token_id", -1);
  pad = attributes.get_int("pad_token_id", -1);
  start = attributes.get_int("decoder_start_token_id", -1);
  vocabulary = std::max<int64_t>(0, attributes.get_int("vocab_size", 0));
  ngram = attributes.get_int("no_repeat_ngram_size", 0);
  early_stopping = attributes.get_int("early_stopping", 0) == 1;
  max_length = read_integer(context, 1, "max_length").value_or(0);
  min_length = read_integer(context, 2, "min_length").value_or(0);
  const size_t masks = beam_search ? 7 : 4;
  vocab_mask = optional_tensor(context, masks);
  prefix_mask = optional_tensor(context, masks + 1);
  repetition_penalty = read_float(context, masks - 1, "repetition_penalty").value_or(1);
  if (beam_search) {
    beams = read_integer(context, 3, "num_beams").value_or(1);
    returned = read_integer(context, 4, "num_return_sequences").value_or(1);
    length_penalty = read_float(context, 5, "length_penalty").value_or(1);
    timestamps = read_integer(context, 11, "logits_processor").value_or(0) == 1;
    if (context.node().op->name == std::string_view("WhisperBeamSearch")) {
      temperature = read_float(context, 14, "temperature").value_or(1);
      forced = optional_tensor(context, 13);
    }
  } else {
    presence_mask = optional_tensor(context, 7);
    temperature = attributes.get_float("temperature", 1);
  }
  if (timestamps) {
    speech = {.start = attributes.get_int("decoder_start_token_id", -1),
              .translate = attributes.get_int("translate_token_id", -1),
              .transcribe = attributes.get_int("transcribe_token_id", -1),
              .language_model = attributes.get_int("start_of_lm_token_id", -1),
              .no_timestamps = attributes.get_int("no_timestamps_token_id", -1),
              .first_timestamp = attributes.get_int("beginning_timestamp_token_id", -1)};
  }
  read_source(context, masks + 2, beam_search ? std::optional<size_t>(10) : std::nullopt);
  check();
}

void SearchRequest::read_source(StructuralContext& context, size_t attention, std::optional<size_t> start_ids) {
  source = context.input(0).tensor();
  attention_mask = optional_tensor(context, attention);
  const bool speaks = layout.model == ops::GenerationModel::kSpeech;
  if (source.rank() != (speaks ? 3 : 2))
    fail(Code::kRunFailed, "'input_ids' must have rank {}, got shape {}", speaks ? 3 : 2,
         base::to_string(source.dims()));
  batch = source.dims()[0];
  if (!speaks) check_mask(attention_mask, source.dims(), "attention_mask");
  if (layout.model == ops::GenerationModel::kDecoder) {
    prompts = source;
    return;
  }
  if (speaks && start_ids && context.has_input(*start_ids)) {
    prompts = context.input(*start_ids).tensor();
    if (prompts.rank() != 2 || prompts.dims()[0] != batch)
      fail(Code::kRunFailed, "'decoder_input_ids' must have the shape [{}, length], got {}", batch,
           base::to_string(prompts.dims()));
    return;
  }
  if (start < 0 || start > INT32_MAX)
    fail(Code::kRunFailed, "sequences begin with decoder_start_token_id, which is {}", start);
  prompts = context.tensors().make(DType::kInt32, {batch, 1});
  std::fill_n(prompts.mutable_data<int32_t>(), batch, static_cast<int32_t>(start));
}

void SearchRequest::check() const {
  const auto token = [](int64_t id, std::string_view name) {
    if (id < 0 || id > INT32_MAX) fail(Code::kRunFailed, "{} must be a token, got {}", name, id);
  };
  token(eos, "eos_token_id");
  token(pad, "pad_token_id");
  if (batch < 1 || prompts.dims()[1] < 1)
    fail(Code::kRunFailed, "there are no tokens to begin with: the prompts have the shape {}",
         base::to_string(prompts.dims()));
  if (max_length <= prompts.dims()[1])
    fail(Code::kRunFailed, "max_length is {}, but must be greater than the {} tokens that sequences begin with",
         max_length, prompts.dims()[1]);
  if (min_length >= max_length)
    fail(Code::kRunFailed, "min_length is {}, but must be less than max_length, which is {}", min_length, max_length);
  if (vocabulary == 1) fail(Code::kRunFailed, "a vocabulary needs two tokens, attribute 'vocab_size' is 1");
  if (beams < 1) fail(Code::kRunFailed, "num_beams must be positive, got {}", beams);
  if (returned < 1 || returned > beams)
    fail(Code::kRunFailed, "num_return_sequences must be from 1 to num_beams, which is {}, got {}", beams, returned);
  if (!(repetition_penalty > 0))
    fail(Code::kRunFailed, "repetition_penalty must be greater than 0, got {}", repetition_penalty);
  if (ngram < 0) fail(Code::kRunFailed, "no_repeat_ngram_size must not be negative, got {}", ngram);
  if (forced && (forced.rank() != 2 || forced.dims()[0] != batch))
    fail(Code::kRunFailed, "'extra_decoding_ids' must have the shape [{}, length], got {}", batch,
         base::to_string(forced.dims()));
}

}  // namespace onnxrun::run
