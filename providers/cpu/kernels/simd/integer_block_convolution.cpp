// Convolutions of 8-bit values on blocked channels at one instruction set level: blocks of 8 channels at v3, 16 from v4 on.
#include "cpu/loops/integer_block_convolution.h"

#include <algorithm>

#include "convolution_tile.h"
#include "integer_dot.h"

#if ONNXRUN_SIMD_LEVEL == 3 || ONNXRUN_SIMD_LEVEL == 4

#include "integer_bytes.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const IntegerBlockConvolutionFunctions& integer_block_convolution_functions();

namespace {

using integer::Floats, integer::load, integer::splat, integer::Sums;
using Kind = BlockConvolution::Kind;

constexpr int64_t kBlock = integer::kLanes;
constexpr int64_t kPlainPosition = IntegerBlockConvolutionFunctions::kPlainPosition;
// Words are the 4 bytes of neighbouring channels that a lane multiplies at once.
constexpr int64_t kWordChannels = IntegerBlockConvolutionFunctions::kWordChannels, kWordBytes = kWordChannels * kBlock;

// Of depthwise convolutions each weight is a word.
template <Kind K>
inline constexpr int64_t kPositionBytes = K == Kind::kPlain ? kPlainPosition : kBlock;
template <Kind K>
inline constexpr int64_t kTapBytes = K == Kind::kDepthwise ? kWordBytes : kBlock* kBlock;

// One tile. Lengths are in bytes.
struct TileCall {
  const char* x;  // what the first tap of the first position sees; may lie outside where that tap does not count
  const char* weights;
  const int32_t* starts;   // of each filter
  const int32_t* outside;  // [column of the kernel, filter]: of a tap that lies outside
  const float* scales;
  const uint8_t* added;
  uint8_t* y;
  const int8_t* taps;
  int64_t x_block, x_row, x_column, w_filter, w_block, plane;
  int64_t rows, columns, blocks, words, last_words;
  const char* ahead;    // weights that come near meanwhile,
  int64_t ahead_lines;  // so many lines with each tap
  // What remains of weights in parts, of each of the blocks of filters; rows of the kernel before first_row see nothing.
  const char *rest[2], *rest_end[2];
  int64_t first_row;
  const IntegerBlockConvolution* shared;
};

constexpr int64_t kLine = 64;

inline Sums word_at(const char* from) {
  int32_t word;
  std::memcpy(&word, from, 4);
  return splat(word);
}

// One tap of one input block, at the positions from Low to R - High.
template <int R, int F, int Step, Kind K, bool Parts, int Low, int High>
[[gnu::always_inline]] inline void add_tap(const char* x, const char* w, int64_t w_filter, int64_t words,
                                           Sums (&sums)[R][F]) {
  constexpr int64_t kStep = Step * kPositionBytes<K>;
  if constexpr (Low + High >= R) {
    return;
  } else if constexpr (K == Kind::kDepthwise) {
    const Sums weights = load(w);
#pragma GCC unroll 16
    for (int r = Low; r < R - High; ++r)
      sums[r][0] = integer::dot_pairs(sums[r][0], integer::load_bytes(x + r * kStep), weights);
  } else {
    for (int64_t c = 0; c < words; ++c, x += 4) {
      Sums weights[F];
#pragma GCC unroll 2
      for (int f = 0; f < F; ++f) weights[f] = load(w + f * w_filter + c * kWordBytes);
#pragma GCC unroll 16
      for (int r = Low; r < R - High; ++r) {
        const Sums value = word_at(x + r * kStep);
#pragma GCC unroll 2
        for (int f = 0; f < F; ++f)
          if constexpr (Parts) sums[r][f] = integer::dot_parts(sums[r][f], value, weights[f]);
          else sums[r][f] = integer::dot(sums[r][f], value, weights[f]);
      }
    }
  }
}

// The products with what remains of weights in parts.
template <int R, int F, int Step, Kind K>
[[gnu::always_inline]] inline void add_rest(const TileCall& call, Sums (&sums)[R][F]) {
  constexpr int64_t kStep = Step * kPositionBytes<K>;
#pragma GCC unroll 2
  for (int f = 0; f < F; ++f) {
    for (const char* rest = call.rest[f]; rest != call.rest_end[f]; rest += sizeof(RestWord) + kWordBytes) {
      RestWord word;
      std::memcpy(&word, rest, sizeof word);
      const auto width = static_cast<uint32_t>(call.columns), kernel_row = width == 1 ? word.tap : word.tap / width,
                 column = word.tap - kernel_row * width;
      const int64_t row = static_cast<int64_t>(kernel_row) - call.first_row;
      if (row < 0 || row >= call.rows) continue;
      const int tap = call.taps[column];
      const char* x =
          call.x + word.block * call.x_block + row * call.x_row + column * call.x_column + word.word * kWordChannels;
      const Sums weights = load(rest + sizeof word);
      if (tap == 0) {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) sums[r][f] = integer::dot_parts(sums[r][f], word_at(x + r * kStep), weights);
        continue;
      }
      const int low = tap == BlockTile::kNone ? R : tap <= BlockTile::kMostHidden ? tap : 0;
      const int end = tap <= BlockTile::kMostHidden ? R : R - (tap - BlockTile::kMostHidden);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r)
        if (r >= low && r < end) sums[r][f] = integer::dot_parts(sums[r][f], word_at(x + r * kStep), weights);
    }
  }
}

#if ONNXRUN_SIMD_LEVEL == 3
// A word of a tap that six or four positions see, as one piece (see block_convolution_tile.h).
#define ONNXRUN_ROW(at, row)                                                          \
  "vpbroadcastd " at                                                                  \
  "(%[x]),%%ymm14\n\tvpmaddubsw %%ymm12,%%ymm14,%%ymm15\n\tvpmaddwd %[ones],%%ymm15," \
  "%%ymm15\n\tvpaddd %%ymm15,%[" row "0],%[" row                                      \
  "0]\n\tvpmaddubsw %%ymm13,%%ymm14,%%ymm15\n\tvpmaddwd "                             \
  "%[ones],%%ymm15,%%ymm15\n\tvpaddd %%ymm15,%[" row "1],%[" row "1]\n\t"
#define ONNXRUN_SUMS(row, r) [row##0] "+x"(sums[r][0]), [row##1] "+x"(sums[r][1])
#define ONNXRUN_FOUR_ROWS                                                                                     \
  "vmovdqu (%[w0]),%%ymm12\n\tvmovdqu (%[w1]),%%ymm13\n\t" ONNXRUN_ROW("0", "a") ONNXRUN_ROW("%c[step]", "b") \
      ONNXRUN_ROW("2*%c[step]", "c") ONNXRUN_ROW("3*%c[step]", "d")
#define ONNXRUN_OPERANDS                                              \
  [x] "r"(x), [w0] "r"(w0), [w1] "r"(w1), [ones] "m"(integer::kOnes), \
      [step] "i"(Step * kBlock) : "ymm12", "ymm13", "ymm14", "ymm15"
template <int Step>
[[gnu::always_inline]] inline void add_word(const char* x, const char* w0, const char* w1, Sums (&sums)[6][2]) {
  asm(ONNXRUN_FOUR_ROWS ONNXRUN_ROW("4*%c[step]", "e") ONNXRUN_ROW("5*%c[step]", "f")
      : ONNXRUN_SUMS(a, 0), ONNXRUN_SUMS(b, 1), ONNXRUN_SUMS(c, 2), ONNXRUN_SUMS(d, 3), ONNXRUN_SUMS(e, 4),
        ONNXRUN_SUMS(f, 5)
      : ONNXRUN_OPERANDS);
}
template <int Step>
[[gnu::always_inline]] inline void add_word(const char* x, const char* w0, const char* w1, Sums (&sums)[4][2]) {
  asm(ONNXRUN_FOUR_ROWS
      : ONNXRUN_SUMS(a, 0), ONNXRUN_SUMS(b, 1), ONNXRUN_SUMS(c, 2), ONNXRUN_SUMS(d, 3)
      : ONNXRUN_OPERANDS);
}
#undef ONNXRUN_OPERANDS
#undef ONNXRUN_FOUR_ROWS
#undef ONNXRUN_SUMS
#undef ONNXRUN_ROW

// Whether tiles of which all positions see all of the kernel and whole blocks have a function of their own, of such words.
template <int R, int F, Kind K, bool Parts>
inline constexpr bool kWhole = Parts&& F == 2 && K == Kind::kBlocked && (R == 6 || R == 4);
#else
template <int R, int F, Kind K, bool Parts>
inline constexpr bool kWhole = false;
#endif

// What a tap gives at the positions that do not see the image.
template <int R, int F, int Low, int High>
[[gnu::always_inline]] inline void add_outside(const int32_t* outside, Sums (&sums)[R][F]) {
#pragma GCC unroll 2
  for (int f = 0; f < F; ++f) {
    const Sums value = load(outside + f * kBlock);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
      if (r < Low || r >= R - High) sums[r][f] = integer::add(sums[r][f], value);
  }
}

// The bytes of rows of sums, of which result(sums, row, scale) is rounded already but may lie beyond the bounds.
template <int R, int F, class Result>
[[gnu::always_inline]] inline void store_results(const TileCall& call, int32_t zero, Sums (&sums)[R][F],
                                                 Result result) {
  const Sums zeros = splat(zero), zero_pairs = integer::splat_pair(static_cast<int16_t>(zero));
#pragma GCC unroll 2
  for (int f = 0; f < F; ++f) {
    const Floats scale = integer::load_floats(call.scales + f * kBlock);
    uint8_t* y = call.y + f * call.plane;
#pragma GCC unroll 4
    for (int r = 0; r + 4 <= R; r += 4)
      integer::store_four(y + r * kBlock, result(sums[r][f], f, r, scale), result(sums[r + 1][f], f, r + 1, scale),
                          result(sums[r + 2][f], f, r + 2, scale), result(sums[r + 3][f], f, r + 3, scale), zero_pairs);
#pragma GCC unroll 4
    for (int r = R / 4 * 4; r < R; ++r) integer::store_bytes(y + r * kBlock, result(sums[r][f], f, r, scale), zeros);
  }
}

template <int R, int F>
[[gnu::always_inline]] inline void finish(const TileCall& call, Sums (&sums)[R][F]) {
  const IntegerBlockConvolution& s = *call.shared;
  const Floats high = integer::splat_float(s.high);
  if (call.added == nullptr)
    return store_results(call, s.zero, sums, [&](Sums sum, int, int, Floats scale) {
      return integer::to_whole(integer::smaller(integer::times(integer::to_floats(sum), scale), high));
    });
  const Floats low = integer::splat_float(s.low), most = integer::splat_float(s.sum_high),
               own = integer::splat_float(s.scale_of_sum), other = integer::splat_float(s.scale_of_added);
  const Sums zero = splat(-s.zero_of_added);
  store_results(call, s.zero_of_sum, sums, [&](Sums sum, int f, int r, Floats scale) {
    const Floats scaled = integer::times(integer::to_floats(sum), scale);
    const Floats value = integer::round(integer::smaller(integer::larger(scaled, low), high));
    const Sums added = integer::load_bytes(call.added + f * call.plane + r * kBlock);
    const Floats total =
        integer::plus(integer::times(value, own), integer::times(integer::to_floats(integer::add(added, zero)), other));
    return integer::to_whole(integer::smaller(total, most));
  });
}

template <int R, int F, int Step, Kind K, bool Parts, bool Whole>
[[gnu::noinline]] void tile(const TileCall& call) {
  // What is read or written once only comes near while the sums are made.
#pragma GCC unroll 2
  for (int f = 0; f < F; ++f)
    for (int64_t at = 0; at < R * kBlock; at += kLine) {
      __builtin_prefetch(call.y + f * call.plane + at, 1);
      if (call.added != nullptr) __builtin_prefetch(call.added + f * call.plane + at);
    }
  const char* ahead = call.ahead;
  Sums sums[R][F];
#pragma GCC unroll 2
  for (int f = 0; f < F; ++f)
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) sums[r][f] = load(call.starts + f * kBlock);
  if (call.outside != nullptr)
    for (int64_t j = 0; j < call.columns; ++j) {
      const int32_t* outside = call.outside + j * F * kBlock;
      switch (call.taps[j]) {
#define ONNXRUN_TAP(code, low, high) \
  case code: add_outside<R, F, low, high>(outside, sums); break;
        ONNXRUN_EACH_PARTIAL_TAP(ONNXRUN_TAP)
        ONNXRUN_TAP(BlockTile::kNone, R, 0)
#undef ONNXRUN_TAP
        default: break;
      }
    }
  for (int64_t b = 0; b < call.blocks; ++b) {
    const int64_t words = b + 1 == call.blocks ? call.last_words : call.words;
    const char* w = call.weights + b * call.w_block;
    for (int64_t i = 0; i < call.rows; ++i) {
      const char* x = call.x + b * call.x_block + i * call.x_row;
      for (int64_t j = 0; j < call.columns; ++j) {
        for (int64_t l = 0; l < call.ahead_lines; ++l, ahead += kLine) __builtin_prefetch(ahead, 0, 2);
        if constexpr (Whole) {
#pragma GCC unroll 2
          for (int64_t c = 0; c < kBlock / kWordChannels; ++c)
            add_word<Step>(x + c * kWordChannels, w + c * kWordBytes, w + call.w_filter + c * kWordBytes, sums);
        } else {
          switch (call.taps[j]) {
#define ONNXRUN_TAP(code, low, high) \
  case code: add_tap<R, F, Step, K, Parts, low, high>(x, w, call.w_filter, words, sums); break;
            ONNXRUN_EACH_TAP(ONNXRUN_TAP)
#undef ONNXRUN_TAP
            default: break;
          }
        }
        x += call.x_column;
        w += kTapBytes<K>;
      }
    }
  }
  if constexpr (Parts) add_rest<R, F, Step, K>(call, sums);
  finish<R, F>(call, sums);
}

using TileFunction = void (*)(const TileCall&);

template <int R, int F, int Step, Kind K, bool Parts>
TileFunction tile_of(bool whole) {
  if constexpr (kWhole<R, F, K, Parts>)
    if (whole) return tile<R, F, Step, K, Parts, true>;
  return tile<R, F, Step, K, Parts, false>;
}

template <int F, int Step, Kind K, bool Parts>
TileFunction tile_of(int width, bool whole) {
  switch (width) {
#define ONNXRUN_WIDTH(R) \
  case R: return tile_of<R, F, Step, K, Parts>(whole);
    ONNXRUN_EACH_WIDTH(ONNXRUN_WIDTH)
#undef ONNXRUN_WIDTH
    default: return nullptr;
  }
}

// Where weights come in parts, whole ones are the exception: one block of filters at a time is code enough for them.
template <bool Parts>
inline constexpr bool kPairs = Parts == integer::kParts;

template <Kind K, bool Parts>
TileFunction tile_of(int64_t filters, int64_t step, int width, bool whole) {
  if constexpr (K != Kind::kDepthwise && kPairs<Parts>)
    if (filters > kBlock)
      return step == 1 ? tile_of<2, 1, K, Parts>(width, whole) : tile_of<2, 2, K, Parts>(width, whole);
  return step == 1 ? tile_of<1, 1, K, Parts>(width, whole) : tile_of<1, 2, K, Parts>(width, whole);
}

template <bool Parts>
TileFunction tile_of(Kind kind, int64_t filters, int64_t step, int width, bool whole) {
  return kind == Kind::kPlain ? tile_of<Kind::kPlain, Parts>(filters, step, width, whole)
                              : tile_of<Kind::kBlocked, Parts>(filters, step, width, whole);
}

TileFunction tile_of(Kind kind, bool parts, int64_t filters, int64_t step, int width, bool whole) {
  if (kind == Kind::kDepthwise) return tile_of<Kind::kDepthwise, false>(filters, step, width, whole);
  if constexpr (integer::kParts)
    if (parts) return tile_of<true>(kind, filters, step, width, whole);
  return tile_of<false>(kind, filters, step, width, whole);
}

bool takes_width(int64_t width) {
  return tile_of(Kind::kBlocked, false, 1, 1, static_cast<int>(width), false) != nullptr;
}

// What the sums of a row start from, and what taps outside the image give in the rows of the kernel that see it.
class Row {
 public:
  Row(const IntegerBlockConvolutionPart& part, const BlockConvolution& shape, int64_t packed_filters, int64_t filters)
      : part_(part),
        height_(shape.kernel_height),
        width_(shape.kernel_width),
        stride_(packed_filters),
        filters_(filters) {}
  void set(int64_t begin, int64_t end) {
    if (begin == begin_ && end == end_) return;
    begin_ = begin;
    end_ = end;
    std::copy_n(part_.offsets, filters_, starts);
    if (part_.outside == nullptr) return;
    for (int64_t j = 0; j < width_; ++j) std::fill_n(outside[j * filters_ / kBlock], filters_, 0);
    for (int64_t i = 0; i < height_; ++i)
      for (int64_t j = 0; j < width_; ++j) {
        const int32_t* own = part_.outside + (i * width_ + j) * stride_;
        int32_t* to = i < begin || i >= end ? starts : outside[j * filters_ / kBlock];
        for (int64_t m = 0; m < filters_; ++m) to[m] += own[m];
      }
  }

  int32_t starts[2 * kBlock] = {};
  int32_t outside[2 * BlockTile::kMostTaps][kBlock] = {};

 private:
  const IntegerBlockConvolutionPart& part_;
  int64_t height_, width_, stride_, filters_, begin_ = -1, end_ = -1;
};

void run_filters(const IntegerBlockConvolution& convolution, const IntegerBlockConvolutionPart& part) {
  const BlockConvolution& c = convolution.shape;
  const bool depthwise = c.kind == Kind::kDepthwise;
  const int64_t position = c.kind == Kind::kPlain ? kPositionBytes<Kind::kPlain> : kPositionBytes<Kind::kBlocked>;
  const int64_t tap_bytes = depthwise ? kTapBytes<Kind::kDepthwise> : kTapBytes<Kind::kBlocked>;
  const int64_t blocks = (part.filters + kBlock - 1) / kBlock;
  TileCall call{};
  call.shared = &convolution;
  call.scales = part.scales;
  call.x_block = c.in_plane;
  call.x_row = c.dilation_height * c.in_width * position;
  call.x_column = c.dilation_width * position;
  call.w_block = c.kernel_height * c.kernel_width * tap_bytes;
  call.w_filter = c.in_blocks * call.w_block;
  call.plane = c.out_plane;
  call.columns = c.kernel_width;
  call.blocks = c.in_blocks;
  call.words = kBlock / kWordChannels;
  call.last_words = (c.last_channels + kWordChannels - 1) / kWordChannels;
  const auto* x = reinterpret_cast<const char*>(part.x);
  const auto* weights = static_cast<const char*>(part.weights);
  // The weights that this thread takes next, spread over the taps of all tiles.
  const int64_t tiles = (part.row_end - part.row_begin) * (part.tile_end - part.tile_begin);
  const int64_t taps = c.in_blocks * c.kernel_height * c.kernel_width, lines = blocks * call.w_filter / kLine;
  call.ahead = static_cast<const char*>(part.next_weights);
  if (call.ahead != nullptr) call.ahead_lines = (lines + tiles * taps - 1) / (tiles * taps);
  const char* ahead_end = call.ahead == nullptr ? nullptr : call.ahead + lines * kLine;
  const bool parts = part.rest_starts != nullptr;
  if (parts)
    for (int64_t f = 0; f < blocks; ++f) {
      constexpr int64_t kBytes = sizeof(RestWord) + kWordBytes;
      call.rest[f] = part.rest + part.rest_starts[f] * kBytes;
      call.rest_end[f] = part.rest + part.rest_starts[f + 1] * kBytes;
    }
  Row starts(part, c, convolution.packed_filters, blocks * kBlock);
  call.starts = starts.starts;
  call.outside = part.outside == nullptr ? nullptr : starts.outside[0];
  for (int64_t row = part.row_begin; row < part.row_end; ++row) {
    const int64_t top = row * c.stride_height - c.pad_height;
    const auto [begin, end] = KernelRows(c, top);
    starts.set(begin, end);
    call.rows = end - begin;
    call.first_row = begin;
    call.weights = weights + begin * c.kernel_width * tap_bytes;
    for (int64_t t = part.tile_begin; t < part.tile_end; ++t) {
      const BlockTile& tile = c.tiles[t];
      const int64_t left = tile.first * c.stride_width - c.pad_width;
      call.x = x + ((top + begin * c.dilation_height) * c.in_width + left) * position;
      const int64_t at = (row * c.out_width + tile.first) * kBlock;
      call.y = part.y + at;
      call.added = part.added == nullptr ? nullptr : part.added + at;
      call.taps = tile.taps;
      const bool whole = call.last_words == call.words &&
                         std::all_of(tile.taps, tile.taps + c.kernel_width, [](int8_t tap) { return tap == 0; });
      tile_of(c.kind, parts, part.filters, c.stride_width, tile.width, whole)(call);
      if (call.ahead_lines == 0) continue;
      call.ahead += call.ahead_lines * call.rows * c.kernel_width * c.in_blocks * kLine;
      if (call.ahead >= ahead_end) call.ahead_lines = 0;
    }
  }
}

void run(const IntegerBlockConvolution& convolution, const IntegerBlockConvolutionPart& part) {
  const BlockConvolution& c = convolution.shape;
  if (c.kind == Kind::kDepthwise || part.filters <= kBlock || part.rest_starts != nullptr || kPairs<false>)
    return run_filters(convolution, part);
  IntegerBlockConvolutionPart first = part, second = part;
  first.filters = kBlock;
  first.next_weights = nullptr;
  second.filters -= kBlock;
  second.weights = static_cast<const char*>(part.weights) +
                   c.in_blocks * c.kernel_height * c.kernel_width * kTapBytes<Kind::kBlocked>;
  second.offsets += kBlock;
  if (part.outside != nullptr) second.outside += kBlock;
  second.scales += kBlock;
  if (part.added != nullptr) second.added += c.out_plane;
  second.y += c.out_plane;
  run_filters(convolution, first);
  run_filters(convolution, second);
}

void interleave(const uint8_t* const* channels, uint8_t* y, int64_t count) {
  const uint8_t *a = channels[0], *b = channels[1], *c = channels[2], *d = channels[3];
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t word =
        a[i] | static_cast<uint32_t>(b[i]) << 8 | static_cast<uint32_t>(c[i]) << 16 | static_cast<uint32_t>(d[i]) << 24;
    std::memcpy(y + 4 * i, &word, 4);
  }
}

}  // namespace

const IntegerBlockConvolutionFunctions& integer_block_convolution_functions() {
  static constexpr IntegerBlockConvolutionFunctions kFunctions{.block = kBlock,
                                                               .parts = integer::kParts,
                                                               .takes_width = takes_width,
                                                               .most_columns = kMostColumns,
                                                               .run = run,
                                                               .interleave = interleave};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
