// Expanding nodes by what their operators stand for.
#pragma once

#include <vector>

#include "plan/program.h"

namespace onnxrun::plan {

struct Expanded {
  std::vector<ir::NodeId> added;  // in order; none where the node stands for nothing else
  ir::NodeId kept = ir::kNone;    // the node itself, put back under another id in that case
};

// Replaces a node by its operator's decomposition.
Expanded expand(ir::Graph& graph, const ir::OpTable& table, ir::NodeId id);

// Whether the first listed provider, and the host for what belongs there, runs all that a node stands for. Leaves the graph as it is.
bool first_runs_expansion(const ir::Graph& graph, const ir::Node& node, const ProgramOptions& options);

}  // namespace onnxrun::plan
