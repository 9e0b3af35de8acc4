// Attention by blocks of queries whose products, with keys and with values, are of bfloat16 parts on tiles (parts.h), or of numbers rounded to one part.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/checked.h"
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
  PartExtents of_values(const char* packed, int64_t tile, int64_t p) const {
    return extents(packed)[key_panels_ + tile * value_panels_ + p];
  }
  // Whether their sums with weights of up to 2^80 stay far from overflow.
  bool values_are_small(const char* packed) const {
    const PartExtents* values = extents(packed) + key_panels_;
    return std::all_of(values, values + value_tiles_ * value_panels_,
                       [](const PartExtents& e) { return e.most < 0x1p20f; });
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
      for (int64_t j = 0; j < columns; ++j) put_column(key(p * kPanel + j) + from, rows, panel, j);
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
        const int64_t rows = std::min(kStep, last - j);
        for (int64_t r = 0; r < rows; ++r) put_row(value(j + r) + p * kPanel, columns, panel, r);
        std::fill(panel + rows * kPanel, panel + kStep * kPanel, 0.0f);
        all = both(all, split(panel, to + values_at(tile, p) + (j - first) / kStep * PartOperands::b_step(parts_)));
      }
      extents[key_panels_ + tile * value_panels_ + p] = all;
    }
}

// For attend_block of attention_rows.h, of 2 to kQueries queries. Where parts would not do, products are of float32 panels that are packed on the way.
template <class View>
class PartProducts {
 public:
  static constexpr int64_t kQueries = AttentionParts::kQueries, kMostSize = AttentionParts::kMostSize;

  PartProducts(const View& view, const AttentionParts& parts, const char* packed)
      : view_(view),
        parts_(parts),
        packed_(packed),
        rounds_(parts.parts() == 1),
        larger_(!rounds_ && parts.values_are_small(packed) ? kLarger : 1) {}

  void start(const float* queries, int64_t count) {
    queries_ = queries;
    count_ = count;
    of_queries_ = split_rows(queries, view_.size(), count, view_.size(), parts_.parts(), query_parts_);
  }

  void score(int64_t j, int64_t seen, float* scores) {
    const int64_t size = view_.size();
    PartExtents of_keys;
    for (int64_t p = j / kPanel; p * kPanel < j + seen; ++p) of_keys = both(of_keys, parts_.of_keys(packed_, p));
    if (rounds_ || parts_are_safe(of_queries_, of_keys, size)) {
      multiply_parts({.a = query_parts_,
                      .b = parts_.keys(packed_, j / kPanel),
                      .steps = steps_of(size),
                      .rows = count_,
                      .columns = seen,
                      .add = false,
                      .c = scores,
                      .ldc = kKeyTile},
                     parts_.parts());
      return;
    }
    for (int64_t p = 0; p < seen; p += kPanel) {
      const int64_t columns = std::min(kPanel, seen - p);
      for (int64_t k = 0; k < columns; ++k) put_column(view_.key(j + p + k), size, panel_, k);
      multiply_panels(queries_, size, panel_, count_, size, columns, false, scores + p, kKeyTile);
    }
  }

  void add(int64_t j, int64_t seen, float* weights, float* sums) {
    const int64_t value_size = view_.value_size();
    if (larger_ != 1)
      for (int64_t r = 0; r < count_; ++r) row_scale(weights + r * kKeyTile, larger_, weights + r * kKeyTile, seen);
    bool split = false;
    for (int64_t e = 0; e < value_size; e += kPanel) {
      const int64_t columns = std::min(kPanel, value_size - e), tile = j / kKeyTile;
      const PartExtents values = parts_.of_values(packed_, tile, e / kPanel);
      if (rounds_ ? values.most <= kGreatest : larger_ != 1 && values.least >= kLeastValue) {
        if (!split) split_rows(weights, kKeyTile, count_, seen, parts_.parts(), weight_parts_);
        split = true;
        multiply_parts({.a = weight_parts_,
                        .b = parts_.values(packed_, tile, e / kPanel),
                        .steps = steps_of(seen),
                        .rows = count_,
                        .columns = columns,
                        .add = true,
                        .c = sums + e,
                        .ldc = value_size},
                       parts_.parts());
        continue;
      }
      // Of what is seen only: tiles would multiply what lies behind it with zeros.
      for (int64_t k = 0; k < seen; k += kPanelRows) {
        const int64_t rows = std::min(kPanelRows, seen - k);
        for (int64_t r = 0; r < rows; ++r) put_row(view_.value(j + k + r) + e, columns, panel_, r);
        multiply_panels(weights + k, kKeyTile, panel_, count_, rows, columns, true, sums + e, value_size);
      }
    }
  }

  float larger() const { return larger_; }

 private:
  // Weights are from 2^-126 to 1, or denormal: so that their parts, and the products with those of values, do not become too small, they are multiplied by 2^80.
  static constexpr float kLarger = 0x1p80f, kLeastValue = 0x1p-50f, kGreatest = std::numeric_limits<float>::max();
  static constexpr int kMostParts = 2;
  static constexpr int64_t kPanelRows = kMostSize;

  static int64_t steps_of(int64_t depth) { return base::ceil_div(depth, PartOperands::kStep); }

  const View& view_;
  const AttentionParts& parts_;
  const char* packed_;
  bool rounds_;
  float larger_;
  const float* queries_ = nullptr;
  int64_t count_ = 0;
  PartExtents of_queries_;
  alignas(64) char query_parts_[kMostSize / PartOperands::kStep * PartOperands::a_step(kMostParts)];
  alignas(64) char weight_parts_[kKeyTile / PartOperands::kStep * PartOperands::a_step(kMostParts)];
  alignas(64) float panel_[kPanelRows * kPanel];
};

}  // namespace onnxrun::cpu
