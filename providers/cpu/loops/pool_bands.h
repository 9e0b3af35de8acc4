// Windows of pools taken some rows of results at once, with tables of the rows of the input that they reach.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "cpu/loops/pool_rows.h"
#include "cpu/loops/table_bytes.h"
#include "cpu/loops/window_geometry.h"

namespace onnxrun::cpu {

struct Span {
  int64_t begin = 0, end = 0;
  bool empty() const { return begin >= end; }
};

// Kernel positions along axis d that lie in the input for some window that starts in [first, last].
inline Span positions_inside(const WindowGeometry& g, size_t d, int64_t first, int64_t last) {
  const int64_t step = g.dilations[d];
  const int64_t begin = last >= 0 ? 0 : -last / step + (-last % step != 0);
  const int64_t end = first >= g.in[d] ? 0 : std::min(g.kernel[d], (g.in[d] - 1 - first) / step + 1);
  return {begin, end};
}

// Moves k to the next position along the axes before `last`; false after the last one.
inline bool next_row(const Span* inside, size_t last, int64_t* k) {
  for (size_t d = last; d-- > 0;) {
    if (++k[d] < inside[d].end) return true;
    k[d] = inside[d].begin;
  }
  return false;
}

// Takes windows that not too many rows of the input count to, and whose rows fit a small buffer.
class PoolBands {
 public:
  // Elements of a row of the input that the windows of kConvolveRow results may reach for rows to be put together first.
  static constexpr int64_t kTogether = 768;

  explicit PoolBands(const WindowGeometry& geometry);

  bool fit() const { return pitch_ != 0; }
  size_t table_bytes() const { return bytes_outside(offsets_) + bytes_outside(begins_); }

  // Offsets in a plane of the input of the rows that count to a row of a plane of results.
  std::span<const int64_t> rows_of(int64_t row) const {
    const auto at = static_cast<size_t>(row);
    return {offsets_.data() + begins_[at], offsets_.data() + begins_[at + 1]};
  }

  // The divisors are by row of a plane of results and by column; `take` gets rows of windows.
  void run(provider::RunContext& context, const WindowGeometry& geometry, const float* x, float* y,
           const float* row_divisors, const float* column_divisors, void (*take)(const PoolRows&)) const;

 private:
  void list_rows(const WindowGeometry& g, int64_t row);

  int64_t pitch_ = 0;
  std::vector<int64_t> offsets_, begins_;
};

}  // namespace onnxrun::cpu
