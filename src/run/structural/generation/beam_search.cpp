// Running BeamSearch and WhisperBeamSearch: the likeliest sequences, of which `num_beams` are followed at once.
#include <algorithm>
#include <cmath>

#include "base/charge.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/floats.h"
#include "ir/op.h"
#include "run/structural/functions.h"
#include "run/structural/generation/hypotheses.h"
#include "run/structural/generation/scores.h"
#include "run/structural/generation/token_model.h"

namespace onnxrun::run {

using base::Code;
using base::DType;
using base::Tensor;

namespace {

constexpr float kUnlikely = -1e9f;  // of beams that begin like the first

Tensor converted(const Tensor& floats, DType type, TensorPool& pool) {
  if (type == DType::kFloat32) return floats;
  Tensor result = pool.make(type, floats.dims());
  for (int64_t i = 0; i < floats.count(); ++i)
    result.mutable_data<base::Float16>()[i] = base::Float16(floats.data<float>()[i]);
  return result;
}

class BeamSearch {
 public:
  explicit BeamSearch(StructuralContext& context)
      : context_(context),
        request_(context),
        sequences_(context.tensors(), request_.prompts, request_.beams, request_.max_length),
        rows_(sequences_.rows()),
        lists_(context_.tensors().budget(),
               base::checked_mul(rows_, kListBytes + request_.max_length * static_cast<int64_t>(sizeof(int32_t)))),
        vocabulary_(request_.vocabulary),
        sums_(static_cast<size_t>(rows_)),
        parents_(sums_.size()),
        tokens_(sums_.size()),
        done_(static_cast<size_t>(request_.batch)),
        hypotheses_(static_cast<size_t>(request_.batch), Hypotheses(request_.beams, request_.length_penalty)) {
    for (int64_t r = 0; r < rows_; ++r) sums_[static_cast<size_t>(r)] = r % request_.beams == 0 ? 0.0f : kUnlikely;
  }

  void run() {
    const std::unique_ptr<TokenModel> model = make_token_model(context_, request_);
    Tensor logits = model->first();
    for (int64_t step = 1;; ++step) {
      context_.control().check();
      if (step > context_.limits().max_loop_iterations)
        base::exceed("a further iteration of the search", context_.limits().max_loop_iterations, "max_loop_iterations");
      Tensor scores = last_logits(logits, rows_, vocabulary_, context_.tensors());
      if (step == 1) begin(scores);
      log_softmax(scores);
      apply_rules(context_, request_, sequences_, step, scores);
      for (int64_t r = 0; r < rows_; ++r)
        for (float& score : row_of(scores, r)) score += sums_[static_cast<size_t>(r)];
      if (all_scores_)
        std::copy_n(scores.data<float>(), scores.count(),
                    all_scores_.mutable_data<float>() + (step - 1) * scores.count());
      for (int64_t b = 0; b < request_.batch; ++b) choose(b, scores);
      const bool last = sequences_.length() + 1 == request_.max_length ||
                        std::all_of(done_.begin(), done_.end(), [](char done) { return done != 0; });
      if (!last) logits = model->next(sequences_, parents_, tokens_);
      sequences_.append(parents_, tokens_);
      if (last) break;
    }
    finish();
  }

 private:
  // What the size of the vocabulary decides.
  void begin(Tensor& logits) {
    vocabulary_ = logits.dims()[1];
    if (context_.has_output(2)) {
      all_scores_ = context_.tensors().make(
          DType::kFloat32, {request_.max_length - sequences_.length(), request_.batch, request_.beams, vocabulary_});
      std::fill_n(all_scores_.mutable_data<float>(), all_scores_.count(), 0.0f);
    }
    if (context_.has_output(4)) set_no_speech(logits);
  }

  void set_no_speech(Tensor& logits) {
    const int64_t token = context_.node().attributes.get_int("no_speech_token_id", -1);
    if (token < 0 || token >= logits.dims()[1])
      base::fail(Code::kRunFailed, "no_speech_token_id is {}, but tokens are below {}", token, logits.dims()[1]);
    Tensor probabilities = context_.tensors().make(DType::kFloat32, {request_.batch});
    for (int64_t b = 0; b < request_.batch; ++b) {
      const auto row = row_of(logits, b * request_.beams);
      const float largest = *std::max_element(row.begin(), row.end());
      double sum = 0;
      for (const float x : row) sum += std::exp(static_cast<double>(x - largest));
      probabilities.mutable_data<float>()[b] =
          static_cast<float>(std::exp(static_cast<double>(row[static_cast<size_t>(token)] - largest)) / sum);
    }
    context_.set_output(4, converted(probabilities, context_.output_fact(4).dtype, context_.tensors()));
  }

  // Chooses how the beams of item b go on among twice as many candidates, so that enough are left when some end.
  void choose(int64_t b, const Tensor& scores) {
    const int64_t beams = request_.beams, first = b * beams, vocabulary = scores.dims()[1];
    if (done_[static_cast<size_t>(b)]) {
      for (int64_t r = first; r < first + beams; ++r) take(r, 0, static_cast<int32_t>(request_.pad), first);
      return;
    }
    const float* all = scores.data<float>() + first * vocabulary;
    const auto better = [all](int64_t i, int64_t j) {
      const float a = std::isnan(all[i]) ? -HUGE_VALF : all[i], c = std::isnan(all[j]) ? -HUGE_VALF : all[j];
      return a != c ? a > c : i < j;
    };
    const auto most = 2 * static_cast<size_t>(beams);
    candidates_.clear();
    for (int64_t i = 0; i < beams * vocabulary; ++i) {
      if ((i & 0xffff) == 0xffff) context_.control().check();
      if (candidates_.size() < most) {
        candidates_.push_back(i);
      } else {
        if (!better(i, candidates_.front())) continue;
        std::pop_heap(candidates_.begin(), candidates_.end(), better);
        candidates_.back() = i;
      }
      std::push_heap(candidates_.begin(), candidates_.end(), better);
    }
    std::sort_heap(candidates_.begin(), candidates_.end(), better);

    Hypotheses& found = hypotheses_[static_cast<size_t>(b)];
    int64_t taken = 0;
    for (int64_t i = 0; taken < beams; ++i) {
      context_.control().check();
      const int64_t candidate = candidates_[static_cast<size_t>(i)], row = first + candidate / vocabulary;
      const auto token = static_cast<int32_t>(candidate % vocabulary);
      if (token != request_.eos) take(first + taken++, all[candidate], token, row);
      else if (i < beams) found.add(sequences_.row(row), all[candidate]);
    }
    if (found.full())
      done_[static_cast<size_t>(b)] =
          request_.early_stopping || !found.can_improve(all[candidates_[0]], sequences_.length());
  }

  void take(int64_t row, float sum, int32_t token, int64_t parent) {
    sums_[static_cast<size_t>(row)] = sum;
    tokens_[static_cast<size_t>(row)] = token;
    parents_[static_cast<size_t>(row)] = parent;
  }

  void finish() {
    const int64_t batch = request_.batch, returned = request_.returned, length = request_.max_length;
    Tensor best = context_.tensors().make(DType::kInt32, {batch, returned, length});
    Tensor scores = context_.tensors().make(DType::kFloat32, {batch, returned});
    std::fill_n(best.mutable_data<int32_t>(), best.count(), static_cast<int32_t>(request_.pad));
    for (int64_t b = 0; b < batch; ++b) {
      Hypotheses& found = hypotheses_[static_cast<size_t>(b)];
      for (int64_t r = b * request_.beams; !done_[static_cast<size_t>(b)] && r < (b + 1) * request_.beams; ++r) {
        context_.control().check();
        found.add(sequences_.row(r), sums_[static_cast<size_t>(r)]);
      }
      for (int64_t i = 0; i < returned; ++i) {
        const Hypotheses::Hypothesis& hypothesis = found.kept()[static_cast<size_t>(i)];
        std::copy(hypothesis.tokens.begin(), hypothesis.tokens.end(),
                  best.mutable_data<int32_t>() + (b * returned + i) * length);
        scores.mutable_data<float>()[b * returned + i] = hypothesis.score;
      }
    }
    context_.set_output(0, best);
    if (context_.has_output(1))
      context_.set_output(1, converted(scores, context_.output_fact(1).dtype, context_.tensors()));
    if (context_.has_output(2))
      context_.set_output(2, converted(all_scores_, context_.output_fact(2).dtype, context_.tensors()));
  }

  StructuralContext& context_;
  const SearchRequest request_;
  Sequences sequences_;
  static constexpr int64_t kListBytes = 128;  // that a beam takes in the lists below, beside the tokens of a hypothesis
  const int64_t rows_;
  const base::Charge lists_;
  int64_t vocabulary_;       // 0 until the first step tells, where the model does not
  std::vector<float> sums_;  // of log probabilities, by row
  std::vector<int64_t> parents_;
  std::vector<int32_t> tokens_;
  std::vector<char> done_;           // by batch item
  std::vector<int64_t> candidates_;  // of one batch item, the best first; before, a heap of them
  std::vector<Hypotheses> hypotheses_;
  Tensor all_scores_;  // [steps, batch, beams, vocabulary]
};

}  // namespace

void run_beam_search(StructuralContext& context) { BeamSearch(context).run(); }

}  // namespace onnxrun::run
