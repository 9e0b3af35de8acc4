// Reads ModelProto, GraphProto, NodeProto, AttributeProto and FunctionProto into views.
#include "import/proto.h"

#include <unordered_set>

namespace onnxrun::import {
namespace {

using base::Code;
using base::fail;

class Parser {
 public:
  Parser(const WireFile& file, const base::Limits& limits, base::Charge& charge)
      : file_(file), limits_(limits), charge_(charge) {}

  ModelView model() {
    ModelView result;
    Message m(file_, file_.bytes, "ModelProto");
    std::vector<Bytes> functions;
    while (m.next()) {
      switch (m.field()) {
        case 1: result.ir_version = m.integer(); break;
        case 2: result.producer_name = m.text(); break;
        case 3: result.producer_version = m.text(); break;
        case 4: result.domain = m.text(); break;
        case 5: result.model_version = m.integer(); break;
        case 6: result.doc = m.text(); break;
        case 7: m.once(result.graph_bytes); break;
        case 8: opset(m.bytes(), result.opsets); break;
        case 14:
          result.metadata.push_back(read_entry(file_, m.bytes()));
          charge_.add(32);
          break;
        case 20:
          result.has_training_info = true;
          m.skip();
          break;
        case 25:
          functions.push_back(m.bytes());
          charge_.add(512);
          break;
        default: m.skip();
      }
    }
    if (result.graph_bytes) result.graph = graph(*result.graph_bytes, 1);
    result.functions.reserve(functions.size());
    for (const Bytes bytes : functions) result.functions.push_back(function(bytes));
    return result;
  }

 private:
  void opset(Bytes bytes, Opsets& opsets) {
    Message m(file_, bytes, "OperatorSetIdProto");
    std::string domain;
    int64_t version = 0;
    while (m.next()) {
      switch (m.field()) {
        case 1: domain = m.text(); break;
        case 2: version = m.integer(); break;
        default: m.skip();
      }
    }
    if (domain == "ai.onnx") domain.clear();
    const auto [at, inserted] = opsets.emplace(domain, version);
    if (!inserted && at->second != version) {
      m.fail(fmt::format("imports domain '{}' twice, at opset {} and {}", domain, at->second, version));
    }
    charge_.add(128);
  }

  GraphView graph(Bytes bytes, int64_t depth) {
    if (depth > limits_.max_nesting)
      base::exceed(fmt::format("{}: graphs nested {} deep", file_.name, depth), limits_.max_nesting, "max_nesting");
    GraphView g;
    Message m(file_, bytes, "GraphProto");
    while (m.next()) {
      switch (m.field()) {
        case 1: node(m.bytes(), depth, g.nodes); break;
        case 2: g.name = m.text(); break;
        case 5:
          g.initializers.push_back(m.bytes());
          count_initializer();
          break;
        case 10: g.doc = m.text(); break;
        case 11: g.inputs.push_back(value_info(m.bytes())); break;
        case 12: g.outputs.push_back(value_info(m.bytes())); break;
        case 13: g.value_infos.push_back(value_info(m.bytes())); break;
        case 14:
          g.annotations.push_back(m.bytes());
          charge_.add(16);
          break;
        case 15:
          g.sparse_initializers.push_back(m.bytes());
          count_initializer();
          break;
        case 16: add_entry(m.bytes(), g.metadata); break;
        default: m.skip();
      }
    }
    for (const Bytes initializer : g.initializers) {
      NotesView notes;
      g.initializer_names.push_back(tensor_name(initializer, &notes));
      if (!notes.doc.empty() || !notes.metadata.empty())
        g.initializer_notes.emplace(g.initializer_names.back(), std::move(notes));
    }
    for (const Bytes initializer : g.sparse_initializers) g.initializer_names.push_back(sparse_name(initializer));
    find_free_names(g);
    return g;
  }

  void count_initializer() {
    if (++initializers_ > limits_.max_initializers)
      base::exceed(fmt::format("{}: {} initializers", file_.name, initializers_), limits_.max_initializers,
                   "max_initializers");
    charge_.add(64);
  }

  void add_entry(Bytes bytes, Entries& entries) {
    charge_.add(64);
    entries.push_back(read_entry(file_, bytes));
  }

  std::string_view tensor_name(Bytes bytes, NotesView* notes = nullptr) {
    std::string_view name;
    Message m(file_, bytes, "TensorProto");
    while (m.next()) {
      if (m.field() == 8) name = m.text();
      else if (notes && m.field() == 12) notes->doc = m.text();
      else if (notes && m.field() == 16) add_entry(m.bytes(), notes->metadata);
      else m.skip();
    }
    return name;
  }

  // A sparse tensor bears the name of its values.
  std::string_view sparse_name(Bytes bytes) {
    std::string_view name;
    Message m(file_, bytes, "SparseTensorProto");
    while (m.next()) {
      if (m.field() == 1) name = tensor_name(m.bytes());
      else m.skip();
    }
    return name;
  }

  void node(Bytes bytes, int64_t depth, std::vector<NodeView>& nodes) {
    if (++nodes_ > limits_.max_nodes)
      base::exceed(fmt::format("{}: {} nodes", file_.name, nodes_), limits_.max_nodes, "max_nodes");
    NodeView& n = nodes.emplace_back();
    charge_.add(static_cast<int64_t>(sizeof(NodeView)));
    Message m(file_, bytes, "NodeProto");
    while (m.next()) {
      switch (m.field()) {
        case 1:
          n.inputs.push_back(m.text());
          charge_.add(32);
          break;
        case 2:
          n.outputs.push_back(m.text());
          charge_.add(32);
          break;
        case 3: n.name = m.text(); break;
        case 4: n.op_type = m.text(); break;
        case 5: n.attributes.push_back(attribute(m.bytes(), depth)); break;
        case 6: n.doc = m.text(); break;
        case 7: n.domain = m.text(); break;
        case 8: n.overload = m.text(); break;
        case 9: add_entry(m.bytes(), n.metadata); break;
        default: m.skip();
      }
    }
    if (n.domain == "ai.onnx") n.domain = {};
    // Lists have no limit of their own, so repeats are looked for in a set once they are long.
    std::unordered_set<std::string_view> seen;
    for (size_t i = 0; i < n.attributes.size(); ++i) {
      const std::string_view name = n.attributes[i].name;
      bool repeated = false;
      if (n.attributes.size() > 16) repeated = !seen.insert(name).second;
      else
        for (size_t j = 0; j < i; ++j) repeated |= n.attributes[j].name == name;
      if (repeated) m.fail(fmt::format("({}) has the attribute '{}' twice", n.describe(), name));
    }
  }

  AttributeView attribute(Bytes bytes, int64_t depth) {
    AttributeView a;
    a.message = bytes;
    charge_.add(static_cast<int64_t>(sizeof(AttributeView)));
    Message m(file_, bytes, "AttributeProto");
    std::optional<Bytes> graph_bytes;
    int64_t type = 0;
    AttributeType found = AttributeType::kUndefined;
    while (m.next()) {
      switch (m.field()) {
        case 1: a.name = m.text(); break;
        case 2:
          found = AttributeType::kFloat;
          m.skip();
          break;
        case 3:
          found = AttributeType::kInt;
          m.skip();
          break;
        case 4:
          found = AttributeType::kString;
          m.skip();
          break;
        case 5:
          found = AttributeType::kTensor;
          m.skip();
          break;
        case 6:
          found = AttributeType::kGraph;
          m.once(graph_bytes);
          break;
        case 7:
          found = AttributeType::kFloats;
          m.skip();
          break;
        case 8:
          found = AttributeType::kInts;
          m.skip();
          break;
        case 9:
          found = AttributeType::kStrings;
          m.skip();
          break;
        case 10:
          found = AttributeType::kTensors;
          m.skip();
          break;
        case 11:
          found = AttributeType::kGraphs;
          m.skip();
          break;
        case 14:
          found = AttributeType::kType;
          m.skip();
          break;
        case 15:
          found = AttributeType::kTypes;
          m.skip();
          break;
        case 20: type = m.integer(); break;
        case 21: a.reference = m.text(); break;
        case 22:
          found = AttributeType::kSparseTensor;
          m.skip();
          break;
        case 23:
          found = AttributeType::kSparseTensors;
          m.skip();
          break;
        default: m.skip();
      }
    }
    if (a.name.empty()) m.fail("has no name");
    if (type < 0 || type > 14) m.fail(fmt::format("('{}') has the unknown type {}", a.name, type));
    a.type = type != 0 ? static_cast<AttributeType>(type) : found;  // files of IR 1 leave the type out
    if (found != AttributeType::kUndefined && found != a.type) {
      m.fail(fmt::format("('{}') holds a value of type {} but says type {}", a.name, static_cast<int>(found), type));
    }
    if (graph_bytes) a.graph = std::make_unique<GraphView>(graph(*graph_bytes, depth + 1));
    if (a.type == AttributeType::kGraph && !a.graph && a.reference.empty())
      m.fail(fmt::format("('{}') has no graph", a.name));
    return a;
  }

  ValueInfoView value_info(Bytes bytes) {
    ValueInfoView v;
    charge_.add(64);
    Message m(file_, bytes, "ValueInfoProto");
    while (m.next()) {
      switch (m.field()) {
        case 1: v.name = m.text(); break;
        case 2: m.once(v.type); break;
        case 3: v.notes.doc = m.text(); break;
        case 4: add_entry(m.bytes(), v.notes.metadata); break;
        default: m.skip();
      }
    }
    return v;
  }

  FunctionView function(Bytes bytes) {
    FunctionView f;
    Message m(file_, bytes, "FunctionProto");
    while (m.next()) {
      switch (m.field()) {
        case 1: f.name = m.text(); break;
        case 4:
          f.inputs.push_back(m.text());
          charge_.add(16);
          break;
        case 5:
          f.outputs.push_back(m.text());
          charge_.add(16);
          break;
        case 6:
          f.attributes.push_back(m.text());
          charge_.add(16);
          break;
        case 7: node(m.bytes(), 1, f.body.nodes); break;
        case 9: opset(m.bytes(), f.opsets); break;
        case 10: f.domain = m.text(); break;
        case 11: f.defaults.push_back(attribute(m.bytes(), 1)); break;
        case 13: f.overload = m.text(); break;
        default: m.skip();
      }
    }
    if (f.name.empty()) m.fail("has no name");
    if (f.domain == "ai.onnx") f.domain = {};
    for (const std::string_view input : f.inputs) f.body.inputs.push_back({.name = input});
    for (const std::string_view output : f.outputs) f.body.outputs.push_back({.name = output});
    find_free_names(f.body);
    return f;
  }

  void find_free_names(GraphView& g) {
    std::unordered_set<std::string_view> defined;
    for (const ValueInfoView& input : g.inputs) defined.insert(input.name);
    for (const std::string_view name : g.initializer_names) defined.insert(name);
    for (const NodeView& n : g.nodes) defined.insert(n.outputs.begin(), n.outputs.end());
    defined.insert(std::string_view());
    const auto use = [&](std::string_view name) {
      if (!defined.insert(name).second) return;
      g.free_names.push_back(name);
      charge_.add(32);
    };
    for (const NodeView& n : g.nodes) {
      for (const std::string_view input : n.inputs) use(input);
      for (const AttributeView& a : n.attributes) {
        if (a.graph)
          for (const std::string_view name : a.graph->free_names) use(name);
      }
    }
    for (const ValueInfoView& output : g.outputs) use(output.name);
  }

  const WireFile& file_;
  const base::Limits& limits_;
  base::Charge& charge_;
  int64_t nodes_ = 0, initializers_ = 0;
};

}  // namespace

const AttributeView* NodeView::attribute(std::string_view wanted) const {
  for (const AttributeView& a : attributes) {
    if (a.name == wanted) return &a;
  }
  return nullptr;
}

std::string NodeView::describe() const {
  if (!name.empty()) return fmt::format("node '{}' ({})", shown(name), shown(op_type));
  for (const std::string_view output : outputs) {
    if (!output.empty()) return fmt::format("the {} node that makes '{}'", shown(op_type), shown(output));
  }
  return fmt::format("a {} node without name and outputs", shown(op_type));
}

std::string FunctionView::describe() const {
  return fmt::format("function '{}{}{}{}{}'", domain, domain.empty() ? "" : ".", name, overload.empty() ? "" : ":",
                     overload);
}

ModelView read_model(const WireFile& file, const base::Limits& limits, base::Charge& charge) {
  return Parser(file, limits, charge).model();
}

std::pair<std::string_view, std::string_view> read_entry(const WireFile& file, Bytes bytes) {
  std::pair<std::string_view, std::string_view> entry;
  Message m(file, bytes, "StringStringEntryProto");
  while (m.next()) {
    switch (m.field()) {
      case 1: entry.first = m.text(); break;
      case 2: entry.second = m.text(); break;
      default: m.skip();
    }
  }
  return entry;
}

}  // namespace onnxrun::import
