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

// A full tile of 4-byte elements, in blocks of four by four.
inline void load_full(const char* from, int64_t from_stride, uint32_t* buffer) {
  typedef uint32_t Four __attribute__((vector_size(16), aligned(1), may_alias));
  constexpr int64_t kSize = kTile<uint32_t>;
  for (int64_t b = 0; b < kSize; b += 4) {
    for (int64_t a = 0; a < kSize; a += 4) {
      Four row[4];
      for (int i = 0; i < 4; ++i) row[i] = *reinterpret_cast<const Four*>(from + (b + i) * from_stride + a * 4);
      const Four low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
      const Four low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
      const Four high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
      const Four high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
      uint32_t* out = buffer + a * kSize + b;
      *reinterpret_cast<Four*>(out) = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
      *reinterpret_cast<Four*>(out + kSize) = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
      *reinterpret_cast<Four*>(out + 2 * kSize) = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
      *reinterpret_cast<Four*>(out + 3 * kSize) = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
    }
  }
}

// A few columns side by side: the rows of the destination follow each other without gaps.
template <class T, int64_t kColumns>
void interleave(const char* from, int64_t from_stride, char* to, int64_t rows) {
  for (int64_t a = 0; a < rows; ++a) {
    T values[kColumns];
    for (int64_t b = 0; b < kColumns; ++b)
      std::memcpy(&values[b], from + b * from_stride + a * static_cast<int64_t>(sizeof(T)), sizeof(T));
    std::memcpy(to + a * static_cast<int64_t>(sizeof(values)), values, sizeof(values));
  }
}

// The reverse: a few rows whose elements lie side by side in the source.
template <class T, int64_t kRows>
void separate(const char* from, char* to, int64_t to_stride, int64_t columns) {
  for (int64_t b = 0; b < columns; ++b) {
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
      if constexpr (sizeof(T) == 4) {
        if (full) load_full(source, from_stride, buffer);
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
