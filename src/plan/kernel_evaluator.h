// KernelEvaluator: computes single nodes with the host provider's kernels, for constant folding.
#pragma once

#include "base/deadline.h"
#include "ir/evaluator.h"
#include "plan/provider_set.h"

namespace onnxrun::plan {

class KernelEvaluator final : public ir::Evaluator {
 public:
  // Past `deadline` every evaluation fails with kDeadline. `plainest`: by an operator's reference kernel, where it has one, before others.
  KernelEvaluator(std::shared_ptr<const ProviderSet> providers, base::BudgetPtr budget, base::Deadline deadline = {},
                  bool plainest = false)
      : providers_(std::move(providers)), budget_(std::move(budget)), deadline_(deadline), plainest_(plainest) {}

  std::optional<std::vector<base::Tensor>> evaluate(const ir::Node& node,
                                                    const std::vector<const base::Tensor*>& inputs,
                                                    const std::vector<ir::Fact>& outputs) override;

 private:
  std::shared_ptr<const ProviderSet> providers_;
  base::BudgetPtr budget_;
  base::Deadline deadline_;
  bool plainest_;
};

}  // namespace onnxrun::plan
