// How products of packed matrices are split over threads and caches.
#include "cpu/loops/panel_product.h"

#include <algorithm>

namespace onnxrun::cpu {

namespace {

template <class T>
void pack(const T* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, float scale, T* packed) {
  pack_panels(b, row_stride, column_stride, k, n, packed);
  if (scale != 1)
    for (int64_t i = 0; i < panel_floats(k, n); ++i) packed[i] *= static_cast<T>(scale);
}
void pack(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, float scale,
          Bfloat16Pair* packed) {
  pack_panels(b, row_stride, column_stride, k, n, scale, packed);
}

}  // namespace

template <class Element>
void pack_matrices(RunContext& context, const PanelNumber<Element>* b, int64_t count, int64_t row_stride,
                   int64_t column_stride, int64_t k, int64_t n, float scale, Element* packed) {
  const int64_t panels = (n + kPanel - 1) / kPanel, depth = panel_depth<Element>(k), elements = panel_floats(depth, n);
  context.parallel(count * panels, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, k * kPanel)),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t item = begin; item < end; ++item) {
                       const int64_t matrix = item / panels, panel = item % panels, first = panel * kPanel;
                       pack(b + matrix * k * n + first * column_stride, row_stride, column_stride, k,
                            std::min(kPanel, n - first), scale, packed + matrix * elements + panel * depth * kPanel);
                     }
                   });
}

namespace {

constexpr int64_t kWholeFloats = 4 << 20;  // up to which loose matrices are packed all at once

// multiply_packed with rows of y that are `ldy` apart; no dim is 0.
template <class Element>
void multiply_rows(RunContext& context, const ProductGeometry& g, const Element* a, const Element* packed, bool add,
                   PanelNumber<Element>* y, int64_t ldy, const Split& split) {
  if constexpr (!std::is_same_v<Element, double>) {
    if (split.product != nullptr) return split.product->run(context, g, split.a, packed, add, y, ldy, split.scratch);
  }
  // A part of a panel, and the part of a that meets it, stay in the second-level cache together.
  constexpr int64_t kPartBytes = 256 << 10, kRowBytes = 512 << 10, kBytes = sizeof(Element);
  const int64_t panels = (g.n + kPanel - 1) / kPanel, floats = panel_floats(g.k, g.n), threads = context.threads();
  const int64_t parts = (g.k * kPanel * kBytes + kPartBytes - 1) / kPartBytes, part = (g.k + parts - 1) / parts;
  const int64_t most = std::max<int64_t>(12, kRowBytes / kBytes / part), even = (g.m + most - 1) / most;
  const int64_t rows = std::min(g.m, ((g.m + even - 1) / even + 5) / 6 * 6), row_blocks = (g.m + rows - 1) / rows;
  // Panels are grouped so that every thread has a few tasks, none of them tiny.
  const int64_t wanted = threads == 1 ? 1 : std::max<int64_t>(1, 4 * threads / (g.batch * row_blocks));
  const int64_t least = std::max<int64_t>(1, 65536 / (rows * g.k * kPanel));
  const int64_t group = std::clamp<int64_t>(panels / wanted, std::min(least, panels), panels),
                groups = (panels + group - 1) / group;
  const int64_t work = rows * g.k * group * kPanel;
  context.parallel(g.batch * row_blocks * groups, std::max<int64_t>(1, 65536 / work), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      if (context.cancelled()) return;
      const int64_t product = item / (row_blocks * groups), block = item / groups % row_blocks,
                    first = item % groups * group;
      const size_t which = static_cast<size_t>(product);
      const int64_t row = block * rows;
      const Element* from = a + (g.a[which] * g.m + row) * g.k;
      for (int64_t panel = first; panel < std::min(first + group, panels); ++panel)
        for (int64_t k = 0; k < g.k; k += part)
          multiply_panels(from + k, g.k, packed + g.b[which] * floats + (panel * g.k + k) * kPanel,
                          std::min(rows, g.m - row), std::min(part, g.k - k), std::min(kPanel, g.n - panel * kPanel),
                          add || k > 0, y + (product * g.m + row) * ldy + panel * kPanel, ldy);
    }
  });
  context.check_cancelled();
}

}  // namespace

template <class Element>
void multiply_packed(RunContext& context, const ProductGeometry& g, const Element* a, const Element* packed, bool add,
                     PanelNumber<Element>* y, const Split& split) {
  if (g.batch * g.m * g.n == 0) return;
  if (g.k == 0) {
    if (!add) std::fill_n(y, g.batch * g.m * g.n, PanelNumber<Element>(0));
    return;
  }
  multiply_rows(context, g, a, packed, add, y, g.n, split);
}

int64_t loose_scratch_floats(int64_t count, int64_t depth, int64_t n) {
  const int64_t whole = panel_floats(depth, n), panel = depth * kPanel;
  if (whole * count <= kWholeFloats) return whole * count;
  return std::min(whole, std::max<int64_t>(1, kWholeFloats / panel) * panel);
}

template <class Element>
void multiply_loose(RunContext& context, const ProductGeometry& g, const Element* a, const LooseMatrices<Element>& b,
                    Element* scratch, bool add, PanelNumber<Element>* y, const Split& split) {
  const auto pack = [&](const PanelNumber<Element>* from, int64_t count, int64_t columns) {
    pack_matrices(context, from, count, b.row_stride, b.column_stride, b.k, columns, b.scale, scratch);
  };
  if (panel_floats(g.k, g.n) * b.count <= kWholeFloats) {
    pack(b.data, b.count, g.n);
    return multiply_packed(context, g, a, scratch, add, y, split);
  }
  const int64_t step = loose_scratch_floats(b.count, g.k, g.n) / g.k;  // columns at a time
  for (int64_t product = 0; product < g.batch && g.m > 0; ++product) {
    const size_t which = static_cast<size_t>(product);
    for (int64_t first = 0; first < g.n; first += step) {
      ProductGeometry part;
      part.m = g.m;
      part.k = g.k;
      part.n = std::min(step, g.n - first);
      part.a = {g.a[which]};
      part.b = {0};
      pack(b.data + g.b[which] * b.k * g.n + first * b.column_stride, 1, part.n);
      multiply_rows(context, part, a, scratch, add, y + product * g.m * g.n + first, g.n, split);
    }
  }
}

#define ONNXRUN_INSTANTIATE(Element)                                                                                 \
  template void pack_matrices(RunContext&, const PanelNumber<Element>*, int64_t, int64_t, int64_t, int64_t, int64_t, \
                              float, Element*);                                                                      \
  template void multiply_packed(RunContext&, const ProductGeometry&, const Element*, const Element*, bool,           \
                                PanelNumber<Element>*, const Split&);                                                \
  template void multiply_loose(RunContext&, const ProductGeometry&, const Element*, const LooseMatrices<Element>&,   \
                               Element*, bool, PanelNumber<Element>*, const Split&);
ONNXRUN_INSTANTIATE(float)
ONNXRUN_INSTANTIATE(double)
ONNXRUN_INSTANTIATE(Bfloat16Pair)
#undef ONNXRUN_INSTANTIATE

}  // namespace onnxrun::cpu
