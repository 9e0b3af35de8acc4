// Asking as the assignment of nodes does.
#include "plan/provider_capabilities.h"

#include "plan/assign.h"

namespace onnxrun::plan {

bool ProviderCapabilities::accepts(const ir::Graph& graph, const ir::Node& node) {
  return is_structural(graph, node) || assign(graph, node, *providers_).provider >= 0;
}

}  // namespace onnxrun::plan
