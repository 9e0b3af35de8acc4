// Building and applying patches.
#include "ir/patch.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "ir/apply_moved.h"
#include "ir/infer.h"

namespace onnxrun::ir {

Patch::Patch(const Graph& graph, std::string description)
    : graph_(&graph), base_(graph.value_count()), description_(std::move(description)) {}

ValueId Patch::constant(Tensor tensor, std::string_view stem) {
  values_.push_back({std::string(stem), std::move(tensor)});
  return static_cast<ValueId>(base_ + values_.size() - 1);
}

ValueId Patch::value(std::string_view stem) { return constant({}, stem); }

std::vector<ValueId> Patch::emit_many(const OpDef* op, std::vector<ValueId> inputs, size_t outputs,
                                      Attributes attributes, std::string name) {
  if (!op) base::fail(base::Code::kInternal, "{}: a node needs an operator", description_);
  Node node;
  node.op = op;
  node.name = std::move(name);
  node.inputs = std::move(inputs);
  while (!node.inputs.empty() && node.inputs.back() == kNone) node.inputs.pop_back();
  node.attributes = std::move(attributes);
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(value(op->name));
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs;
}

std::string Patch::to_string(const Graph& graph) const {
  std::string text = description_ + ":";
  const char* separator = " ";
  for (NodeId id : removed_) {
    text += separator + (graph.has_node(id) ? graph.node(id).describe(graph) : fmt::format("node {}", id));
    separator = ", ";
  }
  text += " ->";
  if (nodes_.empty()) text += " nothing";
  separator = " ";
  for (const Node& node : nodes_) {
    text += separator + node.op->full_name();
    separator = ", ";
  }
  return text;
}

bool can_replace(const Graph& graph, ValueId from, ValueId to) {
  if (graph.parent() || !graph.is_output(from)) return true;
  if (static_cast<size_t>(to) >= graph.value_count()) return !graph.value(from).is_input;
  return !graph.value(from).is_input && !graph.value(to).is_input && graph.value(to).output_uses == 0;
}

class PatchApplication {
 public:
  PatchApplication(Graph& graph, Patch& patch) : graph_(graph), patch_(patch) {}

  std::vector<NodeId> run() {
    check();
    try {
      add();
      check_facts();
    } catch (...) {
      take_back();
      throw;
    }
    for (const auto& [from, to] : patch_.replaced_) replace(from, to);
    for (const Patch::InputEdit& edit : patch_.inputs_) graph_.set_input(edit.node, edit.index, edit.value);
    remove();
    return std::move(added_);
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    base::fail(base::Code::kInternal, "patch refused: {}", fmt::format(format, std::forward<Args>(args)...));
  }

  bool exists(ValueId id) const {
    if (id < 0) return false;
    const size_t at = static_cast<size_t>(id);
    return at < patch_.base_ ? !graph_.value(id).removed : at < patch_.base_ + patch_.values_.size();
  }

  void check() {
    if (patch_.graph_ != &graph_ || patch_.base_ != graph_.value_count())
      refuse("it was built for another graph or an older state");
    const std::unordered_set<NodeId> removed(patch_.removed_.begin(), patch_.removed_.end());
    if (removed.size() != patch_.removed_.size()) refuse("a node is removed twice");
    for (const auto& [from, to] : patch_.replaced_) {
      if (!exists(from) || !exists(to) || static_cast<size_t>(from) >= patch_.base_)
        refuse("it replaces a value that does not exist");
      if (from == to || !given_.try_emplace(from).second)
        refuse("'{}' is replaced twice or by itself", graph_.value(from).name);
      if (!can_replace(graph_, from, to))
        refuse("the output '{}' cannot be replaced by '{}'", graph_.value(from).name, graph_.value(to).name);
    }
    for (const auto& [from, to] : patch_.replaced_)
      if (given_.contains(to)) refuse("'{}' is replaced by a value that is replaced too", graph_.value(from).name);
    for (const Patch::InputEdit& edit : patch_.inputs_)
      if (!graph_.has_node(edit.node) || removed.contains(edit.node) || (edit.value != kNone && !exists(edit.value)))
        refuse("it edits a node or takes a value that does not exist");
    for (const Patch::InputEdit& edit : patch_.inputs_) {
      edits_[edit.node].push_back(&edit);
      taken_.insert(edit.value);
    }
    for (const Node& node : patch_.nodes_) {
      if (!node.op) refuse("a new node has no operator");
      for (ValueId input : node.inputs)
        if (input != kNone && !exists(input))
          refuse("a new {} reads a value that does not exist", node.op->full_name());
      for (ValueId output : node.outputs)
        if (output != kNone && (!exists(output) || static_cast<size_t>(output) < patch_.base_))
          refuse("a new {} writes a value that is not new", node.op->full_name());
      taken_.insert(node.inputs.begin(), node.inputs.end());
    }
    for (ValueId id : patch_.dropped_)
      if (!exists(id) || !is_idle_constant(id) || taken_.contains(id))
        refuse("it drops a value that is used or no constant");
    for (NodeId id : patch_.removed_) {
      if (!graph_.has_node(id)) refuse("it removes node {}, which does not exist", id);
      for (ValueId output : graph_.node(id).outputs) {
        if (output == kNone) continue;
        const Value& value = graph_.value(output);
        bool used = taken_.contains(output);
        if (!given_.contains(output)) {
          used = used || value.output_uses > 0;
          for (NodeId consumer : value.consumers)
            used = used || (!removed.contains(consumer) && !edited_away(consumer, output));
        }
        if (used) refuse("'{}' is still used after its node is removed", value.name);
      }
    }
  }

  bool edited_away(NodeId consumer, ValueId value) {
    const auto edits = edits_.find(consumer);
    if (edits == edits_.end() || !graph_.node(consumer).bodies.empty()) return false;
    const auto [left, added] = left_.try_emplace(consumer);
    if (added) {
      std::vector<ValueId> inputs = graph_.node(consumer).inputs;
      for (const Patch::InputEdit* edit : edits->second)
        if (edit->index < inputs.size()) inputs[edit->index] = edit->value;
      left->second.insert(inputs.begin(), inputs.end());
    }
    return !left->second.contains(value);
  }

  bool is_idle_constant(ValueId id) const {
    const Value& value = graph_.value(id);
    return !value.removed && value.producer == kNone && value.fact.constant && !value.is_input &&
           value.outer == kNone && value.consumers.empty() && value.output_uses == 0;
  }

  void add() {
    for (Patch::NewValue& value : patch_.values_) {
      std::string name = graph_.fresh_name(value.stem);
      if (value.constant) graph_.add_constant(std::move(value.constant), std::move(name));
      else graph_.add_value(std::move(name));
    }
    // Every new node has a copy.
    constexpr size_t kMostOfAll = size_t{16} << 20;
    const size_t most = std::min(size_t{16} << 10, kMostOfAll / std::max<size_t>(patch_.nodes_.size(), 1));
    size_t bytes = 0;
    std::vector<std::string> origin;
    std::unordered_set<std::string_view> seen;
    for (NodeId id : patch_.removed_)
      for (const std::string& each : graph_.node(id).origin)
        if (origin.size() < kMostOrigins && bytes < most && seen.insert(each).second) {
          bytes += sizeof each + each.size();
          origin.push_back(each);
        }
    for (Node& node : patch_.nodes_) {
      if (node.origin.empty()) node.origin = origin;
      added_.push_back(graph_.add_node(std::move(node)));
      const std::vector<ValueId>& inputs = graph_.node(added_.back()).inputs;
      for (size_t i = 0; i < inputs.size(); ++i)
        if (const auto given = given_.find(inputs[i]); given != given_.end())
          given->second.emplace_back(added_.back(), i);
      infer_in_place(graph_, added_.back());
    }
  }

  void check_facts() {
    for (const auto& [from, to] : patch_.replaced_)
      merged_.push_back(
          merge(graph_.value(to).fact, graph_.value(from).fact,
                fmt::format("'{}', which replaces '{}',", graph_.value(to).name, graph_.value(from).name)));
    for (size_t i = 0; i < merged_.size(); ++i) graph_.value(patch_.replaced_[i].second).fact = std::move(merged_[i]);
  }

  void take_back() {
    for (size_t id = graph_.node_capacity(); id-- > first_;)
      if (graph_.has_node(static_cast<NodeId>(id))) graph_.remove_node(static_cast<NodeId>(id));
    for (size_t i = patch_.base_; i < graph_.value_count(); ++i) graph_.remove_value(static_cast<ValueId>(i));
  }

  void replace(ValueId from, ValueId to) {
    const bool renames = graph_.is_output(from) ? !graph_.parent() : static_cast<size_t>(to) >= patch_.base_;
    graph_.replace_uses(from, to);
    for (const auto& [node, index] : given_.at(from)) graph_.set_input(node, index, from);
    if (!renames || graph_.value(from).is_input || graph_.value(from).outer != kNone) return;
    std::string name = graph_.value(from).name;
    graph_.rename_value(from, graph_.fresh_name(name + "/replaced"));
    graph_.rename_value(to, std::move(name));
  }

  void remove() {
    std::vector<ValueId> read;
    for (NodeId id : patch_.removed_) {
      const Node node = graph_.take_node(id);
      for (ValueId input : node.inputs)
        if (input != kNone) read.push_back(input);
      for (const Body& body : node.bodies)
        for (ValueId inner : body.graph->captures()) read.push_back(body.graph->value(inner).outer);
      for (ValueId output : node.outputs)
        if (output != kNone) outputs_.push_back(output);
    }
    for (ValueId output : outputs_) graph_.remove_value(output);
    for (const auto& [from, to] : patch_.replaced_) read.push_back(from);
    read.insert(read.end(), patch_.dropped_.begin(), patch_.dropped_.end());
    for (ValueId id : read)
      if (is_idle_constant(id)) graph_.remove_value(id);
  }

  Graph& graph_;
  Patch& patch_;
  const size_t first_ = graph_.node_capacity();  // of new nodes
  std::vector<NodeId> added_;
  // By value that is replaced: the inputs of new nodes that take it, which replacements leave alone.
  std::unordered_map<ValueId, std::vector<std::pair<NodeId, size_t>>> given_;
  std::unordered_set<ValueId> taken_;  // by new nodes and edits
  std::unordered_map<NodeId, std::vector<const Patch::InputEdit*>> edits_;
  std::unordered_map<NodeId, std::unordered_set<ValueId>> left_;  // of edited nodes: what they take in the end
  std::vector<Fact> merged_;
  std::vector<ValueId> outputs_;
};

namespace {

[[noreturn]] void blame(const base::Error& error, const Patch& patch) {
  base::Error internal(base::Code::kInternal, error.what());
  throw internal.in(fmt::format("patch '{}'", patch.description()));
}

}  // namespace

std::vector<NodeId> apply(Graph& graph, Patch patch) {
  try {
    return PatchApplication(graph, patch).run();
  } catch (const base::Error& error) {
    blame(error, patch);
  }
}

bool apply_moved(Graph& graph, Patch patch) {
  try {
    PatchApplication(graph, patch).run();
    return true;
  } catch (const base::Error& error) {
    if (error.code() == base::Code::kInternal) blame(error, patch);
    return false;
  }
}

}  // namespace onnxrun::ir
