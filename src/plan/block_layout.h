// BlockLayout: offsets of values with known lifetimes in one block of memory, given out in the order of the steps.
#pragma once

#include <cstddef>
#include <map>

#include "base/buffer.h"

namespace onnxrun::plan {

// Best fit over a free list; neighbouring free ranges are joined. All sizes are rounded up to the alignment.
class BlockLayout {
 public:
  explicit BlockLayout(size_t alignment = base::kAlignment) : alignment_(alignment) {}
  size_t allocate(size_t bytes);
  void release(size_t offset, size_t bytes);
  // Marks a range as used from the start; ranges must not overlap. Call before allocate.
  void reserve(size_t offset, size_t bytes);
  // Highest end of any range so far.
  size_t peak() const { return peak_; }

  size_t round_up(size_t bytes) const;

 private:
  size_t alignment_;
  std::map<size_t, size_t> free_;  // offset -> bytes, below end_
  size_t end_ = 0;
  size_t peak_ = 0;
};

}  // namespace onnxrun::plan
