// Winograd's transforms at one instruction set level: v3 for blocks of 8 channels, v4 for 16.
#if ONNXRUN_SIMD_LEVEL == 3 || ONNXRUN_SIMD_LEVEL == 4

#include "cpu/loops/winograd.h"

#include <algorithm>
#include <utility>

#include "block_convolution_tile.h"
#include "block_floats.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const WinogradFunctions& winograd_functions();

namespace {

using Image = Winograd::Image;
using End = Winograd::End;

// Four positions below each other, transformed along their column.
struct Column {
  Vector of[4];
};

// Rows outside the image are null, unless Inside says that there are none.
template <bool Inside>
[[gnu::always_inline]] inline Column column(const Image& image, const float* const (&rows)[4], int64_t at) {
  if (at < 0 || at >= image.in_width) return {};
  Vector d[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) d[i] = Inside || rows[i] != nullptr ? load(rows[i] + at * kBlock) : Vector{};
  return {{d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]}};
}

// Tiles of one row, which share two of their four columns with the next.
template <bool Inside>
void spread_row(const Image& image, const float* const (&rows)[4], int64_t left, int64_t count, float* to,
                int64_t stride) {
  Column a = column<Inside>(image, rows, left), b = column<Inside>(image, rows, left + 1);
  for (int64_t t = 0; t < count; ++t, to += kBlock) {
    left += Winograd::kStep;
    const Column c = column<Inside>(image, rows, left), d = column<Inside>(image, rows, left + 1);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      float* row = to + 4 * i * stride;
      store(row, a.of[i] - c.of[i]);
      store(row + stride, b.of[i] + c.of[i]);
      store(row + 2 * stride, c.of[i] - b.of[i]);
      store(row + 3 * stride, b.of[i] - d.of[i]);
    }
    a = c;
    b = d;
  }
}

// Runs f(row of tiles, column of the first, count, tiles before them) on tiles of one row each.
template <class F>
void each_row(const Image& image, int64_t first, int64_t count, F&& f) {
  const int64_t columns = image.columns();
  for (int64_t t = first; t < first + count;) {
    const int64_t row = t / columns, column = t % columns, n = std::min(columns - column, first + count - t);
    f(row, column, n, t - first);
    t += n;
  }
}

void spread(const Image& image, const float* x, int64_t first, int64_t count, float* to, int64_t stride) {
  each_row(image, first, count, [&](int64_t row, int64_t column, int64_t n, int64_t before) {
    const int64_t top = row * Winograd::kStep - image.pad_height;
    const float* rows[4];
    for (int64_t i = 0; i < 4; ++i)
      rows[i] = top + i >= 0 && top + i < image.in_height ? x + (top + i) * image.in_width * kBlock : nullptr;
    const bool inside = std::find(rows, rows + 4, nullptr) == rows + 4;
    (inside ? spread_row<true> : spread_row<false>)(image, rows, column * Winograd::kStep - image.pad_width, n,
                                                    to + before * kBlock, stride);
  });
}

// The sums of R tiles.
template <int R, int F>
[[gnu::noinline]] void multiply_tile(const float* x, int64_t plane, int64_t blocks, const float* weights,
                                     int64_t filters, float* to) {
  Vector sums[R][F] = {};
  for (int64_t b = 0; b < blocks; ++b, x += plane, weights += kBlock * kBlock) {
    if constexpr (kWhole<Floats, R, F, Kind::kBlocked>) {
#pragma GCC unroll 8
      for (int64_t c = 0; c < kBlock; ++c)
        add_step<1>(x + c, weights + c * kBlock, weights + filters + c * kBlock, sums);
    } else {
      add_tap<Floats, R, F, 1, Kind::kBlocked, 0, 0>(x, 0, weights, filters, kBlock, sums);
    }
  }
#pragma GCC unroll 2
  for (int f = 0; f < F; ++f)
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) store(to + f * plane + r * kBlock, sums[r][f]);
}

template <int F>
void multiply(const float* x, int64_t width, int64_t blocks, const float* weights, int64_t filters, float* to) {
  using Tile = void (*)(const float*, int64_t, int64_t, const float*, int64_t, float*);
  static constexpr Tile kTiles[] = {
#define ONNXRUN_WIDTH(R) multiply_tile<R, F>,
      ONNXRUN_EACH_WIDTH(ONNXRUN_WIDTH)
#undef ONNXRUN_WIDTH
  };
  constexpr int64_t kMost = kMostColumns, kFew = 4;
  for (int64_t t = 0, n; t < width; t += n) {
    const int64_t left = width - t;
    // Twice four rather than few at last, of which the sums would wait for each other.
    n = left > kMost && left < kMost + kFew ? left - kFew : std::min(kMost, left);
    kTiles[n - 1](x + t * kBlock, width * kBlock, blocks, weights, filters, to + t * kBlock);
  }
}

void multiply(const float* x, int64_t width, int64_t blocks, const float* weights, int64_t filters, bool two,
              float* to) {
  (two ? multiply<2> : multiply<1>)(x, width, blocks, weights, filters, to);
}

// Finishes and stores the result of a position.
[[gnu::always_inline]] inline void finish(const End& end, int64_t at, Vector sum) {
  if (end.added != nullptr) sum += load(end.added + at);
  if (end.clamps) {
    const Vector low = splat(end.low), high = splat(end.high);
    sum = sum < low ? low : sum;
    sum = sum > high ? high : sum;
  }
  store(end.y + at, sum);
  if (end.lanes < kBlock)
    std::memset(end.y + at + end.lanes, 0, static_cast<size_t>(kBlock - end.lanes) * sizeof(float));
}

// Finishes the results y[row][column] of a tile, but those beside the image.
[[gnu::always_inline]] inline void finish(const Image& image, const End& end, int64_t row, int64_t column,
                                          const Vector (&y)[2][2]) {
  const int64_t top = row * Winograd::kStep, left = column * Winograd::kStep;
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j)
      if (top + i < image.out_height && left + j < image.out_width)
        finish(end, ((top + i) * image.out_width + left + j) * kBlock, y[i][j]);
}

// The weights [tap] of a channel that its numbers are made of.
void restore(const float* numbers, int64_t stride, Vector (&weights)[3][3]) {
  const auto along = [](const Vector& a, const Vector& b, const Vector& c, const Vector& d, Vector& x, Vector& y,
                        Vector& z) {
    x = a;
    y = b - c;
    z = d;
  };
  Vector rows[4][3];
  for (int64_t i = 0; i < 4; ++i) {
    Vector n[4];
    for (int64_t j = 0; j < 4; ++j) n[j] = load(numbers + (4 * i + j) * stride);
    along(n[0], n[1], n[2], n[3], rows[i][0], rows[i][1], rows[i][2]);
  }
  for (int j = 0; j < 3; ++j)
    along(rows[0][j], rows[1][j], rows[2][j], rows[3][j], weights[0][j], weights[1][j], weights[2][j]);
}

// A tile whose results are made by definition.
struct Odd {
  int64_t row, column;
  Vector y[2][2];
};

// What a channel at `x`, whose weights these are, adds to the results of a tile.
void add_channel(const Image& image, const float* x, const Vector (&w)[3][3], Odd& tile) {
  const int64_t top = tile.row * Winograd::kStep - image.pad_height,
                left = tile.column * Winograd::kStep - image.pad_width;
  for (int64_t i = std::max<int64_t>(0, -top); i < std::min<int64_t>(4, image.in_height - top); ++i)
    for (int64_t j = std::max<int64_t>(0, -left); j < std::min<int64_t>(4, image.in_width - left); ++j) {
      const Vector value = splat(x[((top + i) * image.in_width + left + j) * kBlock]);
      for (int64_t r = std::max<int64_t>(0, i - 2); r < std::min<int64_t>(2, i + 1); ++r)
        for (int64_t s = std::max<int64_t>(0, j - 2); s < std::min<int64_t>(2, j + 1); ++s)
          tile.y[r][s] = madd(value, w[i - r][j - s], tile.y[r][s]);
    }
}

[[gnu::noinline]] void define(const Image& image, const Winograd::Source& source, const End& end, Odd* tiles,
                              int64_t count) {
  const Vector bias = load(end.bias);
  for (Odd* tile = tiles; tile != tiles + count; ++tile)
    for (auto& results : tile->y) std::fill(results, results + 2, bias);
  const int64_t plane = image.in_height * image.in_width * kBlock;
  for (int64_t c = 0; c < source.blocks * kBlock; ++c) {
    Vector w[3][3] = {};
    restore(source.weights + c * kBlock, source.stride, w);
    for (Odd* tile = tiles; tile != tiles + count; ++tile)
      add_channel(image, source.x + c / kBlock * plane + c % kBlock, w, *tile);
  }
  for (const Odd* tile = tiles; tile != tiles + count; ++tile) finish(image, end, tile->row, tile->column, tile->y);
}

void gather(const Image& image, const float* sums, int64_t stride, int64_t first, int64_t count,
            const Winograd::Source& source, const End& end) {
  const Vector bias = load(end.bias);
  constexpr int64_t kMostOdd = 32;
  Odd odd[kMostOdd];
  int64_t odds = 0;
  each_row(image, first, count, [&](int64_t row, int64_t column, int64_t n, int64_t before) {
    const float* from = sums + before * kBlock;
    for (int64_t t = 0; t < n; ++t, from += kBlock) {
      Vector half[2][4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const float* at = from + j * stride;
        const Vector one = load(at + 4 * stride), two = load(at + 8 * stride);
        half[0][j] = load(at) + one + two;
        half[1][j] = one - two - load(at + 12 * stride);
      }
      Vector y[2][2];
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i) {
        y[i][0] = half[i][0] + half[i][1] + half[i][2] + bias;
        y[i][1] = half[i][1] - half[i][2] - half[i][3] + bias;
      }
      // Infinity and NaN have reached results that do not see them.
      const Vector sum = (y[0][0] - y[0][0]) + (y[0][1] - y[0][1]) + (y[1][0] - y[1][0]) + (y[1][1] - y[1][1]);
      if (sum_of(sum) == 0) {
        finish(image, end, row, column + t, y);
        continue;
      }
      odd[odds].row = row;
      odd[odds].column = column + t;
      if (++odds == kMostOdd) define(image, source, end, odd, std::exchange(odds, 0));
    }
  });
  if (odds > 0) define(image, source, end, odd, odds);
}

}  // namespace

const WinogradFunctions& winograd_functions() {
  static constexpr WinogradFunctions kFunctions{
      .block = kBlock, .spread = spread, .multiply = multiply, .gather = gather};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
