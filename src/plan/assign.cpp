// Asking providers for kernels.
#include "plan/assign.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "plan/node_view.h"

namespace onnxrun::plan {

namespace {

using ir::DType;

// Facts of a node's values, null where absent.
std::vector<const ir::Fact*> facts_of(const ir::Graph& graph, const std::vector<ir::ValueId>& values) {
  std::vector<const ir::Fact*> facts;
  facts.reserve(values.size());
  for (ir::ValueId id : values) facts.push_back(id == ir::kNone ? nullptr : &graph.value(id).fact);
  return facts;
}

}  // namespace

bool is_structural(const ir::Graph& graph, const ir::Node& node) {
  if (node.op->flags & ir::kStructural || !node.bodies.empty()) return true;
  const auto not_tensor = [&](ir::ValueId id) {
    return id != ir::kNone && graph.value(id).fact.kind != ir::TypeKind::kUnknown && !graph.value(id).fact.is_tensor();
  };
  return std::any_of(node.inputs.begin(), node.inputs.end(), not_tensor) ||
         std::any_of(node.outputs.begin(), node.outputs.end(), not_tensor);
}

bool is_host_node(const ir::Graph& graph, const ir::Node& node) {
  if (node.op->flags & ir::kHostShape) return true;
  bool strings = false, small_integers = true;
  for (const auto* list : {&node.inputs, &node.outputs})
    for (ir::ValueId id : *list) {
      if (id == ir::kNone) continue;
      const ir::Fact& fact = graph.value(id).fact;
      strings |= fact.dtype == DType::kString;
      small_integers &= (fact.dtype == DType::kInt64 || fact.dtype == DType::kInt32 || fact.dtype == DType::kBool) &&
                        fact.rank() >= 0 && fact.rank() <= 1;
    }
  return strings || small_integers;
}

Assignment assign(const ir::Graph& graph, const ir::Node& node, const ProviderSet& providers,
                  const NodeSettings& settings) {
  const NodeView view(node, facts_of(graph, node.inputs), facts_of(graph, node.outputs), settings);
  std::vector<int> order;
  const bool host_node = is_host_node(graph, node);
  if (host_node) order.push_back(providers.host());
  for (int i = 0; i < providers.size(); ++i)
    if (providers.listed(i) && (!host_node || i != providers.host())) order.push_back(i);

  Assignment result;
  for (int index : order) {
    const onnxrun_provider& provider = providers.at(index);
    const auto& kernels = providers.kernels(index, node.op->domain, node.op->name);
    if (kernels.empty()) result.declined.push_back(std::string(provider.name) + ": has no kernel for this operator");
    for (const onnxrun_kernel* kernel : kernels) {
      Message message;
      Candidate candidate{kernel, {}};
      const onnxrun_code code = kernel->accepts(view.get(), &candidate.terms, message.sink());
      if (code == ONNXRUN_OK) {
        result.candidates.push_back(candidate);
      } else if (code == ONNXRUN_UNSUPPORTED) {
        result.declined.push_back(std::string(provider.name) + "/" + kernel->name + ": " + message.text());
      } else {
        throw base::Error(static_cast<base::Code>(code), message.text()).in(node.describe(graph));
      }
    }
    if (!result.candidates.empty()) {
      result.provider = index;
      if (settings.reference_kernels)
        std::stable_partition(result.candidates.begin(), result.candidates.end(),
                              [](const Candidate& candidate) { return is_reference(candidate.kernel); });
      return result;
    }
  }
  return result;
}

}  // namespace onnxrun::plan
