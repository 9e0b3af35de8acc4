// Float32 queries against rows of keys and values, a tile of keys at a time with a running softmax: one query of several heads, or a block of them on
// packed tiles, of floats or rounded to bfloat16.
//
// A View says where things are:
//   int64_t size(), value_size(), count()          elements of a key and of a value, number of keys
//   const float* key(j), value(j)                  row j (attend_together)
//   void query(i, float* out)                      query i times the scale
//   first(i), last(i)                              the keys [first, last) that query i may see
//   void adjust(i, j, n, float* scores)            softcap, bias and mask on the scores of n keys from j on, all outside [first, last) masked
//   void start(i, RunningSoftmax&)                 before the first tile
//   float* result(i)                               value_size elements
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "cpu/loops/panels.h"
#include "cpu/loops/rows.h"
#include "cpu/loops/running_softmax.h"

namespace onnxrun::cpu {

inline constexpr int64_t kQueryBlock = 12;
inline constexpr int64_t kKeyTile = 256;  // whole panels
inline constexpr int64_t kMaxHeadSize = 512;

// Elements, float or Bfloat16Pair, that packed keys and packed values take.
template <class Element = float>
int64_t packed_key_floats(int64_t size, int64_t count) {
  return panel_floats(panel_depth<Element>(size), count);
}
template <class Element = float>
int64_t packed_value_floats(int64_t size, int64_t count) {
  return (count + kKeyTile - 1) / kKeyTile * panel_floats(panel_depth<Element>(kKeyTile), size);
}

// A row of `size` floats as column `lane` of a panel.
inline void put_column(const float* from, int64_t size, float* panel, int64_t lane) {
  for (int64_t e = 0; e < size; ++e) panel[e * kPanel + lane] = from[e];
}
// Row `row` of at most kPanel floats as one of a panel, the rest of it zeros.
inline void put_row(const float* from, int64_t columns, float* panel, int64_t row) {
  std::fill(std::copy_n(from, columns, panel + row * kPanel), panel + (row + 1) * kPanel, 0.0f);
}

// Rows of floats as a product takes them: as they are, or rounded into pairs.
template <class Element, int64_t kMost>
struct ProductRows;
template <int64_t kMost>
struct ProductRows<float, kMost> {
  const float* of(const float* rows, int64_t, int64_t, int64_t) const { return rows; }
  static int64_t stride(int64_t, int64_t stride) { return stride; }
};
template <int64_t kMost>
struct ProductRows<Bfloat16Pair, kMost> {
  Bfloat16Pair pairs[(kMost + 1) / 2];
  const Bfloat16Pair* of(const float* rows, int64_t count, int64_t size, int64_t stride) {
    for (int64_t r = 0; r < count; ++r) pack_row(rows + r * stride, size, pairs + r * panel_depth<Bfloat16Pair>(size));
    return pairs;
  }
  static int64_t stride(int64_t size, int64_t) { return panel_depth<Bfloat16Pair>(size); }
};

// Query i of `heads` views, at most kQueryBlock, that have keys and values in common and see the same of them.
template <class View>
void attend_together(const View* views, int64_t heads, int64_t i) {
  alignas(64) float queries[kQueryBlock * kMaxHeadSize], scores[kQueryBlock * kKeyTile],
      sums[kQueryBlock * kMaxHeadSize];
  RunningSoftmax state[kQueryBlock];
  const View& view = views[0];
  const int64_t size = view.size(), value_size = view.value_size();
  for (int64_t h = 0; h < heads; ++h) {
    views[h].query(i, queries + h * size);
    views[h].start(i, state[h]);
  }
  std::fill_n(sums, heads * value_size, 0.0f);
  for (int64_t j = view.first(i) / kKeyTile * kKeyTile; j < view.last(i); j += kKeyTile) {
    const int64_t n = std::min(kKeyTile, view.count() - j);
    for (int64_t r = 0; r < n; ++r)
      for (int64_t h = 0; h < heads; ++h)
        scores[h * kKeyTile + r] = row_functions().dot(queries + h * size, view.key(j + r), size);
    for (int64_t h = 0; h < heads; ++h) {
      float* row = scores + h * kKeyTile;
      views[h].adjust(i, j, n, row);
      if (!state[h].take(row, n, sums + h * value_size, value_size)) std::fill_n(row, n, 0.0f);
    }
    for (int64_t r = 0; r < n; ++r)
      for (int64_t h = 0; h < heads; ++h)
        if (const float weight = scores[h * kKeyTile + r]; weight != 0.0f)
          row_functions().add_scaled(view.value(j + r), weight, sums + h * value_size, value_size);
  }
  for (int64_t h = 0; h < heads; ++h) {
    state[h].finish(sums + h * value_size, value_size);
    std::copy_n(sums + h * value_size, value_size, views[h].result(i));
  }
}

template <class View>
void attend_one(const View& view, int64_t i) {
  attend_together(&view, 1, i);
}

// Queries [begin, begin + count) of a View, at most Products::kQueries, with keys and values no larger than Products::kMostSize. Products are made by
//   void start(const float* queries, count)             rows of size() elements
//   void score(j, seen, float* scores)                  of the keys [j, j + seen) of a tile; rows are kKeyTile apart
//   void add(j, seen, float* weights, float* sums)      of as many values; weights are not read any more, rows of sums are value_size() apart
//   float larger()                                      that the sums are multiplied with
template <class View, class Products>
void attend_block(const View& view, int64_t begin, int64_t count, Products&& products) {
  using Kind = std::remove_cvref_t<Products>;
  alignas(64) float queries[Kind::kQueries * Kind::kMostSize], scores[Kind::kQueries * kKeyTile],
      sums[Kind::kQueries * Kind::kMostSize];
  RunningSoftmax state[Kind::kQueries];
  const int64_t size = view.size(), value_size = view.value_size();
  int64_t first = view.count(), last = 0;
  for (int64_t r = 0; r < count; ++r) {
    view.query(begin + r, queries + r * size);
    view.start(begin + r, state[r]);
    first = std::min(first, view.first(begin + r));
    last = std::max(last, view.last(begin + r));
  }
  std::fill_n(sums, count * value_size, 0.0f);
  products.start(queries, count);
  for (int64_t j = first / kKeyTile * kKeyTile; j < last; j += kKeyTile) {
    const int64_t seen = std::min({kKeyTile, view.count() - j, last - j});
    products.score(j, seen, scores);
    bool any = false;
    for (int64_t r = 0; r < count; ++r) {
      float* row = scores + r * kKeyTile;
      view.adjust(begin + r, j, seen, row);
      if (state[r].take(row, seen, sums + r * value_size, value_size)) any = true;
      else std::fill_n(row, seen, 0.0f);
    }
    if (any) products.add(j, seen, scores, sums);
  }
  for (int64_t r = 0; r < count; ++r) {
    float* row = sums + r * value_size;
    state[r].finish(row, value_size);
    row_scale(row, 1 / products.larger(), view.result(begin + r), value_size);
  }
}

// With all keys as columns of panels, values as rows of panels, tile by tile. Products are those of Element.
template <class Element>
class PanelProducts {
 public:
  static constexpr int64_t kQueries = kQueryBlock, kMostSize = kMaxHeadSize;

  template <class View>
  PanelProducts(const View& view, const Element* keys, const Element* values)
      : size_(view.size()), value_size_(view.value_size()), keys_count_(view.count()), keys_(keys), values_(values) {}

  void start(const float* queries, int64_t count) {
    count_ = count;
    queries_ = query_rows_.of(queries, count, size_, size_);
  }
  void score(int64_t j, int64_t seen, float* scores) const {
    const int64_t depth = panel_depth<Element>(size_);
    multiply_panels(queries_, query_rows_.stride(size_, size_), keys_ + j * depth, count_, depth, seen, false, scores,
                    kKeyTile);
  }
  void add(int64_t j, int64_t seen, const float* weights, float* sums) {
    const int64_t n = std::min(kKeyTile, keys_count_ - j);
    const Element* tile = values_ + j / kKeyTile * panel_floats(panel_depth<Element>(kKeyTile), value_size_);
    const Element* rows = weight_rows_.of(weights, count_, seen, kKeyTile);
    for (int64_t e = 0; e < value_size_; e += kPanel)
      multiply_panels(rows, weight_rows_.stride(seen, kKeyTile), tile + e * panel_depth<Element>(n), count_,
                      panel_depth<Element>(seen), std::min(kPanel, value_size_ - e), true, sums + e, value_size_);
  }
  float larger() const { return 1; }

 private:
  int64_t size_, value_size_, keys_count_, count_ = 0;
  const Element *keys_, *values_, *queries_ = nullptr;
  ProductRows<Element, kQueries*(kMostSize + 1)> query_rows_;
  ProductRows<Element, kQueries * kKeyTile> weight_rows_;
};

// Masks the scores of keys [j, j + n) that lie outside [first, last).
inline void mask_outside(int64_t first, int64_t last, int64_t j, int64_t n, float* scores) {
  const int64_t begin = std::clamp<int64_t>(first - j, 0, n), end = std::clamp<int64_t>(last - j, begin, n);
  std::fill_n(scores, begin, kMaskedScore);
  std::fill_n(scores + end, n - end, kMaskedScore);
}

inline void cap_scores(float cap, int64_t n, float* scores) {
  if (!(cap > 0)) return;
  for (int64_t j = 0; j < n; ++j) scores[j] /= cap;
  row_functions().tanh(scores, scores, n);
  for (int64_t j = 0; j < n; ++j) scores[j] *= cap;
}

}  // namespace onnxrun::cpu
