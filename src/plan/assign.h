// Assignment: which provider's kernels take a node, and why the others do not.
#pragma once

#include <string>
#include <vector>

#include "plan/node_view.h"
#include "plan/program.h"

namespace onnxrun::plan {

struct Assignment {
  int provider = -1;                  // -1: nobody
  std::vector<Candidate> candidates;  // best first, all of one provider
  std::vector<std::string> declined;
};

// Whether the executor itself runs the node: control flow, or a value that is no tensor.
bool is_structural(const ir::Graph& graph, const ir::Node& node);

// Whether the node belongs on the host whatever providers are listed: strings, shapes and small integer arithmetic on them.
bool is_host_node(const ir::Graph& graph, const ir::Node& node);

// Asks the listed providers in order (for a host node, the host provider first).
Assignment assign(const ir::Graph& graph, const ir::Node& node, const ProviderSet& providers,
                  const NodeSettings& settings = {});

}  // namespace onnxrun::plan
