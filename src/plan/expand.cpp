// Expanding nodes, in the graph or on trial beside it.
#include "plan/expand.h"

#include <deque>
#include <utility>

#include "base/error.h"
#include "ir/expansion.h"
#include "plan/assign.h"

namespace onnxrun::plan {
namespace {

// A graph of one node like `node`, whose inputs are values of the same facts. Returns the node's id.
ir::NodeId copy_alone(const ir::Graph& graph, const ir::Node& node, ir::Graph& to) {
  ir::Node copy = node.without_bodies();
  for (std::vector<ir::ValueId>* ids : {&copy.inputs, &copy.outputs})
    for (ir::ValueId& id : *ids)
      if (id != ir::kNone) id = to.add_value("", graph.value(id).fact);
  return to.add_node(std::move(copy));
}

}  // namespace

Expanded expand(ir::Graph& graph, const ir::OpTable& table, ir::NodeId id) {
  const ir::OpDef& op = *graph.node(id).op;
  if (op.decompose == nullptr) return {{}, id};
  // Taken out and put back when the operator finds no equivalent for this node.
  ir::Expansion expansion(graph, table, graph.take_node(id));
  if (op.decompose(expansion)) return {expansion.added(), ir::kNone};
  if (!expansion.added().empty())
    base::fail(base::Code::kInternal, "decomposition of {} gave up half way", op.full_name());
  expansion.keep();
  return {{}, expansion.added().front()};
}

bool first_runs_expansion(const ir::Graph& graph, const ir::Node& node, const ProgramOptions& options) {
  if (node.op->decompose == nullptr) return false;
  ir::Graph trial;
  const Expanded whole = expand(trial, *options.table, copy_alone(graph, node, trial));
  std::deque<ir::NodeId> pending(whole.added.begin(), whole.added.end());
  if (pending.empty()) return false;
  for (; !pending.empty(); pending.pop_front()) {
    const ir::NodeId id = pending.front();
    if (is_structural(trial, trial.node(id))) continue;
    const int provider = assign(trial, trial.node(id), *options.providers, options.node_settings()).provider;
    if (provider == 0 || (provider > 0 && is_host_node(trial, trial.node(id)))) continue;
    const Expanded part = expand(trial, *options.table, id);
    if (part.added.empty()) return false;
    pending.insert(pending.end(), part.added.begin(), part.added.end());
  }
  return true;
}

}  // namespace onnxrun::plan
