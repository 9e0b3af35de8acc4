// How products of few rows are split over threads.
#include "cpu/loops/thin_product.h"

#include <algorithm>

#include "base/checked.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                    \
  namespace simd::level {                         \
  void multiply_thin(const ThinProduct& product); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

void multiply_thin(const ThinProduct& product) { ONNXRUN_SIMD_CALL(multiply_thin, product) }

void multiply_thin(RunContext& context, const ProductGeometry& g, int64_t k, const float* a, const float* b,
                   int64_t b_row, int64_t b_column, bool add, float* y) {
  // Of a task: sums of few rows stay near; and between looks at whether the run was cancelled.
  constexpr int64_t kColumns = 512, kDepth = 1 << 15;
  if (g.batch * g.m * g.n == 0) return;
  if (k == 0) {
    if (!add) std::fill_n(y, g.batch * g.m * g.n, 0.0f);
    return;
  }
  const int64_t pieces = base::ceil_div(g.n, kColumns);
  parallel_polled(context, g.batch * pieces, Cost(g.m) * k * std::min(g.n, kColumns), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t product = item / pieces, first = item % pieces * kColumns;
      const size_t which = static_cast<size_t>(product);
      for (int64_t at = 0; at < k && !context.cancelled(); at += kDepth)
        multiply_thin({.a = a + g.a[which] * g.m * k + at,
                       .lda = k,
                       .m = g.m,
                       .k = std::min(kDepth, k - at),
                       .b = b + g.b[which] * k * g.n + first * b_column + at * b_row,
                       .b_row = b_row,
                       .b_column = b_column,
                       .n = std::min(kColumns, g.n - first),
                       .add = add || at > 0,
                       .y = y + product * g.m * g.n + first,
                       .ldy = g.n});
    }
  });
  context.check_cancelled();
}

}  // namespace onnxrun::cpu
