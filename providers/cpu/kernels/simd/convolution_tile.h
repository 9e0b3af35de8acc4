// What the convolutions on blocked channels in float32 and on 8-bit values share.
#pragma once

#include <cstdint>

#include "cpu/loops/block_convolution.h"

// X(code, low, high) for each code of BlockTile::taps with some positions that see the image: all but `low` at the begin and `high` at the end.
#define ONNXRUN_EACH_TAP(X) X(0, 0, 0) ONNXRUN_EACH_PARTIAL_TAP(X)
#define ONNXRUN_EACH_PARTIAL_TAP(X) X(1, 1, 0) X(2, 2, 0) X(3, 3, 0) X(4, 0, 1) X(5, 0, 2) X(6, 0, 3)

// X(positions) for each width of a tile.
#define ONNXRUN_EACH_NARROW_WIDTH(X) X(1) X(2) X(3) X(4) X(5) X(6)
#if ONNXRUN_SIMD_LEVEL >= 4
#define ONNXRUN_EACH_WIDTH(X) ONNXRUN_EACH_NARROW_WIDTH(X) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#else
#define ONNXRUN_EACH_WIDTH(X) ONNXRUN_EACH_NARROW_WIDTH(X)
#endif

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {

// Output positions whose sums fit in the registers beside two blocks of weights.
constexpr int kMostColumns = ONNXRUN_SIMD_LEVEL >= 4 ? 14 : 6;

// The rows of the kernel that see the image where its first lies at `top`.
struct KernelRows {
  int64_t begin = 0, end;

  KernelRows(const BlockConvolution& c, int64_t top) : end(c.kernel_height) {
    while (begin < end && top + begin * c.dilation_height < 0) ++begin;
    while (begin < end && top + (end - 1) * c.dilation_height >= c.in_height) --end;
  }
};

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
