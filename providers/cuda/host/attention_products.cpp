// Attention by cuBLASLt's products.
#include "cuda/host/attention_products.h"

#include <algorithm>
#include <climits>

#include "base/checked.h"

namespace onnxrun::cuda {

using base::DType;

namespace {

constexpr int64_t kFewQueries = 16;
constexpr int64_t kMostScores = int64_t{256} << 20;  // bytes at once, or those of one group of heads

// Heads at one distance from each other through all batch entries.
bool even(const HeadRows& rows, int64_t heads) { return rows.batch == heads * rows.head; }

}  // namespace

std::vector<AttentionProducts> AttentionProducts::make(DType type, int precision, const AttentionWork& shape) {
  std::vector<AttentionProducts> result;
  if (shape.q_length < kFewQueries || shape.past != 0 || shape.total == 0 || shape.total > INT_MAX ||
      shape.batch * shape.q_heads == 0 || shape.head == 0 || shape.v_head == 0)
    return result;
  result.push_back(AttentionProducts(type, precision, shape));
  return result;
}

AttentionProducts::AttentionProducts(DType type, int precision, const AttentionWork& shape)
    : type_(type), bytes_(base::dtype_bits(type) / 8), shares_(find_shares(type)) {
  const bool wide = type == DType::kFloat64;
  const int64_t group = shape.q_heads / shape.kv_heads;
  const bool one_matrix =
      shape.q.head == shape.q_length * shape.q.position && shape.y_head == shape.q_length * shape.y_position;
  const int64_t score_bytes = wide ? 8 : 4, per_head = base::checked_mul(shape.q_length, shape.total);
  const int64_t of_entry = base::checked_mul(base::checked_mul(shape.q_heads, per_head), score_bytes);
  const bool together = even(shape.q, shape.q_heads) && even(shape.k, shape.kv_heads) &&
                        even(shape.v, shape.kv_heads) && shape.y_batch == shape.q_heads * shape.y_head &&
                        base::checked_mul(shape.batch, of_entry) <= kMostScores;
  heads_ = together ? shape.batch * shape.q_heads : of_entry <= kMostScores ? shape.q_heads : group;
  calls_ = shape.batch * shape.q_heads / heads_;
  turns_ = group > 1 && !one_matrix ? group : 1;
  const int64_t in_matrix = group / turns_;  // query heads

  ProductShape scores;
  scores.m = in_matrix * shape.q_length, scores.n = shape.total, scores.k = shape.head;
  scores.b_transposed = true;
  scores.alpha = shape.scale;
  scores.batch = heads_ / group;
  scores.a_row = shape.q.position, scores.a_step = group * shape.q.head;
  scores.b_row = shape.k.position, scores.b_step = shape.k.head;
  scores.y_step = group * per_head;
  scores.y_type = wide ? DType::kFloat64 : DType::kFloat32;
  products_.emplace_back(type, precision, scores);

  ProductShape results;
  results.m = scores.m, results.n = shape.v_head, results.k = shape.total;
  results.batch = scores.batch;
  results.a_step = group * per_head;
  results.b_row = shape.v.position, results.b_step = shape.v.head;
  results.y_row = shape.y_position, results.y_step = group * shape.y_head;
  products_.emplace_back(type, precision, results);

  // Shares take the place of scores where they are as wide.
  const int64_t count = heads_ * per_head;
  if (bytes_ != score_bytes) layout_.reserve(count, score_bytes);
  shares_at_ = layout_.reserve(count, bytes_);
}

const char* AttentionProducts::at(const HeadRows& rows, int64_t b, int64_t h) const {
  return static_cast<const char*>(rows.data) + (b * rows.batch + h * rows.head) * bytes_;
}

void AttentionProducts::run(Stream& stream, const Queue& queue, const AttentionWork& work, void* scratch) const {
  char* const workspace = static_cast<char*>(scratch);
  char* const scores = workspace + Product::kWorkspace;
  char* const shares = workspace + shares_at_;
  const int64_t per_head = work.q_length * work.total, score_bytes = type_ == DType::kFloat64 ? 8 : 4;
  const int64_t group = work.q_heads / work.kv_heads;
  for (int64_t call = 0; call < calls_; ++call) {
    const int64_t first = call * heads_, b = first / work.q_heads, h = first % work.q_heads;
    for (int64_t turn = 0; turn < turns_; ++turn)
      products_[0].run(stream, at(work.q, b, h + turn), at(work.k, b, h / group), nullptr,
                       scores + turn * per_head * score_bytes, workspace);
    shares_(queue, work, first, heads_, scores, shares);
    for (int64_t turn = 0; turn < turns_; ++turn)
      products_[1].run(stream, shares + turn * per_head * bytes_, at(work.v, b, h / group), nullptr,
                       static_cast<char*>(work.y) + (b * work.y_batch + (h + turn) * work.y_head) * bytes_, workspace);
  }
}

}  // namespace onnxrun::cuda
