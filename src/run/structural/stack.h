// Stack: a scan output of a loop, which gains one tensor an iteration.
#pragma once

#include <vector>

#include "base/charge.h"
#include "run/tensor_pool.h"

namespace onnxrun::run {

// Parts are joined along a new axis. Along axis 0, in order, each is copied at once to memory that doubles when it is full, so that
// the parts need not be kept, which those of strings are.
class Stack {
 public:
  explicit Stack(TensorPool& pool, int64_t axis = 0, bool reverse = false)
      : pool_(pool), axis_(axis), reverse_(reverse), list_(pool.budget()) {}

  bool empty() const { return count_ == 0; }
  // Throws kRunFailed unless the part has the shape and type of those before.
  void push(base::Tensor part);
  // The whole; at least one part must have been pushed. `axis` counts from the end when negative.
  base::Tensor take();

 private:
  bool direct() const { return axis_ == 0 && !reverse_ && first_.dtype() != base::DType::kString; }
  void reserve();

  TensorPool& pool_;
  int64_t axis_;
  bool reverse_;
  int64_t count_ = 0, capacity_ = 0;
  base::Tensor first_;               // its shape and type are those of all
  base::Tensor joined_;              // `capacity_` parts, when direct
  std::vector<base::Tensor> parts_;  // otherwise
  base::Charge list_;                // of the parts
};

}  // namespace onnxrun::run
