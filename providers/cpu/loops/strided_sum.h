// Sums of products of two strided arrays over some of their axes, prepared once and run many times.
#pragma once

#include <vector>

#include "cpu/cpu.h"

namespace onnxrun::cpu {

// Steps in elements of both operands and of the result. An axis on which the result does not step is summed.
struct SumAxis {
  int64_t size = 1, a = 0, b = 0, y = 0;
};

class StridedSum {
 public:
  StridedSum() = default;
  // The axes of the result, outermost first, make it contiguous. No size is 0.
  explicit StridedSum(const std::vector<SumAxis>& axes);

  // Without b, sums a alone. Floats are added up in double after a few steps. Cancellable. T is float, double or uint64_t.
  template <class T>
  void run(RunContext& context, const T* a, const T* b, T* y) const;

 private:
  static constexpr int64_t kRun = 256;  // elements of the result that a work item makes at once

  std::vector<SumAxis> outer_, summed_;  // without the inner axis
  SumAxis inner_;
};

}  // namespace onnxrun::cpu
