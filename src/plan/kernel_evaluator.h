// KernelEvaluator: computes single nodes with the host provider's kernels, for constant folding.
#pragma once

#include "base/deadline.h"
#include "ir/evaluator.h"
#include "plan/provider_set.h"

namespace onnxrun::plan {

class KernelEvaluator final : public ir::Evaluator {
 public:
  // Past `deadline` every evaluation fails with kDeadline.
  KernelEvaluator(std::shared_ptr<const ProviderSet> providers, base::BudgetPtr budget, base::Deadline deadline = {})
      : providers_(std::move(providers)), budget_(std::move(budget)), deadline_(deadline) {}

  std::optional<std::vector<base::Tensor>> evaluate(const ir::Node& node,
                                                    const std::vector<const base::Tensor*>& inputs,
                                                    const std::vector<ir::Fact>& outputs) override;

 private:
  std::shared_ptr<const ProviderSet> providers_;
  base::BudgetPtr budget_;
  base::Deadline deadline_;
};

}  // namespace onnxrun::plan
