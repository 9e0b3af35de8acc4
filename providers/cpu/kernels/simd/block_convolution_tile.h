// Convolutions on blocked channels, whatever stands in the 32 bits of an element: Arithmetic says how one is loaded, spread over a vector and multiplied,
// and how many channels it holds.
#pragma once

#include <algorithm>

#include "convolution_tile.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

constexpr int64_t kBlock = kWidth;

// One tile and some input blocks. Lengths are in elements.
template <class Element>
struct TileCall {
  const Element* x;  // what the first tap of the first position sees; may lie outside where that tap does not count
  const Element* weights;
  const float* bias;   // of the first input block: where sums start
  const float* added;  // of the last one
  float* y;
  const int8_t* taps;
  int64_t x_block, x_row, x_column, w_filter, w_block, plane;
  int64_t rows, columns, blocks, last_steps;
  bool first, last, clamps, pointwise;
  float low, high;
  int64_t lanes;  // filters of the last block
};

using Kind = BlockConvolution::Kind;

// Elements that the channels of a block take.
template <class Arithmetic>
inline constexpr int64_t kSteps = kBlock / Arithmetic::kChannels;
// The weights of a tap: of each step for each filter, or where each channel is its own filter's, of each.
template <class Arithmetic, Kind K>
inline constexpr int64_t kTapWeights = K == Kind::kDepthwise ? kBlock : kSteps<Arithmetic>* kBlock;
// Neighbouring positions of a plain input, and of any, are so many elements apart.
template <class Arithmetic>
inline constexpr int64_t kPlainElements = Arithmetic::kChannels == 1 ? 1 : kPlainPairChannels / Arithmetic::kChannels;
template <class Arithmetic, Kind K>
inline constexpr int64_t kPosition = K == Kind::kPlain ? kPlainElements<Arithmetic> : kSteps<Arithmetic>;

// One tap of one input block, at the positions from Low to R - High.
template <class Arithmetic, int R, int F, int Step, Kind K, int Low, int High, class Element>
[[gnu::always_inline]] inline void add_tap(const Element* x, int64_t x_channel, const Element* w, int64_t w_filter,
                                           int64_t steps, Vector (&sums)[R][F]) {
  constexpr int64_t kStep = Step * kPosition<Arithmetic, K>;
  if constexpr (Low + High >= R) {
    return;
  } else if constexpr (K == Kind::kDepthwise) {
    const auto weights = Arithmetic::load(w);
#pragma GCC unroll 16
    for (int r = Low; r < R - High; ++r)
      sums[r][0] = Arithmetic::add_products(Arithmetic::load(x + r * kStep), weights, sums[r][0]);
  } else {
    for (int64_t c = 0; c < steps; ++c, x += K == Kind::kPlain && Arithmetic::kChannels == 1 ? x_channel : 1) {
      typename Arithmetic::Operand weights[F];
#pragma GCC unroll 2
      for (int f = 0; f < F; ++f) weights[f] = Arithmetic::load(w + f * w_filter + c * kBlock);
#pragma GCC unroll 16
      for (int r = Low; r < R - High; ++r) {
        const auto value = Arithmetic::splat(x[r * kStep]);
#pragma GCC unroll 2
        for (int f = 0; f < F; ++f) sums[r][f] = Arithmetic::add_products(value, weights[f], sums[r][f]);
      }
    }
  }
}

#if ONNXRUN_SIMD_LEVEL == 3
// A step of a tap that six or four positions see, as one piece: what GCC 12 makes of it in a loop that is unrolled keeps sums in memory.
#define ONNXRUN_ROW(at, row, value)                                                                      \
  "vbroadcastss " at "(%[x]),%%" value "\n\tvfmadd231ps %%ymm12,%%" value ",%[" row "0]\n\tvfmadd231ps " \
  "%%ymm13,%%" value ",%[" row "1]\n\t"
#define ONNXRUN_SUMS(row, r) [row##0] "+x"(sums[r][0]), [row##1] "+x"(sums[r][1])
#define ONNXRUN_FOUR_ROWS                                                                              \
  "vmovups (%[w0]),%%ymm12\n\tvmovups (%[w1]),%%ymm13\n\t" ONNXRUN_ROW("0", "a", "ymm14") ONNXRUN_ROW( \
      "%c[step]", "b", "ymm15") ONNXRUN_ROW("2*%c[step]", "c", "ymm14") ONNXRUN_ROW("3*%c[step]", "d", "ymm15")
// What it reads is not written while a tile is computed. To say that memory changes would keep the sums there.
#define ONNXRUN_OPERANDS \
  [x] "r"(x), [w0] "r"(w0), [w1] "r"(w1), [step] "i"(Step * kVectorBytes) : "ymm12", "ymm13", "ymm14", "ymm15"
template <int Step>
[[gnu::always_inline]] inline void add_step(const float* x, const float* w0, const float* w1, Vector (&sums)[6][2]) {
  asm(ONNXRUN_FOUR_ROWS ONNXRUN_ROW("4*%c[step]", "e", "ymm14") ONNXRUN_ROW("5*%c[step]", "f", "ymm15")
      : ONNXRUN_SUMS(a, 0), ONNXRUN_SUMS(b, 1), ONNXRUN_SUMS(c, 2), ONNXRUN_SUMS(d, 3), ONNXRUN_SUMS(e, 4),
        ONNXRUN_SUMS(f, 5)
      : ONNXRUN_OPERANDS);
}
template <int Step>
[[gnu::always_inline]] inline void add_step(const float* x, const float* w0, const float* w1, Vector (&sums)[4][2]) {
  asm(ONNXRUN_FOUR_ROWS
      : ONNXRUN_SUMS(a, 0), ONNXRUN_SUMS(b, 1), ONNXRUN_SUMS(c, 2), ONNXRUN_SUMS(d, 3)
      : ONNXRUN_OPERANDS);
}
#undef ONNXRUN_OPERANDS
#undef ONNXRUN_FOUR_ROWS
#undef ONNXRUN_SUMS
#undef ONNXRUN_ROW

// Whether tiles of which all positions see all of the kernel and whole blocks have a function of their own, of such steps.
template <class Arithmetic, int R, int F, Kind K>
inline constexpr bool kWhole = Arithmetic::kChannels == 1 && F == 2 && K == Kind::kBlocked && (R == 6 || R == 4);
template <class Arithmetic>
inline constexpr bool kGathers = Arithmetic::kChannels == 1;
#else
template <class Arithmetic, int R, int F, Kind K>
inline constexpr bool kWhole = false;
template <class Arithmetic>
inline constexpr bool kGathers = false;
#endif

template <int R, int F, class Element>
[[gnu::always_inline]] inline void finish(const TileCall<Element>& call, Vector (&sums)[R][F]) {
  const Vector low = splat(call.low), high = splat(call.high);
#pragma GCC unroll 2
  for (int f = 0; f < F; ++f) {
    float* y = call.y + f * call.plane;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      Vector sum = sums[r][f];
      if (call.last) {
        if (call.added != nullptr) sum += load(call.added + f * call.plane + r * kBlock);
        if (call.clamps) {
          sum = sum < low ? low : sum;
          sum = sum > high ? high : sum;
        }
      }
      store(y + r * kBlock, sum);
      if (f == F - 1 && call.last && call.lanes < kBlock)
        std::memset(y + r * kBlock + call.lanes, 0, static_cast<size_t>(kBlock - call.lanes) * sizeof(float));
    }
  }
}

template <class Arithmetic, int R, int F, int Step, Kind K, bool Whole, class Element>
[[gnu::noinline]] void tile(const TileCall<Element>& call) {
  // What is read or written once only comes near while the sums are made.
#pragma GCC unroll 2
  for (int f = 0; f < F; ++f)
    for (int r = 0; r < R; ++r) {
      if (call.first) __builtin_prefetch(call.y + f * call.plane + r * kBlock, 1);
      if (call.last && call.added != nullptr) __builtin_prefetch(call.added + f * call.plane + r * kBlock);
    }
  Vector sums[R][F];
#pragma GCC unroll 2
  for (int f = 0; f < F; ++f)
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
      sums[r][f] = call.first ? load(call.bias + f * kBlock) : load(call.y + f * call.plane + r * kBlock);
  for (int64_t b = 0; b < call.blocks; ++b) {
    const int64_t steps = b + 1 == call.blocks ? call.last_steps : kSteps<Arithmetic>;
    const Element* w = call.weights + b * call.w_block;
    for (int64_t i = 0; i < call.rows; ++i) {
      const Element* x = call.x + b * call.x_block + i * call.x_row;
      // Where each position is seen once, the next tile's come near.
      if (call.pointwise)
        for (int r = R; r < 2 * R; ++r) __builtin_prefetch(x + r * Step * kSteps<Arithmetic>);
      for (int64_t j = 0; j < call.columns; ++j) {
        if constexpr (Whole) {
#pragma GCC unroll 8
          for (int64_t c = 0; c < kBlock; ++c)
            add_step<Step>(x + c, w + c * kBlock, w + call.w_filter + c * kBlock, sums);
        } else {
          switch (call.taps[j]) {
#define ONNXRUN_TAP(code, low, high) \
  case code: add_tap<Arithmetic, R, F, Step, K, low, high>(x, call.x_block, w, call.w_filter, steps, sums); break;
            ONNXRUN_EACH_TAP(ONNXRUN_TAP)
#undef ONNXRUN_TAP
            default: break;
          }
        }
        x += call.x_column;
        w += kTapWeights<Arithmetic, K>;
      }
    }
  }
  finish<R, F>(call, sums);
}

template <class Element>
using TileFunction = void (*)(const TileCall<Element>&);

template <class Arithmetic, int R, int F, int Step, Kind K>
TileFunction<typename Arithmetic::Element> tile_of(bool whole) {
  if constexpr (kWhole<Arithmetic, R, F, K>)
    if (whole) return tile<Arithmetic, R, F, Step, K, true>;
  return tile<Arithmetic, R, F, Step, K, false>;
}

template <class Arithmetic, int F, int Step, Kind K>
TileFunction<typename Arithmetic::Element> tile_of(int width, bool whole) {
  switch (width) {
#define ONNXRUN_WIDTH(R) \
  case R: return tile_of<Arithmetic, R, F, Step, K>(whole);
    ONNXRUN_EACH_WIDTH(ONNXRUN_WIDTH)
#undef ONNXRUN_WIDTH
    default: return nullptr;
  }
}

template <class Arithmetic, int F, Kind K>
auto tile_of(int64_t step, int width, bool whole) {
  return step == 1 ? tile_of<Arithmetic, F, 1, K>(width, whole) : tile_of<Arithmetic, F, 2, K>(width, whole);
}

// Depthwise elements have one channel.
template <class Arithmetic>
auto tile_of(Kind kind, int64_t filters, int64_t step, int width, bool whole) {
  if constexpr (Arithmetic::kChannels == 1)
    if (kind == Kind::kDepthwise) return tile_of<Arithmetic, 1, Kind::kDepthwise>(step, width, whole);
  if (kind == Kind::kPlain)
    return filters > kBlock ? tile_of<Arithmetic, 2, Kind::kPlain>(step, width, whole)
                            : tile_of<Arithmetic, 1, Kind::kPlain>(step, width, whole);
  return filters > kBlock ? tile_of<Arithmetic, 2, Kind::kBlocked>(step, width, whole)
                          : tile_of<Arithmetic, 1, Kind::kBlocked>(step, width, whole);
}

template <class Arithmetic>
bool takes_width(int64_t width) {
  return tile_of<Arithmetic, 1, 1, Kind::kBlocked>(static_cast<int>(width), false) != nullptr;
}

// Fetches weights in steps.
template <class Element>
class Ahead {
 public:
  // `elements` of each of `filters` blocks of filters, which are `stride` apart.
  Ahead(const Element* weights, int64_t stride, int64_t filters, int64_t elements, int64_t steps)
      : weights_(weights),
        stride_(stride),
        filters_(filters),
        end_(elements),
        each_((elements / kLine + steps - 1) / steps * kLine) {}
  void step() {
    const int64_t end = std::min(end_, at_ + each_);
    for (; at_ < end; at_ += kLine)
      for (int64_t f = 0; f < filters_; ++f) __builtin_prefetch(weights_ + f * stride_ + at_, 0, 2);
  }

 private:
  static constexpr int64_t kLine = 16;
  const Element* weights_;
  int64_t stride_, filters_, end_, each_, at_ = 0;
};

// What all tiles of a part share.
template <class Arithmetic, class Element>
TileCall<Element> call_of(const BlockConvolution& c, const BlockConvolutionPart<Element>& part) {
  TileCall<Element> call{};
  call.x_block = c.in_plane;
  const int64_t tap_weights =
      c.kind == Kind::kDepthwise ? kTapWeights<Arithmetic, Kind::kDepthwise> : kTapWeights<Arithmetic, Kind::kBlocked>;
  call.w_block = c.kernel_height * c.kernel_width * tap_weights;
  call.w_filter = c.in_blocks * call.w_block;
  call.plane = c.out_plane;
  call.columns = c.kernel_width;
  call.clamps = c.clamps;
  call.low = c.low;
  call.high = c.high;
  call.lanes = (part.filters - 1) % kBlock + 1;
  return call;
}

// The input blocks from `block` on whose weights stay near.
template <class Arithmetic, class Element>
void set_blocks(const BlockConvolution& c, int64_t block, TileCall<Element>& call) {
  call.blocks = std::min(c.in_blocks - block, c.blocks_at_once);
  call.first = block == 0;
  call.last = block + call.blocks == c.in_blocks;
  call.last_steps =
      call.last ? (c.last_channels + Arithmetic::kChannels - 1) / Arithmetic::kChannels : kSteps<Arithmetic>;
}

// Positions of a pointwise convolution lie apart, often by powers of two, for which caches have few places: those of some tiles are copied together, then all
// filters take them.
template <class Arithmetic>
void run_gathered(const BlockConvolution& c, const BlockConvolutionPart<float>& part) {
  constexpr int64_t kFloats = 16 << 10, kMostTiles = 64;
  struct Spot {
    int64_t at, y;
    int width;
  };
  alignas(64) float gathered[kFloats];
  Spot spots[kMostTiles];
  const int8_t taps[1] = {0};
  TileCall<float> call = call_of<Arithmetic>(c, part);
  call.taps = taps;
  call.rows = 1;
  const int64_t lanes = call.lanes;
  for (int64_t block = 0; block < c.in_blocks; block += c.blocks_at_once) {
    set_blocks<Arithmetic>(c, block, call);
    for (int64_t row = part.row_begin, t = part.tile_begin; row < part.row_end;) {
      int64_t count = 0;
      for (int64_t at = 0; row < part.row_end && count < kMostTiles;) {
        const BlockTile& tile = c.tiles[t];
        const int64_t floats = call.blocks * tile.width * kBlock;
        if (at + floats > kFloats) break;
        spots[count++] = {at, (row * c.out_width + tile.first) * kBlock, tile.width};
        const float* x =
            part.x + block * c.in_plane + (row * c.stride_height * c.in_width + tile.first * c.stride_width) * kBlock;
        for (int64_t b = 0; b < call.blocks; ++b, x += c.in_plane)
          for (int64_t r = 0; r < tile.width; ++r, at += kBlock)
            store(gathered + at, load(x + r * c.stride_width * kBlock));
        if (++t == part.tile_end) {
          t = part.tile_begin;
          ++row;
        }
      }
      for (int64_t filter = 0; filter < part.filters; filter += 2 * kBlock) {
        const int64_t filters = std::min(2 * kBlock, part.filters - filter);
        float bias[2 * kBlock] = {};
        if (part.bias != nullptr) std::memcpy(bias, part.bias + filter, static_cast<size_t>(filters) * sizeof(float));
        call.bias = bias;
        call.lanes = filter + filters == part.filters ? lanes : kBlock;
        call.weights = part.weights + filter / kBlock * call.w_filter + block * call.w_block;
        const int64_t plane = filter / kBlock * c.out_plane;
        for (const Spot* spot = spots; spot != spots + count; ++spot) {
          call.x = gathered + spot->at;
          call.x_block = spot->width * kBlock;
          call.y = part.y + plane + spot->y;
          call.added = part.added == nullptr ? nullptr : part.added + plane + spot->y;
          tile_of<Arithmetic>(Kind::kBlocked, filters, 1, spot->width, call.last_steps == kBlock)(call);
        }
      }
    }
  }
}

template <class Arithmetic, class Element>
void run(const BlockConvolution& c, const BlockConvolutionPart<Element>& part) {
  if constexpr (kGathers<Arithmetic>)
    if (c.gathers) return run_gathered<Arithmetic>(c, part);
  float bias[2 * kBlock] = {};
  if (part.bias != nullptr) std::memcpy(bias, part.bias, static_cast<size_t>(part.filters) * sizeof(float));
  TileCall<Element> call = call_of<Arithmetic>(c, part);
  call.bias = bias;
  const int64_t position = c.kind == Kind::kPlain ? kPlainElements<Arithmetic> : kSteps<Arithmetic>;
  call.x_row = c.dilation_height * c.in_width * position;
  call.x_column = c.dilation_width * position;
  call.pointwise = c.kernel_height == 1 && c.kernel_width == 1 && c.kind == Kind::kBlocked;
  const int64_t filters = (part.filters + kBlock - 1) / kBlock;
  const int64_t calls = (part.row_end - part.row_begin) * (part.tile_end - part.tile_begin);
  for (int64_t block = 0; block < c.in_blocks; block += c.blocks_at_once) {
    set_blocks<Arithmetic>(c, block, call);
    const int64_t next = block + call.blocks;
    Ahead<Element> ahead = !call.last
                               ? Ahead(part.weights + next * call.w_block, call.w_filter, filters,
                                       std::min(c.blocks_at_once, c.in_blocks - next) * call.w_block, calls)
                               : Ahead(part.next_weights, call.w_filter, part.next_weights == nullptr ? 0 : filters,
                                       std::min(c.blocks_at_once, c.in_blocks) * call.w_block, calls);
    for (int64_t row = part.row_begin; row < part.row_end; ++row) {
      const int64_t top = row * c.stride_height - c.pad_height;
      const auto [begin, end] = KernelRows(c, top);
      call.rows = end - begin;
      call.weights = part.weights + block * call.w_block + begin * (call.w_block / c.kernel_height);
      // While these tiles are computed, the weights of the next input blocks come near.
      for (int64_t t = part.tile_begin; t < part.tile_end; ++t) {
        const BlockTile& tile = c.tiles[t];
        const int64_t left = tile.first * c.stride_width - c.pad_width;
        call.x = part.x + block * c.in_plane + ((top + begin * c.dilation_height) * c.in_width + left) * position;
        const int64_t at = (row * c.out_width + tile.first) * kBlock;
        call.y = part.y + at;
        call.added = part.added == nullptr ? nullptr : part.added + at;
        call.taps = tile.taps;
        ahead.step();
        const bool whole = call.last_steps == kSteps<Arithmetic> &&
                           std::all_of(tile.taps, tile.taps + c.kernel_width, [](int8_t tap) { return tap == 0; });
        tile_of<Arithmetic>(c.kind, part.filters, c.stride_width, tile.width, whole)(call);
      }
    }
  }
}

}  // namespace
}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
