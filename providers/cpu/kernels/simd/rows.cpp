// The row functions at one instruction set level.
#include "cpu/loops/rows.h"

#include <cmath>
#include <limits>

#include "cpu/kernels/simd/float_math.h"
#include "cpu/kernels/simd/some_lanes.h"
#include "cpu/kernels/simd/vector_exp.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

constexpr int64_t kRun = 512;  // elements added in float32 before the sum goes to double
constexpr int64_t kParts = 4;  // independent sums within a run

// The first n lanes, the others 0.
Vector keep(Vector value, int64_t n) {
#if ONNXRUN_SIMD_LEVEL >= 4
  return (Vector)_mm512_maskz_mov_ps(first_lanes(n), (__m512)value);
#else
  float lanes[kWidth];
  store(lanes, value);
  return load_part(lanes, n, 0.0f);
#endif
}

// Sum of f(i) over whole vectors and f_part(i, count) for the last one, n elements in all.
template <class F, class P>
double sum_all(int64_t n, F&& f, P&& f_part) {
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += kRun) {
    const int64_t end = n - begin < kRun ? n : begin + kRun;
    Vector parts[kParts] = {};
    int64_t i = begin;
    for (; i + kParts * kWidth <= end; i += kParts * kWidth) {
      parts[0] += f(i);
      parts[1] += f(i + kWidth);
      parts[2] += f(i + 2 * kWidth);
      parts[3] += f(i + 3 * kWidth);
    }
    for (; i + kWidth <= end; i += kWidth) parts[0] += f(i);
    if (i < end) parts[1] += f_part(i, end - i);
    total += static_cast<double>(sum_of((parts[0] + parts[1]) + (parts[2] + parts[3])));
  }
  return total;
}

// y[i] = f(x[i]).
template <class F>
void map(const float* x, float* y, int64_t n, F&& f) {
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) store(y + i, f(load(x + i)));
  if (i < n) store_some(y + i, f(load_some(x + i, n - i, 0.0f)), n - i);
}

double sum(const float* x, int64_t n) {
  return sum_all(
      n, [=](int64_t i) { return load(x + i); },
      [=](int64_t i, int64_t count) { return load_some(x + i, count, 0.0f); });
}

double sum_squares(const float* x, float center, int64_t n) {
  const Vector middle = splat(center);
  const auto square = [=](Vector value) { return (value - middle) * (value - middle); };
  return sum_all(
      n, [=](int64_t i) { return square(load(x + i)); },
      [=](int64_t i, int64_t count) { return square(load_some(x + i, count, center)); });
}

float max(const float* x, int64_t n) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  Vector parts[kParts] = {splat(kLowest), splat(kLowest), splat(kLowest), splat(kLowest)};
  int64_t i = 0;
  for (; i + kParts * kWidth <= n; i += kParts * kWidth)
    for (int64_t p = 0; p < kParts; ++p) parts[p] = larger(parts[p], load(x + i + p * kWidth));
  for (; i + kWidth <= n; i += kWidth) parts[0] = larger(parts[0], load(x + i));
  if (i < n) parts[1] = larger(parts[1], load_some(x + i, n - i, kLowest));
  return largest_of(larger(larger(parts[0], parts[1]), larger(parts[2], parts[3])));
}

double exp(const float* x, float shift, float* y, int64_t n) {
  const Vector by = splat(shift);
  return sum_all(
      n,
      [=](int64_t i) {
        const Vector value = exp_of(load(x + i) - by);
        store(y + i, value);
        return value;
      },
      [=](int64_t i, int64_t count) {
        const Vector value = exp_of(load_some(x + i, count, shift) - by);
        store_some(y + i, value, count);
        return keep(value, count);
      });
}

double exp_sum(const float* x, float shift, int64_t n) {
  const Vector by = splat(shift);
  return sum_all(
      n, [=](int64_t i) { return exp_of(load(x + i) - by); },
      [=](int64_t i, int64_t count) { return keep(exp_of(load_some(x + i, count, shift) - by), count); });
}

void scale(const float* x, float factor, float* y, int64_t n) {
  map(x, y, n, [by = splat(factor)](Vector value) { return value * by; });
}

void softmax(const float* x, float* y, int64_t n) {
  const double sum = exp(x, max(x, n), y, n);
  scale(y, static_cast<float>(1.0 / sum), y, n);
}

void log_softmax(const float* x, float* y, int64_t n) {
  const float largest = max(x, n);
  const Vector top = splat(largest), shift = splat(static_cast<float>(std::log(exp_sum(x, largest, n))));
  map(x, y, n, [=](Vector value) { return (value - top) - shift; });
}

void normalize(const float* x, float center, float factor, const float* scale, const float* bias, float* y, int64_t n) {
  const Vector middle = splat(center), by = splat(factor);
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    Vector value = (load(x + i) - middle) * by;
    if (scale != nullptr) value = value * load(scale + i);
    if (bias != nullptr) value = value + load(bias + i);
    store(y + i, value);
  }
  for (; i < n; ++i) {
    float value = (x[i] - center) * factor;
    if (scale != nullptr) value = value * scale[i];
    if (bias != nullptr) value = value + bias[i];
    y[i] = value;
  }
}

// Sum of f over pairs of vectors; those beyond the end are pairs of zeros.
template <class F>
float sum_pairs(const float* a, const float* b, int64_t n, F&& f) {
  Vector parts[kParts] = {};
  int64_t i = 0;
  for (; i + kParts * kWidth <= n; i += kParts * kWidth)
    for (int64_t p = 0; p < kParts; ++p) parts[p] = f(load(a + i + p * kWidth), load(b + i + p * kWidth), parts[p]);
  for (; i + kWidth <= n; i += kWidth) parts[0] = f(load(a + i), load(b + i), parts[0]);
  if (i < n) parts[1] = f(load_part(a + i, n - i, 0.0f), load_part(b + i, n - i, 0.0f), parts[1]);
  return sum_of((parts[0] + parts[1]) + (parts[2] + parts[3]));
}

float dot(const float* a, const float* b, int64_t n) {
  return sum_pairs(a, b, n, [](Vector x, Vector y, Vector sum) { return madd(x, y, sum); });
}

float distance(const float* a, const float* b, int64_t n) {
  return sum_pairs(a, b, n, [](Vector x, Vector y, Vector sum) { return madd(x - y, x - y, sum); });
}

void add_scaled(const float* x, float factor, float* y, int64_t n) {
  const Vector by = splat(factor);
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) store(y + i, madd(load(x + i), by, load(y + i)));
  for (; i < n; ++i) y[i] += x[i] * factor;
}

void blend(const float* a, float factor_a, const float* b, float factor_b, float* y, int64_t n) {
  const Vector by_a = splat(factor_a), by_b = splat(factor_b);
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) store(y + i, madd(load(b + i), by_b, load(a + i) * by_a));
  for (; i < n; ++i) y[i] = a[i] * factor_a + b[i] * factor_b;
}

void gather_pairs(const float* __restrict x, const int32_t* __restrict low, const int32_t* __restrict high,
                  const float* __restrict factor_low, const float* __restrict factor_high, float* __restrict y,
                  int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[low[i]] * factor_low[i] + x[high[i]] * factor_high[i];
}

void blend_lanes(const float* a, float factor_a, const float* b, float factor_b, const int64_t* from0,
                 const float* weight0, const int64_t* from1, const float* weight1, int64_t lanes, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i, y += lanes) {
    const float* const from[] = {a + from0[i], a + from1[i], b + from0[i], b + from1[i]};
    const float weights[] = {factor_a * weight0[i], factor_a * weight1[i], factor_b * weight0[i],
                             factor_b * weight1[i]};
    const auto blend = [&](auto zero, auto&& get) {
      auto sum = zero;
      for (int k = 0; k < 4; ++k)
        if (weights[k] != 0) sum += get(from[k]) * weights[k];
      return sum;
    };
    int64_t l = 0;
    for (; l + kWidth <= lanes; l += kWidth) store(y + l, blend(Vector{}, [l](const float* x) { return load(x + l); }));
    for (; l < lanes; ++l) y[l] = blend(0.0f, [l](const float* x) { return x[l]; });
  }
}

void sigmoid(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = sigmoid(x[i]);
}

void tanh(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = tanh(x[i]);
}

void clamp(const float* x, float low, float high, float* y, int64_t n) {
  const Vector least = splat(low), most = splat(high);
  map(x, y, n, [=](Vector value) {
    value = value < least ? least : value;
    return value > most ? most : value;
  });
}

void affine(const float* x, const float* scale, const float* shift, int64_t period, float low, float high, float* y,
            int64_t n) {
  const Vector least = splat(low), most = splat(high);
  const auto of = [&](Vector value, Vector factor, Vector add) {
    value = madd(value, factor, add);
    value = value < least ? least : value;
    return value > most ? most : value;
  };
  // Vectors that are wider than the period hold it twice.
  float factors[kWidth], shifts[kWidth];
  if (period < kWidth) {
    for (int64_t l = 0; l < kWidth; ++l) factors[l] = scale[l % period], shifts[l] = shift[l % period];
    scale = factors;
    shift = shifts;
    period = kWidth;
  }
  const int64_t whole = n / period * period;
  for (int64_t p = 0; p < period; p += kWidth) {
    const Vector factor = load(scale + p), add = load(shift + p);
    for (int64_t i = p; i < whole; i += period) store(y + i, of(load(x + i), factor, add));
  }
  if (whole < n) store_part(y + whole, of(load_part(x + whole, n - whole, 0.0f), load(scale), load(shift)), n - whole);
}

}  // namespace

const RowFunctions& row_functions() {
  static constexpr RowFunctions kFunctions{sum,  sum_squares, max,        exp,     exp_sum,      scale,       normalize,
                                           dot,  distance,    add_scaled, blend,   gather_pairs, blend_lanes, sigmoid,
                                           tanh, affine,      clamp,      softmax, log_softmax};
  return kFunctions;
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
