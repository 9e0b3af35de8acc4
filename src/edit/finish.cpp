// From an edited graph to a model whose facts are true again.
#include "base/error.h"
#include "edit/editor.h"
#include "ir/complete.h"
#include "ir/infer.h"
#include "ir/verify.h"

namespace onnxrun::edit {

using base::Code;
using base::fail;

namespace {

// Forgets what was inferred; `declared` gets it, for where inference finds none.
void forget(ir::Graph& graph, bool is_main, bool keep_types, std::vector<ir::Fact>* declared) {
  if (declared) declared->resize(graph.value_count());
  for (size_t i = 0; i < graph.value_count(); ++i) {
    ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
    if (value.removed) continue;
    if (value.producer != ir::kNone) {
      if (declared) (*declared)[i] = value.fact;
      value.fact = {};
    } else if (value.is_input && !is_main) {
      value.fact = keep_types ? ir::only_type(value.fact) : ir::Fact();
    } else if (value.outer != ir::kNone) {
      value.fact = {};
    }
  }
  for (size_t i = 0; i < graph.node_capacity(); ++i)
    if (graph.has_node(static_cast<ir::NodeId>(i)))
      for (ir::Body& body : graph.node(static_cast<ir::NodeId>(i)).bodies)
        forget(*body.graph, false, keep_types, nullptr);
}

void check_signatures(const ir::OpTable& table, const ir::Graph& graph) {
  for (size_t i = 0; i < graph.node_capacity(); ++i) {
    if (!graph.has_node(static_cast<ir::NodeId>(i))) continue;
    const ir::Node& node = graph.node(static_cast<ir::NodeId>(i));
    ir::check_signature(table, graph, node);
    for (const ir::Body& body : node.bodies) check_signatures(table, *body.graph);
  }
}

}  // namespace

void infer_anew(ir::Graph& graph, const ir::OpTable& table, bool keep_types) {
  std::vector<ir::Fact> declared;
  forget(graph, true, keep_types, &declared);
  for (const ir::NodeId id : graph.topological_order()) {
    ir::check_signature(table, graph, graph.node(id));
    ir::infer_in_place(graph, id);
    for (const ir::ValueId output : graph.node(id).outputs)
      if (output != ir::kNone) ir::complete_type(graph.value(output).fact, declared[static_cast<size_t>(output)]);
  }
  for (const ir::ValueId output : graph.outputs())
    if (graph.value(output).producer != ir::kNone)
      ir::complete_rank(graph.value(output).fact, declared[static_cast<size_t>(output)]);
  check_signatures(table, graph);
}

ir::Model Editor::finish() const {
  ir::Model result = model_.clone();
  ir::Graph& graph = *result.graph;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    const ir::Value& value = graph.value(id);
    if (value.removed || value.producer != ir::kNone || value.is_input || value.fact.constant) continue;
    if (value.consumers.empty() && value.output_uses == 0) {
      graph.remove_value(id);
      continue;
    }
    const auto orphan = orphans_.find(id);
    const std::string reader =
        value.consumers.empty() ? "the model's outputs" : graph.node(value.consumers.front()).describe(graph);
    fail(Code::kInvalidArgument,
         "'{}' is wanted by {} and nothing makes it{}: insert a node that does, or bypass instead of removing",
         value.name, reader, orphan == orphans_.end() ? "" : ", since " + orphan->second + " was removed");
  }
  infer_anew(graph, table_, !retyped_);
  ir::verify(graph);
  result.path.clear();
  result.external_files.clear();
  return result;
}

}  // namespace onnxrun::edit
