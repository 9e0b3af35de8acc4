// Float32 as sums of bfloat16 parts, which tiles multiply: a number is its first part, its value rounded to 8 bits, the second, what is then left rounded in the same way,
// and the third, which is left of that and always fits. Built for levels with tiles.
#pragma once

#include <cstdint>

#include "cpu/loops/panels.h"
#include "cpu/loops/part_order.h"
#include "cpu/loops/tile_product.h"

namespace onnxrun::cpu {

// The least magnitude of numbers other than zero, and the greatest of all, which is not a number where one of them is not.
struct PartExtents {
  float least = 0x1p127f, most = 0;
};

// Whether sums of `depth` products of parts of such numbers are as good as those of the numbers: no part, product or sum overflows or is denormal. Products of parts are multiples of 2^-30 of
// the least product of numbers.
inline bool parts_are_safe(PartExtents a, PartExtents b, int64_t depth) {
  constexpr double kLeast = 0x1p-103, kLeastProduct = 0x1p-96, kMost = 0x1p126;
  const auto wide = [](float value) { return static_cast<double>(value); };
  return wide(a.least) >= kLeast && wide(b.least) >= kLeast && wide(a.least) * wide(b.least) >= kLeastProduct &&
         wide(a.most) < kMost && wide(b.most) < kMost &&
         wide(a.most) * wide(b.most) * static_cast<double>(depth) < kMost;
}

// Products of up to 32 rows of A with a panel, both in parts. Of three parts six products are taken, which leaves out some of less than 2^-24, of two parts three, which leaves out
// one of less than 2^-16.
struct PartOperands {
  static constexpr int64_t kStep = 2 * kTileRows;  // elements over the depth that one instruction multiplies
  static constexpr int64_t kRows = 2 * kTileRows;  // of A together
  static constexpr int64_t kTile = kTileRows * kTileBytes;

  // Bytes of a step of A and of a panel.
  static constexpr int64_t a_step(int parts) { return 2 * parts * kTile; }
  static constexpr int64_t b_step(int parts) { return 4 * parts * kTile; }

  const char* a;  // [step, part, tile of rows] of tiles
  const char* b;  // [step, part, tile of columns]
  int64_t steps, rows, columns;
  bool add;
  float* c;
  int64_t ldc;
};

// `Tiles` as in TileProduct.
template <class Tiles, int kParts>
class PartTiles {
 public:
  static void multiply(const PartOperands& o) {
    const bool two = o.rows > kTileRows;
    PartTiles product(o);
    Tiles tiles(static_cast<int>(two ? kTileRows : o.rows), static_cast<int>(two ? o.rows - kTileRows : 0));
    if (two)
      for (int64_t half = 0; half < 2 && half * kHalf < o.columns; ++half) product.template block<2, 2>(tiles, half);
    else product.template block<1, 4>(tiles, 0);
  }

 private:
  static constexpr int64_t kColumns = kTileBytes / 4, kHalf = kPanel / 2, kTile = PartOperands::kTile;

  explicit PartTiles(const PartOperands& o) : o_(o) {}

  // R tiles of rows times C of columns.
  template <int R, int C>
  void block(Tiles& tiles, int64_t half) {
    const int64_t first = half * kHalf, columns = std::min(C * kColumns, o_.columns - first);
    const bool direct = columns == C * kColumns;
    char* c = reinterpret_cast<char*>(o_.c + first);
    char* sums = direct ? c : edge_;
    const int64_t ldc = 4 * o_.ldc, stride = direct ? ldc : C * kTileBytes;
    if (!direct && o_.add) copy_rows(edge_, stride, c, ldc, columns);
    each_tile<R * C>([&]<int T>() {
      if (o_.add) tiles.template load<T>(sums + T / C * kTileRows * stride + T % C * kTileBytes, stride);
      else tiles.template zero<T>();
    });
    const char *a = o_.a, *b = o_.b + 2 * half * kTile;
    for (int64_t s = 0; s < o_.steps; ++s, a += PartOperands::a_step(kParts), b += PartOperands::b_step(kParts))
      step<R, C>(tiles, a, b);
    each_tile<R * C>(
        [&]<int T>() { tiles.template store<T>(sums + T / C * kTileRows * stride + T % C * kTileBytes, stride); });
    if (!direct) copy_rows(c, ldc, edge_, stride, columns);
  }

  template <int R, int C>
  [[gnu::always_inline]] static void step(Tiles& tiles, const char* a, const char* b) {
    each_tile<products_of_parts(kParts)>([&]<int P>() {
      constexpr int kA = part_of_a(kParts, P), kB = part_of_b(kParts, P);
      constexpr bool kLoadsA = takes_part_of_a(kParts, P), kLoadsB = takes_part_of_b(kParts, P) || C > 2;
      if constexpr (kLoadsA) {
        const char* from = a + 2 * kA * kTile;
        each_tile<R>([&]<int Row>() { tiles.template load<4 + Row>(from + Row * kTile, int64_t{kTileBytes}); });
      }
      const char* from = b + 4 * kB * kTile;
      each_tile<C>([&]<int Column>() {
        constexpr int kTo = 6 + Column % 2;
        if constexpr (kLoadsB) tiles.template load<kTo>(from + Column * kTile, int64_t{kTileBytes});
        each_tile<R>([&]<int Row>() { tiles.template multiply<Row * C + Column, 4 + Row, kTo>(); });
      });
    });
  }

  void copy_rows(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t columns) const {
    for (int64_t r = 0; r < o_.rows; ++r)
      std::memcpy(to + r * to_stride, from + r * from_stride, static_cast<size_t>(columns * 4));
  }

  const PartOperands& o_;
  alignas(64) char edge_[4 * kTile];  // sums of a block beyond whose columns C ends
};

// Splits the first `depth` elements of up to PartOperands::kRows rows, `lda` apart, and of a panel of float32 (panels.h), of which only `columns` count, into `parts` parts (2 or 3) of a whole number of steps.
PartExtents split_rows(const float* a, int64_t lda, int64_t rows, int64_t depth, int parts, char* to);
PartExtents split_panel(const float* packed, int64_t depth, int64_t columns, int parts, char* to);

void multiply_parts(const PartOperands& operands, int parts);

// Parts that products of float32 are to have at this level and precision; 0: they are multiplied as they are.
int parts_of_products(int precision);

}  // namespace onnxrun::cpu
