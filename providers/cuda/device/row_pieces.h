// Rows too few to fill a device and long enough to be cut: a block takes a piece, and a second launch joins the pieces of each row in an order of their own.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace onnxrun::cuda {

constexpr int64_t kFewBlocks = 264;             // below it, blocks take pieces
constexpr int64_t kPieceBlocks = 1024;          // of a launch over pieces, at most
constexpr int64_t kShortestPiece = 4096;        // elements of a row
constexpr int64_t kShortestOfNeighbours = 512;  // the same where a block takes 8 rows or more, side by side

struct RowPiece {
  int64_t row, first, size;  // elements first to first + size of the row
};

// How each row is cut: into `each` pieces of `length` elements, the last one of what is left.
struct RowPieces {
  int64_t each = 1, length = 0, size = 0;

  __device__ RowPiece operator[](int64_t i) const {
    if (each == 1) return {i, 0, size};
    const int64_t row = i / each, first = (i - row * each) * length;
    return {row, first, size - first < length ? size - first : length};
  }
};

// Of rows of `size` elements that `blocks` blocks take when whole.
inline RowPieces cut_rows(int64_t blocks, int64_t size, int64_t shortest = kShortestPiece) {
  if (blocks <= 0 || blocks >= kFewBlocks || size < 2 * shortest) return {1, size, size};
  const int64_t wanted = kPieceBlocks / blocks, most = size / shortest;
  const int64_t each = wanted < most ? wanted : most;
  const int64_t length = (size + each - 1) / each;
  return {(size + length - 1) / length, length, size};
}

// Scratch memory for what is found in the pieces of a tensor of `count` elements: 8 bytes a piece where a block takes up to 32 rows, 16 where it takes one.
inline size_t piece_bytes(int64_t count) {
  return count < 2 * kShortestPiece ? 0 : static_cast<size_t>(kPieceBlocks) * 32 * 8;
}

}  // namespace onnxrun::cuda
