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

// Columns of padding beyond as many as the image has.
constexpr int64_t kMostOutside = 32;
// Products of a task: a cancelled run waits for those that are under way.
constexpr int64_t kTaskProducts = int64_t{1} << 28;
constexpr int64_t kSpotsOfThread = 4;

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
      in_width_(g.in.back()),
      filters_{.filters = g.out_channels,
               .channels = g.in_channels,
               .height = g.kernel.size() == 1 ? 1 : g.kernel[0],
               .width = g.kernel.back(),
               .parts = parts},
      floats_(one_image(g), 1, true, threads > 0 ? threads : base::available_cpus()) {
  if (g.in.size() == 2) {
    in_height_ = g.in[0];
    out_height_ = g.out[0];
    shape_.stride_height = g.strides[0];
    shape_.dilation_height = g.dilations[0];
    shape_.pad_height = g.pad_begin[0];
  }
  before_ = std::max<int64_t>(0, g.pad_begin.back());
  shape_.in_blocks = 1;
  shape_.in_height = in_height_;
  shape_.kernel_height = filters_.height;
  shape_.kernel_width = filters_.taps_across();
  shape_.dilation_width = PlainFilters::kColumns;
  shape_.stride_width = g.strides.back();
  shape_.out_width = g.out.back();
  shape_.out_plane = g.out_size * kPartBlock;
  if (g.batch * g.out_size == 0) return;
  // Whole positions of the last column as well.
  shape_.in_width = (shape_.out_width - 1) * shape_.stride_width + filters_.taps_across() * PlainFilters::kColumns;
  takes_ = g.pad_begin.back() >= 0 && before_ <= shape_.in_width && shape_.in_width <= 2 * in_width_ + kMostOutside;
  if (!takes_) return;
  for (int64_t first = 0; first < shape_.out_width; first += kTileRows)
    tiles_.push_back({.first = first, .width = static_cast<int>(std::min(kTileRows, shape_.out_width - first))});
  const int64_t of_row = shape_.out_width * g.out_channels * filters_.height * shape_.kernel_width * kPartPosition;
  const int64_t slots = threads > 0 ? threads : base::available_cpus();
  spot_rows_ = std::clamp<int64_t>(std::min(ceil_div(out_height_, kSpotsOfThread * slots), kTaskProducts / of_row), 1,
                                   out_height_);
}

void PlainPartConvolution::clamp(float low, float high) {
  shape_.clamps = true;
  shape_.low = low;
  shape_.high = high;
  floats_.clamp(low, high);
}

int64_t PlainPartConvolution::plane_bytes() const {
  return base::checked_mul(in_height_, base::checked_mul(shape_.in_width, kColumnBytes));
}

size_t PlainPartConvolution::scratch_bytes() const {
  return takes_ ? static_cast<size_t>(base::checked_mul(plane_bytes(), int64_t{filters_.parts})) : 0;
}

bool PlainPartConvolution::split(RunContext& context, const TiledArrays<float>& image,
                                 const PartExtents& weights) const {
  char* to = static_cast<char*>(context.scratch());
  const int64_t row_bytes = shape_.in_width * kColumnBytes, inside = std::min(in_width_, shape_.in_width - before_);
  SharedExtents extents;
  parallel_polled(context, in_height_, Cost(shape_.in_width) * kPlainPairChannels * 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* channels[kPlainPairChannels] = {};
      for (int64_t c = 0; c < filters_.channels; ++c) channels[c] = image.x + (c * in_height_ + row) * in_width_;
      char* line = to + row * row_bytes;
      const int64_t behind = before_ + inside;
      for (int part = 0; part < filters_.parts; ++part) {
        char* at = line + part * plane_bytes();
        std::memset(at, 0, static_cast<size_t>(before_ * kColumnBytes));
        std::memset(at + behind * kColumnBytes, 0, static_cast<size_t>((shape_.in_width - behind) * kColumnBytes));
      }
      extents.take(split_columns({.channels = {channels[0], channels[1], channels[2], channels[3]},
                                  .count = inside,
                                  .to = line + before_ * kColumnBytes,
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
  return {.x = static_cast<const Bfloat16Pair*>(context.scratch()),
          .weights = reinterpret_cast<const Bfloat16Pair*>(filters + 2 * pair * filters_.block_bytes()),
          .next_weights = nullptr,
          .bias = image.bias == nullptr ? nullptr : image.bias + filter,
          .added = image.added == nullptr ? nullptr : image.added + plane,
          .y = image.y + plane,
          .filters = std::min(2 * kPartBlock, filters_.filters - filter),
          .row_begin = spot * spot_rows_,
          .row_end = std::min(out_height_, (spot + 1) * spot_rows_),
          .tile_begin = 0,
          .tile_end = static_cast<int64_t>(tiles_.size())};
}

TiledArrays<float> PlainPartConvolution::of_image(const TiledArrays<float>& arrays, int64_t image) const {
  TiledArrays<float> result = arrays;
  const int64_t out = filters_.blocks() * shape_.out_plane;
  result.x += image * filters_.channels * in_height_ * in_width_;
  result.y += image * out;
  if (result.added != nullptr) result.added += image * out;
  return result;
}

}  // namespace onnxrun::cpu
