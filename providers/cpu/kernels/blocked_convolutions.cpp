// BlockedConv in float32 with constant weights, on blocks of this machine's size; where the caller or the weights' type allows it, of operands rounded to
// bfloat16.
#include "cpu/kernels/blocked.h"

#include <algorithm>
#include <cstring>

#include "base/charge.h"
#include "base/kernel_memory.h"
#include "base/parallel.h"
#include "cpu/loops/block_end.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/filter_pairs.h"
#include "cpu/loops/float_weights.h"
#include "cpu/loops/part_convolution.h"
#include "cpu/loops/plain_part_convolution.h"
#include "cpu/loops/tiled_convolution.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

// Whether X may be rounded to bfloat16: where the model's own values are bfloat16, or where the caller allows it.
bool may_round(const Node& node) {
  return dtype(node.input(1)) == DType::kBfloat16 || node.precision() == ONNXRUN_PRECISION_MEDIUM;
}

// Images of so few channels are not brought into blocks.
constexpr int64_t kPlainChannels = kPlainPairChannels;

// Our own: faster than oneDNN's where it takes the node. On float, or on Bfloat16Pair: each product is then that of operands rounded to 8 bits, so that a
// sum's error is at most 2^-8 (1 + 2^-10) of the sum of the products' magnitudes more than in float32.
template <class Element>
class Tiles {
 public:
  static Acceptance accepts(const Node& node) {
    if (kRounds && !may_round(node))
      return Acceptance::decline("rounds operands to bfloat16, which float32_matmul_precision does not allow");
    if (const std::string reason = refuse_tiles(node, block_convolution_functions<Element>().block); !reason.empty())
      return Acceptance::decline(reason);
    const onnxrun_tensor& weights = node.input(1);
    const int64_t group = node.get_int("group", 1);
    if ((group == 1 && weights.dims[1] <= kPlainChannels) != takes_plain(node))
      return Acceptance::decline(takes_plain(node) ? "so many channels are taken in blocks"
                                                   : "so few channels are taken plain");
    const std::vector<int64_t> strides = node.get_ints("strides");
    const std::string reason = TiledWeights::refuse(weights, group, strides.empty() ? 1 : strides.back());
    if (!reason.empty()) return Acceptance::decline(reason);
    if (kRounds && (TiledWeights::depthwise(weights, group) || filters_of_channel(node) < kWorth ||
                    (takes_plain(node) && weights.dims[0] < kWorth)))
      return Acceptance::decline("so few products of a channel are not worth rounding it");
    const auto& functions = block_convolution_functions<Element>();
    if (kRounds && group > 1 && weights.dims[1] % functions.position != 0)
      return Acceptance::decline("groups that do not fill whole positions");
    if (kRounds && takes_plain(node) && functions.round_plain == nullptr)
      return Acceptance::decline("tiles take no plain inputs");
    Acceptance acceptance;
    const TiledWeights packing(weights, group);
    acceptance.pack(kRounds ? packing.pair_bytes() : packing.bytes(), {1}).takes_all_shapes();
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) {
    TiledWeights(node.input(1), node.get_int("group", 1))
        .pack(FloatWeights(node.input(1)).data(), static_cast<Element*>(bytes));
  }

  Tiles(const Node& node, const void* packed)
      : packed_(static_cast<const Element*>(packed)),
        convolution_(blocked_geometry(node), node.get_int("group", 1), takes_plain(node),
                     node.threads() > 0 ? node.threads() : base::available_cpus()),
        end_(*end_of_blocked(node)),
        block_(block_convolution_functions<Element>().block) {
    if (end_.clamps()) convolution_.clamp(end_.low(), end_.high());
  }
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  size_t table_bytes() const { return convolution_.table_bytes(); }
  void run(RunContext& context) const {
    convolution_.run(context, tiled_arrays(context, packed_), [&](float* values, int64_t count, int64_t filters) {
      end_.apply(values, count, block_, filters);
    });
  }

 private:
  static constexpr bool kRounds = std::is_same_v<Element, Bfloat16Pair>;
  // Products that each element of the input is in, strides aside, from which on rounding pays.
  static constexpr int64_t kWorth = 32;
  static int64_t filters_of_channel(const Node& node) {
    const auto weights = provider::dims(node.input(1));
    int64_t result = weights[0] / node.get_int("group", 1);
    for (size_t d = 2; d < weights.size(); ++d) result *= weights[d];
    return result;
  }

  const Element* packed_;
  TiledConvolution<Element> convolution_;
  BlockEnd end_;
  int64_t block_;
};

// In float32, by products of bfloat16 parts (loops/parts.h): of three of each number, or where the caller allows it of two. What is left out is less than
// 2^-24 or 2^-15 of the products' magnitudes. Weights are split while they are multiplied, or those of two parts, which take no more room but for whole blocks of 32, while they are packed.
class Parts {
 public:
  static Acceptance accepts(const Node& node) {
    const int parts = parts_of_products(node.precision());
    if (parts == 0) return Acceptance::decline("no tiles at this instruction set level");
    if (const Acceptance acceptance = Tiles<float>::accepts(node); acceptance.declined()) return acceptance;
    if (takes_plain(node)) return Acceptance::decline("takes its input in blocks");
    const onnxrun_tensor& weights = node.input(1);
    const int64_t group = node.get_int("group", 1);
    if (TiledWeights::depthwise(weights, group)) return Acceptance::decline("depthwise");
    if (group > 1 && weights.dims[1] % kPartPosition != 0)
      return Acceptance::decline("groups that do not fill whole positions");
    const FilterPairs filters = pairs_of(node);
    if (filters.taps > kMostTaps || filters.bytes(parts) > kMostPairBytes)
      return Acceptance::decline("filters as large as these");
    if (!PartConvolution::pays(filters.channels, filters.filters, filters.taps, parts))
      return Acceptance::decline("so few channels or filters are not worth splitting numbers");
    Acceptance acceptance;
    acceptance.pack(weight_bytes(node) + sizeof(PartExtents), {1}).takes_all_shapes();
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) {
    const size_t size = float_bytes(node);
    const base::Charge charge(base::kernel_budget(), static_cast<int64_t>(size));
    std::vector<float> numbers(size / sizeof(float));
    Tiles<float>::pack(node, numbers.data());
    const PartExtents extents = PartConvolution::extents(numbers.data(), static_cast<int64_t>(numbers.size()));
    if (holds(node, extents)) pairs_of(node).hold(numbers.data(), static_cast<char*>(bytes));
    else std::memcpy(bytes, numbers.data(), size);
    std::memcpy(static_cast<char*>(bytes) + weight_bytes(node), &extents, sizeof extents);
  }

  Parts(const Node& node, const void* packed)
      : packed_(static_cast<const float*>(packed)),
        weights_(extents_in(node, packed)),
        convolution_(blocked_geometry(node), node.get_int("group", 1), parts_of_products(node.precision()),
                     holds(node, weights_), node.threads()),
        end_(*end_of_blocked(node)) {
    if (end_.clamps()) convolution_.clamp(end_.low(), end_.high());
  }
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  size_t table_bytes() const { return convolution_.table_bytes(); }
  void run(RunContext& context) const {
    convolution_.run(
        context, tiled_arrays(context, packed_), weights_,
        [&](float* values, int64_t count, int64_t filters) { end_.apply(values, count, kPartBlock, filters); });
  }

 private:
  // Each thread has memory for some of the parts.
  static constexpr int64_t kMostTaps = 128, kMostPairBytes = 8 << 20;

  static FilterPairs pairs_of(const Node& node) {
    const auto weights = provider::dims(node.input(1));
    const int64_t group = node.get_int("group", 1);
    FilterPairs pairs{.groups = group, .channels = weights[1], .filters = weights[0] / group, .taps = 1};
    for (size_t d = 2; d < weights.size(); ++d) pairs.taps *= weights[d];
    return pairs;
  }
  static bool holds(const Node& node, const PartExtents& weights) {
    return parts_of_products(node.precision()) == kHeldParts && parts_hold(weights);
  }
  static size_t float_bytes(const Node& node) { return TiledWeights(node.input(1), node.get_int("group", 1)).bytes(); }
  // However they turn out to be.
  static size_t weight_bytes(const Node& node) {
    return parts_of_products(node.precision()) == kHeldParts ? pairs_of(node).held_bytes() : float_bytes(node);
  }
  static PartExtents extents_in(const Node& node, const void* packed) {
    PartExtents extents;
    std::memcpy(&extents, static_cast<const char*>(packed) + weight_bytes(node), sizeof extents);
    return extents;
  }

  const float* packed_;
  PartExtents weights_;
  PartConvolution convolution_;
  BlockEnd end_;
};

// The same of plain images of few channels, also rounded to bfloat16 where the caller allows that. Weights are few, and held in parts and as they are.
class PlainParts {
 public:
  static Acceptance accepts(const Node& node) {
    const int parts = parts_of(node);
    if (parts == 0) return Acceptance::decline("no tiles at this instruction set level");
    if (const Acceptance acceptance = Tiles<float>::accepts(node); acceptance.declined()) return acceptance;
    if (!takes_plain(node)) return Acceptance::decline("takes plain images");
    const auto weights = provider::dims(node.input(1));
    const auto dilations = node.get_ints("dilations");
    if (!dilations.empty() && dilations.back() != 1) return Acceptance::decline("columns that lie apart");
    if (!PlainPartConvolution::pays(weights[1], weights[0], weights.back(), parts))
      return Acceptance::decline("so narrow a kernel, or so few filters, are not worth splitting numbers");
    Acceptance acceptance;
    acceptance.pack(held_at(node) + static_cast<size_t>(filters_of(node).bytes()) + sizeof(PartExtents), {1})
        .takes_all_shapes();
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) {
    Tiles<float>::pack(node, bytes);
    char* held = static_cast<char*>(bytes) + held_at(node);
    const FloatWeights weights(node.input(1));
    const PlainFilters filters = filters_of(node);
    filters.pack(weights.data(), held);
    const PartExtents extents = PartConvolution::extents(weights.data(), provider::count(node.input(1)));
    std::memcpy(held + filters.bytes(), &extents, sizeof extents);
  }

  PlainParts(const Node& node, const void* packed)
      : packed_(static_cast<const float*>(packed)),
        held_(static_cast<const char*>(packed) + held_at(node)),
        convolution_(blocked_geometry(node), parts_of(node), node.threads()),
        end_(*end_of_blocked(node)) {
    std::memcpy(&weights_, held_ + filters_of(node).bytes(), sizeof weights_);
    if (end_.clamps()) convolution_.clamp(end_.low(), end_.high());
  }
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  size_t table_bytes() const { return convolution_.table_bytes(); }
  void run(RunContext& context) const {
    convolution_.run(
        context, tiled_arrays(context, packed_), held_, weights_,
        [&](float* values, int64_t count, int64_t filters) { end_.apply(values, count, kPartBlock, filters); });
  }

 private:
  static int parts_of(const Node& node) {
    const int parts = parts_of_products(node.precision());
    return parts != 0 && may_round(node) ? 1 : parts;
  }
  static PlainFilters filters_of(const Node& node) {
    const auto weights = provider::dims(node.input(1));
    return {.filters = weights[0],
            .channels = weights[1],
            .height = weights.size() == 4 ? weights[2] : 1,
            .width = weights.back(),
            .parts = parts_of(node)};
  }
  static size_t held_at(const Node& node) { return (TiledWeights(node.input(1), 1).bytes() + 63) & ~size_t{63}; }

  const float* packed_;
  const char* held_;
  PartExtents weights_;
  PlainPartConvolution convolution_;
  BlockEnd end_;
};

// Convolutions of one tap, and depthwise ones, where oneDNN's are faster than our tiles: with AVX2. The tiles serve shapes that it has no kernel for.
class OneDnnOrTiles {
 public:
  static Acceptance accepts(const Node& node) {
    if (simd_level() != SimdLevel::kV3) return Acceptance::decline("tiles are as fast at this instruction set level");
    Acceptance acceptance = Tiles<float>::accepts(node), theirs = accept_blocked_by_onednn(node);
    if (acceptance.declined()) return acceptance;
    if (theirs.declined()) return theirs;
    const auto weights = provider::dims(node.input(1));
    const bool one_tap = std::all_of(weights.begin() + 2, weights.end(), [](int64_t taps) { return taps == 1; });
    if (takes_plain(node) || (!one_tap && !TiledWeights::depthwise(node.input(1), node.get_int("group", 1))))
      return Acceptance::decline("tiles are faster where filters have several taps");
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) { Tiles<float>::pack(node, bytes); }

  OneDnnOrTiles(const Node& node, const void* packed) : convolution_(onednn_blocked_convolution(node, packed)) {
    if (convolution_ == nullptr) tiles_.emplace(node, packed);
  }
  size_t scratch_bytes() const { return tiles_ ? tiles_->scratch_bytes() : convolution_->scratch_bytes(); }
  size_t table_bytes() const { return tiles_ ? tiles_->table_bytes() : convolution_->table_bytes(); }
  void run(RunContext& context) const {
    if (tiles_) tiles_->run(context);
    else convolution_->run(context);
  }

 private:
  std::unique_ptr<const BlockedConvolution> convolution_;
  std::optional<Tiles<float>> tiles_;
};

// Takes what the faster kernels take, and serves the shapes that they turn out not to; alone it is no reason to bring values into blocks.
class Reference {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance acceptance = Tiles<float>::accepts(node);
    return acceptance.declined() ? accept_blocked_by_onednn(node) : Acceptance();
  }
  explicit Reference(const Node& node)
      : geometry_(blocked_geometry(node)),
        group_(node.get_int("group", 1)),
        block_(node.get_int("block", 0)),
        plain_(takes_plain(node)),
        end_(*end_of_blocked(node)),
        outputs_(provider::count(node.output(0))) {}
  size_t scratch_bytes() const {
    return plain_ ? 0
                  : static_cast<size_t>(geometry_.batch * geometry_.in_channels * geometry_.in_size) * sizeof(float);
  }
  void run(RunContext& context) const {
    const WindowGeometry& g = geometry_;
    const int64_t block = block_, blocks = (g.out_channels + block - 1) / block;
    const float* x = plain_ ? context.in<float>(0) : unblocked(context);
    const float* bias = context.has_input(2) ? context.in<float>(2) : nullptr;
    const float* added = context.has_input(3) ? context.in<float>(3) : nullptr;
    const FloatWeights weights(context.input(1));
    float* y = context.out<float>(0);
    if (blocks * block != g.out_channels) std::fill_n(y, outputs_, 0.0f);
    convolve(context, g, group_, x, weights.data(), [&](int64_t m, int64_t at, const double* sums, int64_t count) {
      const int64_t plane = at / g.out_size / g.out_channels * blocks + m / block;
      for (int64_t i = 0; i < count; ++i) {
        const int64_t to = (plane * g.out_size + at % g.out_size + i) * block + m % block;
        double sum = sums[i] + (bias == nullptr ? 0.0 : static_cast<double>(bias[m]));
        if (added != nullptr) sum += static_cast<double>(added[to]);
        y[to] = static_cast<float>(sum);
        end_.finish(y + to, 1);
      }
    });
  }

 private:
  const float* unblocked(RunContext& context) const {
    const WindowGeometry& g = geometry_;
    const int64_t block = block_, blocks = (g.in_channels + block - 1) / block;
    const float* x = context.in<float>(0);
    float* to = static_cast<float*>(context.scratch());
    for (int64_t n = 0; n < g.batch; ++n)
      for (int64_t c = 0; c < g.in_channels; ++c)
        for (int64_t i = 0; i < g.in_size; ++i)
          to[(n * g.in_channels + c) * g.in_size + i] =
              x[((n * blocks + c / block) * g.in_size + i) * block + c % block];
    return to;
  }

  WindowGeometry geometry_;
  int64_t group_, block_;
  bool plain_;
  BlockEnd end_;
  int64_t outputs_;
};

}  // namespace

std::optional<BlockEnd> end_of_blocked(const Node& node) {
  return BlockEnd::find(node.get_string("activation"), node.get_floats("activation_params"));
}

std::string refuse_tiles(const Node& node, int64_t block) {
  if (dtype(node.input(0)) != DType::kFloat32) return "computes in float32 only";
  if (block == 0) return "no tiles at this instruction set level";
  if (node.get_int("block", 0) != block || (onednn_block() != 0 && onednn_block() != block))
    return fmt::format("tiles have {} channels here", block);
  if (node.input(1).data == nullptr || !provider::shape_known(node.input(1))) return "the weights are not constant";
  if (node.input(0).rank < 0) return "the rank of the input is not known";
  if (!end_of_blocked(node)) return fmt::format("no activation '{}'", node.get_string("activation"));
  return {};
}

void add_blocked_convolutions(provider::KernelTable& table) {
#if !defined(ONNXRUN_EXACT_PRODUCTS)  // of a reduced build, see cmake/Reduced.cmake
  table.add<Tiles<Bfloat16Pair>>("onnxrun", "BlockedConv", "bfloat16");
  table.add<Parts>("onnxrun", "BlockedConv", "parts");
  table.add<PlainParts>("onnxrun", "BlockedConv", "plain parts");
  add_winograd_convolutions(table);
#endif
  table.add<OneDnnOrTiles>("onnxrun", "BlockedConv", "onednn");
  table.add<Tiles<float>>("onnxrun", "BlockedConv", "tiles");
  add_onednn_blocked_convolutions(table);
  table.add<Reference>("onnxrun", "BlockedConv", "reference");
}

}  // namespace onnxrun::cpu
