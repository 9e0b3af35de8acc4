// com.microsoft.GroupQueryAttention over caches of the inputs' type: each run puts its keys and values behind the past and attends to all.
#include <algorithm>
#include <cmath>

#include "cuda/device/attention.h"
#include "cuda/device/copy.h"
#include "cuda/device/rotate.h"
#include "cuda/host/attention_products.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/fill.h"
#include "cuda/scratch_layout.h"
#include "ops/attributes/grouped_attention.h"

namespace onnxrun::cuda {
namespace {

using enum ops::attributes::GroupedInput;

class GroupQueryAttention {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(kQuery));
    if (find_rotated_rows(type) == nullptr) return no_kernel(node);
    const auto attributes = ops::attributes::read_grouped_attention(node);
    if (attributes.quantized() || attributes.sliding_cache || attributes.qk_output != 0)
      return Acceptance::decline("quantised or sliding caches, or scores as an output");
    if (!node.has_output(1) || !node.has_output(2)) return Acceptance::decline("no caches as outputs");
    for (const size_t i : {size_t{kPastKey}, size_t{kPastValue}, size_t{kBias}, size_t{kCos}, size_t{kSink},
                           size_t{kQueryNorm}, size_t{kKeyNorm}})
      if (node.has_input(i) && dtype(node.input(i)) != type) return Acceptance::decline("inputs of different types");
    return Acceptance().host_input(kLengths).host_input(kTotal);
  }

  explicit GroupQueryAttention(const Node& node)
      : type_(dtype(node.input(kQuery))),
        bytes_(base::dtype_bits(type_) / 8),
        attributes_(ops::attributes::read_grouped_attention(node)) {
    const auto query = provider::dims(node.input(kQuery));
    batch_ = query[0], length_ = query[1];
    merged_ = !node.has_input(kKey);
    heads_in_row_ = merged_ ? attributes_.heads + 2 * attributes_.kv_heads : attributes_.heads;
    head_ = query[2] / heads_in_row_;
    if (node.has_input(kPastKey)) past_capacity_ = provider::dims(node.input(kPastKey))[2];
    capacity_ = provider::dims(node.output(1))[2];
    if (attributes_.rotary) {
      const auto cos = provider::dims(node.input(kCos));
      positions_ = cos[0], half_ = cos[1];
      if (2 * half_ > head_) throw provider::Declined{"rotary caches wider than a head"};
    }
    if (node.has_input(kBias)) {
      const auto bias = provider::dims(node.input(kBias));
      if ((bias[0] != 1 && bias[0] < batch_) || (bias[1] != 1 && bias[1] < attributes_.heads) || bias[2] < length_)
        throw provider::Declined{"a bias smaller than the scores"};
      bias_steps_[3] = 1, bias_steps_[2] = bias[3];
      bias_steps_[1] = bias[1] == 1 ? 0 : bias[2] * bias[3];
      bias_steps_[0] = bias[0] == 1 ? 0 : bias[1] * bias[2] * bias[3];
    }
    layout_.reserve(
        base::dtype_bytes(type_, base::checked_mul(base::checked_mul(batch_, length_), attributes_.heads * head_)));
    prompts_ = AttentionProducts::make(type_, node.precision(), shape_of(0, length_));
    if (!prompts_.empty()) prompts_at_ = layout_.reserve(prompts_[0].scratch_bytes());
  }

  // The turned queries, and what products need.
  size_t scratch_bytes() const { return layout_.bytes(); }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    const int64_t total = context.in<int32_t>(kTotal)[0];
    take_past(context, stream, kPastKey, 1);
    take_past(context, stream, kPastValue, 2);
    const Report report = stream.expect("GroupQueryAttention: a position is beyond the rotary caches");
    for (int64_t b = 0; b < batch_; ++b) {
      const int64_t last = context.in<int32_t>(kLengths)[b];
      const int64_t past = length_ == total ? 0 : last + 1 - length_;
      if (last < 0 || last >= total || past < 0 || past > past_capacity_ || past + length_ > capacity_)
        base::fail(base::Code::kRunFailed,
                   "GroupQueryAttention: seqlens_k[{}] is {}, which does not fit total_sequence_length {}, {} new keys "
                   "and caches of {}",
                   b, last, total, length_, capacity_);
      attend(context, stream, b, past, last + 1, length_ == total, report);
    }
  }

 private:
  char* cache(RunContext& context, size_t output, int64_t b) const {
    return context.out<char>(output) + b * attributes_.kv_heads * capacity_ * head_ * bytes_;
  }

  void take_past(RunContext& context, Stream& stream, size_t input, size_t output) const {
    char* to = context.out<char>(output);
    const char* from = context.has_input(input) ? context.in<char>(input) : nullptr;
    if (from == to) return;
    const int64_t heads = batch_ * attributes_.kv_heads, rows = std::min(past_capacity_, capacity_);
    fill_zero(stream, to, static_cast<size_t>(heads * capacity_ * head_ * bytes_));
    if (from == nullptr || rows == 0) return;
    const base::Dims dims = {heads, rows * head_};
    launch_copy(queue_of(stream),
                *walk<2>(dims, {base::Dims{past_capacity_ * head_, 1}, base::Dims{capacity_ * head_, 1}}), bytes_, from,
                to);
  }

  // Keys that count are those up to `total`.
  void attend(RunContext& context, Stream& stream, int64_t b, int64_t past, int64_t total, bool prompt,
              const Report& report) const {
    const Queue queue = queue_of(stream);
    const RotatedRowsLaunch move = find_rotated_rows(type_);
    const int64_t kv = attributes_.kv_heads, row = heads_in_row_ * head_;
    RotatedRows rows;
    rows.rows = length_, rows.head = head_, rows.from_head = head_, rows.first = past;
    rows.epsilon = attributes_.norm_epsilon;
    rows.interleaved = attributes_.interleaved, rows.positions = positions_, rows.report = report;
    if (attributes_.rotary) {
      rows.half = half_, rows.cos = context.input(kCos).data, rows.sin = context.input(kSin).data;
      if (context.has_input(kPositions)) {
        rows.ids = context.in<int64_t>(kPositions) + (prompt ? 0 : b * length_);
        rows.ids_step = prompt ? 0 : 1;
      }
    }
    const char* source = context.in<char>(kQuery) + b * length_ * row * bytes_;
    char* queries = static_cast<char*>(context.scratch()) + b * length_ * attributes_.heads * head_ * bytes_;
    rows.heads = attributes_.heads, rows.from = source, rows.from_row = row;
    rows.to = queries, rows.to_head = length_ * head_, rows.to_row = head_;
    const auto norm = [&](size_t input) { return context.has_input(input) ? context.input(input).data : nullptr; };
    rows.norm = norm(kQueryNorm);
    move(queue, rows);
    // Keys and values go behind the past.
    rows.heads = kv, rows.to_head = capacity_ * head_;
    const auto put = [&](size_t input, int64_t first_head, size_t output) {
      rows.from =
          merged_ ? source + first_head * head_ * bytes_ : context.in<char>(input) + b * length_ * kv * head_ * bytes_;
      rows.from_row = merged_ ? row : kv * head_;
      rows.to = cache(context, output, b) + past * head_ * bytes_;
      move(queue, rows);
    };
    rows.norm = norm(kKeyNorm);
    put(kKey, attributes_.heads, 1);
    rows.half = 0, rows.norm = nullptr;
    put(kValue, attributes_.heads + kv, 2);

    AttentionWork work = shape_of(past, attributes_.causal ? past + length_ : total);
    work.q.data = queries, work.k.data = cache(context, 1, b), work.v.data = cache(context, 2, b);
    work.y = context.out<char>(0) + b * length_ * attributes_.heads * head_ * bytes_;
    work.sink = attributes_.smooth || context.has_input(kSink);
    if (context.has_input(kSink)) work.sinks = context.input(kSink).data;
    if (context.has_input(kBias)) {
      if (bias_steps_[2] < work.total)
        base::fail(base::Code::kRunFailed, "GroupQueryAttention: 'attention_bias' has {} columns for {} keys",
                   bias_steps_[2], work.total);
      work.mask = context.in<char>(kBias) + b * bias_steps_[0] * bytes_;
      work.mask_type = type_;
      std::copy_n(bias_steps_, 4, work.mask_steps);
    }
    if (!prompts_.empty() && past == 0 && work.total == length_)
      return prompts_[0].run(stream, queue, work, static_cast<char*>(context.scratch()) + prompts_at_);
    find_attention(type_)(queue, work);
  }

  // One batch entry; `total` keys count, `past` of them those of the past.
  AttentionWork shape_of(int64_t past, int64_t total) const {
    AttentionWork work;
    work.batch = 1, work.q_heads = attributes_.heads, work.kv_heads = attributes_.kv_heads, work.q_length = length_;
    work.total = total, work.head = head_, work.v_head = head_, work.first = past;
    work.q = {nullptr, attributes_.heads * length_ * head_, length_ * head_, head_};
    work.k = work.v = {nullptr, attributes_.kv_heads * capacity_ * head_, capacity_ * head_, head_};
    work.y_batch = length_ * attributes_.heads * head_, work.y_head = head_;
    work.y_position = attributes_.heads * head_;
    work.scale =
        attributes_.scale != 0 ? attributes_.scale : static_cast<float>(1.0 / std::sqrt(static_cast<double>(head_)));
    work.softcap = attributes_.softcap;
    work.causal = attributes_.causal;
    if (attributes_.window > 0) work.left = attributes_.window - 1;
    return work;
  }

  DType type_;
  int bytes_;
  ops::attributes::GroupedAttention attributes_;
  int64_t batch_ = 0, length_ = 0, head_ = 0, heads_in_row_ = 0, past_capacity_ = 0, capacity_ = 0;
  int64_t positions_ = 0, half_ = 0, bias_steps_[4] = {};
  bool merged_ = false;
  ScratchLayout layout_;
  size_t prompts_at_ = 0;
  std::vector<AttentionProducts> prompts_;  // for runs without a past; one, or none
};

}  // namespace

void kernels_microsoft_group_query_attention(provider::KernelTable& table) {
  add<GroupQueryAttention>(table, "com.microsoft", "GroupQueryAttention", "attention");
}

}  // namespace onnxrun::cuda
