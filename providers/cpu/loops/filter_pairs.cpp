#include "cpu/loops/filter_pairs.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace onnxrun::cpu {

using base::ceil_div;

int64_t FilterPairs::of_group() const { return ceil_div(filters, 2 * kPartBlock); }
int64_t FilterPairs::positions() const { return ceil_div(channels, kPartPosition); }
int64_t FilterPairs::bytes(int parts) const { return 2 * positions() * taps * parts * PartOperands::kTile; }

int64_t FilterPairs::first_number(int64_t pair) const {
  const int64_t filter = group_of(pair) * filters + first_filter(pair);
  return filter * taps * ceil_div(channels, kPartBlock) * kPartBlock;
}

FilterSplit FilterPairs::split(const float* packed, int64_t pair, char* to) const {
  const int64_t blocks = ceil_div(channels, kPartBlock);
  FilterSplit split;
  split.packed = packed + first_number(pair);
  split.filter_blocks = std::min<int64_t>(2, ceil_div(filters - first_filter(pair), kPartBlock));
  split.in_blocks = blocks;
  split.blocks = blocks;
  split.taps = taps;
  split.to = to;
  split.begin();
  return split;
}

size_t FilterPairs::held_bytes() const { return static_cast<size_t>(base::checked_mul(count(), bytes(kHeldParts))); }

size_t FilterPairs::joined_numbers() const {
  const int64_t blocks = ceil_div(channels, kPartBlock), filter_blocks = groups * ceil_div(filters, kPartBlock);
  return static_cast<size_t>(base::checked_mul(filter_blocks * blocks, taps * kPartBlock * kPartBlock));
}

void FilterPairs::hold(const float* packed, char* to) const {
  for (int64_t pair = 0; pair < count(); ++pair, to += bytes(kHeldParts)) {
    FilterSplit split = this->split(packed, pair, to);
    split_filters(split, kHeldParts, split.steps());
    // A second block that is missing.
    if (split.filter_blocks == 1)
      std::memset(to + bytes(kHeldParts) / 2, 0, static_cast<size_t>(bytes(kHeldParts) / 2));
  }
}

void FilterPairs::join(const char* held, int64_t pair, float* packed) const {
  join_filters(split(packed, pair, nullptr), held + pair * bytes(kHeldParts), packed + first_number(pair));
}

}  // namespace onnxrun::cpu
