// Asking as the assignment of nodes does.
#include "plan/provider_capabilities.h"

#include "plan/assign.h"

namespace onnxrun::plan {

// What only a later provider runs is not worth a fusion: it would take work from the first one.
bool ProviderCapabilities::accepts(const ir::Graph& graph, const ir::Node& node) {
  if (is_structural(graph, node)) return true;
  const int provider = assign(graph, node, *providers_).provider;
  return provider == 0 || (provider >= 0 && is_host_node(graph, node));
}

}  // namespace onnxrun::plan
