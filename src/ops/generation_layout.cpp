// Reads and checks the interface of generation bodies.
#include "ops/generation_layout.h"

#include <string_view>

#include "base/error.h"
#include "ir/op.h"

namespace onnxrun::ops {

using base::Code;
using base::fail;
using ir::Fact;
using ir::Graph;

namespace {

const Graph& body_of(const ir::Node& node, std::string_view name, std::string_view why) {
  const Graph* body = node.body(name);
  if (body == nullptr) fail(Code::kInvalidModel, "{} needs the graph '{}'{}", node.op->full_name(), name, why);
  return *body;
}

void refuse_body(const ir::Node& node, std::string_view name, int64_t model) {
  if (node.body(name) != nullptr)
    fail(Code::kInvalidModel, "the graph '{}' has no use with model_type {}", name, model);
}

bool is_named(const Graph& body, size_t input, std::string_view name) {
  return input < body.inputs().size() && body.value(body.inputs()[input]).name == name;
}

// States are made here and handed from run to run, so that type, heads and head size have to be declared.
void check_state(const Graph& body, size_t input, size_t rank, std::string_view form) {
  const ir::Value& value = body.value(body.inputs()[input]);
  const Fact& fact = value.fact;
  const bool typed = fact.is_tensor() && (fact.dtype == base::DType::kFloat32 || fact.dtype == base::DType::kFloat16 ||
                                          fact.dtype == base::DType::kBfloat16);
  bool sized = fact.shape && fact.shape->size() == rank;
  for (const size_t axis : {rank - 3, rank - 1})
    sized = sized && (*fact.shape)[axis].is_constant() && (*fact.shape)[axis].value() > 0;
  if (rank == 5) sized = sized && (*fact.shape)[0].is_constant() && (*fact.shape)[0].value() == 2;
  if (!typed || !sized)
    fail(Code::kInvalidModel, "the decoder's input '{}' must be declared as a float tensor of shape {}, got {}",
         value.name, form, fact.to_string());
}

void read_decoder(const Graph& body, GenerationLayout& layout) {
  const size_t outputs = body.outputs().size(), inputs = body.inputs().size();
  layout.leading = 3;
  layout.growing = outputs > 0 ? outputs - 1 : 0;
  if (layout.growing == 0 || inputs != layout.leading + layout.growing)
    fail(Code::kInvalidModel,
         "the decoder has {} inputs and {} outputs; it must take input_ids, position_ids, attention_mask and past "
         "states and give "
         "logits and as many states",
         inputs, outputs);
  for (size_t i = 0; i < layout.growing; ++i)
    check_state(body, layout.leading + i, 5, "[2, batch, heads, length, head size] with constant heads and head size");
}

void read_cross_decoder(const Graph& body, GenerationLayout& layout) {
  const size_t outputs = body.outputs().size(), inputs = body.inputs().size();
  layout.leading = 1;
  layout.decoder_ids = is_named(body, layout.leading, "encoder_input_ids");
  layout.leading += layout.decoder_ids;
  layout.decoder_mask =
      layout.model != GenerationModel::kSpeech && is_named(body, layout.leading, "encoder_attention_mask");
  layout.leading += layout.decoder_mask;
  layout.decoder_hidden = is_named(body, layout.leading, "encoder_hidden_states");
  layout.leading += layout.decoder_hidden;
  layout.growing = outputs > 0 ? outputs - 1 : 0;
  layout.fixed = layout.growing;
  const size_t states = layout.leading + 2 * layout.growing;
  if (inputs == states + 1 || inputs == states + 3) layout.buffers = inputs - states;
  if (layout.growing == 0 || layout.growing % 2 != 0 || inputs != states + layout.buffers)
    fail(Code::kInvalidModel,
         "the decoder has {} inputs and {} outputs; it must take input_ids, optionally encoder_input_ids, "
         "encoder_attention_mask and "
         "encoder_hidden_states, then keys and values of self-attention and of cross-attention, optionally "
         "past_sequence_length or that, beam_width "
         "and cache_indirection, and give logits and "
         "those of "
         "self-attention",
         inputs, outputs);
  for (size_t i = 0; i < layout.growing; ++i)
    check_state(body, layout.leading + i, 4, "[batch, heads, length, head size] with constant heads and head size");
  const Fact& ids = body.value(body.inputs()[0]).fact;
  layout.whole_sequence =
      !(ids.shape && ids.shape->size() == 2 && (*ids.shape)[1].is_constant() && (*ids.shape)[1].value() == 1);
}

void read_encoder(const Graph& body, GenerationLayout& layout) {
  const size_t sources = layout.model == GenerationModel::kSpeech ? 1 : 2;
  const size_t inputs = body.inputs().size(), outputs = body.outputs().size();
  layout.encoder_starts = inputs == sources + 1;
  const bool fits = layout.encoder_starts ? outputs == 2 + 2 * layout.growing
                                          : inputs == sources && sources == 2 && outputs == layout.fixed;
  if (!fits)
    fail(Code::kInvalidModel,
         "the encoder has {} inputs and {} outputs, which do not fit a decoder with {} states of self-attention",
         inputs, outputs, layout.growing);
  if (layout.decoder_hidden && !layout.encoder_starts)
    fail(Code::kInvalidModel, "the decoder takes encoder_hidden_states, which the encoder does not give");
}

}  // namespace

GenerationLayout generation_layout(const ir::Node& node) {
  const int64_t model =
      node.attributes.get_int("model_type", node.op->name == std::string_view("WhisperBeamSearch") ? 2 : 0);
  if (model < 0 || model > 2) fail(Code::kInvalidModel, "model_type must be 0, 1 or 2, got {}", model);
  if (node.attributes.get_int("decoder_output_cross_qk", 0) != 0)
    fail(Code::kUnsupported,
         "decoder_output_cross_qk is not supported: export the model without the output 'cross_qk'");
  GenerationLayout layout;
  layout.model = static_cast<GenerationModel>(model);
  const Graph& decoder = body_of(node, "decoder", "");
  if (layout.model == GenerationModel::kDecoder) {
    refuse_body(node, "encoder", model);
    read_decoder(decoder, layout);
    if (const Graph* first = node.body("init_decoder")) {
      GenerationLayout other;
      read_decoder(*first, other);
      if (other.growing != layout.growing)
        fail(Code::kInvalidModel, "init_decoder has {} states, decoder has {}", other.growing, layout.growing);
    }
    return layout;
  }
  refuse_body(node, "init_decoder", model);
  read_cross_decoder(decoder, layout);
  read_encoder(body_of(node, "encoder", fmt::format(" with model_type {}", model)), layout);
  return layout;
}

}  // namespace onnxrun::ops
