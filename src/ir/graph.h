// The in-memory graph: values and nodes with stable ids, nested bodies with explicit captures, and the model around them.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/attribute.h"
#include "ir/fact.h"

namespace onnxrun::ir {

struct OpDef;
class Graph;

using ValueId = int32_t;
using NodeId = int32_t;
inline constexpr int32_t kNone = -1;  // no value (an absent optional input or output), no node

// A graph attribute of a node: the branch of an If, the body of a Loop.
struct Body {
  std::string name;  // of the attribute, e.g. "then_branch"
  std::unique_ptr<Graph> graph;
};

// Of names of nodes that one node comes from, so many are kept.
inline constexpr size_t kMostOrigins = 1000;

// An operator applied to values, in canonical form: the newest semantics of its operator.
struct Node {
  NodeId id = kNone;
  const OpDef* op = nullptr;  // never null in a graph
  std::string name;           // as in the file; may be empty or repeated
  Attributes attributes;
  std::vector<ValueId> inputs;   // kNone where an optional input is absent
  std::vector<ValueId> outputs;  // kNone where an output is not wanted
  std::vector<Body> bodies;
  std::vector<std::string> origin;  // names of nodes of the source file that it comes from, kMostOrigins at most
  std::string doc;
  std::map<std::string, std::string> metadata;

  const Graph* body(std::string_view name) const;
  // A copy but for the id and the bodies.
  Node without_bodies() const;
  // "node 'conv1' (Conv)", or by its first output's name where it has none.
  std::string describe(const Graph& graph) const;
};

struct Value {
  std::string name;         // unique within its graph
  Fact fact;                // fact.constant is set for initializers
  NodeId producer = kNone;  // kNone: graph input, initializer or capture
  ValueId outer = kNone;    // of a capture: the value of the enclosing graph
  bool is_input = false;
  bool removed = false;
  uint32_t output_uses = 0;       // how often it is an output of its graph
  std::vector<NodeId> consumers;  // with repeats, in no order; nodes whose bodies capture it count
  uint32_t cursor = 0;            // of Graph: where the search for a consumer starts
};

// What a file says about a value for people and tools.
struct ValueNotes {
  std::string doc;
  std::map<std::string, std::string> metadata;
};

class Graph {
 public:
  explicit Graph(Graph* parent = nullptr) : parent_(parent) {}
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // A copy with the same ids, bodies included; tensors are shared.
  std::unique_ptr<Graph> clone(Graph* parent = nullptr) const;

  std::string name;
  std::string doc;
  std::map<std::string, std::string> metadata;
  std::map<ValueId, ValueNotes> notes;

  Graph* parent() const { return parent_; }
  void set_parent(Graph* parent) { parent_ = parent; }

  // Values. References to values and nodes stay valid while others are added.
  ValueId add_value(std::string name,
                    Fact fact = {});  // throws kInvalidModel when the name is taken; "" makes a fresh name
  ValueId add_constant(Tensor tensor, std::string name = {});
  ValueId add_input(std::string name, Fact fact);
  // Of a body: the value that stands for `outer` of the parent; made once, with the parent's fact. `name` is changed where it is taken.
  // Call the parent's refresh_captures when the node that owns this body is already in it.
  ValueId capture(ValueId outer, std::string name);
  Value& value(ValueId id) { return values_[static_cast<size_t>(id)]; }
  const Value& value(ValueId id) const { return values_[static_cast<size_t>(id)]; }
  size_t value_count() const { return values_.size(); }  // ids are below this
  ValueId find_value(std::string_view name) const;       // kNone
  void rename_value(ValueId id, std::string name);
  std::string fresh_name(
      std::string_view stem) const;  // `stem`, or `stem_<number>`; not used here nor in enclosing graphs
  void remove_value(
      ValueId
          id);  // must have neither producer nor consumers nor be an output; inputs and captures leave the interface

  // Nodes. Adding and editing keeps producers and consumers true.
  NodeId add_node(
      Node node);  // its outputs must have no producer yet and be no inputs: throws kInvalidModel; sets its id
  Node& node(NodeId id) { return *nodes_[static_cast<size_t>(id)]; }
  const Node& node(NodeId id) const { return *nodes_[static_cast<size_t>(id)]; }
  bool has_node(NodeId id) const {
    return id >= 0 && static_cast<size_t>(id) < nodes_.size() && nodes_[static_cast<size_t>(id)];
  }
  size_t node_capacity() const { return nodes_.size(); }  // ids are below this
  size_t node_count() const { return node_count_; }
  void remove_node(NodeId id);  // its outputs stay as values without a producer
  Node take_node(NodeId id);    // the same, handing out the node
  void set_input(NodeId node, size_t index, ValueId value);
  void replace_uses(ValueId from, ValueId to);  // in nodes, captures of bodies and graph outputs
  void refresh_captures(NodeId node);           // after its bodies' captures changed

  // Interface.
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  const std::vector<ValueId>& captures() const { return captures_; }  // inner values; each has `outer`
  void add_output(ValueId id);
  void set_output(size_t index, ValueId id);
  bool is_output(ValueId id) const { return value(id).output_uses > 0; }

  // Node ids so that producers come before consumers, otherwise in the order they were added. Throws kInvalidModel naming the nodes of a cycle.
  std::vector<NodeId> topological_order() const;

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };

  void check_outputs(const Node& node) const;
  void add_use(ValueId value, NodeId node);
  void drop_use(ValueId value, NodeId node);
  void link_captures(const Node& node);
  void unlink_captures(NodeId node);
  void move_captures(ValueId from, ValueId to);  // of this body, when the parent replaces `from`

  Graph* parent_;
  std::deque<Value> values_;
  std::vector<std::unique_ptr<Node>> nodes_;
  size_t node_count_ = 0;
  std::vector<ValueId> inputs_, outputs_, captures_;
  std::unordered_map<std::string, ValueId, NameHash, std::equal_to<>> by_name_;
  std::unordered_map<ValueId, ValueId> by_outer_;                  // captures
  std::unordered_map<NodeId, std::vector<ValueId>> capture_uses_;  // of nodes with bodies: the uses that were counted
  mutable uint64_t next_name_ = 0;
};

// What a model file says beside its graph.
struct Model {
  std::unique_ptr<Graph> graph;
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opset_imports;  // "" is ai.onnx
  std::string producer_name, producer_version, domain, doc;
  int64_t model_version = 0;
  std::map<std::string, std::string> metadata;
  // quant_parameter_tensor_names by tensor name.
  std::map<std::string, std::map<std::string, std::string>> quantization_annotations;
  std::map<ValueId, Tensor> input_defaults;  // values of graph inputs that callers may leave out
  std::string path;                          // "" when loaded from memory
  std::vector<std::string> external_files;   // paths of those that hold tensors of it
  std::vector<std::string> warnings;         // found while importing
  std::shared_ptr<const void> storage;       // keeps mapped files alive for constants that view them

  // A copy with a graph of its own; tensors are shared.
  Model clone() const;
};

}  // namespace onnxrun::ir
