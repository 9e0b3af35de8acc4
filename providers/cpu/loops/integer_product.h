// Batched products of 8-bit matrices into int32 sums with their zero points taken off, on packed panels.
#pragma once

#include <algorithm>

#include "base/parallel.h"
#include "cpu/loops/integer_panels.h"
#include "cpu/loops/product.h"
#include "cpu/loops/quantized_rows.h"

namespace onnxrun::cpu {

inline bool is_byte(const onnxrun_tensor& tensor) {
  return dtype(tensor) == DType::kInt8 || dtype(tensor) == DType::kUint8;
}

// Element `index` of an 8-bit zero point.
inline int32_t zero_point(const onnxrun_tensor& point, int64_t index) {
  return dtype(point) == DType::kInt8 ? static_cast<const int8_t*>(point.data)[index]
                                      : static_cast<const uint8_t*>(point.data)[index];
}

// The type of an 8-bit tensor with the first element of its zero point, 0 where that is absent.
inline ByteType byte_type(const RunContext& context, DType type, size_t zero) {
  return {type == DType::kInt8, context.has_input(zero) ? zero_point(context.input(zero), 0) : 0};
}

// A packed right operand: panels of each matrix, then the sums of its columns. Where its type is unsigned the sign bits are flipped, which moves its
// zero point by 128.
class PackedRight {
 public:
  PackedRight() = default;
  // Matrices [.., k, n], or [.., n, k] when `transposed`.
  PackedRight(const onnxrun_tensor& b, bool transposed);

  int64_t k() const { return k_; }
  int64_t n() const { return n_; }
  int64_t matrices() const { return matrices_; }
  uint64_t bytes() const;
  void pack(const uint8_t* b, int64_t matrix, void* packed) const;
  // Of constants, which are packed in parts where that is faster; what remains follows.
  uint64_t constant_bytes() const;
  void pack_constant(const onnxrun_tensor& b, void* packed) const;
  IntegerPanelRest rest(const void* packed, int64_t matrix) const;
  const int8_t* panels(const void* packed, int64_t matrix) const {
    return static_cast<const int8_t*>(packed) + matrix * integer_panel_bytes(k_, n_);
  }
  const int32_t* sums(const void* packed, int64_t matrix) const;
  int32_t move() const { return type_ == DType::kUint8 ? 128 : 0; }

 private:
  static constexpr int32_t kWhole = -1;

  uint64_t panel_bytes() const;
  // Of each matrix; where something remains of more groups than these, it stays whole.
  int64_t most_rest() const { return integer_panel_bytes(k_, n_) / (8 * 4 * kStrip); }
  int64_t start_bytes() const { return (integer_panel_strips(n_) + 1) * 4; }
  uint64_t rest_bytes() const;

  int64_t matrices_ = 1, k_ = 1, n_ = 1;
  DType type_ = DType::kInt8;
  bool transposed_ = false;
};

class IntegerProduct {
 public:
  // Lets input `b` be packed ahead where it is constant. Declines operands that are not 8-bit integers.
  static Acceptance accepts(const Node& node, size_t a, size_t b, bool transpose_b = false);

  // Throws Declined where `b_zero` has neither one element nor one for each column. `a_type` is that of the bytes that `load` gives;
  // with `transpose_a`, matrices of a are [k, m].
  IntegerProduct(const Node& node, size_t a, DType a_type, size_t b, size_t b_zero, const void* packed,
                 bool transpose_a = false, bool transpose_b = false);

  size_t scratch_bytes() const;
  const ProductGeometry& geometry() const { return g_; }

  // load(row, to) writes the k bytes of a row of a (all its matrices one below the other); store(row, first, sums, count) gets pieces of
  // rows of the result. `direct`: where int32 results go, null for scratch.
  template <class Load, class Store>
  void run(RunContext& context, int32_t a_zero, Load load, int32_t* direct, Store store) const {
    const Memory memory = prepare(context);
    const uint8_t flip = a_signed_ ? 0x80 : 0;
    context.parallel(a_rows_, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, depth_)),
                     [&](int64_t begin, int64_t end) {
                       for (int64_t r = begin; r < end; ++r) {
                         load(r, memory.rows + r * depth_);
                         memory.row_sums[r] = finish_row(memory.rows + r * depth_, flip);
                       }
                     });
    const int64_t row_blocks = (g_.m + row_block_ - 1) / row_block_,
                  column_blocks = (g_.n + column_block_ - 1) / column_block_;
    const int64_t items = g_.batch * row_blocks * column_blocks;
    const int64_t work = std::max<int64_t>(1, row_block_ * column_block_ * depth_),
                  slots = std::min<int64_t>(slots_, context.threads());
    const int64_t tasks = items * work < 524288 ? 1 : slots;
    context.parallel(tasks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot)
        for (int64_t item = items * slot / tasks; item < items * (slot + 1) / tasks; ++item) {
          if (context.cancelled()) return;
          const Block block{item / (row_blocks * column_blocks), item / column_blocks % row_blocks * row_block_,
                            item % column_blocks * column_block_};
          int32_t* c = direct != nullptr ? direct + (block.product * g_.m + block.row) * g_.n + block.column
                                         : memory.blocks + slot * block_sums();
          compute(memory, block, a_zero, c, direct != nullptr ? g_.n : column_block_, store);
        }
    });
    context.check_cancelled();
  }
  // The same with the bytes of an input, [.., m, k], or [k, m] with `transpose_a`.
  template <class Store>
  void run_input(RunContext& context, size_t a, int32_t a_zero, int32_t* direct, Store store) const {
    const uint8_t* from = context.in<uint8_t>(a);
    if (transpose_a_)
      return run(
          context, a_zero,
          [&](int64_t row, uint8_t* to) {
            for (int64_t i = 0; i < g_.k; ++i) to[i] = from[i * g_.m + row];
          },
          direct, store);
    run(
        context, a_zero, [&](int64_t row, uint8_t* to) { std::copy_n(from + row * g_.k, g_.k, to); }, direct, store);
  }

 private:
  struct Memory {
    uint8_t* rows;
    int32_t *row_sums, *zeros, *blocks;
    const void* right;
    RowParameter<int32_t> b_zero;
  };
  struct Block {
    int64_t product, row, column;
  };

  Memory prepare(RunContext& context) const;
  int32_t finish_row(uint8_t* row, uint8_t flip) const;
  int64_t block_sums() const { return row_block_ * column_block_; }

  template <class Store>
  void compute(const Memory& memory, const Block& block, int32_t a_zero, int32_t* c, int64_t ldc, Store& store) const {
    const size_t which = static_cast<size_t>(block.product);
    const int64_t m = std::min(row_block_, g_.m - block.row), n = std::min(column_block_, g_.n - block.column);
    const int64_t a_row = g_.a[which] * g_.m + block.row;
    const uint8_t* a = memory.rows + a_row * depth_;
    const int8_t* b = right_.panels(memory.right, g_.b[which]) + block.column * depth_;
    IntegerPanelRest rest = packed_ != nullptr ? right_.rest(packed_, g_.b[which]) : IntegerPanelRest{};
    if (rest.starts == nullptr) {
      multiply_integer_panels(a, depth_, b, m, g_.k, n, c, ldc);
    } else {
      rest.starts += block.column / kStrip;
      multiply_integer_parts(a, depth_, b, rest, m, g_.k, n, c, ldc);
    }
    const int32_t* column_sums = right_.sums(memory.right, g_.b[which]) + block.column;
    const uint32_t left_zero = static_cast<uint32_t>(a_zero + (a_signed_ ? 128 : 0));
    const RowParameter<int32_t> b_zero{memory.b_zero.values + memory.b_zero.step * block.column, memory.b_zero.step};
    for (int64_t i = 0; i < m; ++i) {
      const uint32_t row_term =
          static_cast<uint32_t>(memory.row_sums[a_row + i]) - static_cast<uint32_t>(g_.k) * left_zero;
      quantized_rows().correct(c + i * ldc, left_zero, column_sums, b_zero, row_term, n);
      store(block.product * g_.m + block.row + i, block.column, static_cast<const int32_t*>(c + i * ldc), n);
    }
  }

  size_t b_input_, b_zero_input_;
  const void* packed_;
  PackedRight right_;
  ProductGeometry g_;
  bool a_signed_, transpose_a_;
  int64_t a_rows_ = 0, depth_ = 0, row_block_ = 1, column_block_ = 1, zeros_ = 1, slots_ = 1;
};

}  // namespace onnxrun::cpu
