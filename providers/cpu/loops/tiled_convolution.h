// Convolutions of float32 on blocked channels by the functions of kernels/simd/, of the numbers themselves or of their pairs rounded to bfloat16.
#pragma once

#include <string>
#include <type_traits>

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

  // Packed as they are, or as pairs of channels; depthwise ones never as pairs.
  size_t bytes() const;
  void pack(const float* from, float* to) const;
  size_t pair_bytes() const;
  void pack(const float* from, Bfloat16Pair* to) const;

 private:
  bool depthwise_;
  int64_t filters_, channels_, kernel_, block_;
};

template <class Element>
struct TiledArrays {
  const float* x = nullptr;
  const Element* weights = nullptr;  // packed
  const float* bias = nullptr;       // null: none
  const float* added = nullptr;      // null: nothing
  float* y = nullptr;
};

// Those of a BlockedConv: X, W, B and what is added.
template <class Element>
TiledArrays<Element> tiled_arrays(RunContext& context, const Element* packed) {
  return {.x = context.in<float>(0),
          .weights = packed,
          .bias = context.has_input(2) ? context.in<float>(2) : nullptr,
          .added = context.has_input(3) ? context.in<float>(3) : nullptr,
          .y = context.out<float>(0)};
}

// Element is float or Bfloat16Pair, which depthwise convolutions have not.
template <class Element>
class TiledConvolution {
 public:
  // As ConvolutionTiles.
  TiledConvolution(const WindowGeometry& geometry, int64_t groups, bool plain, int threads);
  void clamp(float low, float high);
  size_t scratch_bytes() const { return kRounds ? static_cast<size_t>(elements_) * sizeof(base::Bfloat16) : 0; }
  size_t table_bytes() const { return tiles_.table_bytes(); }
  // Runs f(float* begin, int64_t count, int64_t filters) on each piece of the output once it is done.
  template <class F>
  void run(RunContext& context, const TiledArrays<Element>& arrays, F&& f) const {
    const Element* x = elements(context, arrays.x);
    BlockConvolution shared = shared_;
    shared.tiles = tiles_.tiles().data();
    context.parallel(tiles_.part_count(), 1, [&](int64_t begin, int64_t end) {
      ConvolutionTiles::Part next = tiles_.part(begin);
      for (int64_t p = begin; p < end && !context.cancelled(); ++p) {
        const ConvolutionTiles::Part part = next;
        BlockConvolutionPart<Element> call = place(part, x, arrays);
        if (p + 1 < end) next = tiles_.part(p + 1);
        if (next.filter != part.filter) call.next_weights = arrays.weights + tiles_.place(next).weights / kChannels;
        functions_.run(shared, call);
        tiles_.each_piece(part, [&](int64_t at, int64_t count, int64_t filters) { f(call.y + at, count, filters); });
      }
    });
    context.check_cancelled();
  }

 private:
  static constexpr bool kRounds = std::is_same_v<Element, Bfloat16Pair>;
  static constexpr int64_t kChannels = kRounds ? 2 : 1;  // of an element
  // x as it is, or rounded into scratch.
  const Element* elements(RunContext& context, const float* x) const;
  void round_plain(RunContext& context, const float* x, Element* to) const;
  void round_blocks(RunContext& context, const float* x, Element* to) const;
  BlockConvolutionPart<Element> place(const ConvolutionTiles::Part& part, const Element* x,
                                      const TiledArrays<Element>& arrays) const;

  const BlockConvolutionFunctions<Element>& functions_ = block_convolution_functions<Element>();
  ConvolutionTiles tiles_;
  BlockConvolution shared_;
  int64_t images_, channels_, plane_;
  int64_t elements_ = 0;  // channels of all positions of x as they are rounded
};

}  // namespace onnxrun::cpu
