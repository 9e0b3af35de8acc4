// Graph editing that keeps names, producers, consumers and captures true.
#include "ir/graph.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "ir/op.h"

namespace onnxrun::ir {

using base::Code;
using base::fail;

const Graph* Node::body(std::string_view name) const {
  for (const Body& body : bodies)
    if (body.name == name) return body.graph.get();
  return nullptr;
}

Node Node::without_bodies() const {
  Node copy;
  copy.op = op;
  copy.name = name;
  copy.attributes = attributes;
  copy.inputs = inputs;
  copy.outputs = outputs;
  copy.origin = origin;
  copy.doc = doc;
  copy.metadata = metadata;
  return copy;
}

std::string Node::describe(const Graph& graph) const {
  const std::string type = op ? op->full_name() : "no operator";
  if (!name.empty()) return fmt::format("node '{}' ({})", name, type);
  for (ValueId output : outputs)
    if (output >= 0 && static_cast<size_t>(output) < graph.value_count())
      return fmt::format("node of output '{}' ({})", graph.value(output).name, type);
  return fmt::format("a node without name or outputs ({})", type);
}

ValueId Graph::add_value(std::string name, Fact fact) {
  if (name.empty()) name = fresh_name("value");
  const ValueId id = static_cast<ValueId>(values_.size());
  if (!by_name_.try_emplace(name, id).second)
    fail(Code::kInvalidModel, "the name '{}' is used for two values of graph '{}'", name, this->name);
  Value& value = values_.emplace_back();
  value.name = std::move(name);
  value.fact = std::move(fact);
  return id;
}

ValueId Graph::add_constant(Tensor tensor, std::string name) {
  return add_value(name.empty() ? fresh_name("constant") : std::move(name), Fact::of(std::move(tensor)));
}

ValueId Graph::add_input(std::string name, Fact fact) {
  const ValueId id = add_value(std::move(name), std::move(fact));
  value(id).is_input = true;
  inputs_.push_back(id);
  return id;
}

ValueId Graph::capture(ValueId outer, std::string name) {
  if (auto found = by_outer_.find(outer); found != by_outer_.end()) return found->second;
  if (!parent_ || outer < 0 || static_cast<size_t>(outer) >= parent_->value_count())
    fail(Code::kInternal, "graph '{}' cannot capture value {}: not a value of an enclosing graph", this->name, outer);
  const Value& source = parent_->value(outer);
  if (name.empty()) name = source.name;
  if (by_name_.contains(name)) name = fresh_name(name);
  const ValueId id = add_value(std::move(name), source.fact);
  value(id).outer = outer;
  captures_.push_back(id);
  by_outer_.emplace(outer, id);
  return id;
}

ValueId Graph::find_value(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? kNone : found->second;
}

void Graph::rename_value(ValueId id, std::string name) {
  Value& renamed = value(id);
  if (renamed.name == name) return;
  if (!by_name_.try_emplace(name, id).second)
    fail(Code::kInvalidModel, "value '{}' cannot be renamed to '{}': the name is taken", renamed.name, name);
  by_name_.erase(renamed.name);
  renamed.name = std::move(name);
}

std::string Graph::fresh_name(std::string_view stem) const {
  const auto taken = [this](std::string_view name) {
    for (const Graph* graph = this; graph; graph = graph->parent_)
      if (graph->by_name_.contains(name)) return true;
    return false;
  };
  if (!stem.empty() && !taken(stem)) return std::string(stem);
  // One number for all graphs of a model: thousands of bodies do not count anew through the names around them.
  const Graph* main = this;
  while (main->parent_) main = main->parent_;
  for (;;) {
    std::string name = fmt::format("{}_{}", stem.empty() ? "value" : stem, ++main->next_name_);
    if (!taken(name)) return name;
  }
}

void Graph::remove_value(ValueId id) {
  Value& removed = value(id);
  if (removed.removed) return;
  if (removed.producer != kNone || !removed.consumers.empty() || removed.output_uses > 0)
    fail(Code::kInternal, "value '{}' cannot be removed: it is still used", removed.name);
  if (removed.is_input) std::erase(inputs_, id);
  if (removed.outer != kNone) {
    std::erase(captures_, id);
    by_outer_.erase(removed.outer);
  }
  by_name_.erase(removed.name);
  removed = Value();
  removed.removed = true;
}

void Graph::add_use(ValueId value_id, NodeId node) { value(value_id).consumers.push_back(node); }

void Graph::drop_use(ValueId value_id, NodeId node) {
  Value& used = value(value_id);
  std::vector<NodeId>& consumers = used.consumers;
  if (consumers.empty()) return;
  // Nodes leave mostly in the order they came or in the reverse one: the last one and the place after the previous hit come first.
  auto found = consumers.end() - 1;
  if (*found != node) {
    const auto cursor = consumers.begin() + static_cast<ptrdiff_t>(std::min<size_t>(used.cursor, consumers.size()));
    found = std::find(cursor, consumers.end(), node);
    if (found == consumers.end()) found = std::find(consumers.begin(), cursor, node);
    if (found == cursor && (found == consumers.end() || *found != node)) return;
  }
  used.cursor = static_cast<uint32_t>(found - consumers.begin());
  *found = consumers.back();
  consumers.pop_back();
}

void Graph::check_outputs(const Node& node) const {
  std::unordered_set<ValueId> seen;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId id = node.outputs[i];
    if (id == kNone) continue;
    const Value& output = value(id);
    if (output.producer != kNone)
      fail(Code::kInvalidModel, "value '{}' is produced twice: by {} and by {}", output.name,
           this->node(output.producer).describe(*this), node.describe(*this));
    if (output.is_input || output.outer != kNone)
      fail(Code::kInvalidModel, "{} writes '{}', which is an input of the graph", node.describe(*this), output.name);
    if (node.outputs.size() > 1 && !seen.insert(id).second)
      fail(Code::kInvalidModel, "value '{}' is produced twice by {}", output.name, node.describe(*this));
  }
}

NodeId Graph::add_node(Node node) {
  if (!node.op) fail(Code::kInternal, "a node without an operator cannot be added: {}", node.describe(*this));
  check_outputs(node);
  const NodeId id = static_cast<NodeId>(nodes_.size());
  node.id = id;
  nodes_.push_back(std::make_unique<Node>(std::move(node)));
  ++node_count_;
  const Node& added = *nodes_.back();
  for (ValueId output : added.outputs)
    if (output != kNone) value(output).producer = id;
  try {
    for (ValueId input : added.inputs)
      if (input != kNone) add_use(input, id);
    for (const Body& body : added.bodies) body.graph->set_parent(this);
    link_captures(added);
  } catch (...) {  // out of memory
    take_node(id);
    throw;
  }
  return id;
}

Node Graph::take_node(NodeId id) {
  if (!has_node(id)) fail(Code::kInternal, "graph '{}' has no node {}", name, id);
  unlink_captures(id);
  Node taken = std::move(node(id));
  nodes_[static_cast<size_t>(id)].reset();
  for (ValueId output : taken.outputs)
    if (output != kNone) value(output).producer = kNone;
  for (ValueId input : taken.inputs)
    if (input != kNone) drop_use(input, id);
  taken.id = kNone;
  --node_count_;
  return taken;
}

void Graph::remove_node(NodeId id) { take_node(id); }

void Graph::set_input(NodeId node_id, size_t index, ValueId value_id) {
  Node& edited = node(node_id);
  if (index >= edited.inputs.size()) edited.inputs.resize(index + 1, kNone);
  ValueId& slot = edited.inputs[index];
  if (slot == value_id) return;
  if (slot != kNone) drop_use(slot, node_id);
  slot = value_id;
  if (value_id != kNone) add_use(value_id, node_id);
}

void Graph::replace_uses(ValueId from, ValueId to) {
  if (from == to) return;
  std::vector<NodeId> consumers = std::exchange(value(from).consumers, {});
  std::vector<NodeId> users = consumers;
  std::sort(users.begin(), users.end());
  users.erase(std::unique(users.begin(), users.end()), users.end());
  for (NodeId user : users) {
    Node& consumer = node(user);
    for (ValueId& input : consumer.inputs)
      if (input == from) {
        input = to;
        add_use(to, user);
      }
    if (consumer.bodies.empty()) continue;
    for (const Body& body : consumer.bodies) body.graph->move_captures(from, to);
    refresh_captures(user);
  }
  if (value(from).output_uses > 0)
    for (size_t i = 0; i < outputs_.size(); ++i)
      if (outputs_[i] == from) set_output(i, to);
}

void Graph::move_captures(ValueId from, ValueId to) {
  auto found = by_outer_.find(from);
  if (found == by_outer_.end()) return;
  const ValueId inner = found->second;
  by_outer_.erase(found);
  if (auto other = by_outer_.find(to); other != by_outer_.end()) {
    replace_uses(inner, other->second);
    std::erase(captures_, inner);
    value(inner).outer = kNone;
    remove_value(inner);
    return;
  }
  value(inner).outer = to;
  by_outer_.emplace(to, inner);
}

void Graph::link_captures(const Node& linked) {
  std::vector<ValueId> uses;
  for (const Body& body : linked.bodies)
    for (ValueId inner : body.graph->captures()) uses.push_back(body.graph->value(inner).outer);
  if (uses.empty()) return;
  for (ValueId outer : capture_uses_[linked.id] = std::move(uses)) add_use(outer, linked.id);
}

void Graph::unlink_captures(NodeId id) {
  auto found = capture_uses_.find(id);
  if (found == capture_uses_.end()) return;
  for (ValueId outer : found->second) drop_use(outer, id);
  capture_uses_.erase(found);
}

void Graph::refresh_captures(NodeId id) {
  unlink_captures(id);
  link_captures(node(id));
}

void Graph::add_output(ValueId id) {
  outputs_.push_back(id);
  ++value(id).output_uses;
}

void Graph::set_output(size_t index, ValueId id) {
  --value(outputs_[index]).output_uses;
  outputs_[index] = id;
  ++value(id).output_uses;
}

}  // namespace onnxrun::ir
