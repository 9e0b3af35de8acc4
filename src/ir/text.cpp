// Prints graphs and nodes.
#include "ir/text.h"

#include "base/error.h"
#include "ir/op.h"

namespace onnxrun::ir {

namespace {

class Printer {
 public:
  explicit Printer(Text how) : how_(how) {}
  std::string take() { return std::move(text_); }

  // `model`: the one whose main graph this is, for the defaults of its inputs.
  void graph(const Graph& graph, int indent, const Model* model = nullptr) {
    std::string inputs;
    for (ValueId id : graph.inputs()) {
      inputs += (inputs.empty() ? "" : ", ") + declaration(graph, id);
      if (!model) continue;
      if (const auto found = model->input_defaults.find(id); found != model->input_defaults.end())
        inputs += " = " + to_text(found->second, how_);
    }
    line(indent, fmt::format("graph {}({}) -> ({}) {{", graph.name.empty() ? "" : name_text(graph.name), inputs,
                             names(graph, graph.outputs())));
    if (how_ == Text::kWhole) notes(graph, indent + 1);
    for (ValueId id : graph.captures())
      line(indent + 1, fmt::format("{} captures {}", declaration(graph, id),
                                   quoted_text(graph.parent() ? graph.parent()->value(graph.value(id).outer).name : "?",
                                               Text::kWhole)));
    for (size_t i = 0; i < graph.value_count(); ++i) {
      const auto id = static_cast<ValueId>(i);
      const Value& value = graph.value(id);
      if (value.removed || value.producer != kNone || value.outer != kNone || !value.fact.constant) continue;
      line(indent + 1, declaration(graph, id) + " = " + to_text(value.fact.constant, how_));
    }
    for (NodeId id : order(graph)) node(graph, graph.node(id), indent + 1);
    line(indent, "}");
  }

  void node(const Graph& graph, const Node& node, int indent) {
    std::string text;
    for (ValueId id : node.outputs)
      text += (text.empty() ? "" : ", ") + (id == kNone ? std::string("_") : declaration(graph, id));
    if (!text.empty()) text += " = ";
    text += fmt::format("{}({}", node.op ? node.op->full_name() : "?", names(graph, node.inputs));
    bool first = node.inputs.empty();
    for (const Attribute& attribute : node.attributes.list()) {
      text += fmt::format("{}{}={}", first ? "" : ", ", name_text(attribute.name), to_text(attribute.value, how_));
      first = false;
    }
    text += ')';
    if (!node.name.empty()) text += "  # node " + quoted_text(node.name, how_);
    if (how_ == Text::kWhole) {
      if (!node.doc.empty()) text += "  # doc " + quoted_text(node.doc, how_);
      for (const auto& [key, value] : node.metadata) text += "  # metadata " + entry(key, value);
    }
    line(indent, text);
    for (const Body& body : node.bodies) {
      line(indent + 1, name_text(body.name) + ":");
      this->graph(*body.graph, indent + 2);
    }
  }

  void model(const Model& model) {
    line(0, "onnxrun text 1");
    line(0, fmt::format("ir_version {}", model.ir_version));
    for (const auto& [domain, version] : model.opset_imports)
      line(0, fmt::format("opset {} {}", name_text(domain.empty() ? "ai.onnx" : domain), version));
    if (!model.producer_name.empty() || !model.producer_version.empty())
      line(0, fmt::format("producer {} {}", quoted_text(model.producer_name, how_),
                          quoted_text(model.producer_version, how_)));
    if (!model.domain.empty()) line(0, "domain " + quoted_text(model.domain, how_));
    if (model.model_version != 0) line(0, fmt::format("model_version {}", model.model_version));
    if (!model.doc.empty()) line(0, "doc " + quoted_text(model.doc, how_));
    for (const auto& [key, value] : model.metadata) line(0, "metadata " + entry(key, value));
    for (const auto& [name, parameters] : model.quantization_annotations)
      for (const auto& [key, value] : parameters)
        line(0, fmt::format("quantization {} {}", name_text(name), entry(key, value)));
    graph(*model.graph, 0, &model);
  }

 private:
  static std::vector<NodeId> order(const Graph& graph) {
    try {
      return graph.topological_order();
    } catch (const base::Error&) {
      std::vector<NodeId> ids;
      for (size_t i = 0; i < graph.node_capacity(); ++i)
        if (graph.has_node(static_cast<NodeId>(i))) ids.push_back(static_cast<NodeId>(i));
      return ids;
    }
  }

  static std::string names(const Graph& graph, const std::vector<ValueId>& ids) {
    std::string text;
    for (ValueId id : ids)
      text += (text.empty() ? "" : ", ") + (id == kNone ? std::string("_") : name_text(graph.value(id).name));
    return text;
  }

  // A value with its type; where it is no constant with what else is known of it, for people.
  std::string declaration(const Graph& graph, ValueId id) const {
    const Value& value = graph.value(id);
    std::string text = name_text(value.name) + ": " + type_text(value.fact);
    if (how_ == Text::kShort && value.fact.elements && !value.fact.constant) {
      const std::string known = value.fact.to_string();
      const size_t at = known.find(" = {");
      if (at != std::string::npos) text += known.substr(at);
    }
    return text;
  }

  std::string entry(std::string_view key, std::string_view value) const {
    return quoted_text(key, how_) + " = " + quoted_text(value, how_);
  }

  void notes(const Graph& graph, int indent) {
    if (!graph.doc.empty()) line(indent, "doc " + quoted_text(graph.doc, how_));
    for (const auto& [key, value] : graph.metadata) line(indent, "metadata " + entry(key, value));
    std::map<std::string_view, const ValueNotes*> by_name;
    for (const auto& [id, note] : graph.notes)
      if (!graph.value(id).removed) by_name[graph.value(id).name] = &note;
    for (const auto& [value_name, note] : by_name) {
      const std::string name = quoted_text(value_name, how_);
      if (!note->doc.empty()) line(indent, fmt::format("note {} doc {}", name, quoted_text(note->doc, how_)));
      for (const auto& [key, value] : note->metadata) line(indent, fmt::format("note {} {}", name, entry(key, value)));
    }
  }

  void line(int indent, std::string_view content) {
    text_.append(static_cast<size_t>(indent) * 2, ' ');
    text_ += content;
    text_ += '\n';
  }

  Text how_;
  std::string text_;
};

}  // namespace

std::string to_text(const Graph& graph, Text text) {
  Printer printer(text);
  printer.graph(graph, 0);
  return printer.take();
}

std::string to_text(const Graph& graph, const Node& node) {
  Printer printer(Text::kShort);
  printer.node(graph, node, 0);
  return printer.take();
}

std::string to_text(const Model& model) {
  Printer printer(Text::kWhole);
  printer.model(model);
  return printer.take();
}

}  // namespace onnxrun::ir
