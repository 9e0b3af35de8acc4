// Convolutions of 8-bit values on blocked channels by the functions of kernels/simd/.
#pragma once

#include <string>

#include "cpu/cpu.h"
#include "cpu/loops/convolution_tiles.h"
#include "cpu/loops/integer_block_convolution.h"
#include "cpu/loops/quantized_rows.h"

namespace onnxrun::cpu {

// The constants of a convolution, packed: weights less their zero point, scales, where the sums of filters start, what taps outside the image give, and what
// remains of weights in parts.
class TiledIntegerWeights {
 public:
  // Why these are not for tiles; empty when they are. `zero` is the weights' zero point.
  static std::string refuse(const onnxrun_tensor& weights, int32_t zero, int64_t groups, int64_t stride_width);
  TiledIntegerWeights(const onnxrun_tensor& weights, int64_t groups, bool plain);

  int64_t packed_filters() const { return packed_filters_; }
  size_t bytes() const;
  // `bias` may be null; scale(filter) is that of the filter's sums.
  template <class Scale>
  void pack(const onnxrun_tensor& weights, int32_t x_zero, const int32_t* bias, Scale&& scale, void* packed) const {
    pack_weights(weights, packed);
    pack_terms(weights, x_zero, bias, packed);
    float* scales = const_cast<float*>(this->scales(packed));
    for (int64_t m = 0; m < packed_filters_; ++m) scales[m] = m < filters_ ? scale(m) : 0.0f;
  }

  const char* weights(const void* packed) const { return static_cast<const char*>(packed); }
  const float* scales(const void* packed) const {
    return reinterpret_cast<const float*>(weights(packed) + weight_bytes_);
  }
  const int32_t* offsets(const void* packed) const {
    return reinterpret_cast<const int32_t*>(scales(packed) + packed_filters_);
  }
  const int32_t* outside(const void* packed) const { return offsets(packed) + packed_filters_; }
  // Null where weights are whole.
  const int32_t* rest_starts(const void* packed) const {
    const int32_t* starts = outside(packed) + kernel_ * packed_filters_;
    return parts_ && *starts != kWhole ? starts : nullptr;
  }
  const char* rest(const void* packed) const {
    return reinterpret_cast<const char*>(outside(packed) + kernel_ * packed_filters_ + packed_filters_ / block_ + 1);
  }

 private:
  static constexpr int64_t kWord = IntegerBlockConvolutionFunctions::kWordChannels;
  static constexpr int32_t kWhole = -1;

  // Where something remains of more words than these, weights stay whole, which is slower.
  int64_t most_rest() const { return weight_bytes_ / (2 * kWord * block_); }
  int64_t rest_word_bytes() const { return static_cast<int64_t>(sizeof(RestWord)) + kWord * block_; }

  static uint8_t flip(const onnxrun_tensor& weights);
  void pack_words(const onnxrun_tensor& weights, int8_t* to) const;
  void pack_weights(const onnxrun_tensor& weights, void* packed) const;
  // Into parts, in their place. False where weights have to stay whole.
  bool part_words(void* packed) const;
  void pack_terms(const onnxrun_tensor& weights, int32_t x_zero, const int32_t* bias, void* packed) const;

  const IntegerBlockConvolutionFunctions& functions_;
  bool depthwise_, parts_;
  int64_t filters_, channels_, kernel_ = 1, block_, packed_filters_ = 0, weight_bytes_ = 0;
};

// What stands for zero in the input, and what follows the sums.
struct IntegerResult {
  uint8_t x_zero = 0;
  uint8_t zero = 0;
  // Of an addition behind it.
  bool adds = false;
  float scale_of_sum = 0, scale_of_added = 0;
  uint8_t zero_of_added = 0, zero_of_sum = 0;
};

// What does not depend on shapes.
IntegerBlockConvolution shared_of(const IntegerResult& result);

class TiledIntegerConvolution {
 public:
  TiledIntegerConvolution(const WindowGeometry& geometry, const onnxrun_tensor& weights, int64_t groups, bool plain,
                          const IntegerResult& result, int threads);
  size_t scratch_bytes() const { return static_cast<size_t>(joined_bytes_); }
  size_t table_bytes() const { return tiles_.table_bytes(); }

  // Runs f(begin, count) on each piece of y once it is done. `added` is null or as y.
  template <class F>
  void run(RunContext& context, const uint8_t* x, const void* packed, const uint8_t* added, uint8_t* y, F&& f) const {
    if (plain()) x = interleave(context, x);
    else if (joined_bytes_ > 0) x = join(context, x);
    IntegerBlockConvolution shared = shared_;
    shared.shape.tiles = tiles_.tiles().data();
    context.parallel(tiles_.part_count(), 1, [&](int64_t begin, int64_t end) {
      ConvolutionTiles::Part next = tiles_.part(begin);
      for (int64_t p = begin; p < end && !context.cancelled(); ++p) {
        const ConvolutionTiles::Part part = next;
        IntegerBlockConvolutionPart call = place(part, x, packed, added, y);
        if (p + 1 < end) next = tiles_.part(p + 1);
        if (next.filter != part.filter) call.next_weights = weights_at(packed, tiles_.place(next));
        functions_.run(shared, call);
        tiles_.each_piece(part, [&](int64_t at, int64_t count, int64_t) { f(call.y + at, count); });
      }
    });
    context.check_cancelled();
  }

 private:
  bool depthwise() const { return shared_.shape.kind == BlockConvolution::Kind::kDepthwise; }
  bool plain() const { return shared_.shape.kind == BlockConvolution::Kind::kPlain; }
  const uint8_t* interleave(RunContext& context, const uint8_t* x) const;
  const uint8_t* join(RunContext& context, const uint8_t* x) const;
  const char* weights_at(const void* packed, const ConvolutionTiles::Place& place) const {
    return weights_.weights(packed) + place.weights * (depthwise() ? 4 : 1);
  }
  IntegerBlockConvolutionPart place(const ConvolutionTiles::Part& part, const uint8_t* x, const void* packed,
                                    const uint8_t* added, uint8_t* y) const;

  const IntegerBlockConvolutionFunctions& functions_;
  TiledIntegerWeights weights_;
  ConvolutionTiles tiles_;
  IntegerBlockConvolution shared_{};
  int64_t images_, channels_, plane_;  // of x
  int64_t joined_bytes_ = 0;           // of x as it is read, where that is another form
};

}  // namespace onnxrun::cpu
