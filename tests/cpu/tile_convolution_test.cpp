// Convolutions on emulated tiles, against sums over the window; of parts against those of whole numbers.
#include "cpu/loops/tile_convolution.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "tile_registers.h"

namespace onnxrun::cpu {
namespace {

struct Shape {
  int64_t blocks, height, width, kernel_height, kernel_width, stride, dilation, pad, filter_blocks;
};

// Of a row: a whole one and smaller ones.
std::vector<BlockTile> tiles_of(int64_t out_width) {
  std::vector<BlockTile> tiles;
  for (int64_t first = 0; first < out_width; first += tiles.back().width)
    tiles.push_back(
        {.first = first, .width = static_cast<int>(std::min<int64_t>(first == 0 ? 16 : 13, out_width - first))});
  return tiles;
}

BlockConvolution convolution_of(const Shape& s, int64_t out_width, const std::vector<BlockTile>& tiles) {
  BlockConvolution c;
  c.in_blocks = s.blocks;
  c.in_height = s.height;
  c.in_width = s.width;
  c.out_width = out_width;
  c.kernel_height = s.kernel_height;
  c.kernel_width = s.kernel_width;
  c.stride_height = c.stride_width = s.stride;
  c.dilation_height = c.dilation_width = s.dilation;
  c.pad_height = c.pad_width = s.pad;
  c.tiles = tiles.data();
  return c;
}

constexpr Shape kShapes[] = {{1, 1, 90, 1, 1, 1, 1, 0, 2}, {3, 7, 7, 3, 3, 1, 1, 1, 2},  {2, 9, 35, 3, 3, 2, 1, 1, 1},
                             {1, 6, 20, 3, 5, 1, 4, 8, 2}, {1, 2, 3, 5, 7, 1, 1, 12, 2}, {2, 6, 33, 2, 2, 2, 3, 0, 2}};

constexpr int64_t kLanes = 16;

// The kinds of elements: Bytes, or pairs of bfloat16.
struct OfBytes {
  using Registers = ByteRegisters;
  using X = uint8_t;
  using W = int8_t;
  using Sum = int32_t;
  static constexpr uint8_t kOutside = 3;
  static constexpr bool kSkips = false;
};
struct OfPairs {
  using Registers = PairRegisters;
  using X = Bfloat16;
  using W = Bfloat16;
  using Sum = float;
  static constexpr uint8_t kOutside = 0;
  static constexpr bool kSkips = true;
};

template <class T>
T number(Numbers& numbers) {
  const int value = static_cast<int>(numbers.next() % 15);
  if constexpr (std::is_same_v<T, uint8_t>) return static_cast<T>(value);
  else if constexpr (std::is_same_v<T, int8_t>) return static_cast<T>(value - 7);
  else return T(static_cast<float>(value - 7));
}
int whole(uint8_t value) { return value; }
int whole(int8_t value) { return value; }
int whole(Bfloat16 value) { return static_cast<int>(static_cast<float>(value)); }

template <class Kind>
void expect_sums_of_windows(const Shape& s) {
  using X = typename Kind::X;
  using W = typename Kind::W;
  using Sum = typename Kind::Sum;
  constexpr int64_t kWordElements = 4 / static_cast<int64_t>(sizeof(X));
  const int64_t channels = kTileBytes / static_cast<int64_t>(sizeof(X)), words = channels / kWordElements;
  const auto out_of = [&](int64_t in, int64_t kernel) {
    return (in + 2 * s.pad - (kernel - 1) * s.dilation - 1) / s.stride + 1;
  };
  const int64_t out_height = out_of(s.height, s.kernel_height), out_width = out_of(s.width, s.kernel_width);
  ASSERT_GT(out_height, 0);
  ASSERT_GT(out_width, 0);
  Numbers numbers;
  std::vector<X> x(static_cast<size_t>(s.blocks * s.height * s.width * channels));
  for (X& value : x) value = number<X>(numbers);
  const int64_t taps = s.kernel_height * s.kernel_width;
  std::vector<W> weights(static_cast<size_t>(s.filter_blocks * s.blocks * taps * channels * kLanes));
  for (W& value : weights) value = number<W>(numbers);
  std::vector<Sum> starts(static_cast<size_t>(s.filter_blocks * kLanes));
  for (size_t i = 0; i < starts.size(); ++i) starts[i] = static_cast<Sum>(i * 5);

  const std::vector<BlockTile> tiles = tiles_of(out_width);
  const BlockConvolution c = convolution_of(s, out_width, tiles);
  const TileConvolutionOperands operands{.x = reinterpret_cast<const char*>(x.data()),
                                         .weights = reinterpret_cast<const char*>(weights.data()),
                                         .starts = reinterpret_cast<const char*>(starts.data()),
                                         .filter_blocks = s.filter_blocks,
                                         .outside = Kind::kOutside,
                                         .skips_outside = Kind::kSkips};
  std::vector<Sum> y(static_cast<size_t>(s.filter_blocks * out_height * out_width * kLanes), Sum{-1});
  int64_t positions = 0;
  TileConvolution<typename Kind::Registers>(c, operands)
      .run(0, out_height, 0, static_cast<int64_t>(tiles.size()),
           [&](int64_t filter, int64_t row, int64_t first, int64_t width, const char* sums) {
             positions += width;
             for (int64_t r = 0; r < width; ++r)
               std::memcpy(&y[static_cast<size_t>(((filter * out_height + row) * out_width + first + r) * kLanes)],
                           sums + r * kTileBytes, kTileBytes);
           });
  EXPECT_EQ(positions, s.filter_blocks * out_height * out_width);

  for (int64_t filter = 0; filter < s.filter_blocks * kLanes; ++filter)
    for (int64_t row = 0; row < out_height; ++row)
      for (int64_t column = 0; column < out_width; ++column) {
        int64_t sum = static_cast<int64_t>(starts[static_cast<size_t>(filter)]);
        for (int64_t b = 0; b < s.blocks; ++b)
          for (int64_t k = 0; k < taps; ++k) {
            const int64_t h = row * s.stride - s.pad + k / s.kernel_width * s.dilation;
            const int64_t w = column * s.stride - s.pad + k % s.kernel_width * s.dilation;
            const bool inside = h >= 0 && h < s.height && w >= 0 && w < s.width;
            for (int64_t e = 0; e < channels; ++e) {
              const int64_t word = ((filter / kLanes * s.blocks + b) * taps + k) * words + e / kWordElements;
              const W weight =
                  weights[static_cast<size_t>((word * kLanes + filter % kLanes) * kWordElements + e % kWordElements)];
              const int value = inside
                                    ? whole(x[static_cast<size_t>(((b * s.height + h) * s.width + w) * channels + e)])
                                    : Kind::kOutside;
              sum += whole(weight) * value;
            }
          }
        const Sum got = y[static_cast<size_t>(((filter / kLanes * out_height + row) * out_width + column) * kLanes +
                                              filter % kLanes)];
        ASSERT_EQ(got, static_cast<Sum>(sum)) << "filter " << filter << ", row " << row << ", column " << column;
      }
}

// Of positions of several columns with four channels each, of which neighbours overlap.
template <class Kind>
void expect_sums_of_overlapping_positions() {
  using X = typename Kind::X;
  using W = typename Kind::W;
  using Sum = typename Kind::Sum;
  constexpr int64_t kChannels = 4, kWordElements = 4 / static_cast<int64_t>(sizeof(X)),
                    kElements = kTileBytes / static_cast<int64_t>(sizeof(X)), kColumns = kElements / kChannels;
  constexpr int64_t kHeight = 5, kOutWidth = 37, kStride = 2, kRows = 3, kTaps = 2, kFilterBlocks = 2;
  constexpr int64_t kWidth = (kOutWidth - 1) * kStride + kTaps * kColumns;
  Numbers numbers;
  std::vector<X> x(static_cast<size_t>(kHeight * kWidth * kChannels));
  for (X& value : x) value = number<X>(numbers);
  std::vector<W> weights(static_cast<size_t>(kFilterBlocks * kRows * kTaps * kElements * kLanes));
  for (W& value : weights) value = number<W>(numbers);
  const std::vector<Sum> starts(static_cast<size_t>(kFilterBlocks * kLanes), Sum{7});
  const std::vector<BlockTile> tiles = tiles_of(kOutWidth);
  BlockConvolution c =
      convolution_of({1, kHeight, kWidth, kRows, kTaps, kStride, 1, 0, kFilterBlocks}, kOutWidth, tiles);
  c.stride_height = 1;
  c.pad_height = 1;
  c.dilation_width = kColumns;
  const TileConvolutionOperands operands{.x = reinterpret_cast<const char*>(x.data()),
                                         .weights = reinterpret_cast<const char*>(weights.data()),
                                         .starts = reinterpret_cast<const char*>(starts.data()),
                                         .filter_blocks = kFilterBlocks,
                                         .column_bytes = kChannels * static_cast<int64_t>(sizeof(X)),
                                         .outside = Kind::kOutside,
                                         .skips_outside = Kind::kSkips};
  int64_t positions = 0;
  TileConvolution<typename Kind::Registers>(c, operands)
      .run(
          0, kHeight, 0, static_cast<int64_t>(tiles.size()),
          [&](int64_t block, int64_t row, int64_t first, int64_t width, const char* sums) {
            positions += width;
            for (int64_t r = 0; r < width; ++r)
              for (int64_t lane = 0; lane < kLanes; ++lane) {
                int64_t sum = 7;
                for (int64_t k = 0; k < kRows * kTaps; ++k)
                  for (int64_t e = 0; e < kElements; ++e) {
                    const int64_t h = row - 1 + k / kTaps,
                                  at = ((first + r) * kStride + k % kTaps * kColumns) * kChannels + e;
                    const int value = h < 0 || h >= kHeight
                                          ? Kind::kOutside
                                          : whole(x[static_cast<size_t>(h * kWidth * kChannels + at)]);
                    const int64_t word = (block * kRows * kTaps + k) * (kElements / kWordElements) + e / kWordElements;
                    sum +=
                        value *
                        whole(weights[static_cast<size_t>((word * kLanes + lane) * kWordElements + e % kWordElements)]);
                  }
                Sum got;
                std::memcpy(&got, sums + r * kTileBytes + lane * 4, sizeof got);
                ASSERT_EQ(got, static_cast<Sum>(sum))
                    << "filter " << block * kLanes + lane << ", row " << row << ", column " << first + r;
              }
          });
  EXPECT_EQ(positions, kFilterBlocks * kHeight * kOutWidth);
}

TEST(TileConvolution, TakesPositionsThatOverlap) {
  expect_sums_of_overlapping_positions<OfPairs>();
  expect_sums_of_overlapping_positions<OfBytes>();
}

// Products of numbers that are sums of `Parts` small numbers, all but those that are left out.
template <int kParts>
void expect_sums_of_products_of_parts(const Shape& s) {
  constexpr int64_t kChannels = 32;
  const auto out_of = [&](int64_t in, int64_t kernel) {
    return (in + 2 * s.pad - (kernel - 1) * s.dilation - 1) / s.stride + 1;
  };
  const int64_t out_height = out_of(s.height, s.kernel_height), out_width = out_of(s.width, s.kernel_width);
  const int64_t plane = s.height * s.width * kChannels, taps = s.kernel_height * s.kernel_width;
  const int64_t tap = kChannels * kLanes, results = out_height * out_width * kLanes;
  // [input block, part, position, channel] and [filter block, input block, tap, part, pair of channels, filter, channel of the pair].
  std::vector<Bfloat16> x(static_cast<size_t>(s.blocks * kParts * plane)),
      weights(static_cast<size_t>(s.filter_blocks * s.blocks * taps * kParts * tap));
  Numbers numbers;
  for (Bfloat16& value : x) value = number<Bfloat16>(numbers);
  for (Bfloat16& value : weights) value = number<Bfloat16>(numbers);
  const std::vector<BlockTile> tiles = tiles_of(out_width);
  BlockConvolution c = convolution_of(s, out_width, tiles);
  c.out_plane = results;
  std::vector<float> starts(static_cast<size_t>(s.filter_blocks * results));
  for (size_t i = 0; i < starts.size(); ++i) starts[i] = static_cast<float>(i % 1000);
  std::vector<float> y = starts;
  int64_t beside = 0;
  struct Count {
    int64_t* calls;
    void operator()() const { ++*calls; }
  };
  const TileConvolutionOperands operands{.x = reinterpret_cast<const char*>(x.data()),
                                         .weights = reinterpret_cast<const char*>(weights.data()),
                                         .starts = nullptr,
                                         .sums = reinterpret_cast<const char*>(y.data()),
                                         .filter_blocks = s.filter_blocks,
                                         .outside = 0,
                                         .skips_outside = true};
  TileConvolution<PairRegisters, kParts, Count>(c, operands, Count{&beside})
      .run(0, out_height, 0, static_cast<int64_t>(tiles.size()),
           [&](int64_t filter, int64_t row, int64_t first, int64_t width, const char* sums) {
             std::memcpy(&y[static_cast<size_t>(filter * results + (row * out_width + first) * kLanes)], sums,
                         static_cast<size_t>(width * kTileBytes));
           });
  EXPECT_GE(beside, products_of_parts(kParts));
  for (int64_t filter = 0; filter < s.filter_blocks * kLanes; ++filter)
    for (int64_t row = 0; row < out_height; ++row)
      for (int64_t column = 0; column < out_width; ++column) {
        const auto at =
            static_cast<size_t>(filter / kLanes * results + (row * out_width + column) * kLanes + filter % kLanes);
        int64_t sum = static_cast<int64_t>(starts[at]);
        for (int64_t b = 0; b < s.blocks; ++b)
          for (int64_t k = 0; k < taps; ++k) {
            const int64_t h = row * s.stride - s.pad + k / s.kernel_width * s.dilation;
            const int64_t w = column * s.stride - s.pad + k % s.kernel_width * s.dilation;
            if (h < 0 || h >= s.height || w < 0 || w >= s.width) continue;
            for (int p = 0; p < kParts; ++p)
              for (int q = 0; p + q < kParts; ++q)
                for (int64_t e = 0; e < kChannels; ++e)
                  sum += whole(x[static_cast<size_t>((b * kParts + p) * plane + (h * s.width + w) * kChannels + e)]) *
                         whole(weights[static_cast<size_t>(
                             (((filter / kLanes * s.blocks + b) * taps + k) * kParts + q) * tap +
                             (e / 2 * kLanes + filter % kLanes) * 2 + e % 2)]);
          }
        ASSERT_EQ(y[at], static_cast<float>(sum)) << "filter " << filter << ", row " << row << ", column " << column;
      }
}

class TileConvolutions : public testing::TestWithParam<Shape> {};

TEST_P(TileConvolutions, OfBytesAreSumsOverWindows) { expect_sums_of_windows<OfBytes>(GetParam()); }
TEST_P(TileConvolutions, OfPairsAreSumsOverWindows) { expect_sums_of_windows<OfPairs>(GetParam()); }
TEST_P(TileConvolutions, OfPartsAreSumsOverWindows) {
  expect_sums_of_products_of_parts<2>(GetParam());
  expect_sums_of_products_of_parts<3>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, TileConvolutions, testing::ValuesIn(kShapes));

}  // namespace
}  // namespace onnxrun::cpu
