// Reductions: a block, or some threads of it, an output element or a piece of what it is made of.
#include "cuda/device/reduce.h"

#include <cmath>
#include <limits>

#include "cuda/device/block.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"
#include "cuda/device/row_pieces.h"

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

// Pieces of rows leave what they found in `parts`, whole rows, which have none, their result in y.
template <class T, class R>
__global__ void reduce(const T* x, T* y, typename R::Part* parts, Walk<1> outer, Walk<1> inner, RowPieces pieces,
                       int64_t step) {
  using Part = typename R::Part;
  const int64_t count = outer.count() * pieces.each;
  for (int64_t i = first_row(); i - threadIdx.y < count; i += row_step()) {
    const bool is_row = i < count;
    const RowPiece piece = is_row ? pieces[i] : RowPiece{};
    const T* from = x + (is_row ? outer.offset(piece.row) : 0);
    Part part = R::kStart;
    if (step != 0)
      each_of_row(from + piece.first * step, step, piece.size,
                  [&](WorkOf<T> value, int64_t, int) { part = R::step(part, value); });
    else
      for (int64_t k = threadIdx.x; k < piece.size; k += blockDim.x)
        part = R::step(part, widen(from[inner.offset(piece.first + k)]));
    part = combine_block(part, Part(R::kStart), [](Part a, Part b) { return R::join(a, b); });
    if (threadIdx.x != 0 || !is_row) continue;
    if (parts != nullptr) parts[i] = part;
    else y[i] = narrow<T>(R::end(part, inner.count()));
  }
}

// Of rows that lie side by side: x counts rows, y their elements; the grid's y counts pieces.
constexpr unsigned kColumns = 32, kColumnParts = 16;
template <class T, class R>
__global__ void reduce_columns(const T* x, T* y, typename R::Part* results, Walk<1> outer, Walk<1> inner,
                               RowPieces pieces) {
  using Part = typename R::Part;
  __shared__ Part parts[kColumnParts][kColumns];
  const RowPiece piece = pieces[blockIdx.y];
  for (int64_t first = int64_t{blockIdx.x} * kColumns; first < outer.count(); first += int64_t{gridDim.x} * kColumns) {
    const int64_t row = first + threadIdx.x;
    const bool is_row = row < outer.count();
    Part part = R::kStart;
    if (is_row) {
      const T* from = x + outer.offset(row);
      for (int64_t k = threadIdx.y; k < piece.size; k += blockDim.y)
        part = R::step(part, widen(from[inner.offset(piece.first + k)]));
    }
    parts[threadIdx.y][threadIdx.x] = part;
    __syncthreads();
    if (threadIdx.y == 0 && is_row) {
      for (unsigned n = 1; n < blockDim.y; ++n) part = R::join(part, parts[n][threadIdx.x]);
      if (results != nullptr) results[row * pieces.each + blockIdx.y] = part;
      else y[row] = narrow<T>(R::end(part, inner.count()));
    }
    __syncthreads();  // before the next parts
  }
}

// A block a row; `each` parts of a row of `size` elements.
template <class T, class R>
__global__ void join_parts(const typename R::Part* parts, T* y, int64_t rows, int64_t each, int64_t size) {
  using Part = typename R::Part;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    Part part = R::kStart;
    for (int64_t i = threadIdx.x; i < each; i += blockDim.x) part = R::join(part, parts[row * each + i]);
    part = combine_block(part, Part(R::kStart), [](Part a, Part b) { return R::join(a, b); });
    if (threadIdx.x == 0) y[row] = narrow<T>(R::end(part, size));
  }
}

// log(sum of exp), from the largest element on. W is also the type of the pieces' parts.
template <class T>
struct LogSumExp {
  using W = std::conditional_t<std::is_floating_point_v<WorkOf<T>>, WorkOf<T>, double>;

  // Infinite, the largest is the result; so it is where there are no elements.
  __device__ static W base(W most) { return most - most == W(0) ? most : W(0); }
  __device__ static T end(W most, W sum) {
    const W result = log(sum) + base(most);
    if constexpr (std::is_integral_v<T>) return from_real<T>(static_cast<double>(result));
    else return narrow<T>(result);
  }
};

// A part is the largest element and the sum.
template <class T>
__global__ void log_sum_exp(const T* x, T* y, typename LogSumExp<T>::W* parts, Walk<1> outer, Walk<1> inner,
                            RowPieces pieces) {
  using W = typename LogSumExp<T>::W;
  for (int64_t i = blockIdx.x; i < outer.count() * pieces.each; i += gridDim.x) {
    const RowPiece piece = pieces[i];
    const T* from = x + outer.offset(piece.row);
    const auto element = [&](int64_t k) { return static_cast<W>(widen(from[inner.offset(piece.first + k)])); };
    W most = lowest<W>();
    for (int64_t k = threadIdx.x; k < piece.size; k += blockDim.x) most = MaxOf<W>::step(most, element(k));
    most = max_block(most, lowest<W>());
    const W base = LogSumExp<T>::base(most);
    W sum = 0;
    for (int64_t k = threadIdx.x; k < piece.size; k += blockDim.x) sum += exp(element(k) - base);
    sum = sum_block(sum);
    if (threadIdx.x != 0) continue;
    if (parts != nullptr) parts[2 * i] = most, parts[2 * i + 1] = sum;
    else y[i] = LogSumExp<T>::end(most, sum);
  }
}

template <class T>
__global__ void join_log_sums(const typename LogSumExp<T>::W* parts, T* y, int64_t rows, int64_t each) {
  using W = typename LogSumExp<T>::W;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const W* own = parts + 2 * row * each;
    W most = lowest<W>();
    for (int64_t i = threadIdx.x; i < each; i += blockDim.x) most = MaxOf<W>::step(most, own[2 * i]);
    most = max_block(most, lowest<W>());
    const W base = LogSumExp<T>::base(most);
    W sum = 0;
    // A part without a sum may have no base to bring it to this one.
    for (int64_t i = threadIdx.x; i < each; i += blockDim.x)
      if (own[2 * i + 1] != W(0)) sum += own[2 * i + 1] * exp(LogSumExp<T>::base(own[2 * i]) - base);
    sum = sum_block(sum);
    if (threadIdx.x == 0) y[row] = LogSumExp<T>::end(most, sum);
  }
}

// Whether neighbouring rows lie side by side and are enough to fill whole accesses.
bool is_columns(const Axes<1>& outer, const Axes<1>& inner) {
  return outer.rank > 0 && outer.steps[0][outer.rank - 1] == 1 && outer.dims[outer.rank - 1] >= 8 && inner.count > 1;
}

constexpr unsigned kJoiners = 128;  // threads that join the parts of a row

template <class T, class R>
void launch_reduce(const Queue& queue, const Axes<1>& outer, const Axes<1>& inner, const void* x, void* y,
                   void* scratch) {
  if (outer.count == 0) return;
  const auto* from = static_cast<const T*>(x);
  auto* to = static_cast<T*>(y);
  auto* parts = static_cast<typename R::Part*>(scratch);
  RowPieces pieces;
  if (is_columns(outer, inner)) {
    const int64_t blocks = (outer.count + kColumns - 1) / kColumns;
    pieces = cut_rows(blocks, inner.count, kShortestOfNeighbours);
    unsigned threads = 1;
    while (threads < kColumnParts && int64_t{threads} * 4 < pieces.length) threads *= 2;
    dim3 grid = blocks_for_rows(blocks);
    grid.y = static_cast<unsigned>(pieces.each);
    launch(queue, reduce_columns<T, R>, grid, dim3(kColumns, threads), from, to, pieces.each > 1 ? parts : nullptr,
           Walk<1>(outer), Walk<1>(inner), pieces);
  } else {
    pieces = cut_rows(outer.count, inner.count);
    const dim3 block = row_block(pieces.length);
    launch(queue, reduce<T, R>, row_grid(outer.count * pieces.each, block), block, from, to,
           pieces.each > 1 ? parts : nullptr, Walk<1>(outer), Walk<1>(inner), pieces,
           inner.rank == 1 ? inner.steps[0][0] : 0);
  }
  if (pieces.each > 1)
    launch(queue, join_parts<T, R>, blocks_for_rows(outer.count), kJoiners, parts, to, outer.count, pieces.each,
           inner.count);
}
template <class T>
void launch_log_sum_exp(const Queue& queue, const Axes<1>& outer, const Axes<1>& inner, const void* x, void* y,
                        void* scratch) {
  if (outer.count == 0) return;
  const RowPieces pieces = cut_rows(outer.count, inner.count);
  auto* to = static_cast<T*>(y);
  auto* parts = static_cast<typename LogSumExp<T>::W*>(scratch);
  launch(queue, log_sum_exp<T>, blocks_for_rows(outer.count * pieces.each), threads_for_row(pieces.length),
         static_cast<const T*>(x), to, pieces.each > 1 ? parts : nullptr, Walk<1>(outer), Walk<1>(inner), pieces);
  if (pieces.each > 1)
    launch(queue, join_log_sums<T>, blocks_for_rows(outer.count), kJoiners, parts, to, outer.count, pieces.each);
}

using Summed = JoinElements<FloatElements, Elements<int32_t, int64_t, uint32_t, uint64_t>>;

template <template <class> class R, class List>
ReduceLaunch with(DType type) {
  ReduceLaunch result = nullptr;
  with_element(List{}, type, [&]<class T>(std::type_identity<T>) { result = launch_reduce<T, R<WorkOf<T>>>; });
  return result;
}

// Which of two elements comes first in the order wanted; NaN comes before all.
template <class T, bool kLargest>
class Order {
 public:
  using W = WorkOf<T>;
  __device__ Order(const T* row, int64_t step, bool last) : row_(row), step_(step), last_(last) {}

  // Of elements a and, further on, b.
  __device__ bool replaces(W a, W b) const { return better(b, a) || (last_ && same(a, b)); }
  // Of the elements of two indices, of which -1 is none.
  __device__ int64_t operator()(int64_t i, int64_t j) const {
    if (i < 0 || j < 0) return i < 0 ? j : i;
    const W a = widen(row_[i * step_]), b = widen(row_[j * step_]);
    if (same(a, b)) return (i > j) == last_ ? i : j;
    return better(a, b) ? i : j;
  }

 private:
  __device__ static bool better(W a, W b) { return a != a ? b == b : b != b ? false : kLargest ? a > b : a < b; }
  __device__ static bool same(W a, W b) { return a == b || (a != a && b != b); }

  const T* row_;
  int64_t step_;
  bool last_;
};

// The index within its row of the first in that order, of each row or piece of one.
template <class T, bool kLargest>
__global__ void arg(const T* x, int64_t* y, Walk<1> outer, RowPieces pieces, int64_t step, bool last) {
  using W = WorkOf<T>;
  const int64_t count = outer.count() * pieces.each;
  for (int64_t i = first_row(); i - threadIdx.y < count; i += row_step()) {
    const bool is_row = i < count;
    const RowPiece piece = is_row ? pieces[i] : RowPiece{};
    const T* row = x + (is_row ? outer.offset(piece.row) : 0);
    const Order<T, kLargest> order(row, step, last);
    int64_t best = -1;
    W most = 0;
    each_of_row(row + piece.first * step, step, piece.size, [&](W value, int64_t k, int) {
      if (best < 0 || order.replaces(most, value)) best = piece.first + k, most = value;
    });
    best = combine_block(best, int64_t{-1}, order);
    if (threadIdx.x == 0 && is_row) y[i] = best;
  }
}

template <class T, bool kLargest>
__global__ void join_args(const T* x, const int64_t* parts, int64_t* y, Walk<1> outer, int64_t each, int64_t step,
                          bool last) {
  for (int64_t row = blockIdx.x; row < outer.count(); row += gridDim.x) {
    const Order<T, kLargest> order(x + outer.offset(row), step, last);
    int64_t best = -1;
    for (int64_t i = threadIdx.x; i < each; i += blockDim.x) best = order(best, parts[row * each + i]);
    best = combine_block(best, int64_t{-1}, order);
    if (threadIdx.x == 0) y[row] = best;
  }
}

template <class T, bool kLargest>
void launch_arg(const Queue& queue, const Axes<1>& outer, int64_t size, int64_t step, bool last, const void* x,
                int64_t* y, void* scratch) {
  if (outer.count == 0) return;
  const RowPieces pieces = cut_rows(outer.count, size);
  const dim3 block = step >= 32 && outer.count >= 8192 ? neighbours_block() : row_block(pieces.length);
  const auto* from = static_cast<const T*>(x);
  auto* parts = static_cast<int64_t*>(scratch);
  launch(queue, arg<T, kLargest>, row_grid(outer.count * pieces.each, block), block, from, pieces.each > 1 ? parts : y,
         Walk<1>(outer), pieces, step, last);
  if (pieces.each > 1)
    launch(queue, join_args<T, kLargest>, blocks_for_rows(outer.count), kJoiners, from, parts, y, Walk<1>(outer),
           pieces.each, step, last);
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
