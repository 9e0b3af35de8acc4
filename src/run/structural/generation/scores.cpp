// Reading logits and applying the rules of a search to them.
#include "run/structural/generation/scores.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/floats.h"

namespace onnxrun::run {

using base::Code;
using base::DType;
using base::fail;
using base::Tensor;

namespace {

float as_float(const Tensor& tensor, int64_t i) {
  switch (tensor.dtype()) {
    case DType::kFloat16: return static_cast<float>(tensor.data<base::Float16>()[i]);
    case DType::kBfloat16: return static_cast<float>(tensor.data<base::Bfloat16>()[i]);
    default: return tensor.data<float>()[i];
  }
}

// Tokens of a prompt need not be in the vocabulary.
bool in_vocabulary(int32_t token, std::span<const float> scores) {
  return token >= 0 && static_cast<size_t>(token) < scores.size();
}

void penalise_repetition(float penalty, std::span<const int32_t> sequence, std::span<float> scores) {
  std::vector<bool> done(scores.size());
  for (const int32_t token : sequence) {
    if (!in_vocabulary(token, scores) || done[static_cast<size_t>(token)]) continue;
    done[static_cast<size_t>(token)] = true;
    float& score = scores[static_cast<size_t>(token)];
    score = score < 0 ? score * penalty : score / penalty;
  }
}

void forbid_repeated_ngrams(int64_t size, std::span<const int32_t> sequence, std::span<float> scores) {
  const auto length = static_cast<int64_t>(sequence.size());
  if (size > length) return;
  // Wherever the last size - 1 tokens stand, too, the one after them is forbidden. Sought by Knuth, Morris and Pratt, in linear time.
  const auto prefix = sequence.last(static_cast<size_t>(size - 1));
  const auto forbid_next = [&](int64_t end) {
    if (end < length && in_vocabulary(sequence[static_cast<size_t>(end)], scores))
      scores[static_cast<size_t>(sequence[static_cast<size_t>(end)])] = kForbidden;
  };
  if (prefix.empty()) {
    for (int64_t i = 0; i < length; ++i) forbid_next(i);
    return;
  }
  std::vector<size_t> border(prefix.size());  // of each beginning of the prefix: how much of it is an end of it, too
  const auto matched = [&](size_t so_far, int32_t token) {
    while (so_far > 0 && (so_far == prefix.size() || prefix[so_far] != token)) so_far = border[so_far - 1];
    return prefix[so_far] == token ? so_far + 1 : so_far;
  };
  for (size_t i = 1, so_far = 0; i < prefix.size(); ++i) border[i] = so_far = matched(so_far, prefix[i]);
  for (int64_t i = 0, so_far = 0; i < length; ++i) {
    so_far = static_cast<int64_t>(matched(static_cast<size_t>(so_far), sequence[static_cast<size_t>(i)]));
    if (so_far == size - 1) forbid_next(i + 1);
  }
}

void forbid_masked(const int32_t* mask, std::span<float> scores) {
  for (size_t i = 0; i < scores.size(); ++i)
    if (mask[i] == 0) scores[i] = kForbidden;
}

// `dims` with the vocabulary last.
void check_mask(const Tensor& mask, const base::Dims& dims, const char* name) {
  if (mask && mask.dims() != dims)
    fail(Code::kRunFailed, "'{}' must have the shape {}, got {}", name, base::to_string(dims),
         base::to_string(mask.dims()));
}

// A vocabulary of timestamps needs all of its parts.
void check_speech(const SearchRequest& request, int64_t vocabulary) {
  const int64_t first = request.speech.first_timestamp;
  if (first < 1 || first >= vocabulary)
    fail(Code::kRunFailed, "logits_processor 1 needs beginning_timestamp_token_id, a token from 1 to {}; it is {}",
         vocabulary - 1, first);
}

}  // namespace

std::span<float> row_of(Tensor& scores, int64_t r) {
  const int64_t vocabulary = scores.dims()[1];
  return {scores.mutable_data<float>() + r * vocabulary, static_cast<size_t>(vocabulary)};
}

Tensor last_logits(const Tensor& logits, int64_t rows, int64_t vocabulary, TensorPool& pool) {
  const base::Dims& dims = logits.dims();
  const DType type = logits.dtype();
  if (dims.size() != 3 || dims[1] < 1 || dims[2] < std::max<int64_t>(vocabulary, 2) || dims[0] < 1 ||
      rows % dims[0] != 0 || (type != DType::kFloat32 && type != DType::kFloat16 && type != DType::kBfloat16))
    fail(Code::kRunFailed, "the logits must be floats of shape [{}, length, vocabulary of at least {}], got {} {}",
         rows, std::max<int64_t>(vocabulary, 2), base::dtype_name(type), base::to_string(dims));
  if (vocabulary == 0) vocabulary = dims[2];
  Tensor scores = pool.make(DType::kFloat32, {rows, vocabulary});
  auto* to = scores.mutable_data<float>();
  const int64_t repeats = rows / dims[0];
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t from = ((r / repeats) * dims[1] + dims[1] - 1) * dims[2];
    for (int64_t i = 0; i < vocabulary; ++i) *to++ = as_float(logits, from + i);
  }
  return scores;
}

void log_softmax(Tensor& scores) {
  for (int64_t r = 0; r < scores.dims()[0]; ++r) {
    const auto row = row_of(scores, r);
    const float largest = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (const float x : row) sum += std::exp(static_cast<double>(x - largest));
    const auto shift = static_cast<float>(std::log(sum));
    for (float& x : row) x = x - largest - shift;
  }
}

void apply_timestamp_rules(const SpeechTokens& tokens, int64_t eos, std::span<const int32_t> sequence,
                           std::span<float> scores) {
  const auto vocabulary = static_cast<int64_t>(scores.size()), length = static_cast<int64_t>(sequence.size()),
             first = tokens.first_timestamp;
  constexpr int64_t kLatestStart = 50;  // timestamps of 0.02 s after which the first must not come
  const auto forbid = [&](int64_t begin, int64_t end) {
    for (int64_t i = std::max<int64_t>(begin, 0); i < std::min(end, vocabulary); ++i)
      scores[static_cast<size_t>(i)] = kForbidden;
  };
  const auto forbid_token = [&](int64_t token) {
    if (token < vocabulary) forbid(token, token + 1);
  };
  const auto is_time = [&](int64_t i) { return sequence[static_cast<size_t>(i)] >= first; };
  int64_t begun = 0;  // tokens up to the first timestamp, which included
  while (begun < length && !is_time(begun++)) {
  }
  for (const int64_t token : {tokens.no_timestamps, tokens.language_model}) forbid_token(token);
  if (length > begun)
    for (const int64_t token : {tokens.start, tokens.translate, tokens.transcribe}) forbid_token(token);

  const bool last = length > 0 && is_time(length - 1);
  const bool before_last = length <= begun || is_time(length - 2);
  if (last && before_last) forbid(first, vocabulary);
  else if (last) forbid(0, eos);
  int32_t latest = -1;
  for (const int32_t token : sequence)
    if (token >= first) latest = token;
  if (latest >= 0) forbid(first, int64_t{latest} + (last && !before_last ? 0 : 1));
  if (length == begun) forbid(first + kLatestStart + 1, vocabulary);

  const auto times = scores.subspan(static_cast<size_t>(first)), text = scores.first(static_cast<size_t>(first));
  const float largest = *std::max_element(times.begin(), times.end());
  float sum = 0;
  for (const float score : times)
    if (score > kForbidden) sum += std::exp(score - largest);
  if (sum > 0 && std::log(sum) + largest > *std::max_element(text.begin(), text.end())) forbid(0, first);
}

void apply_rules(StructuralContext& context, const SearchRequest& request, const Sequences& sequences, int64_t step,
                 Tensor& scores) {
  const int64_t rows = scores.dims()[0], vocabulary = scores.dims()[1];
  check_mask(request.vocab_mask, {vocabulary}, "vocab_mask");
  check_mask(request.prefix_mask, {request.batch, vocabulary}, "prefix_vocab_mask");
  check_mask(request.presence_mask, {request.batch, vocabulary}, "presence_mask");
  if (request.timestamps) check_speech(request, vocabulary);
  const ir::Attributes& attributes = context.node().attributes;
  const float presence = attributes.get_float("presence_penalty", 0);
  for (int64_t r = 0; r < rows; ++r) {
    context.control().check();
    const auto row = row_of(scores, r);
    const auto sequence = sequences.row(r);
    const int64_t item = r / request.beams;
    if (request.repetition_penalty != 1) penalise_repetition(request.repetition_penalty, sequence, row);
    if (request.ngram > 0) forbid_repeated_ngrams(request.ngram, sequence, row);
    if (request.vocab_mask) forbid_masked(request.vocab_mask.data<int32_t>(), row);
    if (request.prefix_mask && step == 1) forbid_masked(request.prefix_mask.data<int32_t>() + item * vocabulary, row);
    if (sequences.length() < request.min_length && request.eos < vocabulary)
      row[static_cast<size_t>(request.eos)] = kForbidden;
    if (request.temperature > 0 && request.temperature != 1)
      for (float& score : row) score /= request.temperature;
    if (request.presence_mask && presence != 0)
      for (int64_t i = 0; i < vocabulary; ++i)
        row[static_cast<size_t>(i)] -=
            static_cast<float>(request.presence_mask.data<int32_t>()[item * vocabulary + i]) * presence;
    if (request.timestamps) apply_timestamp_rules(request.speech, request.eos, sequence, row);
    if (request.forced && step <= request.forced.dims()[1]) {
      const int32_t token = request.forced.data<int32_t>()[item * request.forced.dims()[1] + step - 1];
      if (token >= 0 && token < vocabulary) {
        std::fill(row.begin(), row.end(), kForbidden);
        row[static_cast<size_t>(token)] = 0;
      }
    }
  }
}

}  // namespace onnxrun::run
