// How plain 8-bit images are laid out for tiles, and their filters.
#include "cpu/loops/plain_integer_convolution.h"

#include <cstring>

#include "base/checked.h"
#include "base/parallel.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

using base::ceil_div;

namespace {

// Columns of padding beyond as many as the image has.
constexpr int64_t kMostOutside = 32;
// Products of a task: a cancelled run waits for those that are under way.
constexpr int64_t kTaskProducts = int64_t{1} << 28;
constexpr int64_t kSpotsOfThread = 4;

}  // namespace

PlainIntegerFilters::PlainIntegerFilters(const onnxrun_tensor& weights)
    : filters_(weights.dims[0]),
      channels_(weights.dims[1]),
      height_(weights.rank == 4 ? weights.dims[2] : 1),
      width_(weights.dims[weights.rank - 1]) {}

// Sums are taken modulo 2^32, as the sums of products are. They start as if every tap saw the image: what is outside has the value that stands for zero.
void PlainIntegerFilters::pack_weights(const onnxrun_tensor& weights, int32_t x_zero, const int32_t* bias,
                                       void* packed) const {
  const bool is_unsigned = dtype(weights) == DType::kUint8;
  auto* to = static_cast<int8_t*>(packed);
  int32_t* starts = const_cast<int32_t*>(offsets(packed));
  std::memset(packed, 0, bytes());
  for (int64_t m = 0; m < filters_; ++m) {
    uint32_t start = bias == nullptr ? 0 : static_cast<uint32_t>(bias[m]);
    for (int64_t c = 0; c < channels_; ++c)
      for (int64_t row = 0; row < height_; ++row)
        for (int64_t column = 0; column < width_; ++column) {
          const int64_t at = ((m * channels_ + c) * height_ + row) * width_ + column;
          const int32_t value = is_unsigned ? static_cast<const uint8_t*>(weights.data)[at] - 128
                                            : static_cast<const int8_t*>(weights.data)[at];
          const int64_t tap = (m / kBlock * height_ + row) * taps() + column / kColumns;
          to[((tap * kColumns + column % kColumns) * kBlock + m % kBlock) * kChannels + c] = static_cast<int8_t>(value);
          start -= static_cast<uint32_t>(value * x_zero);
        }
    starts[m] = static_cast<int32_t>(start);
  }
}

PlainIntegerConvolution::PlainIntegerConvolution(const WindowGeometry& g, const PlainIntegerFilters& filters,
                                                 const IntegerResult& result, int threads)
    : functions_(integer_block_convolution_functions(false, 1, g.in_channels)),
      filters_(filters),
      images_(g.batch),
      channels_(g.in_channels),
      in_width_(g.in.back()),
      shared_(shared_of(result)) {
  BlockConvolution& shape = shared_.shape;
  if (g.in.size() == 2) {
    in_height_ = g.in[0];
    out_height_ = g.out[0];
    shape.stride_height = g.strides[0];
    shape.dilation_height = g.dilations[0];
    shape.pad_height = g.pad_begin[0];
  }
  shared_.packed_filters = filters_.blocks() * PlainIntegerFilters::kBlock;
  shared_.column_bytes = PlainIntegerFilters::kChannels;
  shape.in_blocks = 1;
  shape.in_height = in_height_;
  shape.kernel_height = filters_.height();
  shape.kernel_width = filters_.taps();
  shape.dilation_width = PlainIntegerFilters::kColumns;
  shape.stride_width = g.strides.back();
  shape.out_width = g.out.back();
  shape.out_plane = g.out_size * PlainIntegerFilters::kBlock;
  before_ = std::max<int64_t>(0, g.pad_begin.back());
  if (g.batch * g.out_size == 0) {
    images_ = 0;
    return;
  }
  // Whole positions of the last column as well.
  shape.in_width = (shape.out_width - 1) * shape.stride_width + filters_.taps() * PlainIntegerFilters::kColumns;
  if (g.pad_begin.back() < 0 || before_ > shape.in_width || shape.in_width > 2 * in_width_ + kMostOutside) {
    refusal_ = "images that are padding for the most part";
    return;
  }
  for (int64_t first = 0; first < shape.out_width; first += kTileRows)
    tiles_.push_back({.first = first, .width = static_cast<int>(std::min(kTileRows, shape.out_width - first))});
  const int64_t of_row = shape.out_width * filters_.filters() * filters_.height() * filters_.taps() * kTileBytes;
  const int64_t slots = threads > 0 ? threads : base::available_cpus();
  spot_rows_ = std::clamp<int64_t>(std::min(ceil_div(out_height_, kSpotsOfThread * slots), kTaskProducts / of_row), 1,
                                   out_height_);
}

size_t PlainIntegerConvolution::scratch_bytes() const {
  if (images_ == 0 || refusal_ != nullptr) return 0;
  return static_cast<size_t>(
      base::checked_mul(in_height_, base::checked_mul(shared_.shape.in_width, shared_.column_bytes)));
}

void PlainIntegerConvolution::interleave(RunContext& context, const uint8_t* image) const {
  const IntegerBlockConvolutionFunctions& functions = integer_block_convolution_functions();
  constexpr int64_t kColumn = PlainIntegerFilters::kChannels;
  const int64_t width = shared_.shape.in_width, inside = std::min(in_width_, width - before_);
  uint8_t* to = static_cast<uint8_t*>(context.scratch());
  parallel_polled(context, in_height_, Cost(width) * kColumn, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      // Channels beyond the last meet weights of zero.
      const uint8_t* channels[kColumn];
      for (int64_t c = 0; c < kColumn; ++c)
        channels[c] = image + (std::min(c, channels_ - 1) * in_height_ + row) * in_width_;
      uint8_t* line = to + row * width * kColumn;
      std::memset(line, shared_.outside, static_cast<size_t>(before_ * kColumn));
      functions.interleave(channels, line + before_ * kColumn, inside);
      std::memset(line + (before_ + inside) * kColumn, shared_.outside,
                  static_cast<size_t>((width - before_ - inside) * kColumn));
    }
  });
}

IntegerBlockConvolutionPart PlainIntegerConvolution::place(RunContext& context, const void* packed,
                                                           const uint8_t* added, uint8_t* y, int64_t spot,
                                                           int64_t pair) const {
  const int64_t filter = 2 * pair * PlainIntegerFilters::kBlock, plane = 2 * pair * shared_.shape.out_plane;
  IntegerBlockConvolutionPart part{};
  part.x = static_cast<const uint8_t*>(context.scratch());
  part.weights = filters_.block(packed, 2 * pair);
  part.offsets = filters_.offsets(packed) + filter;
  part.scales = filters_.scales(packed) + filter;
  part.added = added == nullptr ? nullptr : added + plane;
  part.y = y + plane;
  part.filters = std::min(2 * PlainIntegerFilters::kBlock, filters_.filters() - filter);
  part.row_begin = spot * spot_rows_;
  part.row_end = std::min(out_height_, part.row_begin + spot_rows_);
  part.tile_end = static_cast<int64_t>(tiles_.size());
  return part;
}

}  // namespace onnxrun::cpu
