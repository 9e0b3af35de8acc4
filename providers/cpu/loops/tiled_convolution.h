// Cuts a convolution on blocked channels into tiles and parts for the functions of kernels/simd/.
#pragma once

#include <string>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/block_convolution.h"
#include "cpu/loops/window_geometry.h"

namespace onnxrun::cpu {

// Weights [M, C / groups, kernel...] of float32, packed.
class TiledWeights {
 public:
  static bool depthwise(const onnxrun_tensor& weights, int64_t groups) {
    return groups > 1 && weights.dims[0] == groups && weights.dims[1] == 1;
  }
  // Why these are not for tiles; empty when they are.
  static std::string refuse(const onnxrun_tensor& weights, int64_t groups, int64_t stride_width);
  TiledWeights(const onnxrun_tensor& weights, int64_t groups);

  size_t bytes() const;
  void pack(const float* from, float* to) const;

 private:
  bool depthwise_;
  int64_t filters_, channels_, kernel_, block_;
};

struct TiledArrays {
  const float* x = nullptr;
  const float* weights = nullptr;  // packed
  const float* bias = nullptr;     // null: none
  const float* added = nullptr;    // null: nothing
  float* y = nullptr;
};

// Bound to shapes; the channels of the geometry are those of the plain form.
class TiledConvolution {
 public:
  // With `plain` the input is plain, of at most as many channels as a block has and one group.
  TiledConvolution(const WindowGeometry& geometry, int64_t groups, bool plain, int threads);
  void clamp(float low, float high);
  // Runs f(float* begin, int64_t count) on each piece of the output once it is done.
  template <class F>
  void run(RunContext& context, const TiledArrays& arrays, F&& f) const {
    context.parallel(static_cast<int64_t>(parts_.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end && !context.cancelled(); ++p) {
        const Part& part = parts_[static_cast<size_t>(p)];
        BlockConvolutionPart call = place(part, arrays);
        if (p + 1 < end && parts_[static_cast<size_t>(p + 1)].filter != part.filter)
          call.next_weights = arrays.weights + weights_before(parts_[static_cast<size_t>(p + 1)].filter);
        functions_.run(shared_, call);
        each_piece(part, call, f);
      }
    });
    context.check_cancelled();
  }

 private:
  struct Part {
    int64_t image, filter, filters;  // filters of one group
    int64_t row_begin, row_end, tile_begin, tile_end;
  };

  bool depthwise() const { return shared_.kind == BlockConvolution::Kind::kDepthwise; }
  bool plain() const { return shared_.kind == BlockConvolution::Kind::kPlain; }
  void plan_tiles();
  void add_tile(int64_t first, int width);
  void plan_parts(int64_t batch, int threads);
  BlockConvolutionPart place(const Part& part, const TiledArrays& arrays) const;
  // Packed floats before those of a filter.
  int64_t weights_before(int64_t filter) const {
    const int64_t taps = filter * shared_.kernel_height * shared_.kernel_width;
    return depthwise() ? taps : taps * shared_.in_blocks * functions_.block;
  }

  template <class F>
  void each_piece(const Part& part, const BlockConvolutionPart& call, F&& f) const {
    const int64_t begin = tiles_[static_cast<size_t>(part.tile_begin)].first;
    const BlockTile& last = tiles_[static_cast<size_t>(part.tile_end - 1)];
    const bool whole = begin == 0 && last.first + last.width == shared_.out_width;
    const int64_t rows = part.row_end - part.row_begin, count = last.first + last.width - begin;
    for (int64_t at = 0; at < part.filters; at += functions_.block)
      for (int64_t row = 0; row < (whole ? 1 : rows); ++row)
        f(call.y + at / functions_.block * shared_.out_plane +
              ((part.row_begin + row) * shared_.out_width + begin) * functions_.block,
          (whole ? rows * shared_.out_width : count) * functions_.block, std::min(functions_.block, part.filters - at));
  }

  const BlockConvolutionFunctions& functions_ = block_convolution_functions();
  BlockConvolution shared_;
  int64_t groups_, group_channels_, group_filters_, filters_, out_height_;
  std::vector<BlockTile> tiles_;
  std::vector<Part> parts_;
};

}  // namespace onnxrun::cpu
