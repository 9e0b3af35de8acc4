// Packing the constants of 8-bit convolutions, bringing their inputs into the form that is read, and placing parts.
#include "cpu/loops/tiled_integer_convolution.h"

#include <algorithm>

#include "cpu/loops/polled.h"
#include "cpu/loops/tiled_convolution.h"

namespace onnxrun::cpu {

namespace {

constexpr int64_t kPiece = 8192;  // elements that are brought into another form at a time

int64_t blocks_of(int64_t channels, int64_t block) { return (channels + block - 1) / block; }
int64_t rounded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

TileLimits limits() {
  const IntegerBlockConvolutionFunctions& functions = integer_block_convolution_functions();
  return {.block = functions.block,
          .most_columns = functions.most_columns,
          .takes_width = functions.takes_width,
          .element_bytes = functions.widens ? 2 : 1,
          .plain_position = IntegerBlockConvolutionFunctions::kPlainPosition};
}

}  // namespace

std::string TiledIntegerWeights::refuse(const onnxrun_tensor& weights, int32_t zero, int64_t groups,
                                        int64_t stride_width) {
  if (zero != (dtype(weights) == DType::kUint8 ? 128 : 0)) return "weights that are not symmetric";
  return TiledWeights::refuse(weights, groups, stride_width);
}

TiledIntegerWeights::TiledIntegerWeights(const onnxrun_tensor& weights, int64_t groups)
    : depthwise_(TiledWeights::depthwise(weights, groups)),
      widened_(integer_block_convolution_functions().widens && !depthwise_),
      filters_(weights.dims[0]),
      channels_(weights.dims[1]),
      block_(integer_block_convolution_functions().block) {
  for (int32_t d = 2; d < weights.rank; ++d) kernel_ *= weights.dims[d];
  packed_filters_ = blocks_of(filters_, block_) * block_;
  const int64_t elements = packed_filters_ * kernel_ * (depthwise_ ? 1 : blocks_of(channels_, block_) * block_);
  weight_bytes_ = rounded(elements * (depthwise_ ? 4 : widened_ ? 2 : 1));
}

size_t TiledIntegerWeights::bytes() const {
  return static_cast<size_t>(weight_bytes_ + packed_filters_ * 4 * (2 + (widened_ ? 0 : kernel_)));
}

int64_t TiledIntegerWeights::value(const onnxrun_tensor& weights, int64_t filter, int64_t channel, int64_t tap) const {
  if (filter >= filters_ || channel >= channels_) return 0;
  const int64_t at = (filter * channels_ + channel) * kernel_ + tap;
  return dtype(weights) == DType::kUint8 ? static_cast<const uint8_t*>(weights.data)[at] - 128
                                         : static_cast<const int8_t*>(weights.data)[at];
}

void TiledIntegerWeights::pack_weights(const onnxrun_tensor& weights, void* packed) const {
  if (depthwise_) {
    int32_t* to = static_cast<int32_t*>(packed);
    for (int64_t m = 0; m < packed_filters_; m += block_)
      for (int64_t k = 0; k < kernel_; ++k)
        for (int64_t filter = m; filter < m + block_; ++filter)
          *to++ = static_cast<int32_t>(value(weights, filter, 0, k));
    return;
  }
  const int64_t word = widened_ ? 2 : 4;  // channels
  int8_t* bytes = static_cast<int8_t*>(packed);
  int16_t* pairs = static_cast<int16_t*>(packed);
  for (int64_t m = 0; m < packed_filters_; m += block_)
    for (int64_t c = 0; c < blocks_of(channels_, block_) * block_; c += block_)
      for (int64_t k = 0; k < kernel_; ++k)
        for (int64_t first = c; first < c + block_; first += word)
          for (int64_t filter = m; filter < m + block_; ++filter)
            for (int64_t channel = first; channel < first + word; ++channel) {
              const int64_t weight = value(weights, filter, channel, k);
              if (widened_) *pairs++ = static_cast<int16_t>(weight);
              else *bytes++ = static_cast<int8_t>(weight);
            }
}

// Sums are taken modulo 2^32, as the sums of products are.
void TiledIntegerWeights::pack_terms(const onnxrun_tensor& weights, int32_t x_zero, const int32_t* bias,
                                     void* packed) const {
  int32_t* starts = const_cast<int32_t*>(offsets(packed));
  int32_t* terms = const_cast<int32_t*>(outside(packed));
  for (int64_t m = 0; m < packed_filters_; ++m) {
    uint32_t start = bias == nullptr || m >= filters_ ? 0 : static_cast<uint32_t>(bias[m]);
    for (int64_t k = 0; terms != nullptr && k < kernel_; ++k) {
      int64_t sum = 0;
      for (int64_t c = 0; c < channels_; ++c) sum += value(weights, m, c, k);
      const auto term = static_cast<uint32_t>(sum * x_zero);
      terms[k * packed_filters_ + m] = static_cast<int32_t>(term);
      start -= term;
    }
    starts[m] = static_cast<int32_t>(start);
  }
}

TiledIntegerConvolution::TiledIntegerConvolution(const WindowGeometry& g, const onnxrun_tensor& weights, int64_t groups,
                                                 bool plain, uint8_t x_zero, const IntegerResult& result, int threads)
    : weights_(weights, groups),
      tiles_(limits(), g, groups, plain, threads),
      x_zero_(x_zero),
      images_(g.batch),
      channels_(g.in_channels),
      plane_(g.in_size) {
  shared_.shape = tiles_.shape();
  shared_.packed_filters = weights_.packed_filters();
  shared_.zero = result.zero;
  shared_.low = static_cast<float>(-shared_.zero);
  shared_.high = static_cast<float>(255 - result.zero);
  shared_.sum_high = static_cast<float>(255 - result.zero_of_sum);
  shared_.zero_of_sum = result.zero_of_sum;
  shared_.zero_of_added = result.zero_of_added;
  shared_.scale_of_sum = result.scale_of_sum;
  shared_.scale_of_added = result.scale_of_added;
  const int64_t position = this->plain() ? IntegerBlockConvolutionFunctions::kPlainPosition
                                         : blocks_of(channels_, functions_.block) * functions_.block;
  elements_ = base::checked_mul(base::checked_mul(images_, plane_), position);
}

void TiledIntegerConvolution::prepare(RunContext& context, const uint8_t* x) const {
  char* to = static_cast<char*>(context.scratch());
  if (!plain()) {
    parallel_polled(context, (elements_ + kPiece - 1) / kPiece, kPiece, [&](int64_t begin, int64_t end) {
      const int64_t first = begin * kPiece;
      functions_.widen(x + first, x_zero_, reinterpret_cast<int16_t*>(to) + first,
                       std::min(elements_, end * kPiece) - first);
    });
    return;
  }
  const int64_t pieces = (plane_ + kPiece - 1) / kPiece,
                position = IntegerBlockConvolutionFunctions::kPlainPosition * static_cast<int64_t>(element_bytes());
  parallel_polled(context, images_ * pieces, kPiece * position, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / pieces, first = i % pieces * kPiece;
      // Channels beyond the last meet weights of zero.
      const uint8_t* channels[IntegerBlockConvolutionFunctions::kPlainPosition];
      for (int64_t c = 0; c < IntegerBlockConvolutionFunctions::kPlainPosition; ++c)
        channels[c] = x + (image * channels_ + std::min(c, channels_ - 1)) * plane_ + first;
      functions_.interleave(channels, x_zero_, to + (image * plane_ + first) * position,
                            std::min(kPiece, plane_ - first));
    }
  });
}

IntegerBlockConvolutionPart TiledIntegerConvolution::place(const ConvolutionTiles::Part& part, const void* x,
                                                           const void* packed, const uint8_t* added, uint8_t* y) const {
  const ConvolutionTiles::Place place = tiles_.place(part);
  const int32_t* outside = weights_.outside(packed);
  return {.x = static_cast<const char*>(x) + place.x * static_cast<int64_t>(element_bytes()),
          .weights = weights_at(packed, place),
          .next_weights = nullptr,
          .offsets = weights_.offsets(packed) + part.filter,
          .outside = outside == nullptr ? nullptr : outside + part.filter,
          .scales = weights_.scales(packed) + part.filter,
          .added = added == nullptr ? nullptr : added + place.y,
          .y = y + place.y,
          .filters = part.filters,
          .row_begin = part.row_begin,
          .row_end = part.row_end,
          .tile_begin = part.tile_begin,
          .tile_end = part.tile_end};
}

}  // namespace onnxrun::cpu
