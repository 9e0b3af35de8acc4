// BeamSearch, GreedySearch, Sampling and WhisperBeamSearch: generation of tokens with models given as graphs, run by the executor (com.microsoft 1).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/generation_layout.h"
#include "ops/grouped_inputs.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::DType;
using ir::Fact;
using ir::InferContext;
using ir::Shape;

Fact ids_fact() { return Fact::tensor(DType::kInt32, Shape{Dim(), Dim()}); }

Fact declared(const ir::Graph& body, size_t input) { return body.value(body.inputs()[input]).fact; }

// A type that states keep from run to run, whatever their shape is now.
Fact any_shape(const Fact& fact) {
  Fact result = Fact::tensor(fact.dtype);
  if (fact.shape) result.shape = Shape(fact.shape->size());
  return result;
}

void check_logits(InferContext& c, const char* body, const Fact& logits) {
  const bool typed = logits.kind == ir::TypeKind::kUnknown || logits.dtype == DType::kFloat32 ||
                     logits.dtype == DType::kFloat16 || logits.dtype == DType::kBfloat16;
  if (!typed || (logits.shape && logits.shape->size() != 3))
    c.fail("the logits of '{}' must be floats of shape [batch, length, vocabulary], got {}", body, logits.to_string());
}

// `states` are inputs of `body` from `first` on, `outputs` what follows its logits.
void check_states(InferContext& c, const char* name, const ir::Graph& body, size_t first,
                  const std::vector<Fact>& outputs) {
  for (size_t i = 1; i < outputs.size(); ++i) {
    const Fact& state = declared(body, first + i - 1);
    if (!types_agree(outputs[i], state))
      c.fail("output {} of '{}' is {}, but the decoder takes {}", i, name, outputs[i].to_string(), state.to_string());
  }
}

void infer_decoder(InferContext& c, const GenerationLayout& layout) {
  for (const char* name : {"init_decoder", "decoder"}) {
    const ir::Graph* body = c.node().body(name);
    if (body == nullptr) continue;
    std::vector<Fact> facts(layout.leading, ids_fact());
    for (size_t i = 0; i < layout.growing; ++i) facts.push_back(declared(*body, layout.leading + i));
    const std::vector<Fact> outputs = c.infer_body(name, facts);
    check_logits(c, name, outputs[0]);
    check_states(c, name, *c.node().body("decoder"), layout.leading, outputs);
  }
}

void infer_encoder_decoder(InferContext& c, const GenerationLayout& layout) {
  const bool speech = layout.model == GenerationModel::kSpeech;
  std::vector<Fact> facts = {c.input(0)};
  if (!speech) facts.push_back(ids_fact());
  if (layout.encoder_starts) facts.push_back(ids_fact());
  const std::vector<Fact> encoded = c.infer_body("encoder", facts);
  if (layout.encoder_starts) check_logits(c, "encoder", encoded[0]);

  const ir::Graph& decoder = *c.node().body("decoder");
  facts = {ids_fact()};
  if (layout.decoder_ids) facts.push_back(any_shape(c.input(0)));
  if (layout.decoder_mask) facts.push_back(ids_fact());
  if (layout.decoder_hidden) facts.push_back(any_shape(encoded[1]));
  for (size_t i = 0; i < layout.growing; ++i) facts.push_back(declared(decoder, layout.leading + i));
  if (layout.encoder_starts)
    check_states(c, "encoder", decoder, layout.leading,
                 std::vector<Fact>(encoded.begin() + 1, encoded.begin() + 2 + static_cast<int64_t>(layout.growing)));
  const size_t first_fixed = encoded.size() - layout.fixed;
  for (size_t i = 0; i < layout.fixed; ++i) facts.push_back(any_shape(encoded[first_fixed + i]));
  for (size_t i = 0; i < layout.buffers; ++i)
    facts.push_back(Fact::tensor(DType::kInt32, i < 2 ? Shape{Dim(1)} : Shape{Dim(), Dim(), Dim()}));
  const std::vector<Fact> outputs = c.infer_body("decoder", facts);
  check_logits(c, "decoder", outputs[0]);
  check_states(c, "decoder", decoder, layout.leading, outputs);
}

void check_scalars(InferContext& c, std::initializer_list<size_t> inputs) {
  for (const size_t i : inputs) {
    const Shape* shape = c.shape(i);
    if (shape == nullptr) continue;
    const Dim count = ir::element_count(*shape);
    if (shape->size() > 1 || (count.is_constant() && count.value() != 1))
      c.fail("input {} must be one number, got {}", i, c.input(i).to_string());
  }
}

Dim number(InferContext& c, size_t input) {
  if (!c.has_input(input)) return Dim(1);
  const auto elements = c.elements(input);
  return elements && elements->size() == 1 ? elements->front() : Dim();
}

GenerationLayout infer_bodies(InferContext& c) {
  const GenerationLayout layout = generation_layout(c.node());
  if (layout.model == GenerationModel::kDecoder) infer_decoder(c, layout);
  else infer_encoder_decoder(c, layout);
  return layout;
}

Dim batch_of(InferContext& c, const GenerationLayout& layout) {
  const Shape* ids = ranked_input(c, 0, "input_ids", layout.model == GenerationModel::kSpeech ? 3 : 2);
  if (layout.model != GenerationModel::kSpeech && c.dtype(0) != DType::kInt32)
    c.fail("'input_ids' must be int32, got {}", c.input(0).to_string());
  return ids == nullptr ? Dim() : ids->front();
}

void infer_beam_search(InferContext& c) {
  check_scalars(c, {1, 2, 3, 4, 5, 6, 11});
  const GenerationLayout layout = infer_bodies(c);
  const Dim batch = batch_of(c, layout), length = number(c, 1), beams = number(c, 3), returned = number(c, 4);
  const DType scores = c.has_input(5) ? c.dtype(5) : c.has_input(6) ? c.dtype(6) : DType::kFloat32;
  c.set(0, DType::kInt32, Shape{batch, returned, length});
  c.set(1, scores, Shape{batch, returned});
  c.set(2, scores, Shape{Dim(), batch, beams, Dim()});
}

void infer_whisper(InferContext& c) {
  check_scalars(c, {14});
  if (c.attributes().get_int("model_type", 2) != 2) c.fail("model_type must be 2");
  infer_beam_search(c);
  if (c.has_output(3))
    base::fail(base::Code::kUnsupported, "the output 'cross_qk' is not supported: export the model without it");
  const Shape* features = c.shape(0);
  const DType scores = c.has_input(5) ? c.dtype(5) : c.has_input(6) ? c.dtype(6) : DType::kFloat32;
  c.set(4, scores, Shape{features == nullptr ? Dim() : features->front()});
}

void infer_greedy_search(InferContext& c) {
  check_scalars(c, {1, 2, 3});
  const GenerationLayout layout = infer_bodies(c);
  if (layout.model == GenerationModel::kSpeech) c.fail("model_type must be 0 or 1");
  c.set(0, DType::kInt32, Shape{batch_of(c, layout), number(c, 1)});
  if (c.has_output(1)) c.set(1, DType::kFloat32, Shape{batch_of(c, layout), Dim()});
}

void infer_sampling(InferContext& c) {
  check_scalars(c, {8});
  infer_greedy_search(c);
}

}  // namespace

void define_microsoft_text_generation(ir::OpTable& table) {
  constexpr const char* kBeamTypes = "T: float32 float16 | F: float32 int32 float16";
  table.add(
      {.domain = "com.microsoft",
       .name = "BeamSearch",
       .versions = {1},
       .signature =
           {.inputs = "input_ids:F, max_length:int32, min_length?:int32, num_beams:int32, num_return_sequences:int32, "
                      "length_penalty?:T, repetition_penalty?:T, vocab_mask?:int32, prefix_vocab_mask?:int32, "
                      "attention_mask?:int32, decoder_input_ids?:int32, logits_processor?:int32",
            .outputs = "sequences:int32, sequences_scores?:T, scores?:T",
            .types = kBeamTypes,
            .attributes = "eos_token_id:int!, pad_token_id:int!, decoder_start_token_id:int, no_repeat_ngram_size:int, "
                          "early_stopping:int, model_type:int, vocab_size:int, decoder:graph!, encoder:graph, "
                          "init_decoder:graph"},
       .flags = ir::kStructural,
       .infer = infer_beam_search});
  table.add(
      {.domain = "com.microsoft",
       .name = "WhisperBeamSearch",
       .versions = {1},
       .signature =
           {.inputs = "input_ids:F, max_length:int32, min_length?:int32, num_beams:int32, num_return_sequences:int32, "
                      "length_penalty?:T, repetition_penalty?:T, vocab_mask?:int32, prefix_vocab_mask?:int32, "
                      "attention_mask?:int32, decoder_input_ids?:int32, logits_processor?:int32, "
                      "cross_qk_layer_head?:int32, extra_decoding_ids?:int32, temperature?:T",
            .outputs = "sequences:int32, sequences_scores?:T, scores?:T, cross_qk?:float32, non_speech_probs?:T",
            .types = kBeamTypes,
            .attributes = "eos_token_id:int!, pad_token_id:int!, decoder_start_token_id:int, no_repeat_ngram_size:int, "
                          "early_stopping:int, model_type:int, vocab_size:int, decoder:graph!, encoder:graph, "
                          "init_decoder:graph, decoder_output_cross_qk:int, no_speech_token_id:int, "
                          "translate_token_id:int, transcribe_token_id:int, start_of_lm_token_id:int, "
                          "no_timestamps_token_id:int, beginning_timestamp_token_id:int"},
       .flags = ir::kStructural,
       .infer = infer_whisper});
  table.add(
      {.domain = "com.microsoft",
       .name = "GreedySearch",
       .versions = {1},
       .signature = {.inputs = "input_ids:int32, max_length:int32, min_length?:int32, repetition_penalty?:float32, "
                               "vocab_mask?:int32, prefix_vocab_mask?:int32, attention_mask?:int32",
                     .outputs = "sequences:int32",
                     .attributes =
                         "eos_token_id:int!, pad_token_id:int!, decoder_start_token_id:int, no_repeat_ngram_size:int, "
                         "model_type:int, vocab_size:int, decoder:graph!, encoder:graph, init_decoder:graph"},
       .flags = ir::kStructural,
       .infer = infer_greedy_search});
  table.add(
      {.domain = "com.microsoft",
       .name = "Sampling",
       .versions = {1},
       .signature = {.inputs =
                         "input_ids:int32, max_length:int32, min_length?:int32, repetition_penalty?:float32, "
                         "vocab_mask?:int32, prefix_vocab_mask?:int32, attention_mask?:int32, presence_mask?:int32, "
                         "seed?:int32",
                     .outputs = "sequences:int32, filtered_logits?:float32",
                     .attributes =
                         "eos_token_id:int!, pad_token_id:int!, decoder_start_token_id:int, no_repeat_ngram_size:int, "
                         "temperature:float, top_p:float, filter_value:float, min_tokens_to_keep:int, "
                         "presence_penalty:float, custom:int, model_type:int, vocab_size:int, decoder:graph!, "
                         "encoder:graph, init_decoder:graph"},
       .flags = ir::kStructural | ir::kRandom,
       .infer = infer_sampling});
}

}  // namespace onnxrun::ops
