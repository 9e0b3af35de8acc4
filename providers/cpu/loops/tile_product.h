// Products with packed panels on tiles: registers of up to 16 rows of 64 bytes, of which one instruction multiplies two and adds the products to a third
// (Intel AMX). `Tiles` is the processor's (kernels/simd/amx_tiles.h) or the emulation that tests check both against.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cpu/loops/panels.h"

namespace onnxrun::cpu {

inline constexpr int64_t kTileRows = 16, kTileBytes = 64;

// f<0>(), f<1>(), ..., f<Count - 1>(): tiles are numbered in the code.
template <int Count, int From = 0, class F>
[[gnu::always_inline]] inline void each_tile(F&& f) {
  if constexpr (From < Count) {
    f.template operator()<From>();
    each_tile<Count, From + 1>(f);
  }
}

// What the operands are made of are words of 4 bytes: what one step over the depth multiplies, two bfloat16 or four bytes. Sums have 4 bytes, too. Strides
// are in bytes.
struct TileOperands {
  const char* a;  // m rows of `depth` words
  int64_t a_stride;
  const char* packed;  // panels of kPanel columns, each `depth` rows of words
  int64_t depth;
  bool add;
  char* c;  // m rows of n sums
  int64_t c_stride, n;
};

// Tiles 0 to 3 hold sums, 4 and 5 rows of A, 6 and 7 columns of a panel.
//   Tiles(rows, more_rows): what tiles of A and of their sums have; without more_rows all sums belong to the first of A. Released when destroyed.
//   load<T>(from, stride), store<T>(to, stride), zero<T>(), multiply<Sums, A, B>().
template <class Tiles>
class TileProduct {
 public:
  explicit TileProduct(const TileOperands& o) : o_(o), whole_(o.depth / kTileRows), rest_(o.depth % kTileRows) {}

  void run(int64_t m) {
    const int64_t even = m / (2 * kTileRows) * (2 * kTileRows), odd = m - even;
    if (even > 0) each_panel(0, even, kTileRows, kTileRows);
    if (odd > kTileRows) each_panel(even, m, kTileRows, odd - kTileRows);
    else if (odd > 0) each_panel(even, m, odd, 0);
  }

 private:
  static constexpr int64_t kWord = 4, kRowBytes = kPanel * kWord, kTileColumns = kTileBytes / kWord;

  // Columns that 2 x 2 tiles of sums take stay in the nearest cache for so many steps of the depth, which is cut there.
  static constexpr int64_t kNearSteps = 12, kHalf = kPanel / 2;

  void each_panel(int64_t begin, int64_t end, int64_t rows, int64_t more_rows) {
    Tiles tiles(static_cast<int>(rows), static_cast<int>(more_rows));
    rows_[0] = rows;
    rows_[1] = more_rows;
    const char* panel = o_.packed;
    for (int64_t first = 0; first < o_.n; first += kPanel, panel += o_.depth * kRowBytes) {
      const int64_t columns = std::min(kPanel, o_.n - first);
      // The last words of the depth, filled up with zeros.
      if (rest_ > 0)
        std::memcpy(last_b_, panel + whole_ * kTileRows * kRowBytes, static_cast<size_t>(rest_ * kRowBytes));
      if (more_rows == 0) {
        each_row<1, 4>(tiles, begin, end, {panel, last_b_, first, columns, 0, whole_});
        continue;
      }
      const int64_t near = end - begin > rows + more_rows ? kNearSteps : std::max<int64_t>(1, whole_);
      for (int64_t half = 0; half < columns; half += kHalf)
        for (int64_t step = 0; step == 0 || step < whole_; step += near)
          each_row<2, 2>(tiles, begin, end,
                         {panel + half * kWord, last_b_ + half * kWord, first + half, std::min(columns - half, kHalf),
                          step, std::min(whole_, step + near)});
    }
  }

  // Some columns of a panel, and the steps of the depth.
  struct Columns {
    const char *b, *last_b;
    int64_t first, count, step_begin, step_end;
  };

  template <int R, int C>
  void each_row(Tiles& tiles, int64_t begin, int64_t end, const Columns& columns) {
    const int64_t rows = rows_[0] + rows_[1];
    for (int64_t row = begin; row < end; row += rows) {
      const char* a = o_.a + row * o_.a_stride;
      if (rest_ > 0 && columns.step_end == whole_)
        for (int64_t r = 0; r < rows; ++r)
          std::memcpy(last_a_ + r * kTileBytes, a + r * o_.a_stride + whole_ * kTileBytes,
                      static_cast<size_t>(rest_ * kWord));
      block<R, C>(tiles, a, columns, o_.c + row * o_.c_stride + columns.first * kWord);
    }
  }

  // R tiles of rows times C of columns.
  template <int R, int C>
  void block(Tiles& tiles, const char* a, const Columns& columns, char* c) {
    const bool direct = columns.count >= C * kTileColumns, add = o_.add || columns.step_begin > 0;
    char* sums = direct ? c : edge_;
    const int64_t stride = direct ? o_.c_stride : C * kTileBytes;
    if (!direct && add) copy_rows<R>(edge_, stride, c, o_.c_stride, columns.count);
    each_tile<R * C>([&]<int T>() {
      if (add) tiles.template load<T>(sums + T / C * kTileRows * stride + T % C * kTileBytes, stride);
      else tiles.template zero<T>();
    });
    for (int64_t s = columns.step_begin; s < columns.step_end; ++s)
      step<R, C>(tiles, a + s * kTileBytes, o_.a_stride, columns.b + s * kTileRows * kRowBytes);
    if (rest_ > 0 && columns.step_end == whole_) step<R, C>(tiles, last_a_, kTileBytes, columns.last_b);
    each_tile<R * C>(
        [&]<int T>() { tiles.template store<T>(sums + T / C * kTileRows * stride + T % C * kTileBytes, stride); });
    if (!direct) copy_rows<R>(c, o_.c_stride, edge_, stride, columns.count);
  }

  template <int R, int C>
  static void step(Tiles& tiles, const char* a, int64_t a_stride, const char* b) {
    each_tile<R>([&]<int Row>() { tiles.template load<4 + Row>(a + Row * kTileRows * a_stride, a_stride); });
    each_tile<C>([&]<int Column>() {
      constexpr int kB = 6 + Column % 2;
      tiles.template load<kB>(b + Column * kTileBytes, kRowBytes);
      each_tile<R>([&]<int Row>() { tiles.template multiply<Row * C + Column, 4 + Row, kB>(); });
    });
  }

  template <int R>
  void copy_rows(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t columns) const {
    for (int64_t r = 0; r < rows_[0] + (R > 1 ? rows_[1] : 0); ++r)
      std::memcpy(to + r * to_stride, from + r * from_stride, static_cast<size_t>(columns * kWord));
  }

  const TileOperands& o_;
  const int64_t whole_, rest_;  // steps of kTileRows words, and the words that are left
  int64_t rows_[2] = {};
  alignas(64) char last_a_[2 * kTileRows * kTileBytes] = {};
  alignas(64) char last_b_[kTileRows * kRowBytes] = {};
  // Sums of a block beyond whose columns C ends; blocks of 2 x 2 tiles and of 1 x 4 are equally large.
  alignas(64) char edge_[4 * kTileRows * kTileBytes];
};

}  // namespace onnxrun::cpu
