// Batched products of float32 with packed panels as products of bfloat16 parts (parts.h), where tiles make that faster: of two or three parts of each number, or of numbers that are rounded
// to one.
#pragma once

#include <cstdint>
#include <optional>

#include "cpu/cpu.h"
#include "cpu/loops/part_panels.h"
#include "cpu/loops/parts.h"
#include "cpu/loops/product.h"

namespace onnxrun::cpu {

class SplitProduct {
 public:
  // None.
  SplitProduct() = default;
  // Of products with these sizes, `k` deep. `threads`: that may run them, 0 if that is not known; results do not depend on it.
  SplitProduct(const ProductGeometry& g, int64_t k, int parts, int threads);
  // The same with matrices that are packed in two parts (part_panels.h), of any number of rows.
  static SplitProduct of_parts(const ProductGeometry& g, int64_t k, int threads);
  // Whether such products may be made of constants of these sizes.
  static bool takes_parts(int64_t k, int64_t n);

  // Whether there is something to gain; else the functions below must not be called.
  bool worth() const { return parts_ > 0; }
  size_t scratch_bytes() const;

  // As multiply_packed with rows of y that are `ldy` apart; packed are panels of float, of Bfloat16Pair for one part, or matrices of PartPanels. Of blocks of numbers whose parts would not do
  // the float32 product is taken, of PartPanels that of the sums of their parts. `g` may have fewer columns, or fewer products, its k does not matter.
  void run(RunContext& context, const ProductGeometry& g, const float* a, const void* packed, bool add, float* y,
           int64_t ldy, char* scratch) const;

 private:
  void plan(const ProductGeometry& g, int threads);
  struct Chunk;
  void split(RunContext& context, const ProductGeometry& g, const float* a, const Chunk& chunk) const;
  // Where results go, in rows that are `stride` apart, or what they are added to.
  struct Target {
    float* data;
    int64_t stride;
    bool add;
  };
  void multiply(RunContext& context, const ProductGeometry& g, const float* a, const char* packed, const Target& y,
                const Chunk& chunk) const;
  // A cut of a panel, and the block of rows that it is multiplied with.
  struct Piece;
  Piece place(const char* packed, int64_t n, int64_t matrix, int64_t panel, int64_t cut) const;
  void multiply(const ProductGeometry& g, const float* a, const Target& y, const Chunk& chunk, const Piece& piece,
                char* scratch) const;

  struct Rows {
    int64_t first, count;
  };
  Rows rows_of(int64_t group, int64_t m) const {
    const int64_t first = group * m / groups_;
    return {first, (group + 1) * m / groups_ - first};
  }
  int64_t group_bytes() const { return steps_ * PartOperands::a_step(parts_); }
  int64_t slot_bytes() const { return cut_steps_ * PartOperands::b_step(parts_); }

  // Of a panel: its rows of 4-byte elements, all and of a step.
  int64_t panel_rows() const {
    return held_ ? panel_depth<FloatParts>(k_) : parts_ == 1 ? panel_depth<Bfloat16Pair>(k_) : k_;
  }
  int64_t step_rows() const { return parts_ == 1 ? PartOperands::kStep / 2 : PartOperands::kStep; }

  int parts_ = 0;
  std::optional<PartPanels> held_;  // how matrices are packed in parts
  int64_t k_ = 0;
  int64_t steps_ = 0;                 // over the depth,
  int64_t cuts_ = 0, cut_steps_ = 0;  // which is cut into pieces
  int64_t groups_ = 0;                // of rows, about as large as each other
  int64_t block_groups_ = 0;          // groups of rows that stay in the second-level cache
  int64_t chunk_groups_ = 0;          // groups of rows that are split at once
  int64_t slots_ = 0;
};

}  // namespace onnxrun::cpu
