// Reductions: a block, or some threads of it, an output element.
#include "cuda/device/reduce.h"

#include <cmath>
#include <limits>

#include "cuda/device/block.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

// Sums of integers wrap; those of float16 and bfloat16 are float32.
template <class W>
using Sum = std::conditional_t<std::is_floating_point_v<W>, W, uint64_t>;

template <class W>
constexpr W lowest() {
  if constexpr (std::is_floating_point_v<W>) return -std::numeric_limits<W>::infinity();
  else return std::numeric_limits<W>::lowest();
}
template <class W>
constexpr W highest() {
  if constexpr (std::is_floating_point_v<W>) return std::numeric_limits<W>::infinity();
  else return std::numeric_limits<W>::max();
}

// Each reduction: what a part starts from, how an element is added, how parts are joined, and what is made of the last one.
template <class W>
struct SumOf {
  using Part = Sum<W>;
  static constexpr Part kStart = 0;
  __device__ static Part step(Part a, W x) { return a + static_cast<Part>(x); }
  __device__ static Part join(Part a, Part b) { return a + b; }
  __device__ static W end(Part a, int64_t) { return static_cast<W>(a); }
};
template <class W>
struct MeanOf : SumOf<W> {
  __device__ static W end(Sum<W> a, int64_t count) {
    if constexpr (std::is_floating_point_v<W>) return a / static_cast<W>(count);
    else if (count == 0) return 0;
    else if constexpr (std::is_signed_v<W>) return static_cast<W>(static_cast<int64_t>(a) / count);
    else return static_cast<W>(a / static_cast<uint64_t>(count));
  }
};
template <class W>
struct SumSquareOf : SumOf<W> {
  __device__ static Sum<W> step(Sum<W> a, W x) { return a + static_cast<Sum<W>>(x) * static_cast<Sum<W>>(x); }
};
template <class W>
struct L1Of : SumOf<W> {
  __device__ static Sum<W> step(Sum<W> a, W x) {
    if constexpr (std::is_floating_point_v<W>) return a + fabs(x);
    else return a + (x < W(0) ? Sum<W>(0) - static_cast<Sum<W>>(x) : static_cast<Sum<W>>(x));
  }
};
// Of what is computed in floating point: an integer that cannot hold it gets the nearest one.
template <class W>
__device__ W from_real(double value) {
  if constexpr (std::is_floating_point_v<W>) return static_cast<W>(value);
  else if (value != value) return 0;
  else if (value <= static_cast<double>(std::numeric_limits<W>::lowest())) return std::numeric_limits<W>::lowest();
  else if (value >= static_cast<double>(std::numeric_limits<W>::max())) return std::numeric_limits<W>::max();
  else return static_cast<W>(value);
}
template <class W>
__device__ double to_real(Sum<W> a) {
  if constexpr (std::is_signed_v<W> && std::is_integral_v<W>) return static_cast<double>(static_cast<int64_t>(a));
  else return static_cast<double>(a);
}
template <class W>
struct L2Of : SumSquareOf<W> {
  __device__ static W end(Sum<W> a, int64_t) {
    if constexpr (std::is_floating_point_v<W>) return sqrt(a);
    else return from_real<W>(sqrt(to_real<W>(a)));
  }
};
template <class W>
struct LogSumOf : SumOf<W> {
  __device__ static W end(Sum<W> a, int64_t) {
    if constexpr (std::is_floating_point_v<W>) return log(a);
    else return from_real<W>(log(to_real<W>(a)));
  }
};
template <class W>
struct ProdOf : SumOf<W> {
  static constexpr Sum<W> kStart = 1;
  __device__ static Sum<W> step(Sum<W> a, W x) { return a * static_cast<Sum<W>>(x); }
  __device__ static Sum<W> join(Sum<W> a, Sum<W> b) { return a * b; }
};
// NaN is kept.
template <class W>
struct MaxOf {
  using Part = W;
  static constexpr W kStart = lowest<W>();
  __device__ static W step(W a, W x) { return a > x || a != a ? a : x; }
  __device__ static W join(W a, W b) { return step(a, b); }
  __device__ static W end(W a, int64_t) { return a; }
};
template <class W>
struct MinOf : MaxOf<W> {
  static constexpr W kStart = highest<W>();
  __device__ static W step(W a, W x) { return a < x || a != a ? a : x; }
  __device__ static W join(W a, W b) { return step(a, b); }
};

template <class T, class R>
__global__ void reduce(const T* x, T* y, Walk<1> outer, Walk<1> inner, int64_t step) {
  using Part = typename R::Part;
  for (int64_t row = first_row(); row - threadIdx.y < outer.count(); row += row_step()) {
    const bool is_row = row < outer.count();
    const T* from = x + (is_row ? outer.offset(row) : 0);
    const int64_t size = is_row ? inner.count() : 0;
    Part part = R::kStart;
    if (step != 0) each_of_row(from, step, size, [&](WorkOf<T> value, int64_t, int) { part = R::step(part, value); });
    else
      for (int64_t i = threadIdx.x; i < size; i += blockDim.x) part = R::step(part, widen(from[inner.offset(i)]));
    part = combine_block(part, Part(R::kStart), [](Part a, Part b) { return R::join(a, b); });
    if (threadIdx.x == 0 && is_row) y[row] = narrow<T>(R::end(part, inner.count()));
  }
}

// Of rows that lie side by side: x counts rows, y their elements.
constexpr unsigned kColumns = 32, kColumnParts = 16;
template <class T, class R>
__global__ void reduce_columns(const T* x, T* y, Walk<1> outer, Walk<1> inner) {
  using Part = typename R::Part;
  __shared__ Part parts[kColumnParts][kColumns];
  for (int64_t first = int64_t{blockIdx.x} * kColumns; first < outer.count(); first += int64_t{gridDim.x} * kColumns) {
    const int64_t row = first + threadIdx.x;
    const bool is_row = row < outer.count();
    Part part = R::kStart;
    if (is_row) {
      const T* from = x + outer.offset(row);
      for (int64_t i = threadIdx.y; i < inner.count(); i += blockDim.y)
        part = R::step(part, widen(from[inner.offset(i)]));
    }
    parts[threadIdx.y][threadIdx.x] = part;
    __syncthreads();
    if (threadIdx.y == 0 && is_row) {
      for (unsigned n = 1; n < blockDim.y; ++n) part = R::join(part, parts[n][threadIdx.x]);
      y[row] = narrow<T>(R::end(part, inner.count()));
    }
    __syncthreads();  // before the next parts
  }
}

// log(sum of exp), from the largest element on.
template <class T>
__global__ void log_sum_exp(const T* x, T* y, Walk<1> outer, Walk<1> inner) {
  using W = std::conditional_t<std::is_floating_point_v<WorkOf<T>>, WorkOf<T>, double>;
  for (int64_t row = blockIdx.x; row < outer.count(); row += gridDim.x) {
    const T* from = x + outer.offset(row);
    W most = lowest<W>();
    for (int64_t i = threadIdx.x; i < inner.count(); i += blockDim.x)
      most = MaxOf<W>::step(most, static_cast<W>(widen(from[inner.offset(i)])));
    most = max_block(most, lowest<W>());
    // Infinite, it is the result; so it is where there are no elements.
    const W base = most - most == W(0) ? most : W(0);
    W sum = 0;
    for (int64_t i = threadIdx.x; i < inner.count(); i += blockDim.x)
      sum += exp(static_cast<W>(widen(from[inner.offset(i)])) - base);
    sum = sum_block(sum);
    if (threadIdx.x == 0) {
      const W result = log(sum) + base;
      if constexpr (std::is_integral_v<T>) y[row] = from_real<T>(static_cast<double>(result));
      else y[row] = narrow<T>(result);
    }
  }
}

// Whether neighbouring rows lie side by side and are enough to fill whole accesses.
bool is_columns(const Axes<1>& outer, const Axes<1>& inner) {
  return outer.rank > 0 && outer.steps[0][outer.rank - 1] == 1 && outer.dims[outer.rank - 1] >= 8 && inner.count > 1;
}

template <class T, class R>
void launch_reduce(const Queue& queue, const Axes<1>& outer, const Axes<1>& inner, const void* x, void* y) {
  if (outer.count == 0) return;
  const auto* from = static_cast<const T*>(x);
  auto* to = static_cast<T*>(y);
  if (is_columns(outer, inner)) {
    unsigned parts = 1;
    while (parts < kColumnParts && int64_t{parts} * 4 < inner.count) parts *= 2;
    return launch(queue, reduce_columns<T, R>, blocks_for_rows((outer.count + kColumns - 1) / kColumns),
                  dim3(kColumns, parts), from, to, Walk<1>(outer), Walk<1>(inner));
  }
  const dim3 block = row_block(inner.count);
  launch(queue, reduce<T, R>, row_grid(outer.count, block), block, from, to, Walk<1>(outer), Walk<1>(inner),
         inner.rank == 1 ? inner.steps[0][0] : 0);
}
template <class T>
void launch_log_sum_exp(const Queue& queue, const Axes<1>& outer, const Axes<1>& inner, const void* x, void* y) {
  if (outer.count == 0) return;
  launch(queue, log_sum_exp<T>, blocks_for_rows(outer.count), threads_for_row(inner.count), static_cast<const T*>(x),
         static_cast<T*>(y), Walk<1>(outer), Walk<1>(inner));
}

using Summed = JoinElements<FloatElements, Elements<int32_t, int64_t, uint32_t, uint64_t>>;

template <template <class> class R, class List>
ReduceLaunch with(DType type) {
  ReduceLaunch result = nullptr;
  with_element(List{}, type, [&]<class T>(std::type_identity<T>) { result = launch_reduce<T, R<WorkOf<T>>>; });
  return result;
}

// The element that comes first in the order wanted, and its index; NaN comes before all.
template <class T, bool kLargest>
__global__ void arg(const T* x, int64_t* y, Walk<1> outer, int64_t size, int64_t step, bool last) {
  using W = WorkOf<T>;
  const auto better = [](W a, W b) { return a != a ? b == b : b != b ? false : kLargest ? a > b : a < b; };
  const auto same = [](W a, W b) { return a == b || (a != a && b != b); };
  for (int64_t row = first_row(); row - threadIdx.y < outer.count(); row += row_step()) {
    const bool is_row = row < outer.count();
    const T* from = x + (is_row ? outer.offset(row) : 0);
    int64_t best = -1;
    W most = 0;
    each_of_row(from, step, is_row ? size : 0, [&](W value, int64_t i, int) {
      if (best < 0 || better(value, most) || (last && same(value, most))) best = i, most = value;
    });
    best = combine_block(best, int64_t{-1}, [=](int64_t i, int64_t j) {
      if (i < 0 || j < 0) return i < 0 ? j : i;
      const W a = widen(from[i * step]), b = widen(from[j * step]);
      if (same(a, b)) return (i > j) == last ? i : j;
      return better(a, b) ? i : j;
    });
    if (threadIdx.x == 0 && is_row) y[row] = best;
  }
}

template <class T, bool kLargest>
void launch_arg(const Queue& queue, const Axes<1>& outer, int64_t size, int64_t step, bool last, const void* x,
                int64_t* y) {
  if (outer.count == 0) return;
  const dim3 block = step >= 32 && outer.count >= 8192 ? neighbours_block() : row_block(size);
  launch(queue, arg<T, kLargest>, row_grid(outer.count, block), block, static_cast<const T*>(x), y, Walk<1>(outer),
         size, step, last);
}

}  // namespace

ReduceLaunch find_reduction(std::string_view name, DType type) {
  using Ordered = NumberElements;
  if ((name == "Max" || name == "Min") && type == DType::kBool) type = DType::kUint8;
  if (name == "Sum") return with<SumOf, Summed>(type);
  if (name == "Mean") return with<MeanOf, Summed>(type);
  if (name == "SumSquare") return with<SumSquareOf, Summed>(type);
  if (name == "L1") return with<L1Of, Summed>(type);
  if (name == "L2") return with<L2Of, Summed>(type);
  if (name == "LogSum") return with<LogSumOf, Summed>(type);
  if (name == "Prod") return with<ProdOf, Summed>(type);
  if (name == "Max") return with<MaxOf, Ordered>(type);
  if (name == "Min") return with<MinOf, Ordered>(type);
  ReduceLaunch result = nullptr;
  if (name == "LogSumExp")
    with_element(Summed{}, type, [&]<class T>(std::type_identity<T>) { result = launch_log_sum_exp<T>; });
  return result;
}

ArgLaunch find_arg(bool largest, DType type) {
  ArgLaunch result = nullptr;
  with_element(NumberElements{}, type,
               [&]<class T>(std::type_identity<T>) { result = largest ? launch_arg<T, true> : launch_arg<T, false>; });
  return result;
}

}  // namespace onnxrun::cuda
