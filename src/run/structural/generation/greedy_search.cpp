// Running GreedySearch and Sampling: one sequence a batch item, by its likeliest token or by chance.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "ir/op.h"
#include "run/structural/functions.h"
#include "run/structural/generation/sampling.h"
#include "run/structural/generation/scores.h"
#include "run/structural/generation/token_model.h"

namespace onnxrun::run {

using base::Code;
using base::DType;
using base::Tensor;

namespace {

int32_t likeliest(std::span<const float> scores) {
  size_t best = 0;
  for (size_t i = 1; i < scores.size(); ++i)
    if (scores[i] > scores[best] || std::isnan(scores[best])) best = i;
  return static_cast<int32_t>(best);
}

void search(StructuralContext& context, Sampler* sampler) {
  const SearchRequest request(context);
  Sequences sequences(context.tensors(), request.prompts, 1, request.max_length);
  const auto rows = static_cast<size_t>(sequences.rows());
  std::vector<int64_t> parents(rows);
  std::iota(parents.begin(), parents.end(), 0);
  std::vector<int32_t> tokens(rows);
  std::vector<char> done(rows);
  const std::unique_ptr<TokenModel> model = make_token_model(context, request);
  Tensor logits = model->first(), scores;
  int64_t vocabulary = request.vocabulary;  // else that of the first step
  for (int64_t step = 1;; ++step) {
    context.control().check();
    if (step > context.limits().max_loop_iterations)
      base::exceed("a further iteration of the search", context.limits().max_loop_iterations, "max_loop_iterations");
    scores = last_logits(logits, sequences.rows(), vocabulary, context.tensors());
    vocabulary = scores.dims()[1];
    apply_rules(context, request, sequences, step, scores);
    for (size_t r = 0; r < rows; ++r) {
      context.control().check();
      const auto row = row_of(scores, static_cast<int64_t>(r));
      if (sampler != nullptr) sampler->filter(row);
      tokens[r] = sampler != nullptr ? sampler->draw(row) : likeliest(row);
      done[r] = done[r] || tokens[r] == request.eos;
      if (done[r]) tokens[r] = static_cast<int32_t>(request.pad);
    }
    const bool last = sequences.length() + 1 == request.max_length ||
                      std::all_of(done.begin(), done.end(), [](char d) { return d != 0; });
    if (!last) logits = model->next(sequences, parents, tokens);
    sequences.append(parents, tokens);
    if (last) break;
  }
  Tensor result = context.tensors().make(DType::kInt32, {request.batch, request.max_length});
  std::fill_n(result.mutable_data<int32_t>(), result.count(), static_cast<int32_t>(request.pad));
  for (size_t r = 0; r < rows; ++r) {
    const auto row = sequences.row(static_cast<int64_t>(r));
    std::copy(row.begin(), row.end(), result.mutable_data<int32_t>() + static_cast<int64_t>(r) * request.max_length);
  }
  context.set_output(0, result);
  if (sampler != nullptr) context.set_output(1, scores);
}

}  // namespace

void run_greedy_search(StructuralContext& context) { search(context, nullptr); }

void run_sampling(StructuralContext& context) {
  Sampler sampler(context);
  search(context, &sampler);
}

}  // namespace onnxrun::run
