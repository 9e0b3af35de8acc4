// Blocked forms operator by operator.
#include "optimize/blocked_form.h"

#include <algorithm>
#include <cmath>

#include "ir/infer.h"
#include "optimize/blocked_integer_form.h"
#include "optimize/channel_affine.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using base::Tensor;
using ir::Fact;
using ir::Graph;
using ir::Node;
using ir::ValueId;

bool is_float(const Graph& graph, ValueId id) {
  return id != ir::kNone && widened_type(graph.value(id).fact.dtype) == base::DType::kFloat32;
}
int64_t channels(const Graph& graph, ValueId id) { return (*graph.value(id).fact.shape)[1].value(); }

bool is_unary(const Node& node) {
  for (const char* op :
       {"Relu", "LeakyRelu", "Elu", "Sigmoid", "HardSigmoid", "HardSwish", "Swish", "Mish", "Tanh", "Gelu", "Clip"})
    if (is(node, op)) return true;
  return false;
}

// Of two values.
bool is_sum(const Node& node) { return is(node, "Add") || (is(node, "Sum") && node.inputs.size() == 2); }

class Forming {
 public:
  Forming(const PassContext& context, const Node& node, int64_t block)
      : graph_(context.graph), table_(context.table), node_(node), block_(block) {}

  std::optional<BlockedForm> form(bool plain_input) {
    const bool one_output =
        std::count_if(node_.outputs.begin(), node_.outputs.end(), [](ValueId id) { return id != ir::kNone; }) == 1;
    if (!one_output || node_.inputs.empty() || !has_channels(graph_, node_.outputs[0])) return std::nullopt;
    if (!is_float(graph_, node_.inputs[0]) || !is_float(graph_, node_.outputs[0])) return std::nullopt;
    if (is(node_, "Conv")) return convolution(plain_input);
    if (is(node_, "MaxPool")) return pool("BlockedMaxPool");
    if (is(node_, "AveragePool")) return pool("BlockedAveragePool");
    if (is(node_, "GlobalAveragePool")) return mean();
    if (is(node_, "LRN")) return local_response();
    if (is(node_, "ReduceMean")) return reduced();
    if (is(node_, "BatchNormalization")) return affine();
    if (is(node_, "Concat")) return concatenation();
    if (is(node_, "Resize")) return resize();
    if (is_sum(node_) || is(node_, "Mul")) return arithmetic();
    if (is_unary(node_)) return unary();
    return std::nullopt;
  }

 private:
  std::optional<BlockedForm> finish() { return form_.op != nullptr ? std::optional(std::move(form_)) : std::nullopt; }
  void become(const char* op, const char* domain = "onnxrun") { form_.op = table_.find(domain, op); }
  void take_blocked(ValueId value) { form_.operands.push_back({value, true, {}}); }
  void take(ValueId value) {
    const Tensor* known = constant(graph_, value);
    if (known != nullptr && is_narrow_float(known->dtype()))
      form_.operands.push_back({ir::kNone, false, as_float(*known)});
    else form_.operands.push_back({value, false, {}});
  }

  std::optional<BlockedForm> convolution(bool plain_input) {
    const Tensor* weights = constant(graph_, input(node_, 1));
    if (weights == nullptr || !has_channels(graph_, node_.inputs[0])) return std::nullopt;
    become("BlockedConv");
    form_.attributes = node_.attributes;
    form_.attributes.set("block", block_);
    form_.operands.push_back({node_.inputs[0], !plain_input, {}});
    form_.operands.push_back({node_.inputs[1], false, {}, true});
    if (input(node_, 2) != ir::kNone) take(node_.inputs[2]);
    return finish();
  }

  std::optional<BlockedForm> pool(const char* op) {
    if (!has_channels(graph_, node_.inputs[0])) return std::nullopt;
    become(op);
    form_.attributes = node_.attributes;
    form_.attributes.erase("storage_order");
    take_blocked(node_.inputs[0]);
    return finish();
  }

  std::optional<BlockedForm> mean() {
    if (!has_channels(graph_, node_.inputs[0])) return std::nullopt;
    become("BlockedGlobalAveragePool");
    take_blocked(node_.inputs[0]);
    return finish();
  }

  // Where the lanes beyond the last channel, zero before, are zero after.
  std::optional<BlockedForm> local_response() {
    const ir::Attributes& attributes = node_.attributes;
    if (!has_channels(graph_, node_.inputs[0]) || attributes.get_float("bias", 1.0f) <= 0.0f ||
        attributes.get_float("alpha", 1e-4f) < 0.0f)
      return std::nullopt;
    become("BlockedLRN");
    form_.attributes = attributes;
    take_blocked(node_.inputs[0]);
    return finish();
  }

  // A mean over just the axes that a global pool takes.
  std::optional<BlockedForm> reduced() {
    const int64_t rank = graph_.value(node_.inputs[0]).fact.rank();
    auto axes = integers(graph_, input(node_, 1));
    if (!axes || rank < 3 || node_.attributes.get_int("keepdims", 1) == 0) return std::nullopt;
    for (int64_t& axis : *axes) axis += axis < 0 ? rank : 0;
    std::sort(axes->begin(), axes->end());
    if (static_cast<int64_t>(axes->size()) != rank - 2) return std::nullopt;
    for (int64_t d = 2; d < rank; ++d)
      if ((*axes)[static_cast<size_t>(d - 2)] != d) return std::nullopt;
    return mean();
  }

  std::optional<BlockedForm> affine() {
    if (!has_channels(graph_, node_.inputs[0])) return std::nullopt;
    const ChannelAffine affine = batch_normalization_affine(graph_, node_, channels(graph_, node_.inputs[0]));
    if (!affine) return std::nullopt;
    become("BlockedAffine");
    take_blocked(node_.inputs[0]);
    for (const std::vector<float>& values : {affine.scale, affine.shift})
      form_.operands.push_back({ir::kNone, false, Tensor::vector<float>(std::span<const float>(values))});
    return finish();
  }

  std::optional<BlockedForm> concatenation() {
    const int64_t rank = graph_.value(node_.outputs[0]).fact.rank(), axis = node_.attributes.get_int("axis", 1);
    if (axis != 1 && axis != 1 - rank) return std::nullopt;
    for (size_t i = 0; i < node_.inputs.size(); ++i) {
      if (!has_channels(graph_, node_.inputs[i])) return std::nullopt;
      if (i + 1 < node_.inputs.size() && channels(graph_, node_.inputs[i]) % block_ != 0) return std::nullopt;
      take_blocked(node_.inputs[i]);
    }
    become("Concat", "");
    form_.attributes.set("axis", int64_t{1});
    return finish();
  }

  // Nearest or linear along spatial axes, which are then named.
  std::optional<BlockedForm> resize() {
    const std::string mode = node_.attributes.get_string("mode", "nearest");
    if (!has_channels(graph_, node_.inputs[0]) || mode == "cubic" || node_.attributes.get_int("antialias", 0) != 0 ||
        node_.attributes.get_string("coordinate_transformation_mode") == "tf_crop_and_resize" ||
        node_.attributes.get_string("keep_aspect_ratio_policy", "stretch") != "stretch")
      return std::nullopt;
    const int64_t rank = graph_.value(node_.inputs[0]).fact.rank();
    std::vector<int64_t> axes = node_.attributes.get_ints("axes");
    for (int64_t& axis : axes) axis += axis < 0 ? rank : 0;
    if (!node_.attributes.has("axes"))
      for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
    const size_t by = input(node_, 2) != ir::kNone && has_elements(node_.inputs[2]) ? 2 : 3;
    const Tensor* given = constant(graph_, input(node_, by));
    if (given == nullptr || given->count() != static_cast<int64_t>(axes.size())) return std::nullopt;
    // What is given of the spatial axes; the others must stay as they are.
    std::vector<int64_t> spatial;
    std::vector<float> scales;
    std::vector<int64_t> sizes;
    for (size_t i = 0; i < axes.size(); ++i) {
      const float scale = by == 2 ? given->data<float>()[i] : 0.0f;
      const int64_t size = by == 3 ? given->data<int64_t>()[i] : 0;
      if (axes[i] < 0 || axes[i] >= rank) return std::nullopt;
      if (axes[i] < 2) {
        const ir::Dim& have = (*graph_.value(node_.inputs[0]).fact.shape)[static_cast<size_t>(axes[i])];
        if (by == 2 ? scale != 1.0f : !(have == ir::Dim(size))) return std::nullopt;
        continue;
      }
      spatial.push_back(axes[i]);
      scales.push_back(scale);
      sizes.push_back(size);
    }
    if (spatial.empty()) return std::nullopt;
    form_.op = node_.op;
    form_.attributes = node_.attributes;
    form_.attributes.set("axes", spatial);
    take_blocked(node_.inputs[0]);
    for (size_t i = 1; i < by; ++i) take(ir::kNone);
    form_.operands.push_back({ir::kNone, false,
                              by == 2 ? Tensor::vector<float>(std::span<const float>(scales))
                                      : Tensor::vector<int64_t>(std::span<const int64_t>(sizes))});
    return finish();
  }

  bool has_elements(ValueId id) const {
    const auto dims = graph_.value(id).fact.dims();
    return !dims || std::find(dims->begin(), dims->end(), 0) == dims->end();
  }

  std::optional<BlockedForm> unary() {
    if (!has_channels(graph_, node_.inputs[0])) return std::nullopt;
    form_.op = node_.op;
    form_.attributes = node_.attributes;
    take_blocked(node_.inputs[0]);
    for (size_t i = 1; i < node_.inputs.size(); ++i) {
      if (node_.inputs[i] != ir::kNone && !number(graph_, node_.inputs[i])) return std::nullopt;
      take(node_.inputs[i]);
    }
    return finish();
  }

  std::optional<BlockedForm> arithmetic() {
    become(is_sum(node_) ? "Add" : "Mul", "");
    for (size_t i = 0; i < 2; ++i)
      if (!operand(node_.inputs[i])) return std::nullopt;
    if (!form_.operands[0].blocked && !form_.operands[1].blocked) return std::nullopt;
    return finish();
  }

  // Values with as many channels as the result, constants of as many or of one number.
  bool operand(ValueId id) {
    const int64_t rank = graph_.value(node_.outputs[0]).fact.rank(), count = channels(graph_, node_.outputs[0]);
    const Tensor* known = constant(graph_, id);
    if (known == nullptr || !is_float(graph_, id)) {
      take_blocked(id);
      return has_channels(graph_, id) && graph_.value(id).fact.rank() == rank && channels(graph_, id) == count;
    }
    const int64_t at = 1 - (rank - known->rank());
    const bool one = known->count() == 1;
    if (!one && (known->count() != count || at < 0 || known->dims()[static_cast<size_t>(at)] != count)) return false;
    const Tensor values = as_float(*known);
    if (one) {
      form_.operands.push_back({ir::kNone, false, values.reshaped({})});
      return std::isfinite(*values.data<float>());
    }
    base::Dims dims(static_cast<size_t>(rank) + 1, 1);
    dims[1] = (count + block_ - 1) / block_;
    dims.back() = block_;
    Tensor padded(base::DType::kFloat32, dims);
    std::fill_n(padded.mutable_data<float>(), padded.count(), 0.0f);
    std::copy_n(values.data<float>(), count, padded.mutable_data<float>());
    form_.operands.push_back({ir::kNone, false, std::move(padded)});
    return true;
  }

  const Graph& graph_;
  const Operators table_;
  const Node& node_;
  int64_t block_;
  BlockedForm form_;
};

bool is_number(const BlockedOperand& operand) { return operand.constant && operand.constant.count() == 1; }

// Infers `node` of the graph and asks for it.
bool asks(const PassContext& context, ir::Graph& graph, Node node) {
  std::vector<const Fact*> facts;
  for (const ValueId id : node.inputs) facts.push_back(id == ir::kNone ? nullptr : &graph.value(id).fact);
  node.outputs = {graph.add_value("")};
  graph.value(node.outputs[0]).fact = ir::infer_node(graph, node, facts)[0];
  return context.capabilities->accepts(graph, node);
}

}  // namespace

ir::Shape blocked_shape(const ir::Shape& plain, int64_t block) {
  ir::Shape result = plain;
  result[1] = ceil_div(plain[1], ir::Dim(block));
  result.emplace_back(block);
  return result;
}

std::optional<BlockedForm> blocked_form(const PassContext& context, const Node& node, int64_t block, bool plain_input) {
  if (auto form = Forming(context, node, block).form(plain_input)) return form;
  return blocked_integer_form(context, node, block);
}

bool convolves(const Node& node) { return is(node, "Conv") || is(node, "QLinearConv"); }

bool has_channels(const Graph& graph, ValueId id) {
  if (id == ir::kNone) return false;
  const Fact& fact = graph.value(id).fact;
  const base::DType type = fact.dtype;
  return fact.is_tensor() &&
         (widened_type(type) == base::DType::kFloat32 || type == base::DType::kInt8 || type == base::DType::kUint8) &&
         fact.rank() >= 3 && fact.rank() <= 5 && (*fact.shape)[1].is_constant() && (*fact.shape)[1].value() > 0;
}

ir::DType blocked_type(ir::DType plain) {
  return plain == base::DType::kInt8 ? base::DType::kUint8 : widened_type(plain);
}

std::optional<Lanes> lanes_after(const Graph& graph, const Node& node, const BlockedForm& form, bool unit) {
  if (!is_float(graph, node.outputs[0])) return Lanes::kZero;  // integers are multiplied by zeros to zero
  if (is(node, "DequantizeLinear")) return dequantized_lanes(graph, node);
  if (is(node, "Conv") || is(node, "BatchNormalization")) return Lanes::kZero;
  if (is(node, "LRN") && unit) return std::nullopt;
  // Zero times infinity is not a number.
  if (is_unary(node))
    for (const char* factor : {"alpha", "beta"})
      if (!std::isfinite(node.attributes.get_float(factor, 1.0f))) return std::nullopt;
  if (is(node, "Mul"))
    for (const ValueId id : node.inputs)
      if (const auto factor = number(graph, id); factor && !std::isfinite(*factor)) return std::nullopt;
  if (is(node, "Sigmoid") || is(node, "HardSigmoid")) return Lanes::kUnit;
  if (is_sum(node) || is(node, "Mul")) {
    const bool with_number = is_number(form.operands[0]) || is_number(form.operands[1]);
    if (is_sum(node)) return unit || with_number ? std::nullopt : std::optional(Lanes::kZero);
    return unit && with_number ? std::nullopt : std::optional(unit ? Lanes::kUnit : Lanes::kZero);
  }
  if (is(node, "Clip")) {
    const auto low = number(graph, input(node, 1)), high = number(graph, input(node, 2));
    if ((input(node, 1) != ir::kNone && !(low <= 0.0)) || (input(node, 2) != ir::kNone && !(high >= 0.0)))
      return std::nullopt;
  }
  return unit ? Lanes::kUnit : Lanes::kZero;
}

bool accepted(const PassContext& context, const Node& node, const BlockedForm& form, int64_t block) {
  Graph scratch;
  Node asked;
  asked.op = form.op;
  asked.name = node.name;
  asked.attributes = form.attributes;
  for (const BlockedOperand& operand : form.operands) {
    if (operand.constant) {
      asked.inputs.push_back(scratch.add_constant(operand.constant));
    } else if (operand.value == ir::kNone) {
      asked.inputs.push_back(ir::kNone);
    } else {
      Fact fact = context.graph.value(operand.value).fact;
      if (operand.blocked) fact = Fact::tensor(blocked_type(fact.dtype), blocked_shape(*fact.shape, block));
      else if (!operand.stored && is_narrow_float(fact.dtype)) {
        const std::optional<ir::Shape> shape = fact.shape;
        fact = Fact::tensor(widened_type(fact.dtype));
        fact.shape = shape;
      }
      asked.inputs.push_back(scratch.add_value("", std::move(fact)));
    }
  }
  return asks(context, scratch, std::move(asked));
}

bool moves_blocks(const PassContext& context, int64_t block) {
  const ir::OpDef* to = context.table.find("onnxrun", "ToBlocked");
  const ir::OpDef* from = context.table.find("onnxrun", "FromBlocked");
  if (to == nullptr || from == nullptr) return false;
  Graph scratch;
  const ir::Shape plain{ir::Dim(1), ir::Dim(block), ir::Dim(1), ir::Dim(1)};
  const auto ask = [&](const ir::OpDef* op, ir::Shape shape, const char* attribute) {
    Node node;
    node.op = op;
    node.attributes.set(attribute, block);
    node.inputs = {scratch.add_value("", Fact::tensor(base::DType::kFloat32, std::move(shape)))};
    return asks(context, scratch, std::move(node));
  };
  return ask(to, plain, "block") && ask(from, blocked_shape(plain, block), "channels");
}

}  // namespace onnxrun::optimize
