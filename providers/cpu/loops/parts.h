// Float32 as sums of bfloat16 parts, which tiles multiply: a number is its first part, its value rounded to 8 bits, the second, what is then left rounded in the same way,
// and the third, which is left of that and always fits. Built for levels with tiles.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/loops/panels.h"
#include "cpu/loops/part_order.h"
#include "cpu/loops/tile_product.h"

namespace onnxrun::cpu {

// That constants are held in where products may be of so few.
inline constexpr int kHeldParts = 2;

// The least magnitude of numbers other than zero, and the greatest of all, which is not a number where one of them is not.
struct PartExtents {
  float least = 0x1p127f, most = 0;
};

// What is not a number stays that.
inline PartExtents both(PartExtents a, PartExtents b) {
  return {std::min(a.least, b.least), b.most > a.most || b.most != b.most ? b.most : a.most};
}

// Whether sums of `depth` products of parts of such numbers are as good as those of the numbers: no part is denormal, no product or sum overflows, and what is flushed, products of less than
// 2^-126, is less than 2^-30 of the least product of numbers.
inline bool parts_are_safe(PartExtents a, PartExtents b, int64_t depth) {
  constexpr double kLeast = 0x1p-103, kLeastProduct = 0x1p-96, kMost = 0x1p126;
  const auto wide = [](float value) { return static_cast<double>(value); };
  return wide(a.least) >= kLeast && wide(b.least) >= kLeast && wide(a.least) * wide(b.least) >= kLeastProduct &&
         wide(a.most) < kMost && wide(b.most) < kMost &&
         wide(a.most) * wide(b.most) * static_cast<double>(depth) < kMost;
}

// Whether such sums may start with these numbers: neither do they become too large by parts that were rounded up, nor are they flushed. Others may start with zeros and be added to them.
inline bool starts_are_safe(PartExtents starts) { return starts.least >= 0x1p-103f && starts.most < 0x1p126f; }

// Whether parts can hold such numbers at all; what they are multiplied with decides as well.
inline bool parts_hold(PartExtents extents) { return parts_are_safe({}, extents, 1); }

// Products of 2 to 32 rows of A, or of two parts of 1, with a panel, both in parts. Of three parts six products are taken, which leaves out some of less than 2^-24, of two parts three, which
// leaves out one of less than 2^-16; of one part, numbers rounded to bfloat16, one.
struct PartOperands {
  static constexpr int64_t kStep = 2 * kTileRows;  // elements over the depth that one instruction multiplies
  static constexpr int64_t kRows = 2 * kTileRows;  // of A together at most
  static constexpr int64_t kTile = kTileRows * kTileBytes;

  // Bytes of a step of A and of a panel.
  static constexpr int64_t a_step(int parts) { return 2 * parts * kTile; }
  static constexpr int64_t b_step(int parts) { return 4 * parts * kTile; }
  // Two tiles share so many rows evenly; of two parts one takes them if it can.
  static constexpr int64_t first_tile(int64_t rows, int parts) {
    return parts == 2 && rows <= kTileRows ? rows : (rows + 1) / 2;
  }

  const char* a;  // [step, part, tile of rows] of tiles
  const char* b;  // [panel, step, tile of columns, part] of tiles; of one part a panel of Bfloat16Pair
  int64_t steps, rows, columns;
  // Of one part: the last step where that is not a whole one, filled up with zeros, in the place of one of `b`; or null.
  const char* last = nullptr;
  bool add;
  float* c;
  int64_t ldc;
  // What is fetched into the second-level cache meanwhile: so many lines for each step and tile of columns. An address beyond the end does no harm.
  const char* ahead = nullptr;
  int64_t ahead_lines = 0;
};

// `Tiles` as in TileProduct.
template <class Tiles, int kParts>
class PartTiles {
 public:
  static void multiply(const PartOperands& o) {
    PartTiles product(o);
    Tiles tiles(static_cast<int>(product.first_), static_cast<int>(o.rows - product.first_));
    if constexpr (kParts == 2)
      if (product.first_ == o.rows) {
        for (int64_t column = 0; column < o.columns; column += kPanel) product.template block<1>(tiles, column);
        return;
      }
    for (int64_t column = 0; column < o.columns; column += kPanel / 2) product.template block<2>(tiles, column);
  }

 private:
  static constexpr int64_t kTile = PartOperands::kTile, kLine = 64, kManySteps = 12;

  explicit PartTiles(const PartOperands& o) : o_(o), first_(PartOperands::first_tile(o.rows, kParts)) {}

  // R tiles of rows times 4 / R of columns, from `column` on.
  template <int R>
  void block(Tiles& tiles, int64_t column) {
    constexpr int kColumns = 4 / R;
    constexpr int64_t kWide = kColumns * kTileColumns;
    const int64_t columns = std::min(kWide, o_.columns - column), ldc = 4 * o_.ldc;
    const bool direct = columns == kWide;
    char* c = reinterpret_cast<char*>(o_.c + column);
    char* sums = direct ? c : edge_;
    const int64_t stride = direct ? ldc : kColumns * kTileBytes;
    if (!direct && o_.add) copy_rows(edge_, stride, c, ldc, columns);
    // What is written once the sums are there, which takes long enough.
    for (int64_t r = 0; o_.steps >= kManySteps && r < o_.rows; ++r)
      for (int64_t line = 0; line < 4 * columns; line += kLine) __builtin_prefetch(c + r * ldc + line, 1);
    const auto place = [&](int tile) {
      return sums + tile / kColumns * first_ * stride + tile % kColumns * kTileBytes;
    };
    if (o_.add) each_tile<4>([&]<int T>() { tiles.template load<T>(place(T), stride); });
    else each_tile<4>([&]<int T>() { tiles.template zero<T>(); });
    const int64_t from = column % kPanel / kTileColumns * kTileApart, lines = o_.ahead_lines * kColumns;
    const char *a = o_.a, *b = o_.b + column / kPanel * o_.steps * PartOperands::b_step(kParts) + from;
    uintptr_t ahead = reinterpret_cast<uintptr_t>(o_.ahead) +
                      static_cast<uintptr_t>(column / kTileColumns * o_.steps * o_.ahead_lines * kLine);
    for (int64_t s = o_.steps; s > 0; --s, a += PartOperands::a_step(kParts), b += PartOperands::b_step(kParts)) {
      for (int64_t line = R == 2 ? lines : 0; line > 0; --line, ahead += kLine)
        // Never read. NOLINTNEXTLINE(performance-no-int-to-ptr)
        __builtin_prefetch(reinterpret_cast<const void*>(ahead), 0, 2);
      step<R>(tiles, a, b);
    }
    if (o_.last != nullptr) step<R>(tiles, a, o_.last + from);
    each_tile<4>([&]<int T>() { tiles.template store<T>(place(T), stride); });
    if (!direct) copy_rows(c, ldc, edge_, stride, columns);
  }

  template <int R>
  [[gnu::always_inline]] static void step(Tiles& tiles, const char* a, const char* b) {
    if constexpr (R == 1) step_of_one(tiles, a, b);
    else step_of_two(tiles, a, b);
  }

  [[gnu::always_inline]] static void step_of_two(Tiles& tiles, const char* a, const char* b) {
    each_tile<products_of_parts(kParts)>([&]<int P>() {
      constexpr int kA = part_of_a(kParts, P), kB = part_of_b(kParts, P);
      constexpr bool kLoadsA = takes_part_of_a(kParts, P), kLoadsB = takes_part_of_b(kParts, P);
      if constexpr (kLoadsA) {
        const char* from = a + 2 * kA * kTile;
        each_tile<2>([&]<int Row>() { tiles.template load<4 + Row>(from + Row * kTile, int64_t{kTileBytes}); });
      }
      const char* from = b + kB * kTile;
      each_tile<2>([&]<int Column>() {
        // Of three parts there is more to multiply meanwhile, and it does not pay.
        if constexpr (kLoadsB && kParts == 2) fetch_tile(from + Column * kTileApart + PartOperands::b_step(kParts));
        if constexpr (kLoadsB) tiles.template load<6 + Column>(from + Column * kTileApart, kRowApart);
        each_tile<2>([&]<int Row>() { tiles.template multiply<2 * Row + Column, 4 + Row, 6 + Column>(); });
      });
    });
  }

  // Into the first-level cache. An address beyond the end does no harm.
  [[gnu::always_inline]] static void fetch_tile(const char* from) {
    for (int64_t line = 0; line < kTileRows; ++line) __builtin_prefetch(from + line * kTileBytes);
  }

  // Of two parts, in the same order for each sum.
  [[gnu::always_inline]] static void step_of_one(Tiles& tiles, const char* a, const char* b) {
    each_tile<2>([&]<int Part>() { tiles.template load<4 + Part>(a + 2 * Part * kTile, int64_t{kTileBytes}); });
    each_tile<4>([&]<int Column>() {
      each_tile<2>([&]<int Part>() {
        const char* from = b + Column * kTileApart + Part * kTile;
        fetch_tile(from + PartOperands::b_step(kParts));
        tiles.template load<6 + Part>(from, kRowApart);
      });
      each_tile<products_of_parts(2)>([&]<int P>() {
        constexpr int kA = part_of_a(2, P), kB = part_of_b(2, P);
        tiles.template multiply<Column, 4 + kA, 6 + kB>();
      });
    });
  }

  // Of B.
  static constexpr int64_t kTileColumns = kTileBytes / 4, kTileApart = kParts == 1 ? kTileBytes : kParts * kTile,
                           kRowApart = kParts == 1 ? kPanel * 4 : kTileBytes;

  void copy_rows(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t columns) const {
    for (int64_t r = 0; r < o_.rows; ++r)
      std::memcpy(to + r * to_stride, from + r * from_stride, static_cast<size_t>(columns * 4));
  }

  const PartOperands& o_;
  const int64_t first_;               // rows of the first tile
  alignas(64) char edge_[4 * kTile];  // sums of a block beyond whose columns C ends
};

// Splits the first `depth` elements of 1 to PartOperands::kRows rows, `lda` apart, into `parts` parts (1 to 3) of a whole number of steps. Of one part, which is rounded to nearest even,
// extents do not matter.
PartExtents split_rows(const float* a, int64_t lda, int64_t rows, int64_t depth, int parts, char* to);
// The same of `depth` rows of a panel of float32 (panels.h), of which only `columns` count, into 2 or 3 parts.
PartExtents split_panel(const float* packed, int64_t depth, int64_t columns, int parts, char* to);

// Back from two parts.
void join_panel(const char* parts, int64_t depth, float* packed);

void multiply_parts(const PartOperands& operands, int parts);

// Of `rows` rows of `columns` numbers.
PartExtents extents_of(const float* numbers, int64_t stride, int64_t rows, int64_t columns);

// Whether this machine's level has tiles; without, the functions above must not be called.
bool has_part_products();

// Parts that products of float32 are to have at this level and precision; 0: they are multiplied as they are.
int parts_of_products(int precision);

}  // namespace onnxrun::cpu
