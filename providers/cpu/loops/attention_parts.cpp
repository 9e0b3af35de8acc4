#include "cpu/loops/attention_parts.h"

#include <onnxrun/provider.h>

#include "base/checked.h"

namespace onnxrun::cpu {

using base::ceil_div;

AttentionParts::AttentionParts(int64_t size, int64_t value_size, int64_t count, int parts)
    : size_(size),
      value_size_(value_size),
      count_(count),
      parts_(parts),
      key_panels_(ceil_div(count, kPanel)),
      value_tiles_(ceil_div(count, kKeyTile)),
      value_panels_(ceil_div(value_size, kPanel)) {
  const int64_t each = static_cast<int64_t>(sizeof(PartExtents)), lists = key_panels_ + value_tiles_ * value_panels_;
  header_ = ceil_div(base::checked_mul(lists, each), int64_t{kTileBytes}) * kTileBytes;
  key_panel_ = ceil_div(size, PartOperands::kStep) * PartOperands::b_step(parts);
  value_panel_ = kKeyTile / PartOperands::kStep * PartOperands::b_step(parts);
  base::checked_add(header_, base::checked_add(base::checked_mul(key_panels_, key_panel_),
                                               base::checked_mul(value_tiles_ * value_panels_, value_panel_)));
}

bool AttentionParts::pays(int64_t queries, int64_t size, int64_t value_size, int64_t count, int precision) {
  constexpr int64_t kLeast = 32;
  return has_part_products() && precision != ONNXRUN_PRECISION_HIGHEST && size <= kMostSize &&
         value_size <= kMostSize && queries >= kLeast && count >= kLeast;
}

PartExtents AttentionParts::split(const float* panel, char* to) const {
  if (parts_ > 1) return split_panel(panel, PartOperands::kStep, kPanel, parts_, to);
  pack_panels(panel, kPanel, 1, PartOperands::kStep, kPanel, 1, reinterpret_cast<Bfloat16Pair*>(to));
  return extents_of(panel, kPanel, PartOperands::kStep, kPanel);
}

}  // namespace onnxrun::cpu
