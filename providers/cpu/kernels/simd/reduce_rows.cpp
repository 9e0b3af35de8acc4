// The accumulators of reductions at one instruction set level.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/dtype_of.h"
#include "cpu/loops/reduce_kernel.h"
#include "cpu/loops/rows.h"
#include "fold_halves.h"
#include "vector.h"

// Vectors of more than a register are of this file only.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
const ReduceKernel* reduce_kernel(Reduction reduction, base::DType type);

namespace {

using base::DType;
using base::dtype_of;

// Sums of floats end in double; integers wrap.
template <class T>
struct accumulator_of {
  using type = uint64_t;
};
template <>
struct accumulator_of<float> {
  using type = double;
};
template <>
struct accumulator_of<double> {
  using type = double;
};

// A reduction is: a partial value of type Part that elements, or vectors of them, are added to, and accumulators that partial values are merged
// into. An element kNothing changes no partial value.
template <class T>
struct SumOf {
  using Value = T;
  using Part = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;
  using Accumulator = typename accumulator_of<T>::type;
  static constexpr Part kStart = 0, kNothing = 0;
  static constexpr int64_t kSteps = 8;  // elements a part takes before it is merged
  template <class P>
  static P step(const P& a, const P& x) {
    return a + x;
  }
  template <class A>
  static A merge(const A& a, const A& b) {
    return a + b;
  }
};
template <class T>
struct SquaresOf : SumOf<T> {
  template <class P>
  static P step(const P& a, const P& x) {
    return a + x * x;
  }
};
template <class T>
struct MagnitudesOf : SumOf<T> {
  // Of signed integers the magnitude is taken before they become parts.
  template <class P>
  static P step(const P& a, const P& x) {
    if constexpr (std::is_floating_point_v<T>) return a + (x < 0 ? -x : x);
    else if constexpr (std::is_signed_v<T>) return a + ((x >> 63) != 0 ? 0 - x : x);
    else return a + x;
  }
};
template <class T>
struct ProductOf : SumOf<T> {
  using typename SumOf<T>::Part;
  static constexpr Part kStart = 1, kNothing = 1;
  template <class P>
  static P step(const P& a, const P& x) {
    return a * x;
  }
  template <class A>
  static A merge(const A& a, const A& b) {
    return a * b;
  }
};
template <class T>
constexpr T kLowest = std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity()
                                                  : std::numeric_limits<T>::lowest();
template <class T>
constexpr T kHighest = std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
template <class T>
struct MaxOf {
  using Value = T;
  using Part = T;
  using Accumulator = T;
  static constexpr T kStart = kLowest<T>;
  static constexpr int64_t kSteps = 512;
  template <class V>
  static V step(V a, V x) {
    return ((a > x) | (a != a)) ? a : x;
  }
  static T merge(T a, T b) { return step(a, b); }
};
template <class T>
struct MinOf : MaxOf<T> {
  static constexpr T kStart = kHighest<T>;
  template <class V>
  static V step(V a, V x) {
    return ((a < x) | (a != a)) ? a : x;
  }
  static T merge(T a, T b) { return step(a, b); }
};

template <class Op>
void start(void* accumulators, int64_t count) {
  using A = typename Op::Accumulator;
  std::fill_n(static_cast<A*>(accumulators), count, static_cast<A>(Op::kStart));
}

// Sums of at most kRun elements: each of 64 parts takes every 64th.
template <class Op>
void feed_run(void* accumulator, const void* from, int64_t n) {
  using T = typename Op::Value;
  using P = typename Op::Part;
  using A = typename Op::Accumulator;
  constexpr int64_t kLanes = 16, kParts = 4;
  typedef T Values __attribute__((vector_size(kLanes * sizeof(T))));
  typedef P Lanes __attribute__((vector_size(kLanes * sizeof(P))));
  typedef A Totals __attribute__((vector_size(kLanes * sizeof(A))));
  const auto* x = static_cast<const T*>(from);
  const auto load = [](const T* at) {
    Values values;
    std::memcpy(&values, at, sizeof values);
    return __builtin_convertvector(values, Lanes);
  };
  Lanes parts[kParts];
  for (Lanes& part : parts) part = Lanes{} + Op::kStart;
  int64_t i = 0;
  for (; i + kParts * kLanes <= n; i += kParts * kLanes)
#pragma GCC unroll 4
    for (int64_t p = 0; p < kParts; ++p) parts[p] = Op::step(parts[p], load(x + i + p * kLanes));
  for (int64_t p = 0; i < n; i += kLanes, ++p) {
    T rest[kLanes];
    if (n - i < kLanes) {
      std::fill_n(rest, kLanes, static_cast<T>(Op::kNothing));
      std::copy_n(x + i, n - i, rest);
    }
    parts[p] = Op::step(parts[p], load(n - i < kLanes ? rest : x + i));
  }
  const auto wide = [&](int64_t p) { return __builtin_convertvector(parts[p], Totals); };
  const Totals all = Op::merge(Op::merge(wide(0), wide(1)), Op::merge(wide(2), wide(3)));
  const auto eight = Op::merge(__builtin_shufflevector(all, all, 0, 1, 2, 3, 4, 5, 6, 7),
                               __builtin_shufflevector(all, all, 8, 9, 10, 11, 12, 13, 14, 15));
  const auto four =
      Op::merge(__builtin_shufflevector(eight, eight, 0, 1, 2, 3), __builtin_shufflevector(eight, eight, 4, 5, 6, 7));
  const auto two = Op::merge(__builtin_shufflevector(four, four, 0, 1), __builtin_shufflevector(four, four, 2, 3));
  A& total = *static_cast<A*>(accumulator);
  total = Op::merge(total, Op::merge(A{two[0]}, A{two[1]}));
}

// Extremes, whose order does not matter.
template <class Op>
void feed_extreme_run(void* accumulator, const void* from, int64_t n) {
  using T = typename Op::Value;
  typedef T Lanes __attribute__((vector_size(kVectorBytes)));
  constexpr int64_t kLanes = kVectorBytes / static_cast<int64_t>(sizeof(T)), kParts = 4;
  const auto* x = static_cast<const T*>(from);
  T best = *static_cast<const T*>(accumulator);
  int64_t i = 0;
  if (n >= kLanes) {
    const auto load = [x](int64_t at) {
      Lanes value;
      std::memcpy(&value, x + at, sizeof value);
      return value;
    };
    const Lanes first = load(0);
    Lanes parts[kParts] = {first, first, first, first};
    for (i = kLanes; i + kParts * kLanes <= n; i += kParts * kLanes)
#pragma GCC unroll 4
      for (int64_t p = 0; p < kParts; ++p) parts[p] = Op::step(parts[p], load(i + p * kLanes));
    for (; i + kLanes <= n; i += kLanes) parts[0] = Op::step(parts[0], load(i));
    parts[0] = Op::step(Op::step(parts[0], parts[1]), Op::step(parts[2], parts[3]));
    T lanes[kLanes];
    std::memcpy(lanes, &parts[0], sizeof lanes);
    best = Op::step(best, fold_halves<kLanes>(lanes, [](auto low, auto high) { return Op::step(low, high); }));
  }
  for (; i < n; ++i) best = Op::step(best, x[i]);
  *static_cast<T*>(accumulator) = best;
}

template <class Op>
void feed_rows(void* accumulators, const void* from, int64_t stride, int64_t rows, int64_t columns) {
  using P = typename Op::Part;
  using A = typename Op::Accumulator;
  const auto* x = static_cast<const typename Op::Value*>(from);
  A* totals = static_cast<A*>(accumulators);
  P parts[ReduceKernel::kColumns];
  for (int64_t begin = 0; begin < rows; begin += Op::kSteps) {
    const int64_t end = std::min(rows, begin + Op::kSteps);
    std::fill_n(parts, columns, Op::kStart);
    for (int64_t r = begin; r < end; ++r) {
      const auto* row = x + r * stride;
      for (int64_t j = 0; j < columns; ++j) parts[j] = Op::step(parts[j], static_cast<P>(row[j]));
    }
    for (int64_t j = 0; j < columns; ++j) totals[j] = Op::merge(totals[j], static_cast<A>(parts[j]));
  }
}

// A result of floating-point arithmetic in the work type; integers that cannot hold it saturate, NaN is 0.
template <class T>
T result_of(double value) {
  if constexpr (std::is_floating_point_v<T>) return static_cast<T>(value);
  else if (value != value) return T{0};
  else if (value <= static_cast<double>(std::numeric_limits<T>::lowest())) return std::numeric_limits<T>::lowest();
  else if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  else return static_cast<T>(value);
}

// What is done to a finished accumulator.
enum class Last { kNothing, kMean, kRoot, kLog };

// T is the work type, which for sums of integers differs from the accumulator's.
template <class Op, class T, Last last>
void finish(const void* accumulators, int64_t count, int64_t reduced, void* out) {
  const auto* from = static_cast<const typename Op::Accumulator*>(accumulators);
  T* to = static_cast<T*>(out);
  for (int64_t i = 0; i < count; ++i) {
    const auto value = from[i];
    if constexpr (last == Last::kNothing) to[i] = static_cast<T>(value);
    else if constexpr (last == Last::kMean && std::is_integral_v<T>)
      to[i] = reduced == 0 ? T{0} : static_cast<T>(static_cast<T>(value) / static_cast<T>(reduced));
    else if constexpr (last == Last::kMean) to[i] = static_cast<T>(value / static_cast<double>(reduced));
    else if constexpr (last == Last::kRoot) to[i] = result_of<T>(std::sqrt(static_cast<double>(value)));
    else
      to[i] = result_of<T>(
          std::log(static_cast<double>(static_cast<std::conditional_t<std::is_integral_v<T>, T, double>>(value))));
  }
}

template <class Op, class T, Last last = Last::kNothing>
const ReduceKernel* kernel() {
  static constexpr ReduceKernel kKernel{
      start<Op>, feed_run<Op>, feed_rows<Op>, finish<Op, T, last>, sizeof(typename Op::Accumulator), dtype_of<T>};
  return &kKernel;
}

// The largest element so far and the sum of e^(x - largest).
struct LogSumExp {
  double largest = -std::numeric_limits<double>::infinity();
  double sum = 0;

  void raise(double to) {
    if (!(to > largest) && to == to) return;
    if (sum != 0) sum *= std::exp(largest - to);
    largest = to;
  }
  // An infinite shift would give NaN where the result is infinite.
  double shift() const { return std::isinf(largest) ? 0.0 : largest; }
};

void exp_all(float* x, int64_t n) { row_exp(x, 0.0f, x, n); }
void exp_all(double* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = std::exp(x[i]);
}

template <class T>
const ReduceKernel* log_sum_exp() {
  static constexpr ReduceKernel kKernel{
      [](void* accumulators, int64_t count) { std::fill_n(static_cast<LogSumExp*>(accumulators), count, LogSumExp()); },
      [](void* accumulator, const void* from, int64_t n) {
        auto& a = *static_cast<LogSumExp*>(accumulator);
        const T* x = static_cast<const T*>(from);
        if constexpr (std::is_same_v<T, float>) {
          a.raise(static_cast<double>(row_max(x, n)));
          a.sum += row_exp_sum(x, static_cast<float>(a.shift()), n);
        } else {
          double largest = a.largest;
          for (int64_t i = 0; i < n; ++i) largest = MaxOf<double>::step(largest, static_cast<double>(x[i]));
          a.raise(largest);
          for (int64_t i = 0; i < n; ++i) a.sum += std::exp(static_cast<double>(x[i]) - a.shift());
        }
      },
      [](void* accumulators, const void* from, int64_t stride, int64_t rows, int64_t columns) {
        auto* a = static_cast<LogSumExp*>(accumulators);
        const T* x = static_cast<const T*>(from);
        using Work = std::conditional_t<std::is_same_v<T, float>, float, double>;
        Work shifts[ReduceKernel::kColumns], values[ReduceKernel::kColumns];
        for (int64_t j = 0; j < columns; ++j) shifts[j] = static_cast<Work>(x[j]);
        for (int64_t r = 1; r < rows; ++r)
          for (int64_t j = 0; j < columns; ++j)
            shifts[j] = MaxOf<Work>::step(shifts[j], static_cast<Work>(x[r * stride + j]));
        for (int64_t j = 0; j < columns; ++j) {
          a[j].raise(static_cast<double>(shifts[j]));
          shifts[j] = static_cast<Work>(a[j].shift());
        }
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t j = 0; j < columns; ++j) values[j] = static_cast<Work>(x[r * stride + j]) - shifts[j];
          exp_all(values, columns);
          for (int64_t j = 0; j < columns; ++j) a[j].sum += static_cast<double>(values[j]);
        }
      },
      [](const void* accumulators, int64_t count, int64_t, void* out) {
        const auto* a = static_cast<const LogSumExp*>(accumulators);
        for (int64_t i = 0; i < count; ++i) static_cast<T*>(out)[i] = result_of<T>(std::log(a[i].sum) + a[i].shift());
      },
      sizeof(LogSumExp),
      dtype_of<T>};
  return &kKernel;
}

template <class Op>
const ReduceKernel* extreme_kernel() {
  using T = typename Op::Value;
  static constexpr ReduceKernel kKernel{start<Op>, feed_extreme_run<Op>, feed_rows<Op>, finish<Op, T, Last::kNothing>,
                                        sizeof(T), dtype_of<T>};
  return &kKernel;
}
template <class T>
const ReduceKernel* extreme(bool largest) {
  return largest ? extreme_kernel<MaxOf<T>>() : extreme_kernel<MinOf<T>>();
}

template <class T>
const ReduceKernel* choose(Reduction reduction) {
  switch (reduction) {
    case Reduction::kSum: return kernel<SumOf<T>, T>();
    case Reduction::kMean: return kernel<SumOf<T>, T, Last::kMean>();
    case Reduction::kSumSquare: return kernel<SquaresOf<T>, T>();
    case Reduction::kL1: return kernel<MagnitudesOf<T>, T>();
    case Reduction::kL2: return kernel<SquaresOf<T>, T, Last::kRoot>();
    case Reduction::kLogSum: return kernel<SumOf<T>, T, Last::kLog>();
    case Reduction::kLogSumExp: return log_sum_exp<T>();
    case Reduction::kMax:
    case Reduction::kMin: return extreme<T>(reduction == Reduction::kMax);
    case Reduction::kProd: return kernel<ProductOf<T>, T>();
  }
  return nullptr;
}

}  // namespace

const ReduceKernel* reduce_kernel(Reduction reduction, DType type) {
  if (reduction == Reduction::kMax || reduction == Reduction::kMin) {
    const bool largest = reduction == Reduction::kMax;
    if (type == DType::kInt8) return extreme<int8_t>(largest);
    if (type == DType::kUint8) return extreme<uint8_t>(largest);
    if (type == DType::kInt32) return extreme<int32_t>(largest);
  }
  switch (type) {
    case DType::kFloat32:
    case DType::kFloat16:
    case DType::kBfloat16: return choose<float>(reduction);
    case DType::kFloat64: return choose<double>(reduction);
    case DType::kUint64: return choose<uint64_t>(reduction);
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
    case DType::kBool: return choose<int64_t>(reduction);
    default: return nullptr;
  }
}

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE
