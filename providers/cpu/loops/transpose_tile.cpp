// Matrix transposes through tiles: a cache line of the source by as many columns, so that both sides move whole lines.
#include "cpu/loops/transpose_tile.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace onnxrun::cpu {
namespace {

struct Wide {
  uint64_t low, high;
};

template <class T>
inline constexpr int64_t kTile = std::max<int64_t>(8, 64 / static_cast<int64_t>(sizeof(T)));

// The tile `buffer[a][b]` = element (a, b) of the source.
template <class T>
void load(const char* from, int64_t from_stride, T* buffer, int64_t rows, int64_t columns) {
  constexpr int64_t kSize = kTile<T>;
  for (int64_t b = 0; b < columns; ++b) {
    const char* line = from + b * from_stride;
    if (rows == kSize) {
      T values[kSize];
      std::memcpy(values, line, sizeof(values));
      for (int64_t a = 0; a < kSize; ++a) buffer[a * kSize + b] = values[a];
    } else {
      for (int64_t a = 0; a < rows; ++a)
        std::memcpy(&buffer[a * kSize + b], line + a * static_cast<int64_t>(sizeof(T)), sizeof(T));
    }
  }
}

// Square blocks of the source that vectors of 16 bytes turn, row by row.
template <class T>
struct VectorOf;
template <>
struct VectorOf<uint8_t> {
  typedef uint8_t type __attribute__((vector_size(16), aligned(1), may_alias));
};
template <>
struct VectorOf<uint16_t> {
  typedef uint16_t type __attribute__((vector_size(16), aligned(1), may_alias));
};
template <>
struct VectorOf<uint32_t> {
  typedef uint32_t type __attribute__((vector_size(16), aligned(1), may_alias));
};
using Bytes = VectorOf<uint8_t>::type;
using Pairs = VectorOf<uint16_t>::type;
using Fours = VectorOf<uint32_t>::type;

inline void turn(const Fours* row, Fours* column) {
  const auto low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const auto low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const auto high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const auto high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  column[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  column[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  column[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  column[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}

// Each step interleaves the first half of the rows with the second; after as many as a row's length has bits they are columns.
inline void turn(const Pairs* row, Pairs* column) {
  Pairs now[8], next[8];
  for (int i = 0; i < 8; ++i) now[i] = row[i];
#pragma GCC unroll 3
  for (int step = 0; step < 3; ++step) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      next[2 * i] = __builtin_shufflevector(now[i], now[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
      next[2 * i + 1] = __builtin_shufflevector(now[i], now[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; ++i) now[i] = next[i];
  }
  for (int i = 0; i < 8; ++i) column[i] = now[i];
}

inline void turn(const Bytes* row, Bytes* column) {
  Bytes now[16], next[16];
  for (int i = 0; i < 16; ++i) now[i] = row[i];
#pragma GCC unroll 4
  for (int step = 0; step < 4; ++step) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      next[2 * i] = __builtin_shufflevector(now[i], now[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      next[2 * i + 1] =
          __builtin_shufflevector(now[i], now[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    for (int i = 0; i < 16; ++i) now[i] = next[i];
  }
  for (int i = 0; i < 16; ++i) column[i] = now[i];
}

// A full tile.
template <class T>
void load_full(const char* from, int64_t from_stride, T* buffer) {
  constexpr int64_t kSize = kTile<T>, kBlock = 16 / sizeof(T);
  for (int64_t b = 0; b < kSize; b += kBlock) {
    for (int64_t a = 0; a < kSize; a += kBlock) {
      using Vector = typename VectorOf<T>::type;
      Vector row[kBlock], column[kBlock];
      for (int64_t i = 0; i < kBlock; ++i)
        row[i] = *reinterpret_cast<const Vector*>(from + (b + i) * from_stride + a * static_cast<int64_t>(sizeof(T)));
      turn(row, column);
      T* out = buffer + a * kSize + b;
      for (int64_t i = 0; i < kBlock; ++i) *reinterpret_cast<Vector*>(out + i * kSize) = column[i];
    }
  }
}

// Three planes of 4-byte elements put together, and taken apart, four elements of each at a time; how many were.
inline int64_t interleave_three(const char* from, int64_t from_stride, char* to, int64_t rows) {
  int64_t a = 0;
  for (; a + 4 <= rows; a += 4) {
    const Fours x = *reinterpret_cast<const Fours*>(from + a * 4);
    const Fours y = *reinterpret_cast<const Fours*>(from + from_stride + a * 4);
    const Fours z = *reinterpret_cast<const Fours*>(from + 2 * from_stride + a * 4);
    Fours* out = reinterpret_cast<Fours*>(to + a * 12);
    out[0] = __builtin_shufflevector(__builtin_shufflevector(x, y, 0, 4, 0, 4),
                                     __builtin_shufflevector(z, x, 0, 5, 0, 5), 0, 1, 4, 5);
    out[1] = __builtin_shufflevector(__builtin_shufflevector(y, z, 1, 5, 1, 5),
                                     __builtin_shufflevector(x, y, 2, 6, 2, 6), 0, 1, 4, 5);
    out[2] = __builtin_shufflevector(__builtin_shufflevector(z, x, 2, 7, 2, 7),
                                     __builtin_shufflevector(y, z, 3, 7, 3, 7), 0, 1, 4, 5);
  }
  return a;
}
inline int64_t separate_three(const char* from, char* to, int64_t to_stride, int64_t columns) {
  int64_t b = 0;
  for (; b + 4 <= columns; b += 4) {
    const Fours* in = reinterpret_cast<const Fours*>(from + b * 12);
    const auto first = __builtin_shufflevector(in[0], in[1], 0, 3, 6, 6),
               second = __builtin_shufflevector(in[0], in[1], 1, 4, 7, 7),
               third = __builtin_shufflevector(in[0], in[1], 2, 5, 5, 5);
    *reinterpret_cast<Fours*>(to + b * 4) = __builtin_shufflevector(first, in[2], 0, 1, 2, 5);
    *reinterpret_cast<Fours*>(to + to_stride + b * 4) = __builtin_shufflevector(second, in[2], 0, 1, 2, 6);
    *reinterpret_cast<Fours*>(to + 2 * to_stride + b * 4) = __builtin_shufflevector(third, in[2], 0, 1, 4, 7);
  }
  return b;
}

// The same of two planes.
inline int64_t interleave_two(const char* from, int64_t from_stride, char* to, int64_t rows) {
  int64_t a = 0;
  for (; a + 4 <= rows; a += 4) {
    const Fours x = *reinterpret_cast<const Fours*>(from + a * 4);
    const Fours y = *reinterpret_cast<const Fours*>(from + from_stride + a * 4);
    Fours* out = reinterpret_cast<Fours*>(to + a * 8);
    out[0] = __builtin_shufflevector(x, y, 0, 4, 1, 5);
    out[1] = __builtin_shufflevector(x, y, 2, 6, 3, 7);
  }
  return a;
}
inline int64_t separate_two(const char* from, char* to, int64_t to_stride, int64_t columns) {
  int64_t b = 0;
  for (; b + 4 <= columns; b += 4) {
    const Fours* in = reinterpret_cast<const Fours*>(from + b * 8);
    *reinterpret_cast<Fours*>(to + b * 4) = __builtin_shufflevector(in[0], in[1], 0, 2, 4, 6);
    *reinterpret_cast<Fours*>(to + to_stride + b * 4) = __builtin_shufflevector(in[0], in[1], 1, 3, 5, 7);
  }
  return b;
}

// A few columns side by side: the rows of the destination follow each other without gaps.
template <class T, int64_t kColumns>
void interleave(const char* from, int64_t from_stride, char* to, int64_t rows) {
  int64_t done = 0;
  if (kColumns == 2 && sizeof(T) == 4) done = interleave_two(from, from_stride, to, rows);
  if (kColumns == 3 && sizeof(T) == 4) done = interleave_three(from, from_stride, to, rows);
  for (int64_t a = done; a < rows; ++a) {
    T values[kColumns];
    for (int64_t b = 0; b < kColumns; ++b)
      std::memcpy(&values[b], from + b * from_stride + a * static_cast<int64_t>(sizeof(T)), sizeof(T));
    std::memcpy(to + a * static_cast<int64_t>(sizeof(values)), values, sizeof(values));
  }
}

// The reverse: a few rows whose elements lie side by side in the source.
template <class T, int64_t kRows>
void separate(const char* from, char* to, int64_t to_stride, int64_t columns) {
  int64_t done = 0;
  if (kRows == 2 && sizeof(T) == 4) done = separate_two(from, to, to_stride, columns);
  if (kRows == 3 && sizeof(T) == 4) done = separate_three(from, to, to_stride, columns);
  for (int64_t b = done; b < columns; ++b) {
    T values[kRows];
    std::memcpy(values, from + b * static_cast<int64_t>(sizeof(values)), sizeof(values));
    for (int64_t a = 0; a < kRows; ++a)
      std::memcpy(to + a * to_stride + b * static_cast<int64_t>(sizeof(T)), &values[a], sizeof(T));
  }
}

template <class T>
void transpose(const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t rows, int64_t columns) {
  constexpr int64_t kSize = kTile<T>;
  constexpr int64_t kBytes = sizeof(T);
  if (to_stride == columns * kBytes) {
    if (columns == 2) return interleave<T, 2>(from, from_stride, to, rows);
    if (columns == 3) return interleave<T, 3>(from, from_stride, to, rows);
    if (columns == 4) return interleave<T, 4>(from, from_stride, to, rows);
  }
  if (from_stride == rows * kBytes) {
    if (rows == 2) return separate<T, 2>(from, to, to_stride, columns);
    if (rows == 3) return separate<T, 3>(from, to, to_stride, columns);
    if (rows == 4) return separate<T, 4>(from, to, to_stride, columns);
  }
  alignas(64) T buffer[kSize * kSize];
  for (int64_t a = 0; a < rows; a += kSize) {
    const int64_t height = std::min(kSize, rows - a);
    for (int64_t b = 0; b < columns; b += kSize) {
      const int64_t width = std::min(kSize, columns - b);
      const char* source = from + a * kBytes + b * from_stride;
      char* target = to + a * to_stride + b * kBytes;
      const bool full = height == kSize && width == kSize;
      if constexpr (sizeof(T) <= 4) {
        if (full) load_full<T>(source, from_stride, buffer);
        else load<T>(source, from_stride, buffer, height, width);
      } else {
        load<T>(source, from_stride, buffer, height, width);
      }
      if (width == kSize) {
        for (int64_t i = 0; i < height; ++i) std::memcpy(target + i * to_stride, buffer + i * kSize, sizeof(T) * kSize);
      } else {
        for (int64_t i = 0; i < height; ++i)
          std::memcpy(target + i * to_stride, buffer + i * kSize, sizeof(T) * static_cast<size_t>(width));
      }
    }
  }
}

}  // namespace

void transpose_tiles(int64_t bytes, const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t rows,
                     int64_t columns) {
  switch (bytes) {
    case 1: return transpose<uint8_t>(from, from_stride, to, to_stride, rows, columns);
    case 2: return transpose<uint16_t>(from, from_stride, to, to_stride, rows, columns);
    case 4: return transpose<uint32_t>(from, from_stride, to, to_stride, rows, columns);
    case 8: return transpose<uint64_t>(from, from_stride, to, to_stride, rows, columns);
    case 16: return transpose<Wide>(from, from_stride, to, to_stride, rows, columns);
    default: base::fail(base::Code::kInternal, "no transpose of {}-byte elements", bytes);
  }
}

}  // namespace onnxrun::cpu
