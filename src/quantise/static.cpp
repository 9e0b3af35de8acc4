// Mode static: QuantizeLinear and DequantizeLinear around convolutions, products and what lies between them, with the ranges that calibration found.
#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <optional>

#include "optimize/reading.h"
#include "quantise/forms.h"
#include "quantise/quantise.h"

namespace onnxrun::quantise {

using base::DType;
using base::Tensor;
using ir::ValueId;

namespace {

// Operators with a form on codes, which are worth it only between others in codes.
bool is_between(const ir::Node& node) {
  static constexpr std::string_view kOps[] = {"Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool"};
  return node.op->domain[0] == '\0' && std::ranges::find(kOps, node.op->name) != std::end(kOps);
}

// Operators that move elements of their first input, or choose among them.
bool is_movement(const ir::Node& node) {
  static constexpr std::string_view kOps[] = {"MaxPool", "Reshape",   "Transpose", "Flatten",
                                              "Squeeze", "Unsqueeze", "Slice"};
  return node.op->domain[0] == '\0' && node.outputs.size() == 1 &&
         std::ranges::find(kOps, node.op->name) != std::end(kOps);
}

struct Activation {
  ValueId scale = ir::kNone, zero = ir::kNone;  // constants of the graph
  float step = 1;
};

class Quantiser {
 public:
  explicit Quantiser(Work& work) : work_(work), graph_(work.graph) {
    for (size_t i = 0; i < graph_.value_count(); ++i) names_.push_back(graph_.value(static_cast<ValueId>(i)).name);
  }

  void run() {
    const std::vector<ir::NodeId> order = graph_.topological_order();
    for (const ir::NodeId id : order) {
      const ir::Node& node = graph_.node(id);
      const bool of_rows = optimize::is(node, "Gather") && optimize::float_constant(graph_, node.inputs[0]) != nullptr;
      if (!of_rows) choose(id);
      else if (is_chosen(work_, node)) rows_.push_back(id);
    }
    for (const ir::NodeId id : order)
      if (graph_.has_node(id)) quantise(id);
    for (const ir::NodeId id : rows_) quantise_gather(work_, id);
  }

 private:
  // A weight's input, channels' axis and bias of a node that computes in codes.
  struct Compute {
    ValueId weight = ir::kNone, bias = ir::kNone;
    int64_t axis = 0;
    bool is_conv = false;
  };

  void choose(ir::NodeId id) {
    const ir::Node& node = graph_.node(id);
    Compute compute;
    if (optimize::is(node, "Conv")) {
      if (graph_.value(node.inputs[0]).fact.dtype != DType::kFloat32 ||
          weight_of(work_, node, node.inputs[1]) == nullptr) {
        if (optimize::constant(graph_, node.inputs[1]) == nullptr) work_.leave(node, "its weights are computed");
        return;
      }
      compute = {node.inputs[1], optimize::input(node, 2), 0, true};
    } else {
      Product product;
      if (!is_product(work_, node, product)) return;
      compute = {product.weight, product.bias, product.turned ? 0 : 1, false};
    }
    if (!is_chosen(work_, node)) return;
    if (compute.bias != ir::kNone &&
        (optimize::float_constant(graph_, compute.bias) == nullptr || graph_.value(compute.bias).fact.rank() != 1))
      return work_.leave(node, "its bias is no constant vector");
    if (!range_of(node.inputs[0])) return work_.leave(node, "calibration saw no range of what it reads");
    chosen_[id] = compute;
  }

  void quantise(ir::NodeId id) {
    const auto found = chosen_.find(id);
    if (found != chosen_.end()) return quantise_compute(id, found->second);
    const ir::Node& node = graph_.node(id);
    if (is_movement(node)) quantise_movement(node);
    else if (is_between(node)) quantise_between(node);
  }

  // As it was called before anything was changed.
  const std::string& name_of(ValueId value) const { return names_[static_cast<size_t>(source_of(value))]; }
  ValueId source_of(ValueId value) const {
    const auto found = sources_.find(value);
    return found == sources_.end() ? value : found->second;
  }

  std::optional<Range> range_of(ValueId value) const {
    const Settings& s = work_.settings;
    const auto source = source_of(value);
    if (static_cast<size_t>(source) >= names_.size()) return std::nullopt;
    const Histogram* seen = work_.observed.range(name_of(value));
    if (seen == nullptr || seen->not_finite() > 0) return std::nullopt;
    s.allowance.check();
    Range range = seen->range(s.method.value_or(Method::kMse), s.percentile, 256, s.symmetric);
    if (!(range.high > range.low)) return std::nullopt;
    return range;
  }

  Activation activation_for(Range range, const std::string& stem) {
    const Settings& s = work_.settings;
    Grid grid;
    if (s.symmetric) {
      grid.scale = std::max(std::max(-range.low, range.high) / 127, 1e-30f);
    } else {
      const float width = range.high - range.low;
      grid.scale = std::max(std::isfinite(width) ? width / 255 : range.high / 255 - range.low / 255, 1e-30f);
      grid.zero = std::clamp(static_cast<int>(std::nearbyint(-range.low / grid.scale)), 0, 255);
    }
    Activation result;
    result.step = grid.scale;
    result.scale = graph_.add_constant(Tensor::scalar<float>(grid.scale), graph_.fresh_name(stem + "_scale"));
    Tensor zero = s.symmetric ? Tensor::scalar<int8_t>(static_cast<int8_t>(grid.zero))
                              : Tensor::scalar<uint8_t>(static_cast<uint8_t>(grid.zero));
    result.zero = graph_.add_constant(std::move(zero), graph_.fresh_name(stem + "_zero"));
    return result;
  }

  // Lets all readers of a value read what is left of it after codes.
  void put(ValueId value, const Activation& activation) {
    ir::Patch patch(graph_, "a value in codes");
    const ValueId codes = patch.emit(work_.op("QuantizeLinear"), {value, activation.scale, activation.zero});
    const ValueId numbers = patch.emit(work_.op("DequantizeLinear"), {codes, activation.scale, activation.zero});
    patch.replace(value, numbers);
    work_.apply(std::move(patch));
    sources_[numbers] = source_of(value);
    activations_[numbers] = activation;
  }

  const Activation* activation_of(ValueId value) const {
    const auto found = activations_.find(value);
    return found == activations_.end() ? nullptr : &found->second;
  }

  // The value that a node reads, in codes.
  bool ensure(const ir::Node& node, size_t i) {
    const ValueId value = node.inputs[i];
    if (activation_of(value) != nullptr) return true;
    const auto range = range_of(value);
    if (!range || !ir::can_replace(graph_, value, static_cast<ValueId>(graph_.value_count()))) return false;
    put(value, activation_for(*range, name_of(value)));
    return true;
  }

  // Lets a channel whose weights are next to nothing have a scale with which `bias`, in steps of `step` of the activation, is a number of 32 bits, and
  // whose product with `step` is no subnormal number or 0.
  static void widen(Coded& coded, const Matrix& matrix, int64_t row, float bias, float step) {
    constexpr double kMost = 1 << 30, kLeast = 2.0 * FLT_MIN;
    Grid& grid = coded.grids[static_cast<size_t>(row * coded.blocks())];
    const double wanted = std::min(std::max(bias / kMost, kLeast) / step, 3e38);
    if (wanted <= grid.scale) return;
    grid.scale = static_cast<float>(wanted);
    for (int64_t i = 0; i < coded.length; ++i)
      coded.codes[static_cast<size_t>(row * coded.length + i)] =
          static_cast<int16_t>(code_of(matrix.row(row)[static_cast<size_t>(i)], grid, coded.range));
  }

  // The bias, less the mean error that the codes of the weights make on what calibration saw; none where there is neither.
  Tensor bias_of(const ir::Node& node, const Compute& compute, const Coded& coded, const Matrix& matrix) const {
    const Tensor own = compute.bias == ir::kNone ? Tensor() : *optimize::constant(graph_, compute.bias);
    if (!work_.settings.correct_bias || (!own && !compute.is_conv)) return own;
    const int64_t groups = compute.is_conv ? node.attributes.get_int("group", 1) : 1;
    return corrected_bias(own, matrix, decode(coded), work_.observed.sums(name_of(node.inputs[0])), groups);
  }

  void quantise_compute(ir::NodeId id, const Compute& compute) {
    const ir::Node& node = graph_.node(id);
    const Tensor weight = *optimize::constant(graph_, compute.weight);
    const Matrix matrix = compute.axis == 0 ? rows_of(weight) : columns_of(weight);
    Coded coded = encode(matrix, work_.settings, 0, Codes::kOfType, {}, !work_.settings.per_channel);
    if (!ensure(node, 0)) return work_.leave(node, "calibration saw no range of what it reads");
    const Activation x = *activation_of(node.inputs[0]);
    const auto scale_of = [&](int64_t row) { return coded.grids[static_cast<size_t>(row * coded.blocks())].scale; };
    Tensor bias, bias_scales;
    const Tensor numbers = bias_of(node, compute, coded, matrix);
    if (numbers) {
      if (numbers.count() != coded.rows) return work_.leave(node, "its bias has another size than its channels");
      bias = Tensor(DType::kInt32, {coded.rows});
      bias_scales = Tensor(DType::kFloat32, {coded.rows});
      for (int64_t r = 0; r < coded.rows; ++r) {
        const float number = numbers.data<float>()[r];
        if (!std::isfinite(number)) return work_.leave(node, "its bias is not finite");
        widen(coded, matrix, r, std::abs(number), x.step);
        const float step = x.step * scale_of(r);
        const double code = std::nearbyint(static_cast<double>(number) / step);
        if (!(std::abs(code) <= INT32_MAX))
          return work_.leave(node, "its bias is too large beside what it reads and its weights");
        bias_scales.mutable_data<float>()[r] = step;
        bias.mutable_data<int32_t>()[r] = static_cast<int32_t>(code);
      }
    }
    Tensors tensors = to_tensors(coded, work_.settings.type, compute.axis == 1);
    if (weight.rank() != 2) tensors.codes = tensors.codes.reshaped(weight.dims());
    const std::string stem = graph_.value(compute.weight).name;
    const auto add = [&](const Tensor& tensor, const std::string& name) {
      return graph_.add_constant(tensor, graph_.fresh_name(name));
    };
    std::vector<ValueId> w = {add(tensors.codes, stem + "_codes"), add(tensors.scales, stem + "_scales")};
    if (tensors.zeros) w.push_back(add(tensors.zeros, stem + "_zeros"));
    std::vector<ValueId> b;
    if (bias) {
      const std::string name = compute.bias == ir::kNone ? stem + "_bias" : graph_.value(compute.bias).name;
      b = {add(bias, name + "_codes"), add(bias_scales, name + "_scales")};
    }
    ir::Patch patch(graph_, "weights in codes");
    patch.set_input(id, 1, patch.emit(work_.op("DequantizeLinear"), w, {{"axis", compute.axis}}));
    if (bias) patch.set_input(id, 2, patch.emit(work_.op("DequantizeLinear"), b, {{"axis", int64_t{0}}}));
    note(work_, node, "QDQ", weight, bytes_of(tensors.codes) + bytes_of(tensors.scales) + bytes_of(tensors.zeros),
         coded.error);
    work_.apply(std::move(patch));
    if (compute.is_conv) quantise_result(id);
  }

  // A convolution's result, or that of an activation after it that codes repeat by their range.
  void quantise_result(ir::NodeId id) {
    const ValueId result = graph_.node(id).outputs[0];
    const ir::Node* reader = optimize::only_reader(graph_, result);
    if (reader != nullptr && !work_.settings.symmetric) {
      const auto limits = limits_of(*reader);
      const auto range = limits ? range_of(reader->outputs[0]) : std::nullopt;
      if (range && limits->first <= range->low && range->low >= 0 && range->high <= limits->second) {
        const ir::NodeId activation = reader->id;
        const ValueId after = reader->outputs[0];
        Activation codes = activation_for(*range, name_of(after));
        ir::Patch patch(graph_, "a range for an activation");
        const ValueId bytes = patch.emit(work_.op("QuantizeLinear"), {result, codes.scale, codes.zero});
        const ValueId numbers = patch.emit(work_.op("DequantizeLinear"), {bytes, codes.scale, codes.zero});
        patch.replace(after, numbers);
        patch.remove(activation);
        work_.apply(std::move(patch));
        sources_[numbers] = after;
        activations_[numbers] = codes;
        return;
      }
    }
    // Of a Relu whose result is not all within codes, codes come after it.
    if (reader != nullptr && optimize::is(*reader, "Relu") && range_of(reader->outputs[0])) {
      const ValueId after = reader->outputs[0];
      return put(after, activation_for(*range_of(after), name_of(after)));
    }
    if (const auto range = range_of(result)) put(result, activation_for(*range, name_of(result)));
  }

  // What a Relu or a Clip cuts off at.
  std::optional<std::pair<double, double>> limits_of(const ir::Node& node) const {
    if (optimize::is(node, "Relu")) return std::pair{0.0, HUGE_VAL};
    if (!optimize::is(node, "Clip")) return std::nullopt;
    const auto limit = [&](size_t i, double otherwise) -> std::optional<double> {
      const ValueId value = optimize::input(node, i);
      return value == ir::kNone ? std::optional<double>(otherwise) : optimize::number(graph_, value);
    };
    const auto low = limit(1, -HUGE_VAL), high = limit(2, HUGE_VAL);
    if (!low || !high || *low != 0) return std::nullopt;
    return std::pair{*low, *high};
  }

  // Whether some reader of the value computes in codes, or one of what is moved from it by a few nodes.
  bool wanted_in_codes(ValueId value, int depth = 0) {
    constexpr int kMostNodes = 8;
    if (depth > kMostNodes) return false;
    const auto found = wanted_.find({value, depth});
    if (found != wanted_.end()) return found->second;
    return wanted_[{value, depth}] = is_wanted_in_codes(value, depth);
  }

  bool is_wanted_in_codes(ValueId value, int depth) {
    for (const ir::NodeId reader : graph_.value(value).consumers) {
      const ir::Node& node = graph_.node(reader);
      if (chosen_.contains(reader)) return true;
      if ((is_movement(node) || is_between(node)) && wanted_in_codes(node.outputs[0], depth + 1)) return true;
    }
    return false;
  }

  void quantise_movement(const ir::Node& node) {
    const Activation* x = activation_of(node.inputs[0]);
    const ValueId result = node.outputs[0];
    if (x == nullptr || graph_.is_output(result) || !wanted_in_codes(result)) return;
    put(result, *x);
  }

  void quantise_between(const ir::Node& node) {
    if (node.outputs.size() != 1 || !wanted_in_codes(node.outputs[0]) || work_.skipped.contains(key_of(graph_, node)))
      return;
    for (const ValueId input : node.inputs)
      if (input != ir::kNone && activation_of(input) == nullptr) return;
    const auto range = range_of(node.outputs[0]);
    if (!range) return;
    put(node.outputs[0], activation_for(*range, name_of(node.outputs[0])));
  }

  Work& work_;
  ir::Graph& graph_;
  std::vector<std::string> names_;             // by value, at the beginning
  std::map<ValueId, ValueId> sources_;         // of what stands for a value of then
  std::map<ValueId, Activation> activations_;  // of values that come from codes
  std::map<ir::NodeId, Compute> chosen_;
  // By value and how many nodes lie before it: what lies behind a value changes only once its own maker has been looked at.
  std::map<std::pair<ValueId, int>, bool> wanted_;
  std::vector<ir::NodeId> rows_;  // nodes that choose rows of constants
};

}  // namespace

void quantise_static(Work& work) { Quantiser(work).run(); }

}  // namespace onnxrun::quantise
