// 8-bit images copied with their padding around them, so that the rows that a convolution's taps see are plain runs of bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/panels.h"
#include "cpu/loops/window_geometry.h"

namespace onnxrun::cpu {

class PaddedBytes {
 public:
  // 16 outputs (one where windows step by more than 2), some of which may be too many: they lie before the next piece, or behind the last one. They
  // begin at output `to` of a panel, and in a padded plane at `from`, before the tap's offset.
  struct Piece {
    int64_t to, from;
  };
  // A buffer that load() fills must have room for so many bytes.
  static constexpr int64_t kRowBytes = kPanel + 32;

  PaddedBytes() = default;
  // Throws Declined where padding makes a plane many times its size.
  explicit PaddedBytes(const WindowGeometry& g);

  int64_t plane() const { return plane_; }  // bytes of a channel
  size_t bytes() const;                     // of all images
  size_t table_bytes() const { return taps_.capacity() * sizeof(int64_t); }
  // Copies all channels of all images; `outside` is the padding.
  void fill(RunContext& context, const uint8_t* x, uint8_t outside, uint8_t* to) const;

  // Of a kernel position, from the first element of a window.
  int64_t tap(int64_t position) const { return taps_[static_cast<size_t>(position)]; }
  const int64_t* taps() const { return taps_.data(); }
  // Where the window of an output begins in a padded plane.
  int64_t start(int64_t output) const;
  // The pieces of outputs [column, column + count), in order, at most `count` of them; returns how many.
  int64_t pieces(int64_t column, int64_t count, Piece* pieces) const;
  // What a tap sees of a panel's outputs: `from` is its plane plus the tap's offset.
  void load(const uint8_t* from, const Piece* pieces, int64_t count, uint8_t* to) const;

 private:
  static constexpr int64_t kSlack = 512;  // bytes that loads may read beyond the last one they want

  int64_t images_ = 0, plane_ = 1, in_size_ = 1, stride_ = 1, begin_ = 0;
  std::vector<int64_t> in_, out_, steps_, strides_,
      taps_;  // steps_: of an output along an axis; strides_: of a padded plane
};

}  // namespace onnxrun::cpu
