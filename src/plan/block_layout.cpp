// Best-fit placement in a growing block.
#include "plan/block_layout.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"

namespace onnxrun::plan {

size_t BlockLayout::round_up(size_t bytes) const {
  if (bytes > SIZE_MAX / 2) base::fail(base::Code::kLimitExceeded, "a value of {} bytes does not fit in memory", bytes);
  return std::max(alignment_, (bytes + alignment_ - 1) / alignment_ * alignment_);
}

size_t BlockLayout::allocate(size_t bytes) {
  bytes = round_up(bytes);
  auto best = free_.end();
  for (auto range = free_.begin(); range != free_.end(); ++range)
    if (range->second >= bytes && (best == free_.end() || range->second < best->second)) best = range;
  if (best != free_.end()) {
    const auto [offset, size] = *best;
    free_.erase(best);
    if (size > bytes) free_[offset + bytes] = size - bytes;
    return offset;
  }
  // Grow, from the last free range on when it reaches the end.
  size_t offset = end_;
  if (!free_.empty()) {
    const auto last = std::prev(free_.end());
    if (last->first + last->second == end_) {
      offset = last->first;
      free_.erase(last);
    }
  }
  end_ = offset + bytes;
  peak_ = std::max(peak_, end_);
  return offset;
}

void BlockLayout::release(size_t offset, size_t bytes) {
  bytes = round_up(bytes);
  auto next = free_.lower_bound(offset);
  if (next != free_.end() && next->first == offset + bytes) {
    bytes += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == offset) {
      previous->second += bytes;
      return;
    }
  }
  free_[offset] = bytes;
}

void BlockLayout::reserve(size_t offset, size_t bytes) {
  bytes = round_up(bytes);
  if (offset >= end_) {
    if (offset > end_) free_[end_] = offset - end_;
    end_ = offset + bytes;
  } else {
    // Inside a gap left by an earlier reservation.
    auto gap = std::prev(free_.upper_bound(offset));
    const auto [start, size] = *gap;
    free_.erase(gap);
    if (offset > start) free_[start] = offset - start;
    if (start + size > offset + bytes) free_[offset + bytes] = start + size - offset - bytes;
  }
  peak_ = std::max(peak_, end_);
}

}  // namespace onnxrun::plan
