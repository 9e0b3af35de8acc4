// Models like T5 and Whisper: an encoder, and a decoder whose cross-attention reads what the encoder made.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "run/structural/axis.h"
#include "run/structural/generation/token_model.h"

namespace onnxrun::run {

using base::DType;
using base::Tensor;

namespace {

class EncoderDecoderModel : public TokenModel {
 public:
  EncoderDecoderModel(StructuralContext& context, const SearchRequest& request)
      : context_(context), request_(request), layout_(request.layout) {}

  Tensor first() override {
    std::vector<Tensor> inputs = {request_.source};
    if (layout_.model != ops::GenerationModel::kSpeech) inputs.push_back(encoder_mask());
    if (layout_.encoder_starts) inputs.push_back(request_.prompts);
    std::vector<Tensor> outputs = run_checked(context_, "encoder", inputs);
    fixed_.assign(outputs.end() - static_cast<int64_t>(layout_.fixed), outputs.end());
    if (layout_.decoder_ids) sources_.push_back(request_.source);
    if (layout_.decoder_mask) sources_.push_back(inputs[1]);
    if (layout_.decoder_hidden) sources_.push_back(outputs[1]);
    if (layout_.encoder_starts) {
      states_.assign(outputs.begin() + 2, outputs.begin() + 2 + static_cast<int64_t>(layout_.growing));
      return outputs[0];
    }
    const ir::Graph& decoder = context_.body("decoder");
    for (size_t i = 0; i < layout_.growing; ++i) {
      const ir::Fact& fact = decoder.value(decoder.inputs()[layout_.leading + i]).fact;
      states_.push_back(
          context_.tensors().make(fact.dtype, {request_.batch, (*fact.shape)[1].value(), 0, (*fact.shape)[3].value()}));
    }
    return decode(request_.prompts, 0);
  }

  Tensor next(const Sequences& sequences, std::span<const int64_t> parents, std::span<const int32_t> tokens) override {
    TensorPool& pool = context_.tensors();
    follow(states_, 0, parents, request_.beams, pool);
    if (!expanded_) {
      for (std::vector<Tensor>* tensors : {&sources_, &fixed_})
        for (Tensor& tensor : *tensors) {
          if (tensor.rank() < 1 || tensor.dims()[0] != request_.batch)
            base::fail(base::Code::kRunFailed, "what the encoder gives must have {} rows, got shape {}", request_.batch,
                       base::to_string(tensor.dims()));
          tensor = repeat_rows(tensor, 0, request_.beams, pool);
        }
      expanded_ = true;
    }
    const int64_t rows = sequences.rows(), length = layout_.whole_sequence ? sequences.length() + 1 : 1;
    Tensor ids = pool.make(DType::kInt32, {rows, length});
    for (int64_t r = 0; r < rows; ++r) {
      int32_t* row = ids.mutable_data<int32_t>() + r * length;
      if (length > 1) std::copy_n(sequences.row(parents[static_cast<size_t>(r)]).data(), length - 1, row);
      row[length - 1] = tokens[static_cast<size_t>(r)];
    }
    return decode(ids, sequences.length());
  }

 private:
  // That of the caller, or one that hides the padding before the first token.
  Tensor encoder_mask() {
    if (request_.attention_mask) return request_.attention_mask;
    const Tensor& ids = request_.source;
    Tensor mask = context_.tensors().make(DType::kInt32, ids.dims());
    const int64_t length = ids.dims()[1];
    for (int64_t b = 0; b < request_.batch; ++b) {
      bool begun = false;
      for (int64_t i = b * length; i < (b + 1) * length; ++i) {
        begun = begun || ids.data<int32_t>()[i] != request_.pad;
        mask.mutable_data<int32_t>()[i] = begun ? 1 : 0;
      }
    }
    return mask;
  }

  // `past`: tokens that the states have seen.
  Tensor decode(const Tensor& ids, int64_t past) {
    if (layout_.buffers > 0)
      for (Tensor& state : states_) state = buffered(state);
    std::vector<Tensor> inputs = {ids};
    for (const std::vector<Tensor>* tensors : {&sources_, &states_, &fixed_})
      inputs.insert(inputs.end(), tensors->begin(), tensors->end());
    states_.clear();
    if (layout_.buffers > 0) inputs.push_back(Tensor::vector<int32_t>({static_cast<int32_t>(past)}));
    if (layout_.buffers == 3) {
      const int64_t beams = ids.dims()[0] / request_.batch;
      inputs.push_back(Tensor::vector<int32_t>({static_cast<int32_t>(beams)}));
      inputs.push_back(own_beams(beams));
    }
    std::vector<Tensor> outputs = run_checked(context_, "decoder", inputs);
    states_.assign(outputs.begin() + 1, outputs.end());
    return outputs[0];
  }

  // A state [rows, heads, length, head size] at the beginning of one with room for all tokens.
  Tensor buffered(const Tensor& state) {
    base::Dims dims = state.dims();
    if (dims.size() != 4 || dims[2] > request_.max_length)
      base::fail(base::Code::kRunFailed, "a state of shape {} does not fit into a buffer of {} tokens",
                 base::to_string(dims), request_.max_length);
    if (dims[2] == request_.max_length) return state;
    const int64_t have = dims[2] * dims[3];
    dims[2] = request_.max_length;
    Tensor result = context_.tensors().make(state.dtype(), dims);
    std::memset(result.mutable_raw(), 0, result.bytes());
    if (have == 0) return result;
    const int64_t room = dims[2] * dims[3];
    for (int64_t i = 0; i < dims[0] * dims[1]; ++i) copy_elements(state, i * have, result, i * room, have);
    return result;
  }

  // cache_indirection of states that have been put in the order of their beams.
  Tensor own_beams(int64_t beams) {
    Tensor result = context_.tensors().make(DType::kInt32, {request_.batch, beams, request_.max_length});
    for (int64_t r = 0; r < request_.batch * beams; ++r)
      std::fill_n(result.mutable_data<int32_t>() + r * request_.max_length, request_.max_length,
                  static_cast<int32_t>(r % beams));
    return result;
  }

  StructuralContext& context_;
  const SearchRequest& request_;
  const ops::GenerationLayout& layout_;
  std::vector<Tensor> sources_;         // what the decoder takes of the encoder's inputs and hidden states
  std::vector<Tensor> states_, fixed_;  // of self-attention and of cross-attention
  bool expanded_ = false;               // whether sources_ and fixed_ have a row for each beam
};

}  // namespace

std::unique_ptr<TokenModel> make_encoder_decoder_model(StructuralContext& context, const SearchRequest& request) {
  return std::make_unique<EncoderDecoderModel>(context, request);
}

}  // namespace onnxrun::run
