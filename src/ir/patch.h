// Patch: a change of a graph that a pass proposes; the only way for passes to change one. Matching builds it, applying checks and does it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "ir/op.h"

namespace onnxrun::ir {

// Built against a graph that is not changed meanwhile. New values have ids that they will have once the patch is applied, so that new
// nodes can refer to them and to those of the graph alike.
class Patch {
 public:
  // `description` says what is done in a few words: "fold Conv + BatchNormalization".
  Patch(const Graph& graph, std::string description);

  // A new constant or a new value without a producer yet. `stem` is where its name starts from; replaced values pass on theirs.
  ValueId constant(Tensor tensor, std::string_view stem = {});
  ValueId value(std::string_view stem = {});

  // Adds a node that writes `outputs` fresh values. Its origin is that of all removed nodes. `op` must not be null.
  std::vector<ValueId> emit_many(const OpDef* op, std::vector<ValueId> inputs, size_t outputs,
                                 Attributes attributes = {}, std::string name = {});
  ValueId emit(const OpDef* op, std::vector<ValueId> inputs, Attributes attributes = {}, std::string name = {}) {
    return emit_many(op, std::move(inputs), 1, std::move(attributes), std::move(name)).front();
  }
  // Adds a node as given; it may write new values only. An empty origin is filled.
  void add(Node node) { nodes_.push_back(std::move(node)); }

  // Removes a node; each of its outputs must be replaced or be read by removed nodes only. Constants that nothing reads any more go too.
  void remove(NodeId node) { removed_.push_back(node); }
  // Removes a constant that nothing reads.
  void drop(ValueId constant) { dropped_.push_back(constant); }
  // Lets all readers of `from` but the patch's new nodes, and the graph's outputs, take `to`.
  void replace(ValueId from, ValueId to) { replaced_.emplace_back(from, to); }
  // Changes one input of a node that stays; replacements leave it as given here.
  void set_input(NodeId node, size_t index, ValueId value) { inputs_.push_back({node, index, value}); }

  const std::string& description() const { return description_; }
  const std::vector<NodeId>& removed() const { return removed_; }
  bool empty() const {
    return removed_.empty() && replaced_.empty() && inputs_.empty() && nodes_.empty() && dropped_.empty();
  }
  // "fold Conv + BatchNormalization: node 'c' (Conv), node 'b' (BatchNormalization) -> Conv".
  std::string to_string(const Graph& graph) const;

 private:
  friend class PatchApplication;
  struct NewValue {
    std::string stem;
    Tensor constant;
  };
  struct InputEdit {
    NodeId node;
    size_t index;
    ValueId value;
  };

  const Graph* graph_;
  size_t base_;  // id of the first new value
  std::string description_;
  std::vector<NewValue> values_;
  std::vector<Node> nodes_;
  std::vector<NodeId> removed_;
  std::vector<ValueId> dropped_;
  std::vector<std::pair<ValueId, ValueId>> replaced_;
  std::vector<InputEdit> inputs_;
};

// Whether Patch::replace(from, to) can be applied: an output of the whole model keeps its name, so what replaces it must be able to take that name (no graph
// input, not already an output). Always true in bodies and for values that are no outputs.
bool can_replace(const Graph& graph, ValueId from, ValueId to);

// Applies the patch: adds and infers the new nodes, checks that the facts of replaced values do not contradict, replaces, removes. Returns the added
// nodes. Throws kInternal with the patch's description; the graph is then as it was, except for ids that stay unused.
std::vector<NodeId> apply(Graph& graph, Patch patch);

}  // namespace onnxrun::ir
