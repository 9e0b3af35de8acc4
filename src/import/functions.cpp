// Model-local functions: refuses recursion and explosions before anything is expanded, then inlines calls.
#include <algorithm>

#include "import/builder.h"
#include "ir/infer.h"

namespace onnxrun::import {

using base::fail;

const FunctionView* Builder::find_function(const NodeView& view) const {
  if (functions_.empty()) return nullptr;
  const auto found = functions_.find(FunctionKey(view.domain, view.op_type, view.overload));
  return found == functions_.end() ? nullptr : found->second;
}

// How many nodes the graph becomes, and in `height` how deep functions call each other below it.
int64_t Builder::expanded_size(const GraphView& view, int64_t depth, int64_t& height) {
  int64_t total = 0;
  for (const NodeView& n : view.nodes) {
    int64_t size = 1;
    if (const FunctionView* function = find_function(n)) {
      int64_t below = 0;
      size = function_size(*function, depth + 1, below);
      height = std::max(height, below + 1);
    }
    // A body handed to a function may be used by it any number of times; inlining counts those as it goes.
    for (const AttributeView& attribute : n.attributes) {
      if (attribute.graph) size += expanded_size(*attribute.graph, depth + 1, height);
    }
    total = std::min(total + size, context_.options.limits.max_nodes + 1);
  }
  return total;
}

int64_t Builder::function_size(const FunctionView& function, int64_t depth, int64_t& height) {
  const int64_t limit = context_.options.limits.max_nesting;
  FunctionState& state = function_states_[&function];
  if (state.open) {
    throw Diagnosis(Code::kInvalidModel,
                    fmt::format("{} calls itself, directly or through others", function.describe()),
                    "functions without recursion", "");
  }
  if (state.size < 0) {
    if (depth > 2 * limit)
      base::exceed(fmt::format("functions call each other more than {} deep at {}", 2 * limit, function.describe()),
                   limit, "max_nesting");
    state.open = true;
    int64_t below = 0;
    const int64_t size = expanded_size(function.body, depth, below);
    state.open = false;
    state.size = size;
    state.height = below;
  }
  height = state.height;
  if (height > limit)
    base::exceed(fmt::format("functions call each other {} deep at {}", height, function.describe()), limit,
                 "max_nesting");
  return state.size;
}

void Builder::check_functions(const ModelView& model) {
  if (functions_.empty()) return;
  const int64_t limit = context_.options.limits.max_nodes;
  int64_t height = 0;
  for (const FunctionView& function : model.functions) function_size(function, 0, height);
  if (expanded_size(model.graph, 0, height) > limit) {
    base::exceed("the nodes once functions are inlined", limit, "max_nodes");
  }
}

void Builder::inline_function(const NodeView& view, const FunctionView& function, Scope& scope) {
  context_.check_time();
  context_.used_domains.emplace(view.domain);
  ir::Graph& graph = *scope.graph;
  Scope inner{.graph = &graph, .opsets = &function.opsets, .function = &function};
  std::string label(view.name);
  for (const std::string_view output : view.outputs) {
    if (label.empty()) label = output;
  }
  if (label.empty()) label = function.name;
  inner.prefix = scope.prefix.empty() ? label : fmt::format("{}/{}", scope.prefix, label);
  constexpr size_t kMaxPrefix = 1000;
  if (inner.prefix.size() > kMaxPrefix) inner.prefix = std::string(function.name.substr(0, 100));

  // Attributes: the caller's, else the default, else none.
  for (const std::string_view name : function.attributes) inner.bindings.emplace(name, Binding{});
  for (const AttributeView& attribute : function.defaults) inner.bindings[attribute.name] = {&attribute, &inner};
  for (const AttributeView& attribute : view.attributes) {
    const auto parameter = inner.bindings.find(attribute.name);
    if (parameter == inner.bindings.end()) {
      throw Diagnosis(Code::kInvalidModel,
                      fmt::format("{} has no attribute '{}'", function.describe(), shown(attribute.name)),
                      "an attribute of the function", "");
    }
    const Binding given = bound(attribute, scope);
    if (given.attribute) parameter->second = given;
  }

  if (view.inputs.size() > function.inputs.size() || view.outputs.size() > function.outputs.size()) {
    throw Diagnosis(Code::kInvalidModel,
                    fmt::format("{} is called with {} inputs and {} outputs", function.describe(), view.inputs.size(),
                                view.outputs.size()),
                    fmt::format("{} and {} at most", function.inputs.size(), function.outputs.size()), "");
  }
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    std::optional<ir::ValueId> id = ir::kNone;
    if (i < view.inputs.size() && !view.inputs[i].empty()) id = resolve(scope, view.inputs[i]);
    if (!id) {
      throw Diagnosis(
          Code::kInvalidModel,
          fmt::format("the input '{}' is made by no node and is no graph input or initializer", shown(view.inputs[i])),
          "the name of a value that exists", "");
    }
    if (!inner.names.emplace(function.inputs[i], *id).second) {
      throw Diagnosis(Code::kInvalidModel,
                      fmt::format("{} has two inputs '{}'", function.describe(), shown(function.inputs[i])),
                      "names that differ", "");
    }
  }
  const auto first_new = static_cast<ir::ValueId>(graph.value_count());
  nodes(function.body, inner);

  std::set<ir::ValueId> named;
  for (size_t i = 0; i < view.outputs.size(); ++i) {
    const std::string_view name = view.outputs[i];
    if (name.empty()) continue;
    const auto found = inner.names.find(function.outputs[i]);
    if (found == inner.names.end() || found->second == ir::kNone) {
      throw Diagnosis(Code::kInvalidModel,
                      fmt::format("the output '{}' of {} is made by none of its nodes", shown(function.outputs[i]),
                                  function.describe()),
                      "the name of a value of the function", "");
    }
    const ir::ValueId value = found->second;
    if (value >= first_new && named.insert(value).second) {
      // The value made inside takes the caller's name.
      if (!scope.names.emplace(name, value).second) {
        throw Diagnosis(Code::kInvalidModel, fmt::format("the value '{}' is defined twice", shown(name)),
                        "each name to be defined once in a graph", "");
      }
      graph.rename_value(value, define_name(scope, name));
      continue;
    }
    const ir::OpDef* identity = context_.options.table->find("", "Identity");
    if (!identity) fail(Code::kInternal, "the operator table has no Identity");
    ir::Node copy;
    copy.op = identity;
    copy.origin.push_back(label);
    copy.inputs.push_back(value);
    copy.outputs.push_back(define(scope, name));
    ir::infer_in_place(graph, graph.add_node(std::move(copy)));
  }
}

}  // namespace onnxrun::import
