// Brings blocks of channels together into wider positions, in rows with columns of what lies outside the image before and behind them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/checked.h"
#include "cpu/cpu.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

class JoinedBlocks {
 public:
  static constexpr int64_t kMostBlocks = 4;  // of a position

  JoinedBlocks() = default;
  // Of images of `height` rows of `width` positions, to whose rows `before` and `behind` positions are added. `position` has whole blocks of channels.
  JoinedBlocks(int64_t images, int64_t channels, int64_t block, int64_t position, int64_t height, int64_t width,
               int64_t before, int64_t behind)
      : images_(images),
        blocks_((channels + block - 1) / block),
        block_(block),
        together_(position / block),
        height_(before + behind == 0 ? 1 : height),
        width_(before + behind == 0 ? height * width : width),
        before_(before),
        behind_(behind) {}

  // Positions of all images.
  int64_t positions() const {
    return base::checked_mul(base::checked_mul(images_, planes()), base::checked_mul(height_, row()));
  }
  int64_t channels() const { return base::checked_mul(positions(), together_ * block_); }

  // Runs join(from, at, count), where position `at` and those behind it are made of `from`, kMostBlocks blocks of which those that are missing are null; and
  // outside(at, count) for those outside the image.
  template <class X, class Join, class Outside>
  void run(RunContext& context, const X* x, Join&& join, Outside&& outside) const {
    constexpr int64_t kPiece = 256;  // positions
    const int64_t pieces = (width_ + kPiece - 1) / kPiece, planes = this->planes();
    const Cost cost = Cost(std::min(kPiece, width_)) * together_ * block_ * 2 * static_cast<int64_t>(sizeof(X));
    parallel_polled(context, images_ * planes * height_ * pieces, cost, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t line = i / pieces, first = i % pieces * kPiece, count = std::min(kPiece, width_ - first);
        const int64_t plane = line / height_, y = line % height_;
        const int64_t image = plane / planes, block = plane % planes * together_;
        const X* from[kMostBlocks] = {};
        for (int64_t b = 0; b < std::min(together_, blocks_ - block); ++b)
          from[b] = x + (((image * blocks_ + block + b) * height_ + y) * width_ + first) * block_;
        const int64_t at = line * row();
        if (first == 0 && before_ > 0) outside(at, before_);
        join(static_cast<const X* const*>(from), at + before_ + first, count);
        if (first + count == width_ && behind_ > 0) outside(at + before_ + width_, behind_);
      }
    });
  }

 private:
  int64_t planes() const { return (blocks_ + together_ - 1) / together_; }
  int64_t row() const { return before_ + width_ + behind_; }

  int64_t images_ = 0, blocks_ = 0, block_ = 1, together_ = 1, height_ = 1, width_ = 0, before_ = 0, behind_ = 0;
};

}  // namespace onnxrun::cpu
