// Numbers values in the order in which a walk from the outputs needs them.
#include "structure.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"
#include "ir/op.h"
#include "ir/text.h"

namespace onnxrun::test {
namespace {

std::string content_of(const ir::Tensor& tensor) {
  std::string text = fmt::format("{}{}", base::dtype_name(tensor.dtype()), base::to_string(tensor.dims()));
  if (tensor.dtype() == base::DType::kString) {
    for (const std::string& element : tensor.span<std::string>()) text += fmt::format(" '{}'", element);
    return text;
  }
  const std::string_view bytes(static_cast<const char*>(tensor.raw()), tensor.bytes());
  return fmt::format("{} #{:x} {}", text, std::hash<std::string_view>{}(bytes), ir::to_text(tensor));
}

class Writer {
 public:
  explicit Writer(std::string& text, int depth = 0) : text_(text), depth_(depth) {}

  void graph(const ir::Graph& graph, const std::map<ir::ValueId, std::string>& captured) {
    graph_ = &graph;
    for (const ir::ValueId id : graph.captures())
      if (const auto found = captured.find(graph.value(id).outer); found != captured.end()) labels_[id] = found->second;
    for (size_t i = 0; i < graph.inputs().size(); ++i)
      labels_[graph.inputs()[i]] = fmt::format("{}input{}", std::string(static_cast<size_t>(depth_), '.'), i);
    std::string outputs;
    for (const ir::ValueId id : graph.outputs()) outputs += fmt::format(" {}", label(id));
    line("return" + outputs);
  }

 private:
  void line(const std::string& content) { text_ += std::string(static_cast<size_t>(2 * depth_), ' ') + content + "\n"; }

  std::string label(ir::ValueId id) {
    if (id == ir::kNone) return "_";
    if (const auto found = labels_.find(id); found != labels_.end()) return found->second;
    const ir::Value& value = graph_->value(id);
    // What follows from shapes that are constants may be written as it is.
    if (value.producer == ir::kNone || value.fact.constant)
      return labels_[id] = "{" + (value.fact.constant ? content_of(value.fact.constant) : "?") + "}";
    node(graph_->node(value.producer));
    return labels_.at(id);
  }

  std::optional<std::vector<int64_t>> known(const ir::Node& node, size_t input) const {
    if (input >= node.inputs.size() || node.inputs[input] == ir::kNone) return std::nullopt;
    const ir::Tensor& value = graph_->value(node.inputs[input]).fact.constant;
    return value ? std::optional(value.as_int64()) : std::nullopt;
  }

  // An input, as what it means where its integers have several spellings.
  std::string operand(const ir::Node& node, size_t i) {
    const std::string_view op = node.op->name;
    const bool slice = op == "Slice", pad = op == "Pad",
               lists_axes = op.starts_with("Reduce") || op == "Squeeze" || op == "Unsqueeze";
    const bool are_ints = (slice && i >= 1) || (pad && (i == 1 || i == 3)) || (lists_axes && i == 1);
    auto ints = are_ints ? known(node, i) : std::nullopt;
    if (!ints) return label(node.inputs[i]);
    const int64_t rank = graph_->value(op == "Unsqueeze" ? node.outputs[0] : node.inputs[0]).fact.rank();
    const bool are_axes = i == 3 || (lists_axes && i == 1);
    if (slice && i == 4 && std::all_of(ints->begin(), ints->end(), [](int64_t step) { return step == 1; })) return "_";
    if (are_axes && rank >= 0)
      for (int64_t& axis : *ints) axis += axis < 0 ? rank : 0;
    if (const auto axes = known(node, 3); pad && axes && rank >= 0) {
      if (i == 3) return "_";
      std::vector<int64_t> all(static_cast<size_t>(2 * rank));
      for (size_t k = 0; k < axes->size(); ++k)
        for (const size_t side : {0, 1}) {
          const int64_t axis = (*axes)[k] + ((*axes)[k] < 0 ? rank : 0) + static_cast<int64_t>(side) * rank;
          all.at(static_cast<size_t>(axis)) = ints->at(k + side * axes->size());
        }
      ints = all;
    }
    return fmt::format("{}", *ints);
  }

  void node(const ir::Node& node) {
    const std::string_view op = node.op->name;
    if (op == "Identity") {
      labels_[node.outputs[0]] = label(node.inputs[0]);
      return;
    }
    std::string text = fmt::format("{}(", node.op->full_name());
    std::vector<std::string> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(operand(node, i));
    while (!inputs.empty() && inputs.back() == "_") inputs.pop_back();
    if (op == "Dropout" && node.inputs.size() < 3) inputs.resize(1);  // the ratio is one of training
    for (const std::string& input : inputs) text += input + " ";
    text += ")";
    std::vector<std::string> attributes;
    for (const ir::Attribute& attribute : node.attributes.list()) {
      const std::string value = value_text(node, attribute);
      if (!value.empty()) attributes.push_back(fmt::format(" {}={}", attribute.name, value));
    }
    std::sort(attributes.begin(), attributes.end());
    for (const std::string& attribute : attributes) text += attribute;
    // Captures are named from here, so they must have labels.
    std::map<ir::ValueId, std::string> seen;
    for (const ir::Body& body : node.bodies)
      for (const ir::ValueId id : body.graph->captures()) {
        const ir::Value& inner = body.graph->value(id);
        if (!inner.consumers.empty() || inner.output_uses > 0) seen[inner.outer] = label(inner.outer);
      }
    const std::string own = fmt::format("{}v{}", std::string(static_cast<size_t>(depth_), '.'), next_++);
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (node.outputs[i] != ir::kNone)
        labels_[node.outputs[i]] = node.outputs.size() == 1 ? own : fmt::format("{}:{}", own, i);
    line(own + " = " + text);
    for (const ir::Body& body : node.bodies) {
      line(body.name + ":");
      Writer(text_, depth_ + 1).graph(*body.graph, seen);
    }
  }

  // "" for an attribute that says nothing.
  std::string value_text(const ir::Node& node, const ir::Attribute& attribute) const {
    static const std::map<std::string, std::string> kImplied = {{"allowzero", "0"},
                                                                {"ceil_mode", "0"},
                                                                {"count_include_pad", "0"},
                                                                {"layout", "0"},
                                                                {"storage_order", "0"},
                                                                {"keepdims", "1"},
                                                                {"training_mode", "0"},
                                                                {"saturate", "1"},
                                                                {"noop_with_empty_axes", "0"},
                                                                {"select_last_index", "0"},
                                                                {"largest", "1"},
                                                                {"sorted", "1"},
                                                                {"reduction", "'none'"},
                                                                {"stash_type", "1"},
                                                                {"block_size", "0"},
                                                                {"batch_dims", "0"},
                                                                {"linear_before_reset", "0"},
                                                                {"output_dtype", "0"},
                                                                {"antialias", "0"},
                                                                {"keep_aspect_ratio_policy", "'stretch'"},
                                                                {"round_mode", "'up'"},
                                                                {"precision", "0"},
                                                                {"left_window_size", "-1"},
                                                                {"right_window_size", "-1"}};
    const std::string text = ir::to_text(attribute.value);
    if (const auto found = kImplied.find(attribute.name); found != kImplied.end() && found->second == text) return {};
    const std::string_view op = node.op->name;
    if (attribute.name == "noop_with_empty_axes") {
      const auto axes = known(node, 1);
      if (axes && !axes->empty()) return {};
    }
    if (attribute.name == "dilations") {
      const auto& list = std::get<std::vector<int64_t>>(attribute.value);
      if (std::all_of(list.begin(), list.end(), [](int64_t d) { return d == 1; })) return {};
    }
    if (attribute.name == "seed" && op == "Dropout") return {};
    if (attribute.name == "mode" &&
        ((op == "DepthToSpace" && text == "'DCR'") || (op == "SpaceToDepth" && text == "'DCR'") ||
         (op == "GridSample" && text == "'linear'")))
      return {};
    if (attribute.name == "allowzero") {
      const ir::Tensor& shape = graph_->value(node.inputs[1]).fact.constant;
      const std::vector<int64_t> dims = shape ? shape.as_int64() : std::vector<int64_t>{0};
      if (std::find(dims.begin(), dims.end(), 0) == dims.end()) return {};
    }
    if (op == "Selu" && (attribute.name == "alpha" || attribute.name == "gamma")) {
      const float value = std::get<float>(attribute.value);
      if (value == 1.67326319217681884765625f || value == 1.05070102214813232421875f) return {};
    }
    const bool scalar_scale = (op == "QuantizeLinear" || op == "DequantizeLinear") &&
                              graph_->value(node.inputs[1]).fact.shape &&
                              ir::element_count(*graph_->value(node.inputs[1]).fact.shape) == ir::Dim(1);
    if (attribute.name == "axis" && scalar_scale) return {};
    const auto* axis = std::get_if<int64_t>(&attribute.value);
    if (attribute.name == "axis" && axis != nullptr && !node.inputs.empty() && node.inputs[0] != ir::kNone &&
        op != "OneHot") {
      const int64_t rank = graph_->value(node.inputs[0]).fact.rank();
      const int64_t front = *axis < 0 && rank >= 0 ? *axis + rank : *axis;
      const bool softmax = op.ends_with("oftmax") || op == "Hardmax";
      if (softmax && (*axis == -1 || front == rank - 1)) return {};
      if ((op == "Split" || op == "ScatterElements") && front == 0) return {};
      return fmt::format("{}", front);
    }
    return text;
  }

  std::string& text_;
  int depth_;
  const ir::Graph* graph_ = nullptr;
  std::map<ir::ValueId, std::string> labels_;
  int next_ = 0;
};

}  // namespace

std::string structure_of(const ir::Graph& graph) {
  std::string text;
  Writer(text).graph(graph, {});
  return text;
}

}  // namespace onnxrun::test
