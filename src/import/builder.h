// Turns the views of a model file into ir graphs: names to values, nodes to canonical nodes, functions inlined.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "import/context.h"

namespace onnxrun::import {

struct Scope;

// What an attribute of a function stands for in one call: the caller's attribute, and the names its graph may use.
struct Binding {
  const AttributeView* attribute = nullptr;
  Scope* scope = nullptr;
};

// The names visible to the nodes of one graph or function body.
struct Scope {
  ir::Graph* graph = nullptr;
  Scope* outer = nullptr;  // of a body: where names it does not define are looked up
  const Opsets* opsets = nullptr;
  const FunctionView* function = nullptr;                       // whose nodes these are
  std::unordered_map<std::string_view, Binding> bindings = {};  // of the function's attributes
  std::unordered_map<std::string_view, ir::ValueId> names = {};
  std::string prefix = {};  // of names made for an inlined function; "" otherwise
  // Names that nodes of a cycle make: they may be read before they are defined, so that the other checks go on.
  std::unordered_set<std::string_view> ahead = {};

  // The function call these nodes belong to, if any.
  const Scope* call() const;
};

// Positions of the nodes of `graph` so that producers come before consumers; the file's order where that already holds. Throws a Diagnosis that
// names the nodes of a cycle.
std::vector<size_t> order_nodes(const GraphView& graph, bool& was_ordered);

class Builder {
 public:
  Builder(Context& context, const ModelView& model);

  // Fills the main graph.
  void main_graph();

 private:
  using FunctionKey = std::tuple<std::string_view, std::string_view, std::string_view>;

  // graph.cpp
  void inputs(const GraphView& view, Scope& scope, bool is_main, bool sizes_hold);
  void initializers(const GraphView& view, Scope& scope);
  void nodes(const GraphView& view, Scope& scope);
  void outputs(const GraphView& view, Scope& scope, bool is_main);
  void declared_types(const GraphView& view, Scope& scope);
  void notes(const GraphView& view, const Scope& scope);
  // `sizes_hold`: what the body declares of its inputs' sizes is true of every call.
  std::unique_ptr<ir::Graph> body(const GraphView& view, ir::Graph& parent, Scope& outer, bool sizes_hold);
  std::string define_name(Scope& scope, std::string_view name);
  ir::ValueId define(Scope& scope, std::string_view name);
  std::optional<ir::ValueId> resolve(Scope& scope, std::string_view name);
  ir::ValueId carry(ir::ValueId value, const ir::Graph* home, ir::Graph* to);
  bool visible_outside(const Scope& scope, std::string_view name) const;

  // node.cpp
  void node(const NodeView& view, Scope& scope);
  void constant(const NodeView& view, Scope& scope);
  void operation(const NodeView& view, Scope& scope);
  const ir::OpDef& find_operator(const NodeView& view, const Scope& scope, int64_t& opset) const;
  void check_attribute_count(const NodeView& view, const ir::OpDef& def) const;
  // What the operator took at a version before its newest; null where that is not listed.
  const ir::Signature* written_signature(const ir::OpDef& def, int since);
  Binding bound(const AttributeView& attribute, Scope& scope) const;
  void count_node();

  // functions.cpp
  void check_functions(const ModelView& model);
  int64_t expanded_size(const GraphView& view, int64_t depth, int64_t& height);
  int64_t function_size(const FunctionView& function, int64_t depth, int64_t& height);
  const FunctionView* find_function(const NodeView& view) const;
  void inline_function(const NodeView& view, const FunctionView& function, Scope& scope);

  struct FunctionState {
    bool open = false;
    int64_t size = -1;  // of the nodes it becomes; -1: not known yet
    int64_t height = 0;
  };

  Context& context_;
  const ModelView& view_;
  std::map<FunctionKey, const FunctionView*> functions_;
  std::map<const FunctionView*, FunctionState> function_states_;
  std::map<std::pair<const ir::OpDef*, int>, std::optional<ir::Signature>> written_signatures_;
};

}  // namespace onnxrun::import
