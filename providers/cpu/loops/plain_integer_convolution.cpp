// How plain 8-bit images are laid out for tiles, and their filters.
#include "cpu/loops/plain_integer_convolution.h"

#include <cstring>

#include "base/checked.h"
#include "base/parallel.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

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
      windows_(g, PlainIntegerFilters::kColumns, threads),
      shared_(shared_of(result)) {
  shared_.shape = windows_.shape();
  shared_.shape.out_plane = g.out_size * PlainIntegerFilters::kBlock;
  shared_.packed_filters = filters_.blocks() * PlainIntegerFilters::kBlock;
  shared_.column_bytes = PlainIntegerFilters::kChannels;
}

size_t PlainIntegerConvolution::scratch_bytes() const {
  return windows_.fit() ? static_cast<size_t>(base::checked_mul(windows_.columns(), shared_.column_bytes)) : 0;
}

void PlainIntegerConvolution::interleave(RunContext& context, const uint8_t* image) const {
  const IntegerBlockConvolutionFunctions& functions = integer_block_convolution_functions();
  constexpr int64_t kColumn = PlainIntegerFilters::kChannels;
  const int64_t width = shared_.shape.in_width, height = shared_.shape.in_height;
  const int64_t before = windows_.before() * kColumn, inside = windows_.inside() * kColumn,
                behind = windows_.behind() * kColumn;
  uint8_t* to = static_cast<uint8_t*>(context.scratch());
  parallel_polled(context, height, Cost(width) * kColumn, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      // Channels beyond the last meet weights of zero.
      const uint8_t* channels[kColumn];
      for (int64_t c = 0; c < kColumn; ++c)
        channels[c] = image + (std::min(c, channels_ - 1) * height + row) * windows_.in_width();
      uint8_t* line = to + row * width * kColumn;
      std::memset(line, shared_.outside, static_cast<size_t>(before));
      functions.interleave(channels, line + before, windows_.inside());
      std::memset(line + before + inside, shared_.outside, static_cast<size_t>(behind));
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
  const PlainWindows::Rows rows = windows_.rows_of(spot);
  part.row_begin = rows.begin;
  part.row_end = rows.end;
  part.tile_end = static_cast<int64_t>(windows_.tiles().size());
  return part;
}

}  // namespace onnxrun::cpu
