// Packing weights of float32, and placing parts.
#include "cpu/loops/tiled_convolution.h"

#include <algorithm>

#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

namespace {

constexpr int64_t kFloat = sizeof(float);

int64_t blocks_of(int64_t channels, int64_t block) { return (channels + block - 1) / block; }

template <class Element>
TileLimits limits() {
  const BlockConvolutionFunctions<Element>& functions = block_convolution_functions<Element>();
  return {.block = functions.block,
          .most_columns = functions.most_columns,
          .position = functions.position,
          .takes_width = functions.takes_width,
          .element_bytes = std::is_same_v<Element, float> ? kFloat : kFloat / 2,
          .gathered_blocks = functions.gathered_blocks,
          .plain_position = std::is_same_v<Element, float> ? 0 : kPlainPairChannels};
}

}  // namespace

std::string TiledWeights::refuse(const onnxrun_tensor& weights, int64_t groups, int64_t stride_width) {
  const auto dims = provider::dims(weights);
  const int64_t block = block_convolution_functions().block;
  if (dims.size() != 3 && dims.size() != 4) return "tiles lie along one or two axes";
  for (const int64_t dim : dims)
    if (dim < 1 || dim > (1 << 24)) return "weights of this size";
  if (dims.back() > BlockTile::kMostTaps) return "kernels as wide as this";
  if (stride_width > 2) return "strides above 2";
  if (!depthwise(weights, groups) && groups > 1 && (dims[1] % block != 0 || dims[0] / groups % block != 0))
    return "groups that do not fill whole channel blocks";
  return {};
}

TiledWeights::TiledWeights(const onnxrun_tensor& weights, int64_t groups)
    : depthwise_(depthwise(weights, groups)),
      filters_(weights.dims[0]),
      channels_(weights.dims[1]),
      kernel_(1),
      block_(block_convolution_functions().block) {
  for (int32_t d = 2; d < weights.rank; ++d) kernel_ *= weights.dims[d];
}

size_t TiledWeights::bytes() const {
  const int64_t channels = depthwise_ ? 1 : blocks_of(channels_, block_) * block_;
  return static_cast<size_t>(blocks_of(filters_, block_) * block_ * kernel_ * channels * kFloat);
}

size_t TiledWeights::pair_bytes() const {
  const int64_t position = block_convolution_functions<Bfloat16Pair>().position;
  const int64_t channels = blocks_of(channels_, position) * position;
  return static_cast<size_t>(blocks_of(filters_, block_) * block_ * kernel_ * channels * (kFloat / 2));
}

void TiledWeights::pack(const float* from, float* to) const {
  if (depthwise_) {
    for (int64_t m = 0; m < filters_; m += block_)
      for (int64_t k = 0; k < kernel_; ++k)
        for (int64_t filter = m; filter < m + block_; ++filter)
          *to++ = filter < filters_ ? from[filter * kernel_ + k] : 0.0f;
    return;
  }
  for (int64_t m = 0; m < filters_; m += block_)
    for (int64_t c = 0; c < blocks_of(channels_, block_) * block_; c += block_)
      for (int64_t k = 0; k < kernel_; ++k)
        for (int64_t channel = c; channel < c + block_; ++channel)
          for (int64_t filter = m; filter < m + block_; ++filter)
            *to++ =
                filter < filters_ && channel < channels_ ? from[(filter * channels_ + channel) * kernel_ + k] : 0.0f;
}

void TiledWeights::pack(const float* from, Bfloat16Pair* to) const {
  const int64_t position = block_convolution_functions<Bfloat16Pair>().position;
  const int64_t chunk = kernel_ * position * block_ / 2;
  for (int64_t m = 0; m < filters_; m += block_)
    for (int64_t c = 0; c < channels_; c += position, to += chunk) {
      std::fill_n(to, chunk, Bfloat16Pair{});
      const int64_t channels = std::min(position, channels_ - c);
      for (int64_t filter = m; filter < std::min(m + block_, filters_); ++filter)
        for (int64_t i = 0; i < channels; ++i)
          for (int64_t k = 0; k < kernel_; ++k) {
            const Bfloat16 weight(from[(filter * channels_ + c + i) * kernel_ + k]);
            Bfloat16Pair& pair = to[(k * position / 2 + i / 2) * block_ + filter - m];
            (i % 2 == 0 ? pair.first : pair.second) = weight;
          }
    }
}

template <class Element>
TiledConvolution<Element>::TiledConvolution(const WindowGeometry& g, int64_t groups, bool plain, int threads)
    : tiles_(limits<Element>(), g, groups, plain, threads),
      shared_(tiles_.shape()),
      images_(g.batch),
      channels_(g.in_channels),
      plane_(g.in_size) {
  shared_.in_plane /= kChannels;
  if constexpr (kRounds)
    elements_ = plain                ? base::checked_mul(base::checked_mul(images_, plane_), kPlainPairChannels)
                : functions_.joins() ? tiles_.joined().channels()
                                     : base::checked_mul(base::checked_mul(images_, plane_),
                                                         blocks_of(channels_, functions_.block) * functions_.block);
}

template <class Element>
void TiledConvolution<Element>::clamp(float low, float high) {
  shared_.clamps = true;
  shared_.low = low;
  shared_.high = high;
}

template <class Element>
const Element* TiledConvolution<Element>::elements(RunContext& context, const float* x) const {
  if constexpr (!kRounds) {
    return x;
  } else {
    Element* to = static_cast<Element*>(context.scratch());
    if (shared_.kind == BlockConvolution::Kind::kPlain) round_plain(context, x, to);
    else round_blocks(context, x, to);
    return to;
  }
}

template <class Element>
void TiledConvolution<Element>::round_blocks(RunContext& context, const float* x, Element* to) const {
  const int64_t block = functions_.block, elements = functions_.position / kChannels;
  if (!functions_.joins()) {
    parallel_polled(context, elements_ / block, 6 * block, [&](int64_t begin, int64_t end) {
      const float* from = x + begin * block;
      functions_.round(&from, to + begin * elements, end - begin);
    });
    return;
  }
  tiles_.joined().run(
      context, x,
      [&](const float* const* from, int64_t at, int64_t count) { functions_.round(from, to + at * elements, count); },
      [&](int64_t at, int64_t count) { std::fill_n(to + at * elements, count * elements, Element{}); });
}

template <class Element>
void TiledConvolution<Element>::round_plain(RunContext& context, const float* x, Element* to) const {
  constexpr int64_t kPiece = 4096;  // positions
  const int64_t pieces = (plane_ + kPiece - 1) / kPiece;
  parallel_polled(context, images_ * pieces, kPiece * kPlainPairChannels * 6, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / pieces, first = i % pieces * kPiece;
      const float* channels[kPlainPairChannels] = {};
      for (int64_t c = 0; c < channels_; ++c) channels[c] = x + (image * channels_ + c) * plane_ + first;
      functions_.round_plain(channels, to + (image * plane_ + first) * kPlainPairChannels / kChannels,
                             std::min(kPiece, plane_ - first));
    }
  });
}

template <class Element>
BlockConvolutionPart<Element> TiledConvolution<Element>::place(const ConvolutionTiles::Part& part, const Element* x,
                                                               const TiledArrays<Element>& arrays) const {
  const ConvolutionTiles::Place place = tiles_.place(part);
  return {.x = x + place.x / kChannels,
          .weights = arrays.weights + place.weights / kChannels,
          .next_weights = nullptr,
          .bias = arrays.bias == nullptr ? nullptr : arrays.bias + part.filter,
          .added = arrays.added == nullptr ? nullptr : arrays.added + place.y,
          .y = arrays.y + place.y,
          .filters = part.filters,
          .row_begin = part.row_begin,
          .row_end = part.row_end,
          .tile_begin = part.tile_begin,
          .tile_end = part.tile_end};
}

template class TiledConvolution<float>;
template class TiledConvolution<Bfloat16Pair>;

}  // namespace onnxrun::cpu
