// How plain images are brought into parts, and their filters.
#include "cpu/loops/plain_part_convolution.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/parallel.h"
#include "cpu/loops/part_order.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/shared_extents.h"

namespace onnxrun::cpu {

using base::ceil_div;

namespace {

WindowGeometry one_image(WindowGeometry g) {
  g.batch = std::min<int64_t>(g.batch, 1);
  return g;
}

}  // namespace

void PlainFilters::pack(const float* weights, char* to) const {
  const int64_t across = taps_across();
  std::memset(to, 0, static_cast<size_t>(bytes()));
  // A tap as rows of what its columns see: [column, channel] of a filter.
  const auto number = [&](int64_t filter, int64_t row, int64_t column, int64_t channel) {
    if (filter >= filters || column >= width || channel >= channels) return 0.0f;
    return weights[((filter * channels + channel) * height + row) * width + column];
  };
  for (int64_t block = 0; block < blocks(); ++block)
    for (int64_t row = 0; row < height; ++row)
      for (int64_t tap = 0; tap < across; ++tap) {
        char* tile = to + block * block_bytes() + (row * across + tap) * parts * PartOperands::kTile;
        for (int64_t k = 0; k < kPartPosition; ++k)
          for (int64_t m = 0; m < kPartBlock; ++m) {
            float left =
                number(block * kPartBlock + m, row, tap * kColumns + k / kPlainPairChannels, k % kPlainPairChannels);
            for (int part = 0; part < parts; ++part) {
              const base::Bfloat16 rounded(left);
              left -= static_cast<float>(rounded);
              std::memcpy(tile + part * PartOperands::kTile + k / 2 * kTileBytes + m * 4 + k % 2 * 2, &rounded,
                          sizeof rounded);
            }
          }
      }
}

// Measured with 3 channels, 16 to 64 filters and kernels 3 to 11 wide.
bool PlainPartConvolution::pays(int64_t channels, int64_t filters, int64_t width, int parts) {
  constexpr int64_t kFew = 9, kFiltersOfFew = 48;  // numbers of a row of the kernel
  const int64_t seen = channels * width, taps = ceil_div(width, PlainFilters::kColumns);
  return filters >= (seen <= kFew ? kFiltersOfFew : kPartBlock) && 7 * taps * products_of_parts(parts) <= 2 * seen;
}

PlainPartConvolution::PlainPartConvolution(const WindowGeometry& g, int parts, int threads)
    : images_(g.batch),
      filters_{.filters = g.out_channels,
               .channels = g.in_channels,
               .height = g.kernel.size() == 1 ? 1 : g.kernel[0],
               .width = g.kernel.back(),
               .parts = parts},
      windows_(g, PlainFilters::kColumns, threads),
      shape_(windows_.shape()),
      floats_(one_image(g), 1, true, threads > 0 ? threads : base::available_cpus()) {
  shape_.out_plane = g.out_size * kPartBlock;
}

void PlainPartConvolution::clamp(float low, float high) {
  shape_.clamps = true;
  shape_.low = low;
  shape_.high = high;
  floats_.clamp(low, high);
}

size_t PlainPartConvolution::scratch_bytes() const {
  return windows_.fit() ? static_cast<size_t>(base::checked_mul(plane_bytes(), int64_t{filters_.parts})) : 0;
}

bool PlainPartConvolution::split(RunContext& context, const TiledArrays<float>& image,
                                 const PartExtents& weights) const {
  char* to = static_cast<char*>(context.scratch());
  const int64_t row_bytes = shape_.in_width * kColumnBytes, height = shape_.in_height;
  const int64_t before = windows_.before() * kColumnBytes, inside = windows_.inside() * kColumnBytes,
                behind = windows_.behind() * kColumnBytes;
  SharedExtents extents;
  parallel_polled(context, height, Cost(shape_.in_width) * kPlainPairChannels * 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* channels[kPlainPairChannels] = {};
      for (int64_t c = 0; c < filters_.channels; ++c) channels[c] = image.x + (c * height + row) * windows_.in_width();
      char* line = to + row * row_bytes;
      for (int part = 0; part < filters_.parts; ++part) {
        char* at = line + part * plane_bytes();
        std::memset(at, 0, static_cast<size_t>(before));
        std::memset(at + before + inside, 0, static_cast<size_t>(behind));
      }
      extents.take(split_columns({.channels = {channels[0], channels[1], channels[2], channels[3]},
                                  .count = windows_.inside(),
                                  .to = line + before,
                                  .part = plane_bytes()},
                                 filters_.parts));
    }
  });
  // Zeros beside the kernel meet numbers that are not its own.
  const auto finite = [](const PartExtents& e) { return e.most < 0x1p127f; };
  if (filters_.parts == 1) return finite(extents.result()) && finite(weights);
  const int64_t depth = filters_.channels * filters_.height * filters_.width;
  return parts_are_safe(extents.result(), weights, depth) &&
         (image.bias == nullptr || starts_are_safe(extents_of(image.bias, filters_.filters, 1, filters_.filters)));
}

BlockConvolutionPart<Bfloat16Pair> PlainPartConvolution::place(RunContext& context, const TiledArrays<float>& image,
                                                               const char* filters, int64_t spot, int64_t pair) const {
  const int64_t filter = 2 * pair * kPartBlock, plane = 2 * pair * shape_.out_plane;
  const auto [row_begin, row_end] = windows_.rows_of(spot);
  return {.x = static_cast<const Bfloat16Pair*>(context.scratch()),
          .weights = reinterpret_cast<const Bfloat16Pair*>(filters + 2 * pair * filters_.block_bytes()),
          .next_weights = nullptr,
          .bias = image.bias == nullptr ? nullptr : image.bias + filter,
          .added = image.added == nullptr ? nullptr : image.added + plane,
          .y = image.y + plane,
          .filters = std::min(2 * kPartBlock, filters_.filters - filter),
          .row_begin = row_begin,
          .row_end = row_end,
          .tile_begin = 0,
          .tile_end = static_cast<int64_t>(windows_.tiles().size())};
}

TiledArrays<float> PlainPartConvolution::of_image(const TiledArrays<float>& arrays, int64_t image) const {
  TiledArrays<float> result = arrays;
  const int64_t out = filters_.blocks() * shape_.out_plane;
  result.x += image * filters_.channels * shape_.in_height * windows_.in_width();
  result.y += image * out;
  if (result.added != nullptr) result.added += image * out;
  return result;
}

}  // namespace onnxrun::cpu
