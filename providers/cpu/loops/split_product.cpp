// How products by parts are split over threads and caches.
#include "cpu/loops/split_product.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/checked.h"
#include "base/parallel.h"
#include "cpu/loops/panels.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

using base::ceil_div;

namespace {

constexpr int64_t kStep = PartOperands::kStep, kRowBytes = kPanel * 4;  // of a panel

// Fewer rows do not make up for splitting panels (`./dev bench kernels`).
constexpr int64_t least_rows(int parts) { return parts == 3 ? 96 : parts == 2 ? 48 : 32; }
constexpr int64_t kLeastDepth = 32, kLeastColumns = 24;
// Whether products of m rows and n columns make up for splitting both operands, constants as well: each number is in n or m of them.
bool worth_splitting(int64_t m, int64_t n, int parts) {
  const double most = parts == 3 ? 1.0 / 75 : 1.0 / 40;
  return parts == 1 || 1.0 / static_cast<double>(m) + 1.0 / static_cast<double>(n) <= most;
}
// Parts of A that exist at once.
constexpr int64_t kChunkBytes = 16 << 20;
// Blocks of longer rows take more than that by much.
constexpr int64_t kMostDepth = 1 << 15;

}  // namespace

SplitProduct::SplitProduct(const ProductGeometry& g, int64_t k, int parts, int threads) {
  if (!has_part_products() || g.m < least_rows(parts) || k < kLeastDepth || g.n < kLeastColumns || g.batch == 0 ||
      !worth_splitting(g.m, g.n, parts))
    return;
  parts_ = parts;
  k_ = k;
  plan(g, threads);
  // Rows so long that a block of them takes much more than a chunk should stay as they are.
  if (block_groups_ > 4 * kChunkBytes / group_bytes()) parts_ = 0;
}

bool SplitProduct::takes_parts(int64_t k, int64_t n) {
  return has_part_products() && k >= kLeastDepth && k <= kMostDepth && n >= kLeastColumns;
}

SplitProduct SplitProduct::of_parts(const ProductGeometry& g, int64_t k, int threads) {
  SplitProduct product;
  product.parts_ = kHeldParts;
  product.k_ = k;
  product.held_.emplace(k, g.n);
  product.plan(g, threads);
  return product;
}

void SplitProduct::plan(const ProductGeometry& g, int threads) {
  // Parts of a piece of a panel take less than 300 KB, those of a block of rows that meet it a megabyte at most.
  constexpr int64_t kBlockBytes = 1 << 20;
  const int64_t most_steps = parts_ == 1 ? 64 : 72 / parts_;
  slots_ = threads > 0 ? threads : base::available_cpus();
  if (g.m * g.batch == 0) return;
  steps_ = ceil_div(k_, kStep);
  cuts_ = ceil_div(steps_, most_steps);
  cut_steps_ = ceil_div(steps_, cuts_);
  cuts_ = ceil_div(steps_, cut_steps_);
  groups_ = ceil_div(g.m, PartOperands::kRows);
  const int64_t most = std::max<int64_t>(1, kBlockBytes / (cut_steps_ * PartOperands::a_step(parts_)));
  block_groups_ = ceil_div(groups_, ceil_div(groups_, most));
  chunk_groups_ = std::min(std::max(block_groups_, kChunkBytes / group_bytes()), base::checked_mul(groups_, g.batch));
  // Whole products, or whole blocks of one.
  chunk_groups_ -= chunk_groups_ % (chunk_groups_ >= groups_ ? groups_ : block_groups_);
}

// What is split at once: some groups of rows of one product, or all of some products.
struct SplitProduct::Chunk {
  int64_t product, products, first, groups;  // from group `first` on
  char *a, *b;                               // parts of A, and of a panel for each slot
  PartExtents* extents;                      // [group, cut]
};

size_t SplitProduct::scratch_bytes() const {
  if (!worth()) return 0;
  const int64_t bytes =
      base::checked_add(base::checked_mul(chunk_groups_, group_bytes()), base::checked_mul(slots_, slot_bytes()));
  return static_cast<size_t>(base::checked_add(
      bytes, base::checked_mul(base::checked_mul(chunk_groups_, cuts_), static_cast<int64_t>(sizeof(PartExtents)))));
}

void SplitProduct::run(RunContext& context, const ProductGeometry& g, const float* a, const void* packed, bool add,
                       float* y, int64_t ldy, char* scratch) const {
  if (g.batch * g.m * g.n == 0) return;
  Chunk chunk{};
  chunk.a = scratch;
  chunk.b = chunk.a + chunk_groups_ * group_bytes();
  chunk.extents = reinterpret_cast<PartExtents*>(chunk.b + slots_ * slot_bytes());
  const auto take = [&](int64_t product, int64_t products, int64_t first, int64_t count) {
    chunk.product = product;
    chunk.products = products;
    chunk.first = first;
    chunk.groups = count;
    split(context, g, a, chunk);
    multiply(context, g, a, static_cast<const char*>(packed), {y, ldy, add}, chunk);
  };
  if (const int64_t together = chunk_groups_ / groups_; together > 0) {
    for (int64_t p = 0; p < g.batch; p += together) take(p, std::min(together, g.batch - p), 0, groups_);
  } else {
    for (int64_t p = 0; p < g.batch; ++p)
      for (int64_t first = 0; first < groups_; first += chunk_groups_)
        take(p, 1, first, std::min(chunk_groups_, groups_ - first));
  }
}

void SplitProduct::split(RunContext& context, const ProductGeometry& g, const float* a, const Chunk& chunk) const {
  parallel_polled(context, chunk.products * chunk.groups, Cost(PartOperands::kRows) * k_,
                  [&](int64_t begin, int64_t end) {
                    for (int64_t item = begin; item < end; ++item) {
                      const size_t product = static_cast<size_t>(chunk.product + item / chunk.groups);
                      const Rows rows = rows_of(chunk.first + item % chunk.groups, g.m);
                      const float* from = a + (g.a[product] * g.m + rows.first) * k_;
                      char* to = chunk.a + item * group_bytes();
                      for (int64_t cut = 0; cut < cuts_; ++cut) {
                        const int64_t step = cut * cut_steps_, k = step * kStep;
                        chunk.extents[item * cuts_ + cut] =
                            split_rows(from + k, k_, rows.count, std::min(cut_steps_ * kStep, k_ - k), parts_,
                                       to + step * PartOperands::a_step(parts_));
                      }
                    }
                  });
}

struct SplitProduct::Piece {
  int64_t product, block, panel, cut;
  const char* right;
  PartExtents extents;  // where it is in parts already
  int64_t depth, columns;
};

SplitProduct::Piece SplitProduct::place(const char* packed, int64_t n, int64_t matrix, int64_t panel,
                                        int64_t cut) const {
  const int64_t step = cut * cut_steps_;
  Piece piece{};
  piece.panel = panel;
  piece.cut = cut;
  piece.depth = std::min(cut_steps_ * kStep, k_ - step * kStep);
  piece.columns = std::min(kPanel, n - panel * kPanel);
  if (held_) {
    const FloatParts* parts = reinterpret_cast<const FloatParts*>(packed) + matrix * held_->elements();
    piece.right = held_->panel(parts, panel);
    piece.extents = held_->extents(parts, panel);
  } else {
    piece.right = packed + (matrix * ceil_div(n, kPanel) + panel) * panel_rows() * kRowBytes;
  }
  piece.right += step * step_rows() * kRowBytes;
  return piece;
}

void SplitProduct::multiply(RunContext& context, const ProductGeometry& g, const float* a, const char* packed,
                            const Target& y, const Chunk& chunk) const {
  const int64_t panels = ceil_div(g.n, kPanel), blocks = ceil_div(chunk.groups, block_groups_);
  const int64_t row_blocks = chunk.products * blocks, slots = std::min<int64_t>(slots_, context.threads());
  // Slots claim some panels at a time that meet the same rows: a cut of these serves them all while it is near.
  constexpr int64_t kClaims = 4;  // of a slot
  const int64_t at_once = slots == 1 ? panels : std::clamp<int64_t>(row_blocks * panels / (kClaims * slots), 1, panels);
  const int64_t claims = ceil_div(panels, at_once), total = row_blocks * claims;
  std::atomic<int64_t> claimed = 0;
  context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      char* scratch = chunk.b + slot * slot_bytes();
      for (int64_t claim = 0; (claim = claimed.fetch_add(1, std::memory_order_relaxed)) < total;) {
        const int64_t first = claim % claims * at_once, last = std::min(panels, first + at_once);
        const int64_t product = claim / claims / blocks, matrix = g.b[static_cast<size_t>(chunk.product + product)];
        for (int64_t cut = 0; cut < cuts_; ++cut)
          for (int64_t panel = first; panel < last; ++panel) {
            if (context.cancelled()) return;
            Piece piece = place(packed, g.n, matrix, panel, cut);
            piece.product = product;
            piece.block = claim / claims % blocks;
            multiply(g, a, y, chunk, piece, scratch);
          }
      }
    }
  });
  context.check_cancelled();
}

void SplitProduct::multiply(const ProductGeometry& g, const float* a, const Target& y, const Chunk& chunk,
                            const Piece& piece, char* scratch) const {
  const int64_t first = piece.block * block_groups_, last = std::min(chunk.groups, first + block_groups_);
  const int64_t step = piece.cut * cut_steps_, steps = ceil_div(piece.depth, kStep),
                product = chunk.product + piece.product;
  // Null while the numbers are known as sums of parts only.
  const float* numbers = reinterpret_cast<const float*>(piece.right);
  PartExtents extents = piece.extents;
  const char *b = piece.right, *tail = nullptr;
  int64_t whole = steps;
  if (held_) {
    if (parts_hold(extents)) numbers = nullptr;
  } else if (parts_ > 1) {
    extents = split_panel(numbers, piece.depth, piece.columns, parts_, scratch);
    b = scratch;
  } else {
    if (piece.depth % kStep != 0) {
      // The panel ends within the step.
      const int64_t rows = panel_depth<Bfloat16Pair>(piece.depth % kStep);
      std::memcpy(scratch, piece.right + (steps - 1) * PartOperands::b_step(1), static_cast<size_t>(rows * kRowBytes));
      std::memset(scratch + rows * kRowBytes, 0, static_cast<size_t>(PartOperands::b_step(1) - rows * kRowBytes));
      tail = scratch;
      --whole;
    }
  }
  // Each group fetches its part of the piece of the next panel.
  constexpr int64_t kLine = 64, kColumnTiles = 4;
  const int64_t lines = ceil_div(step_rows() * kRowBytes / kLine, kColumnTiles * (last - first));
  const char* ahead = piece.right + panel_rows() * kRowBytes;
  for (int64_t i = first; i < last; ++i, ahead += kColumnTiles * lines * steps * kLine) {
    const Rows rows = rows_of(chunk.first + i, g.m);
    const int64_t group = piece.product * chunk.groups + i;
    float* c = y.data + (product * g.m + rows.first) * y.stride + piece.panel * kPanel;
    const bool add = y.add || piece.cut > 0;
    if (parts_ == 1 || (parts_are_safe(chunk.extents[group * cuts_ + piece.cut], extents, k_) &&
                        (!add || starts_are_safe(extents_of(c, y.stride, rows.count, piece.columns))))) {
      multiply_parts({.a = chunk.a + group * group_bytes() + step * PartOperands::a_step(parts_),
                      .b = b,
                      .steps = whole,
                      .rows = rows.count,
                      .columns = piece.columns,
                      .last = tail,
                      .add = add,
                      .c = c,
                      .ldc = y.stride,
                      .ahead = ahead,
                      .ahead_lines = lines},
                     parts_);
    } else {
      if (numbers == nullptr) {
        join_panel(b, piece.depth, reinterpret_cast<float*>(scratch));
        numbers = reinterpret_cast<const float*>(scratch);
      }
      multiply_panels(a + (g.a[static_cast<size_t>(product)] * g.m + rows.first) * k_ + step * kStep, k_, numbers,
                      rows.count, piece.depth, piece.columns, add, c, y.stride);
    }
  }
}

}  // namespace onnxrun::cpu
