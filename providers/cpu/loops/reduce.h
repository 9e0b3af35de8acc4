// Reductions of a contiguous tensor over any axes: sums, means, norms, products, extremes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/shape.h"
#include "cpu/cpu.h"
#include "cpu/loops/convert.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/reduce_kernel.h"

namespace onnxrun::cpu {

// A reduction bound to a shape. Float32 sums are kept in double over runs of float32, so that long axes lose no precision. An empty set
// gives 0 (sum, norms), 1 (product), the lowest or highest value (extremes; infinities for floats), -infinity (logarithms), NaN (mean of floats).
class ReduceLoop {
 public:
  static constexpr int64_t kRun = ReduceKernel::kRun, kColumns = ReduceKernel::kColumns;

  ReduceLoop() = default;
  // `reduced[i]`: whether axis i goes. Throws Declined for types without a kernel.
  ReduceLoop(Reduction reduction, DType type, base::DimsView dims, const std::vector<bool>& reduced);

  void run(RunContext& context, const void* in, void* out) const;

 private:
  struct Group {
    int64_t size, stride;
  };

  int64_t kept_offset(int64_t index) const;
  template <class F>
  void each_reduced(Pacer& pacer, F&& f) const;
  void runs(const char* in, char* out, int64_t begin, int64_t end, Pacer& pacer) const;
  void columns(const char* in, char* out, int64_t begin, int64_t end, Pacer& pacer) const;
  void store(const void* accumulators, int64_t count, char* out) const;
  void fill_empty(void* out) const;

  Reduction reduction_ = Reduction::kSum;
  DType type_ = DType::kNone;
  const ReduceKernel* kernel_ = nullptr;
  Converter load_ = nullptr, save_ = nullptr;
  int64_t element_bytes_ = 0;
  int64_t outputs_ = 0, reduced_ = 1;
  bool inner_reduced_ = false;
  Group inner_{1, 1};            // the reduced run, or the kept columns
  Group rows_{1, 0};             // columns: the innermost reduced group
  std::vector<Group> kept_;      // outermost first; without the kept columns
  std::vector<Group> reducing_;  // outermost first; without inner_ and rows_
};

// Which of `rank` axes a node reduces: `axes` (null or empty: all, or none with `noop`). Throws kInvalidArgument for axes out of range.
std::vector<bool> reduced_axes(const std::vector<int64_t>* axes, int64_t rank, bool noop);

}  // namespace onnxrun::cpu
