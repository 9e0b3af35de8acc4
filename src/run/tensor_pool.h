// TensorPool: recycles the memory of tensors that are not in the planned block - results of control flow and of data-dependent shapes.
#pragma once

#include <vector>

#include "base/tensor.h"

namespace onnxrun::run {

// Used by one thread at a time. A buffer is free again once nobody else holds it.
class TensorPool {
 public:
  explicit TensorPool(base::BudgetPtr budget) : budget_(std::move(budget)) {}

  // An uninitialised host tensor (strings: empty).
  base::Tensor make(base::DType dtype, base::Dims dims);

  // Gives free buffers back to the system.
  void trim();

 private:
  base::BudgetPtr budget_;
  std::vector<base::BufferPtr> buffers_;
};

}  // namespace onnxrun::run
