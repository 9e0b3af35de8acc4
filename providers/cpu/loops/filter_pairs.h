// The filters of a convolution by bfloat16 parts (convolution_parts.h) in pairs of blocks, which tiles multiply together.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/loops/convolution_parts.h"

namespace onnxrun::cpu {

struct FilterPairs {
  int64_t groups, channels, filters, taps;  // channels and filters of a group

  int64_t of_group() const;
  int64_t count() const { return groups * of_group(); }
  int64_t group_of(int64_t pair) const { return pair / of_group(); }
  // Of a pair, in its group.
  int64_t first_filter(int64_t pair) const { return pair % of_group() * 2 * kPartBlock; }
  // Of channels.
  int64_t positions() const;
  // Of a pair in so many parts, which begins with those of its first block.
  int64_t bytes(int parts) const;
  // Into parts at `to`; packed are all filters as TiledWeights has them.
  FilterSplit split(const float* packed, int64_t pair, char* to) const;

  // All in two parts, pair by pair, and back from them.
  size_t held_bytes() const;
  void hold(const float* packed, char* to) const;
  void join(const char* held, int64_t pair, float* packed) const;
  // Of those that are joined.
  size_t joined_numbers() const;

 private:
  // Of a pair among all.
  int64_t first_number(int64_t pair) const;
};

}  // namespace onnxrun::cpu
