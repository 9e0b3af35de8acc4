// BlockedQLinearConv with constant weights, scales and zero points, on blocks of this machine's size.
#include <cmath>
#include <cstring>

#include "base/parallel.h"
#include "cpu/kernels/blocked.h"
#include "cpu/loops/byte_table.h"
#include "cpu/loops/integer_product.h"
#include "cpu/loops/plain_integer_convolution.h"
#include "cpu/loops/tiled_integer_convolution.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

// Inputs by place.
enum Input : size_t {
  kX,
  kXScale,
  kXZero,
  kW,
  kWScale,
  kWZero,
  kYScale,
  kYZero,
  kBias,
  kZ,
  kZScale,
  kZZero,
  kSumScale,
  kSumZero,
  kTable
};

bool plain_input(const Node& node) { return node.input(kX).rank == node.input(kW).rank; }

WindowGeometry geometry(const Node& node) {
  const auto weights = provider::dims(node.input(kW));
  return blocked_geometry(ops::read_window(node, kernel_of(node.input(kW))), node.input(kX), node.output(0),
                          weights[1] * node.get_int("group", 1), weights[0]);
}

float scale(const Node& node, size_t input) { return *static_cast<const float*>(node.input(input).data); }
uint8_t zero(const Node& node, size_t input) { return *static_cast<const uint8_t*>(node.input(input).data); }

IntegerResult result(const Node& node) {
  IntegerResult r{.x_zero = zero(node, kXZero), .zero = zero(node, kYZero)};
  if (!node.has_input(kZ)) return r;
  r.adds = true;
  r.scale_of_sum = scale(node, kYScale) / scale(node, kSumScale);
  r.scale_of_added = scale(node, kZScale) / scale(node, kSumScale);
  r.zero_of_added = zero(node, kZZero);
  r.zero_of_sum = zero(node, kSumZero);
  return r;
}

// Whether constants, whose data are there, have as many elements as are read.
bool counts_fit(const Node& node) {
  const onnxrun_tensor& weights = node.input(kW);
  if (weights.rank < 3) return false;
  const int64_t filters = weights.dims[0];
  const auto has = [&](size_t i, int64_t one, int64_t other) {
    const int64_t count = node.has_input(i) ? provider::count(node.input(i)) : one;
    return count == one || count == other;
  };
  for (const size_t i : {kXScale, kXZero, kYScale, kYZero, kZScale, kZZero, kSumScale, kSumZero})
    if (!has(i, 1, 1)) return false;
  return has(kWScale, 1, filters) && has(kWZero, 1, filters) && has(kBias, filters, filters) && has(kTable, 256, 256);
}

// Whether all that results are multiplied with is finite.
bool finite(const Node& node) {
  const float factor = scale(node, kXScale), over = scale(node, kYScale);
  const auto* scales = static_cast<const char*>(node.input(kWScale).data);
  for (int64_t m = 0; m < provider::count(node.input(kWScale)); ++m) {
    float scale = 0;  // perhaps aligned to nothing
    std::memcpy(&scale, scales + static_cast<size_t>(m) * sizeof scale, sizeof scale);
    if (!std::isfinite(factor * scale / over)) return false;
  }
  const IntegerResult r = result(node);
  return std::isfinite(r.scale_of_sum) && std::isfinite(r.scale_of_added);
}

template <class Weights>
void pack_constants(const Weights& weights, const Node& node, void* bytes) {
  const float factor = scale(node, kXScale), over = scale(node, kYScale);
  const float* scales = static_cast<const float*>(node.input(kWScale).data);
  const bool many = provider::count(node.input(kWScale)) > 1;
  weights.pack(
      node.input(kW), zero(node, kXZero),
      node.has_input(kBias) ? static_cast<const int32_t*>(node.input(kBias).data) : nullptr,
      [&](int64_t m) { return factor * scales[many ? m : 0] / over; }, bytes);
}

template <class Convolution>
void run_convolution(RunContext& context, const Convolution& convolution, const void* packed) {
  const uint8_t* added = context.has_input(kZ) ? context.in<uint8_t>(kZ) : nullptr;
  const uint8_t* table = context.has_input(kTable) ? context.in<uint8_t>(kTable) : nullptr;
  convolution.run(context, context.in<uint8_t>(kX), packed, added, context.out<uint8_t>(0),
                  [&](uint8_t* values, int64_t count) {
                    if (table != nullptr) look_up(table, values, values, count);
                  });
}

class Tiles {
 public:
  static Acceptance accepts(const Node& node) {
    const int64_t block = integer_block_convolution_functions().block;
    if (block == 0) return Acceptance::decline("no tiles at this instruction set level");
    if (node.get_int("block", 0) != block)
      return Acceptance::decline(fmt::format("tiles have {} channels here", block));
    for (const size_t i : {kXScale, kXZero, kW, kWScale, kWZero, kYScale, kYZero})
      if (!node.has_input(i)) return Acceptance::decline("an input whose type is not known");
    for (const size_t i : {kZScale, kZZero, kSumScale, kSumZero})
      if (node.has_input(kZ) && !node.has_input(i)) return Acceptance::decline("an addition whose types are not known");
    for (const size_t i :
         {kXScale, kXZero, kW, kWScale, kWZero, kYScale, kYZero, kBias, kZScale, kZZero, kSumScale, kSumZero, kTable})
      if (node.has_input(i) && (node.input(i).data == nullptr || !provider::shape_known(node.input(i))))
        return Acceptance::decline("only activations may change");
    if (!counts_fit(node)) return Acceptance::decline("scales, zero points, biases or tables of other lengths");
    if (!finite(node)) return Acceptance::decline("scales whose ratio is not finite");
    const onnxrun_tensor &weights = node.input(kW), &points = node.input(kWZero);
    if (node.input(kX).rank < 0) return Acceptance::decline("the rank of the input is not known");
    const int64_t group = node.get_int("group", 1);
    if (plain_input(node) && (group != 1 || weights.dims[1] > IntegerBlockConvolutionFunctions::kPlainPosition))
      return Acceptance::decline("so many channels are taken in blocks");
    if (weights.dims[0] == 0) return Acceptance::decline("no filters");
    const std::vector<int64_t> strides = node.get_ints("strides");
    for (int64_t i = 0; i < provider::count(points); ++i) {
      const std::string reason =
          TiledIntegerWeights::refuse(weights, zero_point(points, i), group, strides.empty() ? 1 : strides.back());
      if (!reason.empty()) return Acceptance::decline(reason);
    }
    Acceptance acceptance;
    acceptance.pack(TiledIntegerWeights(weights, group, plain_input(node)).bytes(), {kW, kWScale, kBias});
    return acceptance;
  }

  static void pack(const Node& node, void* bytes) {
    pack_constants(TiledIntegerWeights(node.input(kW), node.get_int("group", 1), plain_input(node)), node, bytes);
  }

  Tiles(const Node& node, const void* packed)
      : packed_(packed),
        convolution_(geometry(node), node.input(kW), node.get_int("group", 1), plain_input(node), result(node),
                     node.threads() > 0 ? node.threads() : base::available_cpus()) {}
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  size_t table_bytes() const { return convolution_.table_bytes(); }
  void run(RunContext& context) const { run_convolution(context, convolution_, packed_); }

 private:
  const void* packed_;
  TiledIntegerConvolution convolution_;
};

// Of plain images, with kernels wide enough for tiles of what a row of them sees.
class PlainTiles {
 public:
  static Acceptance accepts(const Node& node) {
    if (simd_level() != SimdLevel::kSpr) return Acceptance::decline("no tiles at this instruction set level");
    if (const Acceptance acceptance = Tiles::accepts(node); acceptance.declined()) return acceptance;
    if (!plain_input(node)) return Acceptance::decline("takes plain images");
    const auto weights = provider::dims(node.input(kW));
    const auto dilations = node.get_ints("dilations");
    if (!dilations.empty() && dilations.back() != 1) return Acceptance::decline("columns that lie apart");
    if (!PlainIntegerConvolution::pays(weights[0], weights.back()))
      return Acceptance::decline("so narrow a kernel, or so few filters, are not worth it");
    Acceptance acceptance;
    acceptance.pack(PlainIntegerFilters(node.input(kW)).bytes(), {kW, kWScale, kBias});
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) { pack_constants(PlainIntegerFilters(node.input(kW)), node, bytes); }

  PlainTiles(const Node& node, const void* packed)
      : packed_(packed),
        convolution_(geometry(node), PlainIntegerFilters(node.input(kW)), result(node), node.threads()) {
    if (!convolution_.fit()) throw provider::Declined{"images that are padding for the most part"};
  }
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  size_t table_bytes() const { return convolution_.table_bytes(); }
  void run(RunContext& context) const { run_convolution(context, convolution_, packed_); }

 private:
  const void* packed_;
  PlainIntegerConvolution convolution_;
};

}  // namespace

void add_blocked_integer_convolutions(provider::KernelTable& table) {
  table.add<PlainTiles>("onnxrun", "BlockedQLinearConv", "plain tiles");
  table.add<Tiles>("onnxrun", "BlockedQLinearConv", "tiles");
}

}  // namespace onnxrun::cpu
