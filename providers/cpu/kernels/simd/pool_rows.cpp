// Rows of MaxPool and AveragePool at one instruction set level.
#include "cpu/loops/pool_rows.h"

#include <algorithm>
#include <limits>

#include "some_lanes.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
void max_pool_rows(const PoolRows& rows);
void average_pool_rows(const PoolRows& rows);

namespace {

static_assert(PoolRows::kSlack >= kWidth);

struct Greatest {
  static constexpr float kStart = -std::numeric_limits<float>::infinity();
  static Vector step(Vector best, Vector value) { return value > best ? value : best; }
};
struct Sum {
  static constexpr float kStart = 0;
  static Vector step(Vector sum, Vector value) { return sum + value; }
};

// Every stride-th element from `from` on.
template <int64_t kStride>
Vector load_every(const float* from, int64_t stride) {
  if constexpr (kStride == 1) return load(from);
  else if constexpr (kStride == 2) {
    const Vector low = load(from), high = load(from + kWidth);
#if ONNXRUN_SIMD_LEVEL >= 4
    return __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif ONNXRUN_SIMD_LEVEL == 3
    return __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
#else
    return __builtin_shufflevector(low, high, 0, 2, 4, 6);
#endif
  } else {
    float lanes[kWidth];
    for (int64_t l = 0; l < kWidth; ++l) lanes[l] = from[l * stride];
    return load(lanes);
  }
}

// Puts `count` rows together, between what windows find in the padding.
template <class Op>
void put_together(const PoolRows& p, const int64_t* offsets, int64_t count, float* line) {
  const Vector start = splat(Op::kStart);
  for (int64_t i = 0; i < p.pad; i += kWidth) store(line + i, start);
  float* to = line + p.pad;
  int64_t i = 0;
  for (; i + kWidth <= p.in_width; i += kWidth) {
    Vector all = start;
    for (int64_t r = 0; r < count; ++r) all = Op::step(all, load(p.plane + offsets[r] + i));
    store(to + i, all);
  }
  if (i < p.in_width) {
    Vector all = start;
    for (int64_t r = 0; r < count; ++r) all = Op::step(all, load_some(p.plane + offsets[r] + i, p.in_width - i, start));
    store(to + i, all);
    i += kWidth;
  }
  const int64_t reached = (p.width - 1) * p.stride + (p.kernel - 1) * p.dilation + 1;
  for (i += p.pad; i < reached; i += kWidth) store(line + i, start);
}

template <class Op, int64_t kStride, class Finish>
void take_windows(const PoolRows& p, Finish finish) {
  for (int64_t row = 0; row < p.count; ++row) {
    const float* line = p.buffer + row * p.pitch;
    float* out = p.out + row * p.width;
    for (int64_t i = 0; i < p.width; i += kWidth) {
      Vector result = splat(Op::kStart);
      for (int64_t k = 0; k < p.kernel; ++k)
        result = Op::step(result, load_every<kStride>(line + i * p.stride + k * p.dilation, p.stride));
      const int64_t n = std::min(kWidth, p.width - i);
      result = finish(result, row, i, n);
      if (n == kWidth) store(out + i, result);
      else store_some(out + i, result, n);
    }
  }
}

template <class Op, class Finish>
void pool(const PoolRows& p, Finish finish) {
  for (int64_t row = 0; row < p.count; ++row)
    put_together<Op>(p, p.offsets + p.begins[row], p.begins[row + 1] - p.begins[row], p.buffer + row * p.pitch);
  if (p.stride == 1) take_windows<Op, 1>(p, finish);
  else if (p.stride == 2) take_windows<Op, 2>(p, finish);
  else take_windows<Op, 0>(p, finish);
}

}  // namespace

void max_pool_rows(const PoolRows& rows) {
  pool<Greatest>(rows, [](Vector result, int64_t, int64_t, int64_t) { return result; });
}

void average_pool_rows(const PoolRows& rows) {
  pool<Sum>(rows, [&](Vector sum, int64_t row, int64_t column, int64_t n) {
    const float* from = rows.column_divisors + column;
    const Vector divisor = splat(rows.row_divisors[row]) * (n == kWidth ? load(from) : load_some(from, n, Vector{}));
    return divisor == 0 ? Vector{} : sum / divisor;
  });
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
