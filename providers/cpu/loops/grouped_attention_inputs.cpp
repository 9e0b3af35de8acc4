// Queries, keys and values of grouped attention made ready: turned by position, normalised, and added to the caches.
#include <cmath>
#include <cstring>

#include "cpu/loops/grouped_attention.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rotation.h"

namespace onnxrun::cpu {

using base::Code;
using base::fail;

int64_t GroupedAttention::position(const RunContext& context, const GroupedEntry& entry, int64_t b, int64_t s,
                                   bool prompt) const {
  int64_t result = entry.past + s;
  if (in_.positions != 0 && context.has_input(in_.positions)) {
    const int64_t* ids = context.in<int64_t>(in_.positions);
    // A sum beyond 64 bits is negative.
    result =
        prompt ? static_cast<int64_t>(static_cast<uint64_t>(ids[0]) + static_cast<uint64_t>(s)) : ids[b * length_ + s];
  }
  if (result < 0 || result >= angles_)
    fail(Code::kRunFailed,
         "GroupQueryAttention: token {} of batch entry {} has the position {}, but the rotary caches have {}", s, b,
         result, angles_);
  return result;
}

void GroupedAttention::load_source(const RunContext& context, size_t input, int64_t offset, float* out) const {
  const char* data = static_cast<const char*>(context.input(input).data);
  CacheRows(type_, head_, 8, false).load(data + offset * base::dtype_bits(type_) / 8, nullptr, 0, out);
}

// Normalises and rotates one head. `weight`: the input of the norm's weights; `angles`: cosines, then sines, null for none.
void GroupedAttention::prepare(const RunContext& context, size_t weight, const float* angles, float* head) const {
  if (weight != 0 && context.has_input(weight)) {
    const double mean = row_sum_squares(head, 0, head_) / static_cast<double>(head_);
    const float factor = static_cast<float>(1.0 / std::sqrt(mean + static_cast<double>(attributes_.norm_epsilon)));
    for (int64_t e = 0; e < head_; ++e) head[e] *= factor * load_narrow(type_, context.input(weight).data, e);
  }
  if (angles != nullptr) rotate_pairs(head, angles, angles + pairs_, pairs_, head_, attributes_.interleaved, head);
}

void GroupedAttention::take_queries(RunContext& context, const std::vector<GroupedEntry>& entries, bool prompt,
                                    const Scratch& s) const {
  const int64_t heads = attributes_.heads, width = (merged_source_ ? heads + 2 * attributes_.kv_heads : heads) * head_;
  parallel_polled(context, batch_ * length_, Cost(heads) * head_ * 8, [&](int64_t begin, int64_t end) {
    std::vector<float> angles(static_cast<size_t>(2 * pairs_));
    for (int64_t item = begin; item < end; ++item) {
      if (attributes_.rotary) {
        const int64_t b = item / length_;
        const int64_t at = position(context, entries[static_cast<size_t>(b)], b, item % length_, prompt) * pairs_;
        for (int64_t i = 0; i < pairs_; ++i) {
          angles[static_cast<size_t>(i)] = load_narrow(type_, context.input(in_.cos).data, at + i);
          angles[static_cast<size_t>(pairs_ + i)] = load_narrow(type_, context.input(in_.sin).data, at + i);
        }
      }
      for (int64_t h = 0; h < heads; ++h) {
        float* head = s.queries + (item * heads + h) * head_;
        load_source(context, in_.query, item * width + h * head_, head);
        prepare(context, in_.q_norm, attributes_.rotary ? angles.data() : nullptr, head);
        row_scale(head, scale_, head, head_);
      }
    }
  });
}

// Takes over the rows of the past that stay: from a cache of the window those that it still holds, else all with those that no key uses yet.
void GroupedAttention::keep_rows(const char* past, char* present, int64_t bytes, int64_t held, int64_t kept,
                                 const GroupedEntry& entry) const {
  const int64_t gone =
      attributes_.sliding_cache ? std::clamp<int64_t>(entry.total - kept - (entry.past - held), 0, held) : 0;
  const int64_t staying = past == nullptr             ? 0
                          : attributes_.sliding_cache ? held - gone
                                                      : std::min(past_capacity_, capacity_);
  if (past == present && gone == 0) return;
  if (staying > 0) std::memmove(present, past + gone * bytes, static_cast<size_t>(staying * bytes));
  if (past != present) std::memset(present + staying * bytes, 0, static_cast<size_t>((capacity_ - staying) * bytes));
}

// Brings the cache of one head up to date, and its rows to float32 where they are staged.
void GroupedAttention::extend_head(const RunContext& context, const GroupedEntry& entry, int64_t b, int64_t h,
                                   bool prompt, const Scratch& s) const {
  const int64_t kv = attributes_.kv_heads, item = b * kv + h, held = resident(entry.past), kept = resident(entry.total);
  std::vector<float> row(static_cast<size_t>(head_)), angles(static_cast<size_t>(2 * pairs_));
  const bool present = capacity_ > 0 && context.has_output(1);
  for (const bool is_key : {true, false}) {
    const CacheRows& rows_kind = is_key ? key_rows_ : value_rows_;
    const size_t input = is_key ? in_.past_key : in_.past_value, scale_input = is_key ? in_.key_scale : in_.value_scale;
    const float* scales = rows_kind.scaled() ? context.in<float>(scale_input) : nullptr;
    const int64_t bytes = rows_kind.row_bytes();
    const char* past = input != 0 && context.has_input(input)
                           ? static_cast<const char*>(context.input(input).data) + item * past_capacity_ * bytes
                           : nullptr;
    char* to = present ? static_cast<char*>(context.output(is_key ? 1 : 2).data) + item * capacity_ * bytes : nullptr;
    float* staged = staged_ ? (is_key ? s.keys : s.values) + item * rows() * head_ : nullptr;
    for (int64_t j = 0; staged != nullptr && j < held; ++j)
      rows_kind.load(past + j * bytes, scales, h, staged + j * head_);
    if (to != nullptr) keep_rows(past, to, bytes, held, kept, entry);
    for (int64_t i = 0; i < length_; ++i) {
      const int64_t token = b * length_ + i, heads = attributes_.heads;
      if (merged_source_)
        load_source(context, in_.query, (token * (heads + 2 * kv) + heads + (is_key ? h : kv + h)) * head_, row.data());
      else load_source(context, is_key ? in_.key : in_.value, (token * kv + h) * head_, row.data());
      if (is_key) {
        if (attributes_.rotary) {
          const int64_t at = position(context, entry, b, i, prompt) * pairs_;
          for (int64_t p = 0; p < pairs_; ++p) {
            angles[static_cast<size_t>(p)] = load_narrow(type_, context.input(in_.cos).data, at + p);
            angles[static_cast<size_t>(pairs_ + p)] = load_narrow(type_, context.input(in_.sin).data, at + p);
          }
        }
        prepare(context, in_.k_norm, attributes_.rotary ? angles.data() : nullptr, row.data());
      }
      // The row's place in the cache: behind the past, less what has gone from a cache of the window.
      const int64_t place = entry.past + i - (entry.total - kept);
      if (to != nullptr && place >= 0 && place < capacity_) rows_kind.save(row.data(), scales, h, to + place * bytes);
      if (staged == nullptr) continue;
      float* into = staged + (held + i) * head_;
      if (rows_kind.scaled() && to != nullptr && place >= 0 && place < capacity_)
        rows_kind.load(to + place * bytes, scales, h, into);
      else std::copy(row.begin(), row.end(), into);
    }
  }
}

void GroupedAttention::extend(RunContext& context, const std::vector<GroupedEntry>& entries, bool prompt,
                              const Scratch& s) const {
  const int64_t kv = attributes_.kv_heads;
  parallel_polled(context, batch_ * kv, Cost(staged_ ? rows() : length_) * head_ * 16, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t b = item / kv, h = item % kv;
      const GroupedEntry& entry = entries[static_cast<size_t>(b)];
      extend_head(context, entry, b, h, prompt, s);
      if (!packs_) continue;
      const int64_t room = staged_ ? rows() : capacity_, count = std::min(room, resident(entry.past) + length_);
      const float* keys = staged_ ? s.keys + item * room * head_
                                  : static_cast<const float*>(context.output(1).data) + item * room * head_;
      const float* values = staged_ ? s.values + item * room * head_
                                    : static_cast<const float*>(context.output(2).data) + item * room * head_;
      pack_panels(keys, 1, head_, head_, count, s.key_panels + item * packed_key_floats(head_, room));
      float* tiles = s.value_panels + item * packed_value_floats(head_, room);
      for (int64_t j = 0; j < count; j += kKeyTile)
        pack_panels(values + j * head_, head_, 1, std::min(kKeyTile, count - j), head_,
                    tiles + j / kKeyTile * panel_floats(kKeyTile, head_));
    }
  });
}

}  // namespace onnxrun::cpu
