// Packing the constants of 8-bit convolutions, bringing their inputs into the form that is read, and placing parts.
#include "cpu/loops/tiled_integer_convolution.h"

#include <algorithm>
#include <cstring>

#include "cpu/loops/polled.h"
#include "cpu/loops/tiled_convolution.h"
#include "cpu/loops/weight_parts.h"

namespace onnxrun::cpu {

namespace {

constexpr int64_t kPiece = 8192;    // positions that are brought into another form at a time
constexpr int64_t kMostBlock = 16;  // channels

int64_t blocks_of(int64_t channels, int64_t block) { return (channels + block - 1) / block; }
int64_t rounded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

const IntegerBlockConvolutionFunctions& functions_for(const onnxrun_tensor& weights, int64_t groups, bool plain) {
  return integer_block_convolution_functions(plain, groups, weights.dims[1]);
}

TileLimits limits(const IntegerBlockConvolutionFunctions& functions) {
  return {.block = functions.block,
          .most_columns = functions.most_columns,
          .position = functions.position,
          .takes_width = functions.takes_width,
          .element_bytes = 1,
          .plain_position = IntegerBlockConvolutionFunctions::kPlainPosition};
}

}  // namespace

std::string TiledIntegerWeights::refuse(const onnxrun_tensor& weights, int32_t zero, int64_t groups,
                                        int64_t stride_width) {
  if (zero != (dtype(weights) == DType::kUint8 ? 128 : 0)) return "weights that are not symmetric";
  std::string reason = TiledWeights::refuse(weights, groups, stride_width);
  // Taps of words of which something remains are numbers of 16 bits.
  if (reason.empty() && weights.rank == 4 && weights.dims[2] * weights.dims[3] > UINT16_MAX)
    reason = "kernels as large as this";
  return reason;
}

TiledIntegerWeights::TiledIntegerWeights(const onnxrun_tensor& weights, int64_t groups, bool plain)
    : functions_(functions_for(weights, groups, plain)),
      depthwise_(TiledWeights::depthwise(weights, groups)),
      parts_(functions_.parts && !depthwise_),
      filters_(weights.dims[0]),
      channels_(weights.dims[1]),
      block_(functions_.block) {
  for (int32_t d = 2; d < weights.rank; ++d) kernel_ *= weights.dims[d];
  packed_filters_ = blocks_of(filters_, block_) * block_;
  const int64_t elements =
      packed_filters_ * kernel_ * (depthwise_ ? 1 : blocks_of(channels_, functions_.position) * functions_.position);
  weight_bytes_ = rounded(elements * (depthwise_ ? 4 : 1));
}

size_t TiledIntegerWeights::bytes() const {
  const int64_t terms = packed_filters_ * (2 + kernel_) + (parts_ ? packed_filters_ / block_ + 1 : 0);
  return static_cast<size_t>(weight_bytes_ + terms * 4 + (parts_ ? most_rest() * rest_word_bytes() : 0));
}

// Turns the bytes of weights into the numbers less their zero point.
uint8_t TiledIntegerWeights::flip(const onnxrun_tensor& weights) { return dtype(weights) == DType::kUint8 ? 0x80 : 0; }

// In the order of words: [filter block, input block, tap, word, filter, channel of the word].
void TiledIntegerWeights::pack_words(const onnxrun_tensor& weights, int8_t* to) const {
  const uint8_t flip = TiledIntegerWeights::flip(weights);
  const int64_t position = functions_.position, chunk = kernel_ * position * block_;
  for (int64_t m = 0; m < filters_; m += block_)
    for (int64_t c = 0; c < channels_; c += position, to += chunk) {
      const int64_t filters = std::min(block_, filters_ - m), channels = std::min(position, channels_ - c);
      if (filters < block_ || channels < position) std::memset(to, 0, static_cast<size_t>(chunk));
      for (int64_t i = 0; i < filters; ++i) {
        const uint8_t* from = static_cast<const uint8_t*>(weights.data) + ((m + i) * channels_ + c) * kernel_;
        int64_t channel = 0;
        for (; kernel_ == 1 && channel + kWord <= channels; channel += kWord) {
          uint32_t word;
          std::memcpy(&word, from + channel, sizeof word);
          word ^= flip * 0x01010101u;
          std::memcpy(to + (channel * block_ + i * kWord), &word, sizeof word);
        }
        for (; channel < channels; ++channel) {
          int8_t* at = to + (channel / kWord * block_ + i) * kWord + channel % kWord;
          for (int64_t k = 0; k < kernel_; ++k)
            at[k * position * block_] = static_cast<int8_t>(from[channel * kernel_ + k] ^ flip);
        }
      }
    }
}

void TiledIntegerWeights::pack_weights(const onnxrun_tensor& weights, void* packed) const {
  if (depthwise_) {
    const uint8_t flip = TiledIntegerWeights::flip(weights);
    int32_t* to = static_cast<int32_t*>(packed);
    for (int64_t m = 0; m < packed_filters_; m += block_)
      for (int64_t k = 0; k < kernel_; ++k)
        for (int64_t filter = m; filter < m + block_; ++filter)
          *to++ = filter < filters_
                      ? static_cast<int8_t>(static_cast<const uint8_t*>(weights.data)[filter * kernel_ + k] ^ flip)
                      : 0;
    return;
  }
  pack_words(weights, static_cast<int8_t*>(packed));
  if (parts_ && !part_words(packed)) pack_words(weights, static_cast<int8_t*>(packed));
}

bool TiledIntegerWeights::part_words(void* packed) const {
  auto* to = static_cast<int8_t*>(packed);
  auto* starts = const_cast<int32_t*>(outside(packed) + kernel_ * packed_filters_);
  char* rest = const_cast<char*>(this->rest(packed));
  const int64_t word_bytes = kWord * block_, words = functions_.position / kWord;
  int64_t count = 0;
  starts[0] = 0;
  for (int64_t m = 0; m < filters_; m += block_) {
    for (int64_t c = 0; c < channels_; c += functions_.position)
      for (int64_t i = 0; i < kernel_ * words; ++i, to += word_bytes) {
        const RestWord place{.block = static_cast<int32_t>(c / functions_.position),
                             .tap = static_cast<uint16_t>(i / words),
                             .word = static_cast<uint16_t>(i % words)};
        int8_t remains[kWord * kMostBlock];
        if (keep_part(to, remains, word_bytes) && count++ < most_rest()) {
          std::memcpy(rest, &place, sizeof place);
          std::memcpy(rest + sizeof place, remains, static_cast<size_t>(word_bytes));
          rest += rest_word_bytes();
        }
      }
    starts[m / block_ + 1] = static_cast<int32_t>(count);
  }
  if (count <= most_rest()) return true;
  starts[0] = kWhole;
  return false;
}

// Sums are taken modulo 2^32, as the sums of products are.
void TiledIntegerWeights::pack_terms(const onnxrun_tensor& weights, int32_t x_zero, const int32_t* bias,
                                     void* packed) const {
  const uint8_t flip = TiledIntegerWeights::flip(weights);
  int32_t* starts = const_cast<int32_t*>(offsets(packed));
  int32_t* terms = const_cast<int32_t*>(outside(packed));
  std::vector<uint32_t> sums(static_cast<size_t>(kernel_));
  for (int64_t m = 0; m < packed_filters_; ++m) {
    std::ranges::fill(sums, 0u);
    if (m < filters_) {
      const uint8_t* from = static_cast<const uint8_t*>(weights.data) + m * channels_ * kernel_;
      const auto number = [&](int64_t i) { return static_cast<uint32_t>(static_cast<int8_t>(from[i] ^ flip)); };
      if (kernel_ == 1)
        for (int64_t c = 0; c < channels_; ++c) sums[0] += number(c);
      else
        for (int64_t c = 0; c < channels_; ++c)
          for (int64_t k = 0; k < kernel_; ++k) sums[static_cast<size_t>(k)] += number(c * kernel_ + k);
    }
    uint32_t start = bias == nullptr || m >= filters_ ? 0 : static_cast<uint32_t>(bias[m]);
    for (int64_t k = 0; k < kernel_; ++k) {
      const uint32_t term = sums[static_cast<size_t>(k)] * static_cast<uint32_t>(x_zero);
      terms[k * packed_filters_ + m] = static_cast<int32_t>(term);
      start -= term;
    }
    starts[m] = static_cast<int32_t>(start);
  }
}

IntegerBlockConvolution shared_of(const IntegerResult& result) {
  IntegerBlockConvolution shared{};
  shared.zero = result.zero;
  shared.outside = result.x_zero;
  shared.low = static_cast<float>(-shared.zero);
  shared.high = static_cast<float>(255 - result.zero);
  shared.sum_high = static_cast<float>(255 - result.zero_of_sum);
  shared.zero_of_sum = result.zero_of_sum;
  shared.zero_of_added = result.zero_of_added;
  shared.scale_of_sum = result.scale_of_sum;
  shared.scale_of_added = result.scale_of_added;
  return shared;
}

TiledIntegerConvolution::TiledIntegerConvolution(const WindowGeometry& g, const onnxrun_tensor& weights, int64_t groups,
                                                 bool plain, const IntegerResult& result, int threads)
    : functions_(functions_for(weights, groups, plain)),
      weights_(weights, groups, plain),
      tiles_(limits(functions_), g, groups, plain, threads),
      images_(g.batch),
      channels_(g.in_channels),
      plane_(g.in_size) {
  shared_ = shared_of(result);
  shared_.shape = tiles_.shape();
  shared_.packed_filters = weights_.packed_filters();
  if (this->plain())
    joined_bytes_ =
        base::checked_mul(base::checked_mul(images_, plane_), IntegerBlockConvolutionFunctions::kPlainPosition);
  else if (functions_.joins()) joined_bytes_ = tiles_.joined().channels();
}

const uint8_t* TiledIntegerConvolution::join(RunContext& context, const uint8_t* x) const {
  uint8_t* to = static_cast<uint8_t*>(context.scratch());
  const int64_t position = functions_.position;
  tiles_.joined().run(
      context, x,
      [&](const uint8_t* const* from, int64_t at, int64_t count) { functions_.join(from, to + at * position, count); },
      [&](int64_t at, int64_t count) { std::fill_n(to + at * position, count * position, shared_.outside); });
  return to;
}

const uint8_t* TiledIntegerConvolution::interleave(RunContext& context, const uint8_t* x) const {
  uint8_t* to = static_cast<uint8_t*>(context.scratch());
  constexpr int64_t kPosition = IntegerBlockConvolutionFunctions::kPlainPosition;
  const int64_t pieces = (plane_ + kPiece - 1) / kPiece;
  parallel_polled(context, images_ * pieces, kPiece * kPosition, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / pieces, first = i % pieces * kPiece;
      // Channels beyond the last meet weights of zero.
      const uint8_t* channels[kPosition];
      for (int64_t c = 0; c < kPosition; ++c)
        channels[c] = x + (image * channels_ + std::min(c, channels_ - 1)) * plane_ + first;
      functions_.interleave(channels, to + (image * plane_ + first) * kPosition, std::min(kPiece, plane_ - first));
    }
  });
  return to;
}

IntegerBlockConvolutionPart TiledIntegerConvolution::place(const ConvolutionTiles::Part& part, const uint8_t* x,
                                                           const void* packed, const uint8_t* added, uint8_t* y) const {
  const ConvolutionTiles::Place place = tiles_.place(part);
  const int32_t* starts = weights_.rest_starts(packed);
  return {.x = x + place.x,
          .weights = weights_at(packed, place),
          .rest_starts = starts == nullptr ? nullptr : starts + part.filter / functions_.block,
          .rest = weights_.rest(packed),
          .next_weights = nullptr,
          .offsets = weights_.offsets(packed) + part.filter,
          .outside = weights_.outside(packed) + part.filter,
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
