// Emitting the nodes that replace one node.
#include "ir/expansion.h"

#include <utility>

#include "ir/infer.h"

namespace onnxrun::ir {

namespace {

const OpDef* find_or_fail(const OpTable& table, std::string_view domain, std::string_view op, const Node& source,
                          const Graph& graph) {
  const OpDef* def = table.find(domain, op);
  if (def == nullptr)
    base::fail(table.reduced_to().empty() ? base::Code::kInternal : base::Code::kUnsupported,
               "{} is made of others, and {}", source.describe(graph), table.describe_missing(domain, op));
  return def;
}

}  // namespace

Expansion::Expansion(Graph& graph, const OpTable& table, Node source)
    : graph_(graph), table_(table), source_(std::move(source)) {}

const Fact& Expansion::fact(ValueId id) const {
  if (id == kNone) fail("{} lacks an input that it needs", source_.op->full_name());
  return graph_.value(id).fact;
}

void Expansion::set_input(size_t i, ValueId value) {
  if (i >= source_.inputs.size()) source_.inputs.resize(i + 1, kNone);
  source_.inputs[i] = value;
}

void Expansion::ints_to_input(std::string_view attribute, size_t input) {
  if (!attributes().has(attribute)) return;
  set_input(input, int64s(attributes().get_ints(attribute)));
  attributes().erase(attribute);
}

void Expansion::int_to_input(std::string_view attribute, size_t input) {
  if (!attributes().has(attribute)) return;
  set_input(input, constant(Tensor::scalar<int64_t>(attributes().get_int(attribute, 0))));
  attributes().erase(attribute);
}

void Expansion::drop(std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) attributes().erase(name);
}

std::string Expansion::fresh(std::string_view suffix) const {
  std::string stem = source_.name;
  for (ValueId output : source_.outputs)
    if (output != kNone) {
      stem = graph_.value(output).name;
      break;
    }
  if (stem.empty()) return graph_.fresh_name(suffix);
  return graph_.fresh_name(fmt::format("{}/{}", stem, suffix));
}

ValueId Expansion::constant(Tensor tensor) { return graph_.add_constant(std::move(tensor), fresh("Constant")); }

void Expansion::add(std::string_view domain, std::string_view op, std::vector<ValueId> inputs,
                    std::vector<ValueId> outputs, Attributes attributes, std::string name) {
  Node node;
  node.op = find_or_fail(table_, domain, op, source_, graph_);
  while (!inputs.empty() && inputs.back() == kNone) inputs.pop_back();
  node.name = std::move(name);
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  node.attributes = std::move(attributes);
  node.origin = source_.origin;
  insert(std::move(node));
}

void Expansion::insert(Node node) {
  const NodeId id = graph_.add_node(std::move(node));
  added_.push_back(id);
  settle(id);
}

void Expansion::settle(NodeId id) {
  check_signature(table_, graph_, graph_.node(id));
  infer_in_place(graph_, id);
}

std::vector<ValueId> Expansion::emit_many(std::string_view op, std::vector<ValueId> inputs, size_t outputs,
                                          Attributes attributes, std::string_view domain) {
  std::vector<ValueId> results;
  for (size_t i = 0; i < outputs; ++i) results.push_back(graph_.add_value(fresh(op)));
  std::string name = source_.name.empty() ? std::string() : fmt::format("{}/{}", source_.name, op);
  add(domain, op, std::move(inputs), results, std::move(attributes), std::move(name));
  return results;
}

ValueId Expansion::emit(std::string_view op, std::vector<ValueId> inputs, Attributes attributes,
                        std::string_view domain) {
  return emit_many(op, std::move(inputs), 1, std::move(attributes), domain).front();
}

void Expansion::finish(std::string_view op, std::vector<ValueId> inputs, Attributes attributes,
                       std::string_view domain) {
  add(domain, op, std::move(inputs), source_.outputs, std::move(attributes), source_.name);
}

NodeId Expansion::add_source() {
  Node node = std::move(source_);
  source_ = Node();
  source_.op = node.op;
  source_.name = node.name;
  source_.inputs = node.inputs;
  source_.outputs = node.outputs;
  source_.origin = node.origin;
  while (!node.inputs.empty() && node.inputs.back() == kNone) node.inputs.pop_back();
  const NodeId id = graph_.add_node(std::move(node));
  added_.push_back(id);
  return id;
}

void Expansion::keep() { settle(add_source()); }

void Expansion::become(std::string_view domain, std::string_view op) {
  source_.op = find_or_fail(table_, domain, op, source_, graph_);
}

void Expansion::bind(size_t output, ValueId value) {
  if (has_output(output)) add("", "Identity", {value}, {source_.outputs[output]}, {}, source_.name);
}

}  // namespace onnxrun::ir
