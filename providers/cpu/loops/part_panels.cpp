#include "cpu/loops/part_panels.h"

#include <cstring>
#include <vector>

#include "base/charge.h"
#include "base/checked.h"
#include "base/kernel_memory.h"

namespace onnxrun::cpu {

using base::ceil_div;

namespace {

constexpr int64_t kLine = 64;

}  // namespace

PartPanels::PartPanels(int64_t k, int64_t n)
    : k_(k),
      n_(n),
      panels_(ceil_div(n, kPanel)),
      header_bytes_(ceil_div(panels_ * static_cast<int64_t>(sizeof(PartExtents)), kLine) * kLine),
      panel_bytes_(base::checked_mul(ceil_div(k, PartOperands::kStep), PartOperands::b_step(kHeldParts))) {
  base::checked_add(header_bytes_, base::checked_mul(panels_, panel_bytes_));
}

void PartPanels::pack(const float* b, int64_t row_stride, int64_t column_stride, FloatParts* packed) const {
  const base::Charge charge(base::kernel_budget(), base::checked_mul(k_ * kPanel, sizeof(float)));
  std::vector<float> numbers(static_cast<size_t>(k_ * kPanel));
  char* to = reinterpret_cast<char*>(packed) + header_bytes_;
  for (int64_t p = 0; p < panels_; ++p, to += panel_bytes_) {
    const int64_t first = p * kPanel, columns = std::min(kPanel, n_ - first);
    pack_panels(b + first * column_stride, row_stride, column_stride, k_, columns, numbers.data());
    const PartExtents extents = split_panel(numbers.data(), k_, kPanel, kHeldParts, to);
    reinterpret_cast<PartExtents*>(packed)[p] = extents;
    if (!parts_hold(extents)) std::memcpy(to, numbers.data(), numbers.size() * sizeof(float));
  }
}

}  // namespace onnxrun::cpu
