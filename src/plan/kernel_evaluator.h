// KernelEvaluator: computes single nodes with the host provider's kernels, for constant folding.
#pragma once

#include "ir/evaluator.h"
#include "plan/provider_set.h"

namespace onnxrun::plan {

class KernelEvaluator final : public ir::Evaluator {
 public:
  KernelEvaluator(std::shared_ptr<const ProviderSet> providers, base::BudgetPtr budget)
      : providers_(std::move(providers)), budget_(std::move(budget)) {}

  std::optional<std::vector<base::Tensor>> evaluate(const ir::Node& node,
                                                    const std::vector<const base::Tensor*>& inputs,
                                                    const std::vector<ir::Fact>& outputs) override;

 private:
  std::shared_ptr<const ProviderSet> providers_;
  base::BudgetPtr budget_;
};

}  // namespace onnxrun::plan
