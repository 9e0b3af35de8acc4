// GraphProto to ir::Graph: interface, initializers, names and captures.
#include <unordered_set>

#include "import/builder.h"
#include "ir/complete.h"

namespace onnxrun::import {

using base::fail;

Builder::Builder(Context& context, const ModelView& model) : context_(context), view_(model) {
  for (const FunctionView& function : model.functions) {
    if (!functions_.emplace(FunctionKey(function.domain, function.name, function.overload), &function).second) {
      fail(Code::kInvalidModel, "{} is defined twice", function.describe());
    }
  }
}

void Builder::main_graph() {
  check_functions(view_);
  Scope scope{.graph = context_.model.graph.get(), .opsets = &view_.opsets};
  const GraphView& view = view_.graph;
  inputs(view, scope, true, true);
  initializers(view, scope);
  nodes(view, scope);
  declared_types(view, scope);
  outputs(view, scope, true);
  notes(view, scope);
}

std::unique_ptr<ir::Graph> Builder::body(const GraphView& view, ir::Graph& parent, Scope& outer, bool sizes_hold) {
  context_.check_time();
  context_.take(sizeof(ir::Graph) + view.name.size() + view.doc.size());
  auto graph = std::make_unique<ir::Graph>(&parent);
  graph->name = view.name;
  graph->doc = view.doc;
  Scope scope{.graph = graph.get(), .outer = &outer, .opsets = outer.opsets, .function = outer.function};
  inputs(view, scope, false, sizes_hold);
  initializers(view, scope);
  nodes(view, scope);
  declared_types(view, scope);
  outputs(view, scope, false);
  notes(view, scope);
  return graph;
}

const Scope* Scope::call() const {
  const Scope* scope = this;
  while (scope->outer) scope = scope->outer;
  return scope;
}

// The name a new value gets in the ir graph. A file's own names are kept: a name made up earlier gives way.
std::string Builder::define_name(Scope& scope, std::string_view name) {
  context_.take(sizeof(ir::Value) + 4 * (scope.prefix.size() + name.size()));  // it is an origin, too
  if (!scope.prefix.empty()) return scope.graph->fresh_name(fmt::format("{}/{}", scope.prefix, name));
  const ir::ValueId squatter = scope.graph->find_value(name);
  if (squatter != ir::kNone) scope.graph->rename_value(squatter, scope.graph->fresh_name(std::string(name) + "_"));
  return std::string(name);
}

ir::ValueId Builder::define(Scope& scope, std::string_view name) {
  if (context_.problems && visible_outside(scope, name)) {
    context_.warn(fmt::format("graph '{}'", shown(scope.graph->name)),
                  fmt::format("the name '{}' hides a value of an enclosing graph", shown(name)),
                  "names that differ from those around the graph", "rename the value in the inner graph");
  }
  const auto [at, inserted] = scope.names.emplace(name, ir::kNone);
  if (!inserted && scope.ahead.erase(name) == 0) {
    throw Diagnosis(Code::kInvalidModel, fmt::format("the value '{}' is defined twice", shown(name)),
                    "each name to be defined once in a graph", "rename one of them");
  }
  at->second = scope.graph->add_value(define_name(scope, name));
  return at->second;
}

bool Builder::visible_outside(const Scope& scope, std::string_view name) const {
  for (const Scope* at = scope.outer; at; at = at->outer) {
    if (at->names.contains(name)) return true;
  }
  return false;
}

ir::ValueId Builder::carry(ir::ValueId value, const ir::Graph* home, ir::Graph* to) {
  if (to == home || value == ir::kNone) return value;
  return to->capture(carry(value, home, to->parent()), {});
}

std::optional<ir::ValueId> Builder::resolve(Scope& scope, std::string_view name) {
  for (Scope* at = &scope; at; at = at->outer) {
    const auto found = at->names.find(name);
    if (found != at->names.end()) return carry(found->second, at->graph, scope.graph);
  }
  return std::nullopt;
}

void Builder::inputs(const GraphView& view, Scope& scope, bool is_main, bool sizes_hold) {
  const std::unordered_set<std::string_view> initialized(view.initializer_names.begin(), view.initializer_names.end());
  for (const ValueInfoView& input : view.inputs) {
    const std::string what = fmt::format("graph input '{}'", shown(input.name));
    context_.attempt(what, [&] {
      if (input.name.empty()) throw Diagnosis(Code::kInvalidModel, "a graph input has no name", "a name", "");
      const bool has_initializer = initialized.contains(input.name);
      if (has_initializer && !is_main) {
        throw Diagnosis(Code::kInvalidModel,
                        fmt::format("the input '{}' of a body is also an initializer", shown(input.name)),
                        "one of both", "");
      }
      // Before IR 4 every initializer had to be listed as an input without being one.
      if (has_initializer && context_.model.ir_version < 4) return;
      ir::Fact fact;
      if (input.type) fact = read_type(context_, *input.type, what);
      if (is_main && fact.kind == ir::TypeKind::kUnknown) {
        throw Diagnosis(Code::kInvalidModel, fmt::format("the graph input '{}' has no type", shown(input.name)),
                        "a type", "save the model with typed inputs");
      }
      // A loop's state may change its shape from one iteration to the next, whatever was seen when the model was written.
      if (!is_main && !sizes_hold) fact = ir::only_type(fact);
      if (!is_main && fact.shape)
        for (ir::Dim& dim : *fact.shape)
          if (!dim.is_constant()) dim = ir::Dim();
      if (!scope.names.emplace(input.name, ir::kNone).second) {
        throw Diagnosis(Code::kInvalidModel, fmt::format("the graph input '{}' is listed twice", shown(input.name)),
                        "each input once", "");
      }
      scope.names[input.name] = scope.graph->add_input(define_name(scope, input.name), std::move(fact));
    });
  }
}

void Builder::initializers(const GraphView& view, Scope& scope) {
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < view.initializer_names.size(); ++i) {
    const std::string_view name = view.initializer_names[i];
    const bool sparse = i >= view.initializers.size();
    const bool fine = context_.attempt({}, [&] {
      if (name.empty()) throw Diagnosis(Code::kInvalidModel, "an initializer has no name", "a name", "");
      if (!seen.insert(name).second) {
        throw Diagnosis(Code::kInvalidModel, fmt::format("the initializer '{}' is defined twice", shown(name)),
                        "each name once", "");
      }
      base::Tensor tensor =
          sparse ? read_sparse_tensor(context_.source, view.sparse_initializers[i - view.initializers.size()])
                 : read_tensor(context_.source, view.initializers[i]);
      const auto input = scope.names.find(name);
      if (input == scope.names.end()) {
        const ir::ValueId id = define(scope, name);
        scope.graph->value(id).fact = ir::Fact::of(std::move(tensor));
        return;
      }
      ir::Fact& fact = scope.graph->value(input->second).fact;
      const ir::Fact given = ir::Fact::tensor(tensor.dtype(), ir::make_shape(tensor.dims()));
      fact = ir::merge(fact, given, fmt::format("graph input '{}' and its initializer", shown(name)));
      context_.model.input_defaults.emplace(input->second, std::move(tensor));
    });
    if (!fine && !name.empty()) scope.names.emplace(name, scope.graph->add_value({}));
  }
}

void Builder::nodes(const GraphView& view, Scope& scope) {
  bool was_ordered = true;
  std::vector<size_t> order;
  const std::string where = view.name.empty() ? "the graph" : fmt::format("graph '{}'", shown(view.name));
  if (!context_.attempt(where, [&] { order = order_nodes(view, was_ordered); })) {
    for (size_t i = 0; i < view.nodes.size(); ++i) order.push_back(i);
    for (const NodeView& n : view.nodes)
      for (const std::string_view output : n.outputs)
        if (!output.empty() && scope.names.emplace(output, scope.graph->add_value({})).second)
          scope.ahead.insert(output);
  } else if (!was_ordered) {
    context_.warn(where, "nodes are not in topological order", "producers before consumers",
                  "sort the nodes; they are sorted here");
  }
  for (const size_t i : order) {
    const NodeView& n = view.nodes[i];
    bool fine = true;
    try {
      node(n, scope);
    } catch (Error& e) {
      const std::string place = n.describe();
      if (std::string_view(e.what()).find(place) == std::string_view::npos) e.in(place);
      if (context_.ends(e)) throw;
      context_.note(place, e, context_.options.table->find(n.domain, n.op_type));
      fine = false;
    }
    if (fine) continue;
    for (const std::string_view output : n.outputs) {
      if (!output.empty() && !scope.names.contains(output)) scope.names.emplace(output, scope.graph->add_value({}));
    }
  }
}

void Builder::declared_types(const GraphView& view, Scope& scope) {
  for (const ValueInfoView& info : view.value_infos) {
    if (!info.type) continue;
    const auto found = scope.names.find(info.name);
    if (found == scope.names.end() || found->second == ir::kNone) continue;
    const ir::Fact declared = read_type(context_, *info.type, fmt::format("value '{}'", shown(info.name)));
    ir::Fact& known = scope.graph->value(found->second).fact;
    if (known.kind == ir::TypeKind::kUnknown) {
      known = ir::only_type(declared);
    } else if (!ir::types_agree(known, declared)) {
      context_.warn(fmt::format("value '{}'", shown(info.name)),
                    fmt::format("is declared as {} but is {}; the declaration is ignored", declared.to_string(),
                                known.to_string()),
                    known.to_string(), "run shape inference again and save the model");
    }
  }
}

void Builder::notes(const GraphView& view, const Scope& scope) {
  scope.graph->metadata.insert(view.metadata.begin(), view.metadata.end());
  const auto add = [&](std::string_view name, const NotesView& given) {
    const auto found = scope.names.find(name);
    if (found == scope.names.end() || found->second == ir::kNone || (given.doc.empty() && given.metadata.empty()))
      return;
    ir::ValueNotes& kept = scope.graph->notes[found->second];
    if (!given.doc.empty()) kept.doc = given.doc;
    kept.metadata.insert(given.metadata.begin(), given.metadata.end());
  };
  for (const auto* list : {&view.inputs, &view.outputs, &view.value_infos})
    for (const ValueInfoView& info : *list) add(info.name, info.notes);
  for (const auto& [name, given] : view.initializer_notes) add(name, given);
}

void Builder::outputs(const GraphView& view, Scope& scope, bool is_main) {
  std::unordered_set<std::string_view> seen;
  for (const ValueInfoView& output : view.outputs) {
    const std::string what = fmt::format("graph output '{}'", shown(output.name));
    context_.attempt(what, [&] {
      const std::optional<ir::ValueId> id = output.name.empty() ? std::nullopt : resolve(scope, output.name);
      if (!id || *id == ir::kNone) {
        throw Diagnosis(
            Code::kInvalidModel, fmt::format("the graph output '{}' is made by no node", shown(output.name)),
            "the name of an input, an initializer or a node's output", "remove the output or correct its name");
      }
      if (is_main && !seen.insert(output.name).second) {
        throw Diagnosis(Code::kInvalidModel, fmt::format("the graph output '{}' is listed twice", shown(output.name)),
                        "each output once", "");
      }
      scope.graph->add_output(*id);
      if (!output.type) return;
      const ir::Fact declared = read_type(context_, *output.type, what);
      ir::Fact& known = scope.graph->value(*id).fact;
      if (!ir::complete_type(known, declared)) {
        throw Diagnosis(Code::kInvalidModel,
                        fmt::format("the graph output '{}' is declared as {} but is {}", shown(output.name),
                                    declared.to_string(), known.to_string()),
                        known.to_string(), "correct the declared type");
      }
      if (is_main) ir::complete_rank(known, declared);
      if (!declared.shape || !known.shape) return;
      // What inference finds is what will come; the declaration, often that of the example the model was traced with, may be wrong.
      bool differs = known.shape->size() != declared.shape->size();
      for (size_t i = 0; !differs && i < known.shape->size(); ++i) {
        const ir::Dim &a = (*known.shape)[i], &b = (*declared.shape)[i];
        differs = a.is_constant() && b.is_constant() && a.value() != b.value();
      }
      if (differs) {
        context_.warn(what,
                      fmt::format("is declared with shape {} but has shape {}", ir::to_string(*declared.shape),
                                  ir::to_string(*known.shape)),
                      ir::to_string(*known.shape), "correct the declared shape");
      }
    });
  }
}

}  // namespace onnxrun::import
