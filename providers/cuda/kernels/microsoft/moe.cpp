// com.microsoft.MoE and QMoE: every token with each of its experts.
#include <optional>
#include <string>

#include "cuda/device/mixture.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/fill.h"
#include "cuda/kernels/host_float.h"
#include "ops/attributes/mixture.h"

namespace onnxrun::cuda {
namespace {

using ops::attributes::ExpertActivation;

ExpertOpening opening_of(ExpertActivation activation) {
  switch (activation) {
    case ExpertActivation::kRelu: return ExpertOpening::kRelu;
    case ExpertActivation::kGelu: return ExpertOpening::kGelu;
    case ExpertActivation::kSilu: return ExpertOpening::kSilu;
    case ExpertActivation::kIdentity: return ExpertOpening::kIdentity;
    case ExpertActivation::kSwiglu: return ExpertOpening::kSwiglu;
  }
  return ExpertOpening::kIdentity;
}

// The inputs of a projection; 0: absent.
struct Inputs {
  size_t weights = 0, scales = 0, bias = 0, zeros = 0;
};

class Projection {
 public:
  Projection(const Inputs& inputs, int64_t rows, int64_t columns, int64_t bits, int64_t block) : in_(inputs) {
    how_.rows = rows, how_.columns = columns, how_.bits = bits, how_.block = block;
  }
  int64_t rows() const { return how_.rows; }

  // Of `items` rows of x, each of which serves `shared` items; their experts are `chosen`.
  void run(RunContext& context, int64_t items, int64_t shared, const int64_t* chosen, const ExpertTiles& tiles,
           DType x_type, const void* x, float* y) const {
    ExpertProduct how = how_;
    how.tiles = tiles;
    how.items = items, how.shared = shared, how.chosen = chosen, how.x_type = x_type;
    how.weights = context.input(in_.weights).data, how.weight_type = dtype(context.input(in_.weights));
    if (in_.scales != 0) how.scales = context.input(in_.scales).data, how.scale_type = dtype(context.input(in_.scales));
    if (in_.bias != 0 && context.has_input(in_.bias))
      how.bias = context.input(in_.bias).data, how.bias_type = dtype(context.input(in_.bias));
    if (in_.zeros != 0 && context.has_input(in_.zeros)) how.zeros = context.in<uint8_t>(in_.zeros);
    launch_expert_product(queue_of(context), how, x, y);
  }

 private:
  Inputs in_;
  ExpertProduct how_;
};

class Mixture {
 public:
  static Acceptance accepts(const Node& node) {
    const bool quantized = node.op() == "QMoE";
    for (size_t i = 0; i < node.input_count(); ++i) {
      if (!node.has_input(i)) continue;
      const DType type = dtype(node.input(i));
      if (!is_plain_float(type) && !(quantized && type == DType::kUint8))
        return Acceptance::decline(fmt::format("no kernel for weights of {}", base::dtype_name(type)));
    }
    return {};
  }

  explicit Mixture(const Node& node)
      : quantized_(node.op() == "QMoE"),
        attributes_(ops::attributes::read_mixture(node, std::string(node.op()))),
        type_(dtype(node.input(0))),
        hidden_(provider::dims(node.input(0)).back()) {
    const auto scores = provider::dims(node.input(1));
    routing_.tokens = scores[0], routing_.experts = scores[1], routing_.taken = attributes_.experts_per_token;
    routing_.type = type_;
    if (routing_.taken > routing_.experts)
      base::fail(base::Code::kInvalidModel, "{}: k is {}, but there are {} experts", node.op(), routing_.taken,
                 routing_.experts);
    const int64_t fc1_rows = provider::dims(node.input(2))[1];
    inner_ = fc1_rows / (attributes_.fused() ? 2 : 1);
    const auto add = [&](std::optional<Projection>& to, const Inputs& inputs, int64_t rows, int64_t columns,
                         int which) { to.emplace(inputs, rows, columns, attributes_.bits[which], attributes_.block); };
    add(fc1_, quantized_ ? Inputs{2, 3, 4, 11} : Inputs{2, 0, 3, 0}, fc1_rows, hidden_, 0);
    add(fc2_, quantized_ ? Inputs{5, 6, 7, 12} : Inputs{4, 0, 5, 0}, hidden_, inner_, 1);
    const size_t third = quantized_ ? 8 : 6;
    if (node.has_input(third)) add(fc3_, quantized_ ? Inputs{8, 9, 10, 13} : Inputs{6, 0, 7, 0}, inner_, hidden_, 2);
    opening_.inner = inner_;
    opening_.activation = opening_of(attributes_.activation);
    opening_.fusion = attributes_.fusion;
    opening_.alpha = attributes_.alpha, opening_.beta = attributes_.beta, opening_.limit = attributes_.limit;
    opening_.items = base::checked_mul(routing_.tokens, routing_.taken);
    // Where experts have several items each, these share the reading of the weights.
    if (opening_.items / kSharing >= routing_.experts && opening_.items < INT32_MAX && routing_.experts < INT32_MAX)
      tiles_ = expert_tiles(opening_.items, routing_.experts);
  }

  // For every token and expert it takes: the expert, its share, the projections and what comes of them; then the tiles.
  size_t scratch_bytes() const {
    const int64_t floats = 1 + fc1_->rows() + 2 * inner_ + hidden_;
    const int64_t each = base::checked_add(sizeof(int64_t), base::checked_mul(floats, sizeof(float)));
    return static_cast<size_t>(base::checked_add(base::checked_mul(opening_.items, each), tile_numbers() * 4));
  }

  void run(RunContext& context) const {
    const Queue queue = queue_of(context);
    const int64_t items = opening_.items;
    auto* chosen = static_cast<int64_t*>(context.scratch());
    auto* shares = reinterpret_cast<float*>(chosen + items);
    float *first = shares + items, *third = first + items * fc1_->rows(), *opened = third + items * inner_;
    float* y = opened + items * inner_;
    ExpertTiles tiles;
    if (tiles_ > 0) {
      tiles.count = tiles_;
      tiles.order = reinterpret_cast<int32_t*>(y + items * hidden_);
      tiles.tiles = tiles.order + items, tiles.experts = tiles.tiles + 3 * tiles_;
    }
    Routing routing = routing_;
    routing.scores = context.input(1).data;
    if (quantized_ && context.has_input(14)) routing.weights = context.input(14).data;
    // QMoE takes the softmax over the chosen experts alone, whatever it is told.
    routing.normalize = attributes_.normalize || (quantized_ && routing.weights == nullptr);
    launch_route(queue, routing, chosen, shares);
    if (tiles_ > 0) {
      fill_zero(stream_of(context), tiles.experts, static_cast<size_t>(routing.experts) * sizeof(int32_t));
      launch_expert_tiles(queue, items, routing.experts, chosen, tiles);
    }
    const void* x = context.input(0).data;
    fc1_->run(context, items, routing.taken, chosen, tiles, type_, x, first);
    if (fc3_) fc3_->run(context, items, routing.taken, chosen, tiles, type_, x, third);
    launch_open(queue, opening_, first, fc3_ ? third : nullptr, opened);
    fc2_->run(context, items, 1, chosen, tiles, DType::kFloat32, opened, y);
    launch_join(queue, routing.tokens, routing.taken, hidden_, shares, y, type_, context.output(0).data);
  }

 private:
  static constexpr int64_t kSharing = 4;

  int64_t tile_numbers() const { return tiles_ == 0 ? 0 : opening_.items + 3 * tiles_ + routing_.experts; }

  bool quantized_;
  ops::attributes::Mixture attributes_;
  DType type_;
  int64_t hidden_, inner_ = 0, tiles_ = 0;
  Routing routing_;
  Opening opening_;
  std::optional<Projection> fc1_, fc2_, fc3_;
};

}  // namespace

void kernels_microsoft_moe(provider::KernelTable& table) {
  add<Mixture>(table, "com.microsoft", "MoE", "tiles");
  add<Mixture>(table, "com.microsoft", "QMoE", "tiles");
}

}  // namespace onnxrun::cuda
