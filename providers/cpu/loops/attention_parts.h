// Attention by blocks of queries whose products, with keys and with values, are of bfloat16 parts on tiles (parts.h), or of numbers rounded to one part.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/loops/attention_rows.h"
#include "cpu/loops/parts.h"

namespace onnxrun::cpu {

// Of heads with `count` keys and values of these sizes, in one or two parts.
class AttentionParts {
 public:
  static constexpr int64_t kQueries = PartOperands::kRows;  // of a block
  static constexpr int64_t kMostSize = 128;                 // of a key and of a value

  AttentionParts() = default;
  AttentionParts(int64_t size, int64_t value_size, int64_t count, int parts);
  // Whether tiles are faster for so many queries and keys: at float32_matmul_precision high and medium, of two parts or one.
  static bool pays(int64_t queries, int64_t size, int64_t value_size, int64_t count, int precision);
  explicit operator bool() const { return parts_ > 0; }
  int parts() const { return parts_; }

  // Keys and values of a head.
  int64_t bytes() const { return values_at(value_tiles_, 0); }
  // key(j) and value(j) are rows.
  template <class Key, class Value>
  void pack(Key&& key, Value&& value, char* to) const;

  // Panel p of keys, and panel p of the values of a tile of kKeyTile keys.
  const char* keys(const char* packed, int64_t p) const { return packed + keys_at(p); }
  const char* values(const char* packed, int64_t tile, int64_t p) const { return packed + values_at(tile, p); }
  PartExtents of_keys(const char* packed, int64_t p) const { return extents(packed)[p]; }
  // Whether all values are such that parts do for their sums with weights of up to 2^80, the least of which are 2^-46.
  bool hold_values(const char* packed) const {
    const PartExtents* values = extents(packed) + key_panels_;
    return std::all_of(values, values + value_tiles_ * value_panels_,
                       [](const PartExtents& e) { return e.least >= 0x1p-50f && e.most < 0x1p20f; });
  }

 private:
  static const PartExtents* extents(const char* packed) { return reinterpret_cast<const PartExtents*>(packed); }
  int64_t keys_at(int64_t panel) const { return header_ + panel * key_panel_; }
  int64_t values_at(int64_t tile, int64_t panel) const {
    return keys_at(key_panels_) + (tile * value_panels_ + panel) * value_panel_;
  }
  // Rows [0, PartOperands::kStep) of a panel of float32.
  PartExtents split(const float* panel, char* to) const;

  int64_t size_ = 0, value_size_ = 0, count_ = 0;
  int parts_ = 0;
  int64_t key_panels_ = 0, value_tiles_ = 0, value_panels_ = 0;
  int64_t header_ = 0, key_panel_ = 0, value_panel_ = 0;  // bytes
};

inline PartExtents both(PartExtents a, PartExtents b) {
  // What is not a number stays that.
  return {std::min(a.least, b.least), b.most <= a.most ? a.most : b.most};
}

template <class Key, class Value>
void AttentionParts::pack(Key&& key, Value&& value, char* to) const {
  constexpr int64_t kStep = PartOperands::kStep;
  alignas(64) float panel[kStep * kPanel];
  auto* extents = reinterpret_cast<PartExtents*>(to);
  for (int64_t p = 0; p < key_panels_; ++p) {
    const int64_t columns = std::min(kPanel, count_ - p * kPanel);
    PartExtents all;
    for (int64_t from = 0; from < size_; from += kStep) {
      const int64_t rows = std::min(kStep, size_ - from);
      std::fill_n(panel, kStep * kPanel, 0.0f);
      for (int64_t j = 0; j < columns; ++j) {
        const float* row = key(p * kPanel + j) + from;
        for (int64_t e = 0; e < rows; ++e) panel[e * kPanel + j] = row[e];
      }
      all = both(all, split(panel, to + keys_at(p) + from / kStep * PartOperands::b_step(parts_)));
    }
    extents[p] = all;
  }
  for (int64_t tile = 0; tile < value_tiles_; ++tile)
    for (int64_t p = 0; p < value_panels_; ++p) {
      const int64_t first = tile * kKeyTile, last = std::min(count_, first + kKeyTile),
                    columns = std::min(kPanel, value_size_ - p * kPanel);
      PartExtents all;
      for (int64_t j = first; j < last; j += kStep) {
        std::fill_n(panel, kStep * kPanel, 0.0f);
        for (int64_t r = 0; r < std::min(kStep, last - j); ++r)
          std::copy_n(value(j + r) + p * kPanel, columns, panel + r * kPanel);
        all = both(all, split(panel, to + values_at(tile, p) + (j - first) / kStep * PartOperands::b_step(parts_)));
      }
      extents[key_panels_ + tile * value_panels_ + p] = all;
    }
}

// As attend_block of attention_rows.h, of 2 to kQueries queries. Where parts would not do products are float32's.
template <class View>
void attend_block(const View& view, int64_t begin, int64_t count, const AttentionParts& parts, const char* packed) {
  constexpr int64_t kQueries = AttentionParts::kQueries, kMost = AttentionParts::kMostSize;
  constexpr int kMostParts = 2;
  // Weights are from 2^-126 to 1, or denormal: so that their parts, and the products with those of values, do not become too small, they are multiplied by 2^80.
  constexpr float kLarger = 0x1p80f;
  alignas(64) float queries[kQueries * kMost], scores[kQueries * kKeyTile], sums[kQueries * kMost];
  alignas(64) char query_parts[kMost / PartOperands::kStep * PartOperands::a_step(kMostParts)],
      weight_parts[kKeyTile / PartOperands::kStep * PartOperands::a_step(kMostParts)];
  RunningSoftmax state[kQueries];
  const int64_t size = view.size(), value_size = view.value_size();
  const bool rounds = parts.parts() == 1, values_in_parts = rounds || parts.hold_values(packed);
  const float larger = values_in_parts && !rounds ? kLarger : 1;
  int64_t first = view.count(), last = 0;
  for (int64_t r = 0; r < count; ++r) {
    view.query(begin + r, queries + r * size);
    view.start(begin + r, state[r]);
    first = std::min(first, view.first(begin + r));
    last = std::max(last, view.last(begin + r));
  }
  std::fill_n(sums, count * value_size, 0.0f);
  const PartExtents of_queries = split_rows(queries, size, count, size, parts.parts(), query_parts);
  const auto steps_of = [](int64_t depth) { return (depth + PartOperands::kStep - 1) / PartOperands::kStep; };
  for (int64_t tile = first / kKeyTile; tile * kKeyTile < last; ++tile) {
    const int64_t j = tile * kKeyTile, seen = std::min({kKeyTile, view.count() - j, last - j});
    PartExtents of_keys;
    for (int64_t p = j / kPanel; p * kPanel < j + seen; ++p) of_keys = both(of_keys, parts.of_keys(packed, p));
    if (rounds || parts_are_safe(of_queries, of_keys, size)) {
      multiply_parts({.a = query_parts,
                      .b = parts.keys(packed, j / kPanel),
                      .steps = steps_of(size),
                      .rows = count,
                      .columns = seen,
                      .add = false,
                      .c = scores,
                      .ldc = kKeyTile},
                     parts.parts());
    } else {
      for (int64_t r = 0; r < count; ++r)
        for (int64_t k = 0; k < seen; ++k)
          scores[r * kKeyTile + k] = row_functions().dot(queries + r * size, view.key(j + k), size);
    }
    bool any = false;
    for (int64_t r = 0; r < count; ++r) {
      float* row = scores + r * kKeyTile;
      view.adjust(begin + r, j, seen, row);
      if (state[r].take(row, seen, sums + r * value_size, value_size)) any = true;
      else std::fill_n(row, seen, 0.0f);
      if (larger != 1) row_scale(row, larger, row, seen);
    }
    if (!any) continue;
    if (values_in_parts) split_rows(scores, kKeyTile, count, seen, parts.parts(), weight_parts);
    for (int64_t e = 0; e < value_size; e += kPanel) {
      const int64_t columns = std::min(kPanel, value_size - e);
      if (values_in_parts) {
        multiply_parts({.a = weight_parts,
                        .b = parts.values(packed, tile, e / kPanel),
                        .steps = steps_of(seen),
                        .rows = count,
                        .columns = columns,
                        .add = true,
                        .c = sums + e,
                        .ldc = value_size},
                       parts.parts());
      } else {
        for (int64_t c = 0; c < seen; ++c)
          for (int64_t r = 0; r < count; ++r)
            if (const float weight = scores[r * kKeyTile + c]; weight != 0.0f)
              row_functions().add_scaled(view.value(j + c) + e, weight, sums + r * value_size + e, columns);
      }
    }
  }
  for (int64_t r = 0; r < count; ++r) {
    float* row = sums + r * value_size;
    state[r].finish(row, value_size);
    row_scale(row, 1 / larger, view.result(begin + r), value_size);
  }
}

}  // namespace onnxrun::cpu
