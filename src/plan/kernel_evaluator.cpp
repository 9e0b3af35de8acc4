// Trying the host's kernels in order.
#include "plan/kernel_evaluator.h"

#include <string_view>

#include "plan/bound_kernel.h"

namespace onnxrun::plan {

std::optional<std::vector<base::Tensor>> KernelEvaluator::evaluate(const ir::Node& node,
                                                                   const std::vector<const base::Tensor*>& inputs,
                                                                   const std::vector<ir::Fact>& outputs) {
  const auto& kernels = providers_->kernels(providers_->host(), node.op->domain, node.op->name);
  const auto is_plain = [](const onnxrun_kernel* kernel) { return std::string_view(kernel->name) == "reference"; };
  for (const bool plain : {true, false})
    for (const onnxrun_kernel* kernel : kernels) {
      if (plainest_ ? is_plain(kernel) != plain : plain) continue;
      if (auto results = run_now(*kernel, node, inputs, outputs, budget_, deadline_)) return results;
    }
  return std::nullopt;
}

}  // namespace onnxrun::plan
