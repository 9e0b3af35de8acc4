// Convolutions of float32 on blocked channels by the functions of kernels/simd/.
#pragma once

#include <string>

#include "cpu/cpu.h"
#include "cpu/loops/convolution_tiles.h"

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

class TiledConvolution {
 public:
  // As ConvolutionTiles.
  TiledConvolution(const WindowGeometry& geometry, int64_t groups, bool plain, int threads);
  void clamp(float low, float high);
  // Runs f(float* begin, int64_t count, int64_t filters) on each piece of the output once it is done.
  template <class F>
  void run(RunContext& context, const TiledArrays& arrays, F&& f) const {
    const auto& parts = tiles_.parts();
    BlockConvolution shared = shared_;
    shared.tiles = tiles_.tiles().data();
    context.parallel(static_cast<int64_t>(parts.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end && !context.cancelled(); ++p) {
        const ConvolutionTiles::Part& part = parts[static_cast<size_t>(p)];
        BlockConvolutionPart call = place(part, arrays);
        if (p + 1 < end && parts[static_cast<size_t>(p + 1)].filter != part.filter)
          call.next_weights = arrays.weights + tiles_.place(parts[static_cast<size_t>(p + 1)]).weights;
        functions_.run(shared, call);
        tiles_.each_piece(part, [&](int64_t at, int64_t count, int64_t filters) { f(call.y + at, count, filters); });
      }
    });
    context.check_cancelled();
  }

 private:
  BlockConvolutionPart place(const ConvolutionTiles::Part& part, const TiledArrays& arrays) const;

  const BlockConvolutionFunctions& functions_ = block_convolution_functions();
  ConvolutionTiles tiles_;
  BlockConvolution shared_;
};

}  // namespace onnxrun::cpu
