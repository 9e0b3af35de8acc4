// Statements of the text form into graphs.
#include "ir/parse.h"

#include <algorithm>
#include <unordered_map>

#include "ir/complete.h"
#include "ir/complete_outputs.h"
#include "ir/infer.h"
#include "ir/only_types.h"
#include "ir/text.h"
#include "ir/text_reader.h"
#include "ir/weigh.h"

namespace onnxrun::ir {

namespace {

using base::Code;

constexpr size_t kMaxWarnings = 100;
// Attributes of a node beyond those its operator has, which the check of signatures refuses: each is looked for among all others.
constexpr size_t kMoreAttributes = 64;

class Parser {
 public:
  Parser(std::string_view text, const OpTable& table, const ParseOptions& options)
      : reader_(text, options), table_(table), options_(options) {}

  Model model() {
    Model model;
    warnings_ = &model.warnings;
    reader_.expect(kTextHeader);
    while (!reader_.peek_word("graph")) header(model);
    model.graph = std::make_unique<Graph>();
    graph(*model.graph, &model, true);
    if (!reader_.at_end()) reader_.fail("expected nothing after the graph");
    return model;
  }

  void statements(Graph& graph) {
    infers_ = false;
    while (!reader_.at_end()) statement(graph);
  }

 private:
  // Runs what may throw for the model's sake, and says where in the text.
  template <class Body>
  auto located(Body&& body) {
    try {
      return body();
    } catch (base::Error& error) {
      error.in(reader_.where());
      throw;
    }
  }

  void header(Model& model) {
    if (reader_.accept_word("ir_version")) {
      model.ir_version = reader_.integer();
    } else if (reader_.accept_word("opset")) {
      std::string domain = reader_.name();
      if (domain == "ai.onnx") domain.clear();
      model.opset_imports[domain] = reader_.integer();
    } else if (reader_.accept_word("producer")) {
      model.producer_name = reader_.text();
      model.producer_version = reader_.text();
    } else if (reader_.accept_word("domain")) {
      model.domain = reader_.text();
    } else if (reader_.accept_word("model_version")) {
      model.model_version = reader_.integer();
    } else if (reader_.accept_word("doc")) {
      model.doc = reader_.text();
    } else if (reader_.accept_word("metadata")) {
      entry(model.metadata);
    } else if (reader_.accept_word("quantization")) {
      entry(model.quantization_annotations[reader_.peek("'") ? reader_.text() : reader_.name()]);
    } else {
      reader_.fail("expected ir_version, opset, producer, domain, model_version, doc, metadata, quantization or graph");
    }
  }

  void entry(std::map<std::string, std::string>& entries) {
    std::string key = reader_.text();
    reader_.expect("=");
    entries[std::move(key)] = reader_.text();
  }

  // `model`: the one whose main graph this is; null for bodies. `shapes_hold`: what it says of its inputs' shapes is true of every call.
  void graph(Graph& graph, Model* model, bool shapes_hold) {
    if (++depth_ > options_.limits.max_nesting)
      reader_.exceed("graphs are nested deeper than {} (option max_nesting)", options_.limits.max_nesting);
    reader_.expect("graph");
    if (reader_.peek_name()) graph.name = reader_.name();
    reader_.expect("(");
    while (!reader_.accept(")")) {
      if (!graph.inputs().empty()) reader_.expect(",");
      std::string name = reader_.name();
      reader_.charge(sizeof(Value) + 2 * name.size());
      reader_.expect(":");
      Fact fact = reader_.type();
      if (!shapes_hold) fact = only_type(fact);
      const ValueId id = located([&] { return graph.add_input(std::move(name), fact); });
      if (model && reader_.accept("=")) model->input_defaults.emplace(id, reader_.constant(fact));
    }
    reader_.expect("->");
    reader_.expect("(");
    std::vector<std::string> outputs;
    while (!reader_.accept(")")) {
      if (!outputs.empty()) reader_.expect(",");
      outputs.push_back(reader_.name());
      reader_.charge(sizeof(std::string) + sizeof(Fact) + 2 * outputs.back().size());
      if (model) output_types_.try_emplace(outputs.back());
    }
    reader_.expect("{");
    std::vector<Note> notes;
    while (!reader_.accept("}"))
      if (!note(graph, notes)) statement(graph);
    for (const std::string& output : outputs) graph.add_output(resolve(graph, output));
    if (model)
      for (const ValueId output : graph.outputs())
        complete_rank(graph.value(output).fact, output_types_[graph.value(output).name]);
    for (const Note& note : notes) {
      ValueNotes& kept = graph.notes[resolve(graph, note.value)];
      if (note.key.empty()) kept.doc = note.text;
      else kept.metadata[note.key] = note.text;
    }
    --depth_;
  }

  struct Note {
    std::string value, key, text;  // key "": documentation
  };

  bool note(Graph& graph, std::vector<Note>& notes) {
    const TextReader::Place start = reader_.place();
    if (reader_.accept_word("doc") && reader_.peek("'")) {
      graph.doc = reader_.text();
      return true;
    }
    reader_.go_back(start);
    if (reader_.accept_word("metadata") && reader_.peek("'")) {
      entry(graph.metadata);
      return true;
    }
    reader_.go_back(start);
    if (reader_.accept_word("note") && reader_.peek("'")) {
      Note note{reader_.text(), {}, {}};
      if (!reader_.accept_word("doc")) {
        note.key = reader_.text();
        reader_.expect("=");
      }
      note.text = reader_.text();
      reader_.charge(sizeof(Note));
      notes.push_back(std::move(note));
      return true;
    }
    reader_.go_back(start);
    return false;
  }

  struct Declared {
    std::string name;  // "_": none
    bool quoted = false;
    Fact type;
    bool absent() const { return name == "_" && !quoted; }
  };

  Declared declared() {
    reader_.charge(sizeof(Declared));
    Declared result;
    result.quoted = reader_.peek("'");
    result.name = reader_.name();
    if (reader_.accept(":")) result.type = reader_.type();
    return result;
  }

  // A capture, a constant or a node.
  void statement(Graph& graph) {
    std::vector<Declared> results{declared()};
    if (reader_.accept_word("captures")) {
      if (!graph.parent()) reader_.fail("only a body captures values");
      const ValueId outer = resolve(*graph.parent(), reader_.text());
      located([&] { return graph.capture(outer, results[0].name); });
      return;
    }
    while (reader_.accept(",")) results.push_back(declared());
    reader_.expect("=");
    const TextReader::Place start = reader_.place();
    if (results.size() == 1 && results[0].type.is_tensor()) {
      // `TYPE = {...}` or `TYPE = 1` is a constant, `TYPE = Name(` a node.
      const bool is_node = !reader_.peek("'") && reader_.peek_name() && (reader_.name(), reader_.peek("(")) &&
                           results[0].type.dtype != DType::kNone;
      reader_.go_back(start);
      if (!is_node) {
        Tensor tensor = reader_.constant(results[0].type);
        const ValueId id = define(graph, results[0].name);
        graph.value(id).fact = Fact::of(std::move(tensor));
        return;
      }
    }
    node(graph, results);
  }

  void node(Graph& graph, const std::vector<Declared>& results) {
    if (++nodes_ > options_.limits.max_nodes)
      reader_.exceed("the model has more than {} nodes (option max_nodes)", options_.limits.max_nodes);
    reader_.charge(sizeof(Node));
    const TextReader::Place start = reader_.place();
    const std::string full = reader_.name();
    const size_t dot = full.rfind('.');
    const std::string domain = dot == std::string::npos ? std::string() : full.substr(0, dot);
    const std::string op = dot == std::string::npos ? full : full.substr(dot + 1);
    Node node;
    node.op = table_.find(domain, op);
    if (!node.op) {
      std::string similar;
      for (const std::string& name : table_.similar(domain, op))
        similar += (similar.empty() ? "; similar: " : ", ") + name;
      reader_.go_back(start);
      const std::string reduced = table_.reduced_to().empty() ? "" : table_.describe_missing(domain, op);
      located([&]() -> int {
        base::fail(Code::kUnsupported, "{}",
                   reduced.empty() ? fmt::format("there is no operator '{}'{}", full, similar) : reduced);
      });
    }
    const Signature& signature = table_.signature(*node.op);
    reader_.expect("(");
    for (bool first = true; !reader_.accept(")"); first = false) {
      if (!first) reader_.expect(",");
      const bool quoted = reader_.peek("'");
      const std::string name = reader_.name();
      if (reader_.accept("=")) {
        const AttributeSpec* spec = signature.attribute(name);
        if (node.attributes.has(name)) reader_.fail("attribute '{}' is given twice", name);
        if (node.attributes.list().size() >= signature.attributes.size() + kMoreAttributes)
          reader_.fail("{} has {} attributes only", full, signature.attributes.size());
        node.attributes.set(name, reader_.attribute(spec ? std::string_view(spec->kind) : std::string_view()));
      } else {
        if (!node.attributes.list().empty()) reader_.fail("input '{}' stands after an attribute", name);
        node.inputs.push_back(name == "_" && !quoted ? kNone : resolve(graph, name));
      }
    }
    if (reader_.accept_mark("node")) node.name = reader_.text();
    if (reader_.accept_mark("doc")) node.doc = reader_.text();
    while (reader_.accept_mark("metadata")) entry(node.metadata);
    while (!node.inputs.empty() && node.inputs.back() == kNone) node.inputs.pop_back();
    bodies(graph, node);
    for (const Declared& result : results) node.outputs.push_back(result.absent() ? kNone : define(graph, result.name));
    if (std::all_of(node.outputs.begin(), node.outputs.end(), [](ValueId id) { return id == kNone; }))
      reader_.fail("the node has no outputs");
    node.origin.push_back(node.name.empty() ? results.front().name : node.name);
    complete_outputs(graph, table_.signature(*node.op), node);
    located([&] {
      const NodeId id = graph.add_node(std::move(node));
      if (!infers_) return id;
      check_signature(table_, graph, graph.node(id));
      infer_in_place(graph, id);
      return id;
    });
    if (!infers_) return;
    for (const Declared& result : results) {
      if (result.absent()) continue;
      const ValueId id = graph.find_value(result.name);
      check_declared(graph.value(id), result.type);
      if (const auto type = output_types_.find(result.name); type != output_types_.end() && !graph.parent())
        type->second = result.type;
    }
  }

  // Shapes are what follows from the inputs, whatever the text says.
  void check_declared(Value& value, const Fact& declared) {
    Fact& fact = value.fact;
    if (!complete_type(fact, declared))
      reader_.fail("'{}' is declared as {} but is {}", value.name, type_text(declared), type_text(fact));
    if (!fact.is_tensor() || !fact.shape || !declared.shape) return;
    bool differs = fact.shape->size() != declared.shape->size();
    for (size_t i = 0; !differs && i < fact.shape->size(); ++i) {
      const Dim &a = (*fact.shape)[i], &b = (*declared.shape)[i];
      differs = a.is_constant() && b.is_constant() && a.value() != b.value();
    }
    if (differs && warnings_ && warnings_->size() < kMaxWarnings)
      warnings_->push_back(fmt::format("{}: '{}' is declared with shape {} but has shape {}", reader_.where(),
                                       value.name, to_string(*declared.shape), to_string(*fact.shape)));
  }

  void bodies(Graph& graph, Node& node) {
    for (;;) {
      const TextReader::Place start = reader_.place();
      if (!reader_.peek_name()) return;
      std::string name = reader_.name();
      if (!reader_.accept(":") || !reader_.peek_word("graph")) return reader_.go_back(start);
      auto body = std::make_unique<Graph>(&graph);
      const OnlyTypes only_types(never_taken(graph, node, name));
      this->graph(*body, nullptr, bodies_keep_declarations(node.op->domain));
      node.bodies.push_back({std::move(name), std::move(body)});
    }
  }

  // The value to be written: a new one, or one that nothing makes.
  ValueId define(Graph& graph, const std::string& name) {
    reader_.charge(sizeof(Value) + 2 * name.size());
    const ValueId known = graph.find_value(name);
    if (known == kNone) return located([&] { return graph.add_value(name); });
    const Value& value = graph.value(known);
    if (value.producer != kNone || value.is_input || value.outer != kNone || value.fact.constant)
      reader_.fail("'{}' is there already", name);
    return known;
  }

  ValueId resolve(Graph& graph, const std::string& name) {
    const ValueId known = graph.find_value(name);
    if (known != kNone) return known;
    if (graph.parent()) return graph.capture(resolve(*graph.parent(), name), name);
    reader_.fail("'{}' is read and nothing before makes it", name);
  }

  TextReader reader_;
  const OpTable& table_;
  const ParseOptions& options_;
  int64_t nodes_ = 0;
  int depth_ = 0;
  bool infers_ = true;
  std::vector<std::string>* warnings_ = nullptr;        // of the model
  std::unordered_map<std::string, Fact> output_types_;  // that the text declares for the model's outputs
};

}  // namespace

Model parse_model(std::string_view text, const OpTable& table, const ParseOptions& options) {
  return charged(Parser(text, table, options).model(), nullptr, options.budget);
}

void parse_into(Graph& graph, std::string_view text, const OpTable& table, const ParseOptions& options) {
  Parser(text, table, options).statements(graph);
}

}  // namespace onnxrun::ir
