// Reductions of a contiguous tensor over any axes: sums, means, norms, products, extremes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/shape.h"
#include "cpu/cpu.h"
#include "cpu/loops/convert.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

enum class Reduction : uint8_t { kSum, kMean, kSumSquare, kL1, kL2, kLogSum, kLogSumExp, kMax, kMin, kProd };

// How one reduction works on one work type: an array of accumulators is started, fed and finished.
struct ReduceKernel {
  void (*start)(void* accumulators, int64_t count);
  // One accumulator takes `n` contiguous elements (n <= ReduceLoop::kRun).
  void (*feed_run)(void* accumulator, const void* x, int64_t n);
  // Accumulator j takes x[r * stride + j] for r in [0, rows); columns <= ReduceLoop::kColumns.
  void (*feed_rows)(void* accumulators, const void* x, int64_t stride, int64_t rows, int64_t columns);
  // Results in the work type; `reduced` elements went into each.
  void (*finish)(const void* accumulators, int64_t count, int64_t reduced, void* out);
  int64_t accumulator_bytes;
  DType work;
};

// Null when the reduction is not defined on the type. Float16 and bfloat16 work as float, integers as 64-bit ones.
const ReduceKernel* reduce_kernel(Reduction reduction, DType type);

// A reduction bound to a shape. Float32 sums are kept in double over runs of float32, so that long axes lose no precision. An empty set
// gives 0 (sum, norms), 1 (product), the lowest or highest value (extremes; infinities for floats), -infinity (logarithms), NaN (mean of floats).
class ReduceLoop {
 public:
  static constexpr int64_t kRun = 512;
  static constexpr int64_t kColumns = 128;

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
