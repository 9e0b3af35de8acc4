// The number of elements of a Range.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/checked.h"

namespace onnxrun::ops::attributes {

// max(ceil((limit - start) / step), 0). Throws kRunFailed for a step of 0 and for counts that are not finite or beyond what a dim holds.
inline int64_t range_length(int64_t start, int64_t limit, int64_t step) {
  if (step == 0) base::fail(base::Code::kRunFailed, "Range: 'delta' must not be 0");
  if (step > 0 ? limit <= start : limit >= start) return 0;
  const uint64_t distance = step > 0 ? static_cast<uint64_t>(limit) - static_cast<uint64_t>(start)
                                     : static_cast<uint64_t>(start) - static_cast<uint64_t>(limit);
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : ~static_cast<uint64_t>(step) + 1;
  const uint64_t count = (distance - 1) / stride + 1;
  if (count > static_cast<uint64_t>(INT64_MAX))
    base::fail(base::Code::kLimitExceeded, "Range: {} elements are too many", count);
  return static_cast<int64_t>(count);
}

inline int64_t range_length(double start, double limit, double step) {
  const double count = std::ceil((limit - start) / step);
  if (step == 0 || std::isnan(count))
    base::fail(base::Code::kRunFailed, "Range: no sequence from {} to {} by {}", start, limit, step);
  if (count <= 0) return 0;
  if (count >= 9.2e18) base::fail(base::Code::kLimitExceeded, "Range: {} elements are too many", count);
  return static_cast<int64_t>(count);
}

}  // namespace onnxrun::ops::attributes
