// Trying the host's kernels in order.
#include "plan/kernel_evaluator.h"

#include <algorithm>

#include "plan/bound_kernel.h"

namespace onnxrun::plan {

std::optional<std::vector<base::Tensor>> KernelEvaluator::evaluate(const ir::Node& node,
                                                                   const std::vector<const base::Tensor*>& inputs,
                                                                   const std::vector<ir::Fact>& outputs) {
  auto kernels = providers_->kernels(providers_->host(), node.op->domain, node.op->name);
  if (plainest_) std::stable_partition(kernels.begin(), kernels.end(), is_reference);
  for (const onnxrun_kernel* kernel : kernels)
    if (auto results = run_now(*kernel, node, inputs, outputs, budget_, deadline_)) return results;
  return std::nullopt;
}

}  // namespace onnxrun::plan
