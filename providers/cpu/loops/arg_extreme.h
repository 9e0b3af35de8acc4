// The index of the largest or smallest element along an axis.
#pragma once

#include <cstdint>

#include "cpu/cpu.h"
#include "cpu/loops/axis.h"
#include "cpu/loops/convert.h"

namespace onnxrun::cpu {

enum class Extreme : uint8_t { kLargest, kSmallest };

class ArgExtreme {
 public:
  static constexpr int64_t kColumns = 64;

  ArgExtreme() = default;
  // `last`: of equal elements the last counts, not the first. NaN is more extreme than any number. Throws Declined for types that cannot be compared.
  ArgExtreme(Extreme extreme, DType type, AxisView view, bool last);

  // One index for each (outer, inner), in that order. The axis must not be empty.
  void run(RunContext& context, const void* in, int64_t* out) const;

 private:
  using Rows = void (*)(const void* x, int64_t row, int64_t columns, void* best, int64_t* index);
  AxisView view_;
  Rows rows_ = nullptr;
  int64_t (*row_)(const void* x, int64_t n) = nullptr;  // of adjacent elements
  Converter load_ = nullptr;
  int64_t element_bytes_ = 0;
};

}  // namespace onnxrun::cpu
