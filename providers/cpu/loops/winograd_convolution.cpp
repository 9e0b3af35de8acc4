// Packing weights, and cutting images into strips.
#include "cpu/loops/winograd_convolution.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "cpu/loops/convert.h"

namespace onnxrun::cpu {

namespace {

// Bytes of numbers of a strip that stay in the second cache while filters pass by, unless that were so few tiles that weights are read too often.
constexpr int64_t kStripBytes = 256 << 10;
constexpr int64_t kManyTiles = 28, kMostTiles = 64;
// The fewest tiles of a strip where threads would have none.
constexpr int64_t kFewTiles = 6;
// Channels and filters from which on there are products enough to pay for the transforms, and the most that a strip has room for.
constexpr int64_t kLeastChannels = 16, kMostChannels = 8192;
// Far from where numbers, which are at most nine weights, overflow.
constexpr float kLargest = 0x1p100f;

int64_t blocks_of(int64_t channels, int64_t block) { return (channels + block - 1) / block; }

// Four numbers of three weights.
void transform(const double (&g)[3], double (&to)[4]) {
  to[0] = g[0];
  to[1] = (g[0] + g[1] + g[2]) / 2;
  to[2] = (g[0] - g[1] + g[2]) / 2;
  to[3] = g[2];
}

}  // namespace

std::string WinogradWeights::refuse(const onnxrun_tensor& weights) {
  const auto dims = provider::dims(weights);
  if (dims.size() != 4 || dims[2] != 3 || dims[3] != 3) return "kernels that are not 3x3";
  if (std::min(dims[0], dims[1]) < kLeastChannels) return "so few channels or filters are not worth transforming";
  if (std::max(dims[0], dims[1]) > kMostChannels) return "so many channels";
  return {};
}

WinogradWeights::WinogradWeights(const onnxrun_tensor& weights)
    : filters_(weights.dims[0]), channels_(weights.dims[1]), block_(winograd_functions().block) {}

bool WinogradWeights::takes(const onnxrun_tensor& weights) const {
  constexpr int64_t kPiece = 1024;
  const auto convert = converter(dtype(weights), DType::kFloat32);
  const int64_t count = filters_ * channels_ * 9, bytes = base::dtype_bits(dtype(weights)) / 8;
  float piece[kPiece];
  for (int64_t at = 0; at < count; at += kPiece) {
    const int64_t n = std::min(kPiece, count - at);
    convert(static_cast<const char*>(weights.data) + at * bytes, piece, n);
    if (!std::all_of(piece, piece + n, [](float w) { return std::abs(w) < kLargest; })) return false;
  }
  return true;
}

size_t WinogradWeights::bytes() const {
  return static_cast<size_t>(Winograd::kNumbers * blocks_of(filters_, block_) * blocks_of(channels_, block_) * block_ *
                             block_) *
         sizeof(float);
}

void WinogradWeights::pack(const float* from, float* to) const {
  const int64_t in = blocks_of(channels_, block_) * block_, stride = blocks_of(filters_, block_) * block_ * in;
  for (int64_t m = 0; m < filters_; m += block_)
    for (int64_t c = 0; c < in; ++c)
      for (int64_t filter = m; filter < m + block_; ++filter, ++to) {
        double weights[3][3] = {}, half[4][3], numbers[4];
        if (filter < filters_ && c < channels_)
          for (int64_t k = 0; k < 9; ++k)
            weights[k / 3][k % 3] = static_cast<double>(from[(filter * channels_ + c) * 9 + k]);
        // Along the columns, then along the rows.
        for (int64_t j = 0; j < 3; ++j) {
          const double column[3] = {weights[0][j], weights[1][j], weights[2][j]};
          transform(column, numbers);
          for (int64_t i = 0; i < 4; ++i) half[i][j] = numbers[i];
        }
        for (int64_t i = 0; i < 4; ++i) {
          transform(half[i], numbers);
          for (int64_t j = 0; j < 4; ++j) to[(4 * i + j) * stride] = static_cast<float>(numbers[j]);
        }
      }
}

WinogradConvolution::WinogradConvolution(const WindowGeometry& g, int threads)
    : image_{.in_height = g.in[0],
             .in_width = g.in[1],
             .out_height = g.out[0],
             .out_width = g.out[1],
             .pad_height = g.pad_begin[0],
             .pad_width = g.pad_begin[1]},
      images_(g.batch),
      in_blocks_(blocks_of(g.in_channels, functions_.block)),
      filters_(g.out_channels),
      out_blocks_(blocks_of(filters_, functions_.block)),
      width_([&] {
        const int64_t tiles = image_.tiles(), work = images_ * tiles;
        if (work == 0) return int64_t{1};
        const int64_t bytes = Winograd::kNumbers * in_blocks_ * functions_.block * static_cast<int64_t>(sizeof(float));
        const int64_t most = std::clamp(kStripBytes / bytes, kManyTiles, kMostTiles);
        const int64_t each = std::clamp((work + threads - 1) / threads, kFewTiles, most);
        const int64_t strips = (tiles + each - 1) / each;
        return padded((tiles + strips - 1) / strips);
      }()),
      strips_((image_.tiles() + width_ - 1) / width_),
      slots_(std::clamp<int64_t>(images_ * strips_, 1, threads)) {}

void WinogradConvolution::clamp(float low, float high) {
  end_.clamps = true;
  end_.low = low;
  end_.high = high;
}

size_t WinogradConvolution::scratch_bytes() const {
  return static_cast<size_t>(base::checked_mul(slots_, slot_floats())) * sizeof(float);
}

void WinogradConvolution::spread(const TiledArrays<float>& arrays, const Strip& strip, float* memory) const {
  const int64_t plane = image_.in_height * image_.in_width * functions_.block;
  const float* x = image(arrays, strip);
  for (int64_t b = 0; b < in_blocks_; ++b)
    functions_.spread(image_, x + b * plane, strip.first, strip.count, memory + b * strip.width * functions_.block,
                      spread_stride());
}

void WinogradConvolution::multiply(const TiledArrays<float>& arrays, const Strip& strip, int64_t block,
                                   float* memory) const {
  const int64_t filter_block = in_blocks_ * functions_.block * functions_.block;
  float* sums = memory + Winograd::kNumbers * spread_stride();
  for (int64_t n = 0; n < Winograd::kNumbers; ++n)
    functions_.multiply(memory + n * spread_stride(), strip.width, in_blocks_,
                        arrays.weights + (n * out_blocks_ + block) * filter_block, filter_block,
                        block + 1 < out_blocks_, sums + n * sums_stride());
}

Winograd::End WinogradConvolution::gather(const TiledArrays<float>& arrays, const Strip& strip, int64_t block,
                                          float* memory) const {
  const int64_t size = functions_.block, plane = image_.out_height * image_.out_width * size;
  const int64_t at = (strip.image * out_blocks_ + block) * plane;
  float bias[kLine] = {};
  Winograd::End end = end_;
  end.lanes = std::min(size, filters_ - block * size);
  if (arrays.bias != nullptr) std::copy_n(arrays.bias + block * size, end.lanes, bias);
  end.bias = bias;
  end.added = arrays.added == nullptr ? nullptr : arrays.added + at;
  end.y = arrays.y + at;
  const float* sums = memory + Winograd::kNumbers * spread_stride() + block % 2 * strip.width * size;
  const int64_t filter_block = in_blocks_ * size * size;
  functions_.gather(image_, sums, sums_stride(), strip.first, strip.count,
                    {.x = image(arrays, strip),
                     .weights = arrays.weights + block * filter_block,
                     .blocks = in_blocks_,
                     .stride = out_blocks_ * filter_block},
                    end);
  end.bias = nullptr;
  return end;
}

}  // namespace onnxrun::cpu
