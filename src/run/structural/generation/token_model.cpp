// What the models of all searches share.
#include "run/structural/generation/token_model.h"

#include "base/error.h"

namespace onnxrun::run {

using base::Code;
using base::Tensor;
using base::Value;

namespace {

bool fits(const Tensor& tensor, const ir::Fact& fact) {
  if (fact.dtype != tensor.dtype()) return false;
  if (!fact.shape) return true;
  if (fact.shape->size() != tensor.dims().size()) return false;
  for (size_t d = 0; d < fact.shape->size(); ++d)
    if ((*fact.shape)[d].is_constant() && (*fact.shape)[d].value() != tensor.dims()[d]) return false;
  return true;
}

}  // namespace

std::unique_ptr<TokenModel> make_token_model(StructuralContext& context, const SearchRequest& request) {
  return request.layout.model == ops::GenerationModel::kDecoder ? make_decoder_model(context, request)
                                                                : make_encoder_decoder_model(context, request);
}

std::vector<Tensor> run_checked(StructuralContext& context, std::string_view body, std::span<const Tensor> inputs) {
  const ir::Graph& graph = context.body(body);
  std::vector<Value> values(inputs.begin(), inputs.end()), results;
  std::vector<Feed> feeds;
  for (size_t i = 0; i < values.size(); ++i) {
    const ir::Value& input = graph.value(graph.inputs()[i]);
    if (!fits(values[i].tensor(), input.fact))
      base::fail(Code::kRunFailed, "the input '{}' of '{}' is declared as {} and gets {}", input.name, body,
                 input.fact.to_string(), values[i].describe());
    feeds.push_back(feed_of(values[i]));
  }
  context.run_body(body, feeds, results);
  std::vector<Tensor> outputs;
  for (Value& result : results) outputs.push_back(std::move(result.tensor()));
  return outputs;
}

void follow(std::vector<Tensor>& states, int64_t axis, std::span<const int64_t> parents, int64_t beams,
            TensorPool& pool) {
  const auto rows = static_cast<int64_t>(parents.size());
  std::vector<int64_t> from(parents.begin(), parents.end());
  for (Tensor& state : states) {
    const int64_t have = state.rank() > axis ? state.dims()[static_cast<size_t>(axis)] : -1;
    if (have != rows && have * beams != rows)
      base::fail(Code::kRunFailed, "a state of shape {} does not have {} rows along axis {}",
                 base::to_string(state.dims()), rows, axis);
    const bool expand = have != rows;
    bool same = !expand;
    for (size_t r = 0; r < from.size(); ++r) {
      from[r] = expand ? parents[r] / beams : parents[r];
      same = same && from[r] == static_cast<int64_t>(r);
    }
    if (!same) state = pick_rows(state, axis, from, pool);
  }
}

}  // namespace onnxrun::run
