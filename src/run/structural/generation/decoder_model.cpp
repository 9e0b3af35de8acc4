// Models like GPT-2: one decoder with past and present states, each of keys and values of one layer.
#include <algorithm>

#include "base/error.h"
#include "run/structural/generation/token_model.h"

namespace onnxrun::run {

using base::DType;
using base::Tensor;

namespace {

class DecoderModel : public TokenModel {
 public:
  DecoderModel(StructuralContext& context, const SearchRequest& request) : context_(context), request_(request) {}

  Tensor first() override {
    const Tensor& ids = request_.source;
    const int64_t length = ids.dims()[1];
    Tensor positions = make_ids(request_.batch, length);
    mask_ = make_ids(request_.batch, length);
    // Padding has no positions. A mask of the caller's hides tokens, but does not move those behind them.
    for (int64_t b = 0; b < request_.batch; ++b) {
      int32_t position = 0;
      for (int64_t i = b * length; i < (b + 1) * length; ++i) {
        const bool there = ids.data<int32_t>()[i] != request_.pad;
        mask_.mutable_data<int32_t>()[i] = there ? 1 : 0;
        positions.mutable_data<int32_t>()[i] = there ? position++ : 0;
      }
      next_positions_.insert(next_positions_.end(), static_cast<size_t>(request_.beams), position);
    }
    if (request_.attention_mask) mask_ = request_.attention_mask;
    const char* body = context_.node().body("init_decoder") != nullptr ? "init_decoder" : "decoder";
    const ir::Graph& graph = context_.body(body);
    std::vector<Tensor> inputs = {ids, positions, mask_};
    for (size_t i = 0; i < request_.layout.growing; ++i) {
      const ir::Fact& fact = graph.value(graph.inputs()[request_.layout.leading + i]).fact;
      inputs.push_back(context_.tensors().make(
          fact.dtype, {2, request_.batch, (*fact.shape)[2].value(), 0, (*fact.shape)[4].value()}));
    }
    return run(body, inputs);
  }

  Tensor next(const Sequences& sequences, std::span<const int64_t> parents, std::span<const int32_t> tokens) override {
    const int64_t rows = sequences.rows(), length = sequences.length() + 1;
    Tensor ids = make_ids(rows, 1), positions = make_ids(rows, 1), mask = make_ids(rows, length);
    std::copy(tokens.begin(), tokens.end(), ids.mutable_data<int32_t>());
    std::copy(next_positions_.begin(), next_positions_.end(), positions.mutable_data<int32_t>());
    for (int32_t& position : next_positions_) ++position;
    // Beams of one item have the same mask.
    const int64_t seen = length - 1, repeats = rows / mask_.dims()[0];
    for (int64_t r = 0; r < rows; ++r) {
      int32_t* row = mask.mutable_data<int32_t>() + r * length;
      std::copy_n(mask_.data<int32_t>() + r / repeats * seen, seen, row);
      row[seen] = 1;
    }
    mask_ = mask;
    follow(states_, 1, parents, request_.beams, context_.tensors());
    std::vector<Tensor> inputs = {ids, positions, mask};
    inputs.insert(inputs.end(), states_.begin(), states_.end());
    states_.clear();
    return run("decoder", inputs);
  }

 private:
  Tensor make_ids(int64_t rows, int64_t length) { return context_.tensors().make(DType::kInt32, {rows, length}); }

  Tensor run(const char* body, std::span<const Tensor> inputs) {
    std::vector<Tensor> outputs = run_checked(context_, body, inputs);
    states_.assign(outputs.begin() + 1, outputs.end());
    return outputs[0];
  }

  StructuralContext& context_;
  const SearchRequest& request_;
  Tensor mask_;
  std::vector<int32_t> next_positions_;  // by row
  std::vector<Tensor> states_;
};

}  // namespace

std::unique_ptr<TokenModel> make_decoder_model(StructuralContext& context, const SearchRequest& request) {
  return std::make_unique<DecoderModel>(context, request);
}

}  // namespace onnxrun::run
