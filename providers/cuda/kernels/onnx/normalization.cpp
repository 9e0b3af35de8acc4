// LayerNormalization, RMSNormalization, InstanceNormalization, GroupNormalization, MeanVarianceNormalization and BatchNormalization.
#include "cuda/device/reduce.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/parts.h"

namespace onnxrun::cuda {
namespace {

// Whether all inputs from the second on are of float32, float64, float16 or bfloat16.
bool float_parameters(const Node& node) {
  for (size_t i = 1; i < node.input_count(); ++i)
    if (node.has_input(i) && find_normalization(dtype(node.input(i))) == nullptr) return false;
  return true;
}

class LayerNormalization {
 public:
  static Acceptance accepts(const Node& node) {
    if (find_normalization(dtype(node.input(0))) == nullptr || !float_parameters(node)) return no_kernel(node);
    return {};
  }
  explicit LayerNormalization(const Node& node) : launch_(find_normalization(dtype(node.input(0)))) {
    const auto dims = provider::dims(node.input(0));
    const auto axis =
        static_cast<size_t>(base::normalize_axis(node.get_int("axis", -1), static_cast<int64_t>(dims.size())));
    how_.count = product(dims, 0, axis);
    how_.size = product(dims, axis, dims.size());
    how_.epsilon = node.get_float("epsilon", 1e-5f);
    how_.centred = node.op() == "LayerNormalization";
    if (node.output(0).dtype != node.input(0).dtype) how_.y_type = dtype(node.output(0));
    const base::Dims none(dims.size(), 0);
    const auto steps = [&](size_t i) {
      return node.has_input(i) ? base::broadcast_strides(provider::dims(node.input(i)), dims) : none;
    };
    const auto parameters = walk<2>(dims, {steps(1), how_.centred ? steps(2) : none});
    if (!parameters) throw provider::Declined{"parameters broadcast over too many axes"};
    how_.parameters = *parameters;
    mean_ = how_.centred ? 1 : 0;
    factor_ = how_.centred ? 2 : node.op() == "RMSNormalization" ? 0 : 1;
  }
  void run(RunContext& context) const {
    Normalization how = how_;
    how.scale = context.input(1).data;
    how.scale_type = dtype(context.input(1));
    if (how.centred && context.has_input(2)) {
      how.bias = context.input(2).data;
      how.bias_type = dtype(context.input(2));
    }
    const auto statistic = [&](size_t output) -> void* {
      if (output == 0 || !context.has_output(output)) return nullptr;
      how.statistics_type = dtype(context.output(output));
      return context.output(output).data;
    };
    how.mean = statistic(mean_);
    how.factor = statistic(factor_);
    launch_(queue_of(context), how, context.input(0).data, context.output(0).data);
  }

 private:
  NormalizationLaunch launch_;
  Normalization how_;
  size_t mean_, factor_;  // outputs of the statistics; 0: none
};

// InstanceNormalization and GroupNormalization: rows are the groups of channels, of one or more; each channel has its own scale and bias.
class GroupNormalization {
 public:
  static Acceptance accepts(const Node& node) { return LayerNormalization::accepts(node); }
  explicit GroupNormalization(const Node& node) : launch_(find_normalization(dtype(node.input(0)))) {
    const auto dims = provider::dims(node.input(0));
    const bool single = node.op() == "InstanceNormalization";
    const int64_t groups = single ? dims[1] : node.get_int("num_groups", 1), plane = product(dims, 2, dims.size());
    how_.count = dims[0] * groups;
    how_.size = single ? plane : dims[1] / groups * plane;
    how_.epsilon = node.get_float("epsilon", 1e-5f);
    if (single) how_.period = dims[1];
    const base::Dims all{dims[0], dims[1], plane}, steps{0, 1, 0};
    if (!single) how_.parameters = *walk<2>(all, {steps, steps});
  }
  void run(RunContext& context) const {
    Normalization how = how_;
    how.scale = context.input(1).data, how.scale_type = dtype(context.input(1));
    how.bias = context.input(2).data, how.bias_type = dtype(context.input(2));
    launch_(queue_of(context), how, context.input(0).data, context.output(0).data);
  }

 private:
  NormalizationLaunch launch_;
  Normalization how_;
};

class MeanVarianceNormalization {
 public:
  static Acceptance accepts(const Node& node) {
    return find_standard(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit MeanVarianceNormalization(const Node& node) : launch_(find_standard(dtype(node.input(0)))) {
    const auto dims = provider::dims(node.input(0));
    std::vector<int64_t> axes = node.get_ints("axes");
    if (!node.has("axes")) axes = {0, 2, 3};
    std::vector<bool> reduced(dims.size(), false);
    for (const int64_t axis : base::normalize_axes(axes, static_cast<int64_t>(dims.size()), "axes"))
      reduced[static_cast<size_t>(axis)] = true;
    outer_ = part_of(dims, reduced, false);
    inner_ = part_of(dims, reduced, true);
  }
  void run(RunContext& context) const {
    launch_(queue_of(context), outer_, inner_, context.input(0).data, context.output(0).data);
  }

 private:
  StandardLaunch launch_;
  Axes<1> outer_, inner_;
};

class BatchNormalization {
 public:
  static Acceptance accepts(const Node& node) {
    if (find_batch_norm(dtype(node.input(0))) == nullptr || !float_parameters(node)) return no_kernel(node);
    if (dtype(node.input(1)) != dtype(node.input(2)) || dtype(node.input(3)) != dtype(node.input(4)))
      return Acceptance::decline("parameters of different types");
    return {};
  }
  explicit BatchNormalization(const Node& node)
      : launch_(find_batch_norm(dtype(node.input(0)))),
        train_(find_batch_train(dtype(node.input(0)))),
        trains_(node.get_int("training_mode", 0) != 0) {
    const auto dims = provider::dims(node.input(0));
    how_.count = provider::count(node.input(0));
    if (dims.size() > 1) how_.channels = dims[1];
    for (size_t d = 2; d < dims.size(); ++d) how_.plane *= dims[d];
    how_.epsilon = node.get_float("epsilon", 1e-5f);
    how_.scale_type = dtype(node.input(1));
    how_.mean_type = dtype(node.input(3));
    training_.momentum = node.get_float("momentum", 0.9f);
  }
  void run(RunContext& context) const {
    BatchNorm how = how_;
    how.scale = context.input(1).data, how.bias = context.input(2).data;
    how.mean = context.input(3).data, how.variance = context.input(4).data;
    const void* x = context.input(0).data;
    void* y = context.output(0).data;
    if (!trains_) return launch_(queue_of(context), how, x, y);
    BatchTraining training = training_;
    if (context.has_output(1)) training.mean = context.output(1).data;
    if (context.has_output(2)) training.variance = context.output(2).data;
    train_(queue_of(context), how, training, x, y);
  }

 private:
  BatchNormLaunch launch_;
  BatchTrainLaunch train_;
  bool trains_;
  BatchNorm how_;
  BatchTraining training_;
};

}  // namespace

void kernels_onnx_normalization(provider::KernelTable& table) {
  for (const char* op : {"LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"})
    add<LayerNormalization>(table, "", op, "rows");
  add<GroupNormalization>(table, "", "InstanceNormalization", "rows");
  add<GroupNormalization>(table, "", "GroupNormalization", "rows");
  add<MeanVarianceNormalization>(table, "", "MeanVarianceNormalization", "rows");
  add<BatchNormalization>(table, "", "BatchNormalization", "map");
}

}  // namespace onnxrun::cuda
