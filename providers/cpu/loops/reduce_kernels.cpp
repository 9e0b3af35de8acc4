// The accumulators of reductions, by operation and work type.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/loops/reduce.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {
namespace {

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

// A reduction is: a partial value of type Part that elements are added to, and accumulators that partial values are merged into.
template <class T>
struct SumOf {
  using Value = T;
  using Part = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;
  using Accumulator = typename accumulator_of<T>::type;
  static constexpr Part kStart = 0;
  static constexpr int64_t kSteps = 8;  // elements a part takes before it is merged
  static Part step(Part a, T x) { return a + static_cast<Part>(x); }
  template <class A>
  static A merge(A a, A b) {
    return a + b;
  }
};
template <class T>
struct SquaresOf : SumOf<T> {
  using typename SumOf<T>::Part;
  static Part step(Part a, T x) { return a + static_cast<Part>(x) * static_cast<Part>(x); }
};
template <class T>
struct MagnitudesOf : SumOf<T> {
  using typename SumOf<T>::Part;
  static Part step(Part a, T x) {
    if constexpr (std::is_floating_point_v<T>) return a + std::abs(x);
    else return a + (x < T{0} ? Part{0} - static_cast<Part>(x) : static_cast<Part>(x));
  }
};
template <class T>
struct ProductOf : SumOf<T> {
  using typename SumOf<T>::Part;
  static constexpr Part kStart = 1;
  static Part step(Part a, T x) { return a * static_cast<Part>(x); }
  template <class A>
  static A merge(A a, A b) {
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
  static T step(T a, T x) { return (a > x) | (a != a) ? a : x; }
  static T merge(T a, T b) { return step(a, b); }
};
template <class T>
struct MinOf : MaxOf<T> {
  static constexpr T kStart = kHighest<T>;
  static T step(T a, T x) { return (a < x) | (a != a) ? a : x; }
  static T merge(T a, T b) { return step(a, b); }
};

template <class Op>
void start(void* accumulators, int64_t count) {
  using A = typename Op::Accumulator;
  std::fill_n(static_cast<A*>(accumulators), count, static_cast<A>(Op::kStart));
}

template <class Op>
void feed_run(void* accumulator, const void* from, int64_t n) {
  using P = typename Op::Part;
  using A = typename Op::Accumulator;
  constexpr int64_t kLanes = 16;
  const auto* x = static_cast<const typename Op::Value*>(from);
  A& total = *static_cast<A*>(accumulator);
  if (n < kLanes) {
    P part = Op::kStart;
    for (int64_t i = 0; i < n; ++i) part = Op::step(part, x[i]);
    total = Op::merge(total, static_cast<A>(part));
    return;
  }
  for (int64_t begin = 0; begin < n;) {
    const int64_t end = std::min(n, begin + kLanes * Op::kSteps);
    P lanes[kLanes];
    std::fill_n(lanes, kLanes, Op::kStart);
    int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes)
      for (int64_t l = 0; l < kLanes; ++l) lanes[l] = Op::step(lanes[l], x[i + l]);
    for (int64_t l = 0; i < end; ++i, ++l) lanes[l] = Op::step(lanes[l], x[i]);
    for (int64_t l = 0; l < kLanes; ++l) total = Op::merge(total, static_cast<A>(lanes[l]));
    begin = end;
  }
}

template <class Op>
void feed_rows(void* accumulators, const void* from, int64_t stride, int64_t rows, int64_t columns) {
  using P = typename Op::Part;
  using A = typename Op::Accumulator;
  const auto* x = static_cast<const typename Op::Value*>(from);
  A* totals = static_cast<A*>(accumulators);
  P parts[ReduceLoop::kColumns];
  for (int64_t begin = 0; begin < rows; begin += Op::kSteps) {
    const int64_t end = std::min(rows, begin + Op::kSteps);
    std::fill_n(parts, columns, Op::kStart);
    for (int64_t r = begin; r < end; ++r) {
      const auto* row = x + r * stride;
      for (int64_t j = 0; j < columns; ++j) parts[j] = Op::step(parts[j], row[j]);
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
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t j = 0; j < columns; ++j) {
            const double value = static_cast<double>(x[r * stride + j]);
            a[j].raise(value);
            a[j].sum += std::exp(value - a[j].shift());
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
    case Reduction::kMax: return kernel<MaxOf<T>, T>();
    case Reduction::kMin: return kernel<MinOf<T>, T>();
    case Reduction::kProd: return kernel<ProductOf<T>, T>();
  }
  return nullptr;
}

}  // namespace

const ReduceKernel* reduce_kernel(Reduction reduction, DType type) {
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

}  // namespace onnxrun::cpu
