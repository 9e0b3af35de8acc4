// Convolutions on blocked channels of pairs of bfloat16, and of float32 in such parts, on the processor's tiles.
#include "amx_tiles.h"
#include "split_floats.h"

#if ONNXRUN_SIMD_LEVEL >= 5

#include "cpu/loops/convolution_parts.h"
#include "cpu/loops/tile_convolution.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions();
PartExtents split_positions(const PositionRows& rows, int parts);
PartExtents split_columns(const PlainColumns& columns, int parts);
void split_filters(FilterSplit& split, int parts, int64_t steps);
void split_positions(PositionSplit& split, int parts, int64_t steps);
void join_filters(const FilterSplit& split, const char* parts, float* packed);
PartExtents extents_of(const PositionSplit& split);
void convolve_parts(const BlockConvolution& convolution, const PartsOfConvolution& part, int parts,
                    const SplitBeside& beside);

namespace {

constexpr int64_t kBlock = kWidth, kPosition = 2 * kBlock;
static_assert(kPosition * sizeof(base::Bfloat16) == kTileBytes && kPosition == kPartPosition && kBlock == kPartBlock);

bool takes_width(int64_t width) { return width >= 1 && width <= kTileRows; }

// Puts the sums of positions of a filter block into y.
class Finish {
 public:
  Finish(const BlockConvolution& c, const BlockConvolutionPart<Bfloat16Pair>& part, bool last)
      : c_(c),
        part_(part),
        low_(splat(c.low)),
        high_(splat(c.high)),
        adds_(last && part.added != nullptr),
        clamps_(last && c.clamps) {}

  void operator()(int64_t filter, int64_t row, int64_t first, int64_t width, const char* sums) const {
    const int64_t at = filter * c_.out_plane + (row * c_.out_width + first) * kBlock;
    if (adds_ && clamps_) put<true, true>(at, width, sums);
    else if (adds_) put<true, false>(at, width, sums);
    else if (clamps_) put<false, true>(at, width, sums);
    else put<false, false>(at, width, sums);
    const int64_t lanes = part_.filters - filter * kBlock;
    for (int64_t r = 0; lanes < kBlock && r < width; ++r)
      std::memset(part_.y + at + r * kBlock + lanes, 0, static_cast<size_t>(kBlock - lanes) * sizeof(float));
  }

 private:
  template <bool kAdds, bool kClamps>
  [[gnu::always_inline]] void put(int64_t at, int64_t width, const char* sums) const {
    for (int64_t r = 0; r < width; ++r) {
      Vector sum = load(reinterpret_cast<const float*>(sums + r * kTileBytes));
      if constexpr (kAdds) sum += load(part_.added + at + r * kBlock);
      if constexpr (kClamps) {
        sum = sum < low_ ? low_ : sum;
        sum = sum > high_ ? high_ : sum;
      }
      store(part_.y + at + r * kBlock, sum);
    }
  }

  const BlockConvolution& c_;
  const BlockConvolutionPart<Bfloat16Pair>& part_;
  const Vector low_, high_;
  const bool adds_, clamps_;
};

// Sums start with the bias where they do not with what is in y; `last`: results are finished.
template <int kParts, class Beside>
void convolve(const BlockConvolution& c, const PartsOfConvolution& parts, Beside beside) {
  const BlockConvolutionPart<Bfloat16Pair>& part = parts.part;
  float bias[2 * kBlock] = {};
  if (part.bias != nullptr) std::memcpy(bias, part.bias, static_cast<size_t>(part.filters) * sizeof(float));
  const TileConvolutionOperands operands{.x = reinterpret_cast<const char*>(part.x),
                                         .weights = reinterpret_cast<const char*>(part.weights),
                                         .starts = reinterpret_cast<const char*>(bias),
                                         .sums = parts.first ? nullptr : reinterpret_cast<const char*>(part.y),
                                         .filter_blocks = (part.filters + kBlock - 1) / kBlock,
                                         .filter_bytes = parts.filter_bytes,
                                         .copies = parts.copies,
                                         .column_bytes = parts.column_bytes,
                                         .outside = 0,
                                         .skips_outside = true};
  TileConvolution<AmxTiles<TileElements::kBfloat16>, kParts, Beside>(c, operands, beside)
      .run(part.row_begin, part.row_end, part.tile_begin, part.tile_end, Finish(c, part, parts.last));
}

void run(const BlockConvolution& c, const BlockConvolutionPart<Bfloat16Pair>& part) {
  convolve<1>(c, {.part = part, .first = true, .last = true, .filter_bytes = 0, .copies = 1}, NothingBeside());
}

// Not a number stays that; denormal numbers become zeros, which they are to the products as well.
void round(const float* const* blocks, Bfloat16Pair* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i, to += kBlock) {
    const __m512 first = blocks[0] == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(blocks[0] + i * kBlock),
                 second = blocks[1] == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(blocks[1] + i * kBlock);
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(second, first));
  }
}

template <int kParts>
PartExtents split_positions_in(const PositionRows& p) {
  Extents extents;
  for (int64_t row = 0; row < p.rows; ++row) {
    char* to = p.to + row * p.to_row;
    for (int64_t i = 0, at = row * p.from_row; i < p.count; ++i, at += p.from_step, to += kTileBytes) {
      const __m512 first = _mm512_loadu_ps(p.blocks[0] + at),
                   second = p.blocks[1] == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(p.blocks[1] + at);
      extents.take(first);
      extents.take(second);
      write_parts<kParts>(first, second, to, p.part, in_a_row);
    }
  }
  return extents.result();
}

// Pairs of x's and y's elements, rounded to nearest even.
__m512i rounded_pairs(__m512 x, __m512 y) {
  const auto bits = [](__m512 v) { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(v)); };
  return _mm512_or_si512(bits(x), _mm512_slli_epi32(bits(y), 16));
}

template <int kParts>
PartExtents split_columns_in(const PlainColumns& p) {
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
                high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  Extents extents;
  char* to = p.to;
  for (int64_t i = 0; i < p.count; i += kBlock, to += 2 * kTileBytes) {
    const int64_t left = p.count - i;
    const auto lanes = static_cast<__mmask16>(left >= kBlock ? 0xffff : (1 << left) - 1);
    __m512 x[kPlainPairChannels];
    for (int64_t c = 0; c < kPlainPairChannels; ++c) {
      x[c] = p.channels[c] == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(lanes, p.channels[c] + i);
      extents.take(x[c]);
    }
    for (int part = 0; part < kParts; ++part) {
      __m512i pairs[2];
      if constexpr (kParts == 1) {
        pairs[0] = rounded_pairs(x[0], x[1]);
        pairs[1] = rounded_pairs(x[2], x[3]);
      } else {
        __m512 parts[kPlainPairChannels];
        for (int64_t c = 0; c < kPlainPairChannels; ++c) {
          // The third is what is left.
          parts[c] = part == 2 ? x[c] : first_part(x[c]);
          x[c] -= parts[c];
        }
        pairs[0] = paired(parts[0], parts[1]);
        pairs[1] = paired(parts[2], parts[3]);
      }
      char* at = to + part * p.part;
      const __m512i first = _mm512_permutex2var_epi32(pairs[0], low, pairs[1]),
                    second = _mm512_permutex2var_epi32(pairs[0], high, pairs[1]);
      const auto words = [](int64_t count) {
        return static_cast<__mmask16>(count >= kBlock ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
      };
      _mm512_mask_storeu_epi32(at, words(2 * left), first);
      _mm512_mask_storeu_epi32(at + kTileBytes, words(2 * left - kBlock), second);
    }
  }
  return extents.result();
}

// Bytes ahead of what is split that are fetched: a number that is waited for would keep the tiles waiting as well.
constexpr int64_t kAhead = 6 << 10;

template <int kParts>
[[gnu::always_inline]] inline void split_filters_in(FilterSplit& f, int64_t steps) {
  constexpr int64_t kPart = kTileRows * kTileBytes, kTap = kBlock * kBlock;
  const int64_t blocks = (f.blocks + 1) & ~int64_t{1};
  for (steps = std::min(steps, f.left), f.left -= steps; steps > 0; --steps) {
    char* to = f.to + ((f.filter * blocks + f.block) / 2 * f.taps + f.tap) * kParts * kPart + f.block % 2 * kPart / 2 +
               f.half * kPart / 4;
    if (f.block < f.blocks) {
      const float* from =
          f.packed + ((f.filter * f.in_blocks + f.first_block + f.block) * f.taps + f.tap) * kTap + f.half * kTap / 2;
      for (int64_t word = 0; word < kBlock / 4; ++word, to += kTileBytes, from += 2 * kBlock) {
        _mm_prefetch(reinterpret_cast<const char*>(from) + kAhead, _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(from + kBlock) + kAhead, _MM_HINT_T0);
        write_parts<kParts>(_mm512_loadu_ps(from), _mm512_loadu_ps(from + kBlock), to, kPart, paired);
      }
    } else {
      for (int64_t word = 0; word < kBlock / 4; ++word, to += kTileBytes)
        write_parts<kParts>(_mm512_setzero_ps(), _mm512_setzero_ps(), to, kPart, paired);
    }
    if ((f.half = 1 - f.half) != 0) continue;
    if (++f.tap < f.taps) continue;
    f.tap = 0;
    if (++f.block < blocks) continue;
    f.block = 0;
    ++f.filter;
  }
}

template <int kParts>
[[gnu::always_inline]] inline void split_positions_in(PositionSplit& p, int64_t steps) {
  Extents extents;
  extents.load(p.least, p.most);
  const int64_t part = p.rows * p.count * kTileBytes;
  for (steps = std::min(steps, p.left), p.left -= steps; steps > 0; --steps) {
    const int64_t last = std::min(p.count, p.position + PositionSplit::kAtOnce);
    const float* from = p.x + p.block * p.in_plane + p.row * p.from_row + p.position * p.from_step;
    const bool two = p.block + 1 < p.in_blocks;
    char* to = p.to + p.block / 2 * kParts * part + (p.row * p.count + p.position) * kTileBytes;
    for (int64_t i = p.position; i < last; ++i, from += p.from_step, to += kTileBytes) {
      _mm_prefetch(reinterpret_cast<const char*>(from) + kAhead, _MM_HINT_T0);
      _mm_prefetch(reinterpret_cast<const char*>(from + p.in_plane) + kAhead, _MM_HINT_T0);
      const __m512 x = _mm512_loadu_ps(from), y = two ? _mm512_loadu_ps(from + p.in_plane) : _mm512_setzero_ps();
      extents.take(x);
      extents.take(y);
      write_parts<kParts>(x, y, to, part, in_a_row);
    }
    if ((p.position = last) < p.count) continue;
    p.position = 0;
    if (++p.row == p.rows) {
      p.row = 0;
      p.block += 2;
    }
  }
  extents.store(p.least, p.most);
}

template <int kParts>
struct SplitSome {
  const SplitBeside& split;
  void operator()() const {
    if (split.filters != nullptr && split.filters->left > 0) split_filters_in<kParts>(*split.filters, split.at_once);
    if (split.positions != nullptr && split.positions->left > 0)
      split_positions_in<kParts>(*split.positions, split.at_once);
    if (split.lines != nullptr)
      for (int64_t i = std::min(split.at_once, split.lines->left); i > 0; --i, --split.lines->left) {
        _mm_prefetch(split.lines->from, _MM_HINT_T1);
        split.lines->from += LinesAhead::kLine;
      }
  }
};

}  // namespace

PartExtents split_positions(const PositionRows& rows, int parts) {
  return parts == 3 ? split_positions_in<3>(rows) : split_positions_in<2>(rows);
}

PartExtents split_columns(const PlainColumns& columns, int parts) {
  switch (parts) {
    case 1: return split_columns_in<1>(columns);
    case 2: return split_columns_in<2>(columns);
    default: return split_columns_in<3>(columns);
  }
}

void split_filters(FilterSplit& split, int parts, int64_t steps) {
  if (parts == 3) split_filters_in<3>(split, steps);
  else split_filters_in<2>(split, steps);
}

void split_positions(PositionSplit& split, int parts, int64_t steps) {
  if (parts == 3) split_positions_in<3>(split, steps);
  else split_positions_in<2>(split, steps);
}

void join_filters(const FilterSplit& f, const char* parts, float* packed) {
  constexpr int64_t kPart = kTileRows * kTileBytes, kTap = kBlock * kBlock;
  for (int64_t filter = 0; filter < f.filter_blocks; ++filter)
    for (int64_t block = 0; block < f.blocks; ++block)
      for (int64_t tap = 0; tap < f.taps; ++tap) {
        const char* from = parts + (((filter * ((f.blocks + 1) & ~int64_t{1}) + block) / 2 * f.taps + tap) * 2 * kPart +
                                    block % 2 * kPart / 2);
        float* to = packed + ((filter * f.in_blocks + block) * f.taps + tap) * kTap;
        for (int64_t word = 0; word < kBlock / 2; ++word, from += kTileBytes, to += 2 * kBlock) {
          const Joined joined = join(from, from + kPart);
          _mm512_storeu_ps(to, joined.first);
          _mm512_storeu_ps(to + kBlock, joined.second);
        }
      }
}

PartExtents extents_of(const PositionSplit& split) {
  Extents extents;
  extents.load(split.least, split.most);
  return extents.result();
}

void convolve_parts(const BlockConvolution& convolution, const PartsOfConvolution& part, int parts,
                    const SplitBeside& beside) {
  switch (parts) {
    case 1: return convolve<1>(convolution, part, NothingBeside());
    case 2: return convolve<2>(convolution, part, SplitSome<2>{beside});
    default: return convolve<3>(convolution, part, SplitSome<3>{beside});
  }
}

const BlockConvolutionFunctions<Bfloat16Pair>& pair_convolution_functions() {
  static constexpr BlockConvolutionFunctions<Bfloat16Pair> kFunctions{.block = kBlock,
                                                                      .position = kPosition,
                                                                      .takes_width = takes_width,
                                                                      .most_columns = kTileRows,
                                                                      .run = run,
                                                                      .round = round};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif
