// Mode float: all that has a 16-bit form is stored and computed in it, but for nodes whose numbers do not fit.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/floats.h"
#include "optimize/reading.h"
#include "quantise/forms.h"
#include "quantise/quantise.h"

namespace onnxrun::quantise {

using base::DType;
using base::Tensor;
using ir::ValueId;

namespace {

struct Limits {
  const char* name;
  float most, least;  // least: half of the least number, below which all becomes 0
};

Limits limits_of(DType type) {
  if (type == DType::kFloat16) return {"float16", 65504, 2.98e-8f};
  return {"bfloat16", 3.3895314e38f, 4.59e-41f};
}

// Operators whose result hangs on digits that 16 bits lack, or whose inputs are indices and sizes in disguise.
bool keeps_digits(const ir::Node& node) {
  if ((node.op->flags & ir::kHostShape) != 0) return true;
  static constexpr std::string_view kOps[] = {"Cast",
                                              "CastLike",
                                              "Range",
                                              "CumSum",
                                              "NonMaxSuppression",
                                              "RoiAlign",
                                              "MaxRoiPool",
                                              "TopK",
                                              "Resize",
                                              "Upsample",
                                              "QuantizeLinear",
                                              "DequantizeLinear",
                                              "DynamicQuantizeLinear",
                                              "RandomNormalLike",
                                              "RandomUniformLike",
                                              "Bernoulli",
                                              "Multinomial",
                                              "EyeLike"};
  return node.op->domain[0] != '\0' || std::ranges::find(kOps, node.op->name) != std::end(kOps);
}

// Operators after which a number is small, whatever it was before.
bool bounds_result(const ir::Node& node) {
  static constexpr std::string_view kOps[] = {"Softmax", "Sigmoid",           "Tanh", "HardSigmoid", "Sign",
                                              "Erf",     "LayerNormalization"};
  return std::ranges::find(kOps, node.op->name) != std::end(kOps);
}

Tensor narrowed(const Tensor& tensor, DType type) {
  Tensor result(type, tensor.dims());
  if (type == DType::kFloat16)
    base::convert(tensor.data<float>(), result.mutable_data<base::Float16>(), tensor.count());
  else base::convert(tensor.data<float>(), result.mutable_data<base::Bfloat16>(), tensor.count());
  return result;
}

class Narrowing {
 public:
  explicit Narrowing(Work& work) : work_(work), graph_(work.graph), type_(work.settings.type) {}

  void run() {
    const std::vector<ir::NodeId> order = graph_.topological_order();
    for (const ir::NodeId id : order) decide(id);
    for (const ir::NodeId id : order)
      if (const auto lowered = variables_.find(id); lowered != variables_.end()) narrow(id, lowered->second);
    if (!work_.settings.keep_io && graph_.parent() == nullptr && !work_.notes.changes.empty()) narrow_interface();
  }

 private:
  bool is_float32(ValueId value) const {
    return value != ir::kNone && graph_.value(value).fact.is_tensor() &&
           graph_.value(value).fact.dtype == DType::kFloat32;
  }

  // Why a value must stay float32; "" when it need not.
  std::string trouble(ValueId value) const {
    const std::string& name = graph_.value(value).name;
    if (const Tensor* known = optimize::float_constant(graph_, value)) {
      for (const float element : known->span<float>())
        if (std::isfinite(element) && std::abs(element) > limits_.most)
          return fmt::format("its constant '{}' has {}, beyond {}'s {}", name, element, limits_.name, limits_.most);
      if (known->count() == 1 && *known->data<float>() != 0 && std::abs(*known->data<float>()) < limits_.least)
        return fmt::format("its constant '{}' is {}, which {} rounds to 0", name, *known->data<float>(), limits_.name);
      return {};
    }
    if (const Histogram* seen = work_.observed.range(name); seen != nullptr && seen->largest() > limits_.most)
      return fmt::format("'{}' reaches {}, beyond {}'s {}", name, seen->largest(), limits_.name, limits_.most);
    if (work_.observed.samples == 0 && large_.contains(value))
      return fmt::format("'{}' may be beyond {}'s {}", name, limits_.name, limits_.most);
    return {};
  }

  void decide(ir::NodeId id) {
    const ir::Node& node = graph_.node(id);
    std::set<int> variables;
    const ir::Signature& signature = work_.table.signature(*node.op);
    bool floats = false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!is_float32(node.inputs[i])) continue;
      floats = true;
      const ir::Parameter* parameter = ir::Signature::at(signature.inputs, i);
      if (parameter != nullptr && parameter->variable >= 0 && !parameter->heterogeneous &&
          (parameter->accepts >> static_cast<int>(type_) & 1) != 0)
        variables.insert(parameter->variable);
    }
    if (!floats) return;
    std::string why;
    if (!node.bodies.empty()) why = "it has bodies, which stay float32";
    else if (keeps_digits(node) || variables.empty()) return;
    for (const auto* list : {&node.inputs, &node.outputs})
      for (const ValueId value : *list)
        if (why.empty() && is_float32(value)) why = trouble(value);
    if (why.empty()) {
      if (is_chosen(work_, node)) variables_[id] = std::move(variables);
      return;
    }
    if (!bounds_result(node))
      for (const ValueId output : node.outputs)
        if (output != ir::kNone) large_.insert(output);
    work_.leave(node, std::move(why));
  }

  // The value in the narrow type.
  ValueId low(ir::Patch& patch, ValueId value) {
    const auto found = low_.find(value);
    if (found != low_.end()) return found->second;
    const ValueId made = patch.emit(work_.op("Cast"), {value}, {{"to", static_cast<int64_t>(type_)}});
    added_.emplace_back(value, made);
    return made;
  }

  void narrow(ir::NodeId id, const std::set<int>& variables) {
    const ir::Signature& signature = work_.table.signature(*graph_.node(id).op);
    const auto is_lowered = [&](const std::vector<ir::Parameter>& list, size_t i, ValueId value) {
      const ir::Parameter* parameter = ir::Signature::at(list, i);
      return is_float32(value) && parameter != nullptr && variables.contains(parameter->variable);
    };
    int64_t before = 0, after = 0;
    const std::vector<ValueId> old_inputs = graph_.node(id).inputs;
    for (size_t i = 0; i < old_inputs.size(); ++i) {
      const ValueId value = old_inputs[i];
      if (value == ir::kNone || !is_lowered(signature.inputs, i, value) || low_.contains(value)) continue;
      const Tensor* known = optimize::float_constant(graph_, value);
      if (known == nullptr) continue;
      const Tensor tensor = narrowed(*known, type_);
      before += bytes_of(*known);
      after += bytes_of(tensor);
      low_[value] = graph_.add_constant(tensor, graph_.fresh_name(graph_.value(value).name + "/" + limits_.name));
    }
    const ir::Node& node = graph_.node(id);
    ir::Patch patch(graph_, "a node in 16 bits");
    added_.clear();
    std::vector<ValueId> inputs = node.inputs;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] != ir::kNone && is_lowered(signature.inputs, i, node.inputs[i])) {
        inputs[i] = low(patch, node.inputs[i]);
        for (const auto& [value, made] : added_) low_[value] = made;
      }
    const std::vector<ValueId> results =
        patch.emit_many(node.op, std::move(inputs), node.outputs.size(), node.attributes, node.name);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId output = node.outputs[i];
      if (output == ir::kNone) continue;
      ValueId wide = results[i];
      if (is_lowered(signature.outputs, i, output)) {
        wide = patch.emit(work_.op("Cast"), {results[i]}, {{"to", static_cast<int64_t>(DType::kFloat32)}});
        low_[wide] = results[i];
      }
      patch.replace(output, wide);
    }
    work_.notes.changes.push_back(
        {label_of(graph_, node), node.op->full_name(), limits_.name, before, after, 0, key_of(graph_, node)});
    patch.remove(id);
    work_.apply(std::move(patch));
  }

  void narrow_interface() {
    for (const ValueId input : std::vector<ValueId>(graph_.inputs())) {
      if (!is_float32(input) || !low_.contains(input) || graph_.value(input).fact.constant) continue;
      graph_.value(input).fact.dtype = type_;
      const ValueId wide = cast(input, DType::kFloat32, graph_.value(input).name + "/float32");
      graph_.replace_uses(input, wide);
      graph_.set_input(graph_.value(wide).producer, 0, input);
      const ValueId made = low_[input];
      graph_.replace_uses(made, input);
    }
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const ValueId output = graph_.outputs()[i];
      const auto found = low_.find(output);
      // Where a float32 node made it, it stays what it is.
      if (!is_float32(output) || found == low_.end() || graph_.value(output).is_input ||
          graph_.value(output).output_uses != 1 || graph_.is_output(found->second) ||
          graph_.value(found->second).producer == ir::kNone)
        continue;
      const std::string name = graph_.value(output).name;
      graph_.set_output(i, found->second);
      graph_.rename_value(output, graph_.fresh_name(name + "/float32"));
      graph_.rename_value(found->second, name);
    }
  }

  ValueId cast(ValueId value, DType type, const std::string& name) {
    ir::Node node;
    node.op = work_.op("Cast");
    node.inputs = {value};
    node.attributes.set("to", static_cast<int64_t>(type));
    ir::Fact fact = graph_.value(value).fact;
    fact.dtype = type;
    const ValueId made = graph_.add_value(graph_.fresh_name(name), fact);
    node.outputs = {made};
    graph_.add_node(std::move(node));
    return made;
  }

  Work& work_;
  ir::Graph& graph_;
  DType type_;
  Limits limits_ = limits_of(type_);
  std::map<ir::NodeId, std::set<int>> variables_;  // type variables that become narrow, by node
  std::map<ValueId, ValueId> low_;                 // narrow forms of values
  std::vector<std::pair<ValueId, ValueId>> added_;
  std::set<ValueId> large_;
};

}  // namespace

void narrow_floats(Work& work) { Narrowing(work).run(); }

}  // namespace onnxrun::quantise
