// Attention of groups of query heads over caches that each run extends.
#include "cpu/loops/grouped_attention.h"

#include <cmath>

#include "base/checked.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

using base::Code;
using base::fail;
using ops::attributes::CacheScale;

namespace {

void save_floats(DType type, const float* from, int64_t n, void* data, int64_t at) {
  CacheRows(type, n, 8, false).save(from, nullptr, 0, static_cast<char*>(data) + at * base::dtype_bits(type) / 8);
}

}  // namespace

GroupedAttention::GroupedAttention(const Node& node, const GroupedInputs& inputs,
                                   const ops::attributes::GroupedAttention& attributes)
    : attributes_(attributes),
      in_(inputs),
      type_(dtype(node.input(inputs.query))),
      key_rows_(type_, 0, 8, false),
      value_rows_(type_, 0, 8, false),
      batch_(provider::dims(node.input(inputs.query))[0]),
      length_(provider::dims(node.input(inputs.query))[1]) {
  merged_source_ = !node.has_input(in_.key);
  const int64_t width = provider::dims(node.input(in_.query))[2];
  head_ = width / (merged_source_ ? attributes_.heads + 2 * attributes_.kv_heads : attributes_.heads);
  if (head_ < 1 || head_ > kMaxHeadSize) throw provider::Declined{"heads of no or of more than 512 elements"};
  const bool past = in_.past_key != 0 && node.has_input(in_.past_key);
  const DType cache = past ? dtype(node.input(in_.past_key)) : type_;
  key_rows_ = CacheRows(cache, head_, attributes_.bits, attributes_.key_scale == CacheScale::kChannel);
  value_rows_ = CacheRows(cache, head_, attributes_.bits, attributes_.value_scale == CacheScale::kChannel);
  if (past) past_capacity_ = provider::dims(node.input(in_.past_key))[2];
  const bool present = node.has_output(1) && node.has_output(2);
  if (node.has_output(1) != node.has_output(2)) throw provider::Declined{"only one of the two caches is an output"};
  if (present) capacity_ = provider::dims(node.output(1))[2];
  staged_ = !present || cache != DType::kFloat32 || attributes_.sliding_cache;
  scale_ = attributes_.scale != 0 ? attributes_.scale : static_cast<float>(1.0 / std::sqrt(static_cast<double>(head_)));
  packs_ = length_ > 1 && length_ * (attributes_.heads / attributes_.kv_heads) >= 8 && attributes_.qk_output == 0;
  if (attributes_.rotary) {
    const auto cos = provider::dims(node.input(in_.cos));
    angles_ = cos[0];
    pairs_ = cos[1];
  }
  if (in_.bias != 0 && node.has_input(in_.bias)) {
    const auto dims = provider::dims(node.input(in_.bias));
    bias_strides_[3] = 1;
    bias_strides_[2] = dims[3];
    bias_strides_[1] = dims[1] == 1 ? 0 : dims[2] * dims[3];
    bias_strides_[0] = dims[0] == 1 ? 0 : dims[1] * dims[2] * dims[3];
  }
  if (attributes_.quantized()) {
    const auto sizes = [&](size_t input, CacheScale kind) {
      const int64_t count = provider::count(node.input(input));
      if (count != (kind == CacheScale::kTensor ? 1 : attributes_.kv_heads * head_))
        fail(Code::kInvalidModel, "GroupQueryAttention: {} scales of a cache do not fit {} heads of {} elements", count,
             attributes_.kv_heads, head_);
    };
    sizes(in_.key_scale, attributes_.key_scale);
    sizes(in_.value_scale, attributes_.value_scale);
  }
}

GroupedAttention::Scratch GroupedAttention::scratch(void* memory) const {
  float* at = static_cast<float*>(memory);
  const auto take = [&](int64_t floats) {
    float* result = at;
    at += floats;
    return result;
  };
  const int64_t heads = batch_ * attributes_.kv_heads, staged = staged_ ? heads * rows() * head_ : 0;
  const int64_t count = staged_ ? rows() : capacity_;
  Scratch s;
  s.queries = take(batch_ * length_ * attributes_.heads * head_);
  s.results = type_ == DType::kFloat32 ? nullptr : take(batch_ * length_ * attributes_.heads * head_);
  s.keys = take(staged);
  s.values = take(staged);
  s.key_panels = take(packs_ ? heads * packed_key_floats(head_, count) : 0);
  s.value_panels = take(packs_ ? heads * packed_value_floats(head_, count) : 0);
  s.scores = take(attributes_.qk_output != 0 ? batch_ * attributes_.heads * count : 0);
  return s;
}

size_t GroupedAttention::scratch_bytes() const {
  const int64_t heads = base::checked_mul(batch_, attributes_.kv_heads), count = staged_ ? rows() : capacity_;
  int64_t floats =
      base::checked_mul(base::checked_mul(batch_, 2 * length_), base::checked_mul(attributes_.heads, head_));
  if (staged_) floats = base::checked_add(floats, base::checked_mul(2 * heads, base::checked_mul(rows(), head_)));
  if (packs_)
    floats = base::checked_add(
        floats, base::checked_mul(heads, packed_key_floats(head_, count) + packed_value_floats(head_, count)));
  if (attributes_.qk_output != 0)
    floats = base::checked_add(floats, base::checked_mul(batch_, base::checked_mul(attributes_.heads, count)));
  return static_cast<size_t>(base::checked_mul(floats, 4));
}

// Of `total` keys, those that a cache of the window's size still holds.
int64_t GroupedAttention::resident(int64_t total) const {
  if (!attributes_.sliding_cache || total <= past_capacity_) return total;
  const int64_t step = past_capacity_ - attributes_.window + 1;
  return total - step * ((total - past_capacity_ + step - 1) / step);
}

// One query head of a batch entry, as attention_rows.h wants it. Rows are keys from position `origin` on.
struct GroupedAttention::View {
  const GroupedAttention& kernel;
  const RunContext& context;
  const Blocks& blocks;
  GroupedEntry entry;
  int64_t b, h, origin, rows;
  const float *queries, *keys, *values;
  float* results;

  int64_t size() const { return kernel.head_; }
  int64_t value_size() const { return kernel.head_; }
  int64_t count() const { return rows; }
  const float* key(int64_t j) const { return keys + j * kernel.head_; }
  const float* value(int64_t j) const { return values + j * kernel.head_; }
  int64_t at(int64_t i) const { return ((b * kernel.length_ + i) * kernel.attributes_.heads + h) * kernel.head_; }
  void query(int64_t i, float* out) const { std::copy_n(queries + at(i), kernel.head_, out); }
  float* result(int64_t i) const { return results + at(i); }
  int64_t last(int64_t i) const {
    return std::min(rows, (kernel.attributes_.causal ? entry.past + i + 1 : entry.total) - origin);
  }
  int64_t first(int64_t i) const {
    const int64_t window = kernel.attributes_.window;
    return window < 0 ? 0 : std::max<int64_t>(0, std::min(last(i), entry.past + i + 1 - window - origin));
  }

  void start(int64_t, RunningSoftmax& state) const {
    if (kernel.in_.sink != 0 && context.has_input(kernel.in_.sink))
      state.start_with(load_narrow(kernel.type_, context.input(kernel.in_.sink).data, h));
    else if (kernel.attributes_.smooth) state.start_with(0);
  }

  void adjust(int64_t i, int64_t j, int64_t n, float* scores) const {
    cap_scores(kernel.attributes_.softcap, n, scores);
    const int64_t begin = std::max(j, first(i)), end = std::min(j + n, last(i));
    if (kernel.bias_strides_[3] != 0) {
      const auto* strides = kernel.bias_strides_;
      const int64_t base = b * strides[0] + h * strides[1] + i * strides[2] + origin;
      for (int64_t k = begin; k < std::min(end, strides[2] - origin); ++k)
        scores[k - j] += load_narrow(kernel.type_, context.input(kernel.in_.bias).data, base + k);
    }
    if (blocks.sees != nullptr)
      for (int64_t k = begin / blocks.size * blocks.size; k < end; k += blocks.size)
        if (!blocks.sees(blocks.context, h, entry.past + i, k))
          mask_block(std::max(k, begin), std::min(k + blocks.size, end), j, scores);
    mask_outside(first(i), last(i), j, n, scores);
  }
  static void mask_block(int64_t begin, int64_t end, int64_t j, float* scores) {
    for (int64_t k = begin; k < end; ++k) scores[k - j] = kMaskedScore;
  }
};

// All scores of one query, written to output 3 before or after the softmax.
void GroupedAttention::scores(RunContext& context, const View& view, int64_t b, int64_t h, int64_t i, int64_t total,
                              float* row) const {
  for (int64_t j = 0; j < view.rows; ++j) row[j] = row_functions().dot(view.queries + view.at(i), view.key(j), head_);
  view.adjust(i, 0, view.rows, row);
  std::vector<float> out(static_cast<size_t>(total), 0.0f);
  const int64_t first = view.first(i), last = view.last(i);
  if (attributes_.qk_output == 2) {
    RunningSoftmax state;
    view.start(i, state);
    float none = 0;
    if (state.take(row, view.rows, &none, 0) || state.total != 0)
      for (int64_t j = 0; j < view.rows; ++j) row[j] = static_cast<float>(static_cast<double>(row[j]) / state.total);
  }
  for (int64_t j = first; j < last; ++j)
    if (view.origin + j < total) out[static_cast<size_t>(view.origin + j)] = row[j];
  save_floats(type_, out.data(), total, context.output(3).data, ((b * attributes_.heads + h) * length_ + i) * total);
}

void GroupedAttention::run(RunContext& context, const std::vector<GroupedEntry>& entries, int64_t total, bool prompt,
                           const Blocks& blocks) const {
  if (batch_ == 0 || length_ == 0) return;
  const Scratch s = scratch(context.scratch());
  take_queries(context, entries, prompt, s);
  extend(context, entries, prompt, s);
  const int64_t heads = attributes_.heads, kv = attributes_.kv_heads, room = staged_ ? rows() : capacity_;
  float* results = type_ == DType::kFloat32 ? context.out<float>(0) : s.results;
  const auto view_of = [&](int64_t b, int64_t h) {
    const GroupedEntry& entry = entries[static_cast<size_t>(b)];
    const int64_t item = b * kv + h / (heads / kv), held = resident(entry.past);
    const float* keys = (staged_ ? s.keys : static_cast<const float*>(context.output(1).data)) + item * room * head_;
    const float* values =
        (staged_ ? s.values : static_cast<const float*>(context.output(2).data)) + item * room * head_;
    return View{*this,     context, blocks, entry,  b, h, entry.past - held, std::min(room, held + length_),
                s.queries, keys,    values, results};
  };
  const int64_t group = heads / kv;
  const Cost work = Cost(std::max<int64_t>(1, total)) * head_;
  if (packs_) {
    const int64_t pieces = (length_ + kQueryBlock - 1) / kQueryBlock;
    parallel_polled(context, batch_ * heads * pieces, kQueryBlock * work / 4, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t i = item % pieces * kQueryBlock, h = item / pieces % heads, b = item / pieces / heads;
        const int64_t panel = b * kv + h / group;
        const auto view = view_of(b, h);
        attend_block(view, i, std::min(kQueryBlock, length_ - i),
                     PanelProducts<float>(view, s.key_panels + panel * packed_key_floats(head_, room),
                                          s.value_panels + panel * packed_value_floats(head_, room)));
      }
    });
  } else {
    // Heads that share keys read them together, unless that leaves threads without work.
    int64_t together = batch_ * kv * length_ < context.threads() ? 1 : std::min(group, kQueryBlock);
    while (group % together != 0) --together;
    parallel_polled(context, batch_ * heads / together * length_, together * work / 2, [&](int64_t begin, int64_t end) {
      std::vector<View> views;
      for (int64_t item = begin; item < end; ++item) {
        const int64_t i = item % length_, first = item / length_ * together;
        views.clear();
        for (int64_t h = 0; h < together; ++h) views.push_back(view_of(first / heads, first % heads + h));
        attend_together(views.data(), together, i);
      }
    });
  }
  if (type_ != DType::kFloat32)
    save_floats(type_, results, batch_ * length_ * heads * head_, context.output(0).data, 0);
  if (attributes_.qk_output == 0 || !context.has_output(3)) return;
  parallel_polled(context, batch_ * heads, Cost(length_) * total * head_, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item)
      for (int64_t i = 0; i < length_ && !context.cancelled(); ++i)
        scores(context, view_of(item / heads, item % heads), item / heads, item % heads, i, total,
               s.scores + item * room);
  });
}

}  // namespace onnxrun::cpu
