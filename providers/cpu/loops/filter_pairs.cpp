#include "cpu/loops/filter_pairs.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace onnxrun::cpu {

using base::ceil_div;

namespace {

constexpr int kHeldParts = 2;

}  // namespace

int64_t FilterPairs::of_group() const { return ceil_div(filters, 2 * kPartBlock); }
int64_t FilterPairs::positions() const { return ceil_div(channels, kPartPosition); }
int64_t FilterPairs::bytes(int parts) const { return 2 * positions() * taps * parts * PartOperands::kTile; }

FilterSplit FilterPairs::split(const float* packed, int64_t pair, char* to) const {
  const int64_t first = pair % of_group() * 2 * kPartBlock, blocks = ceil_div(channels, kPartBlock);
  FilterSplit split;
  split.packed = packed + (pair / of_group() * filters + first) * taps * blocks * kPartBlock;
  split.filter_blocks = std::min<int64_t>(2, ceil_div(filters - first, kPartBlock));
  split.in_blocks = blocks;
  split.blocks = blocks;
  split.taps = taps;
  split.to = to;
  split.begin();
  return split;
}

size_t FilterPairs::held_bytes() const { return static_cast<size_t>(base::checked_mul(count(), bytes(kHeldParts))); }

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
  const FilterSplit split = this->split(packed, pair, nullptr);
  join_filters(split, held + pair * bytes(kHeldParts), packed + (split.packed - packed));
}

}  // namespace onnxrun::cpu
