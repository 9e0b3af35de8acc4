// Softmax and the normalisations: a block, or some threads of it, a row.
#include <cmath>
#include <limits>

#include "cuda/device/block.h"
#include "cuda/device/launch.h"
#include "cuda/device/number.h"
#include "cuda/device/reduce.h"

namespace onnxrun::cuda {
namespace {

__device__ int64_t first_of(const Rows& rows, int64_t row) {
  return row / rows.step * rows.size * rows.step + row % rows.step;
}

// Rows that lie side by side are read side by side, where there are many.
dim3 block_for(const Rows& rows) {
  return rows.step >= 32 && rows.count >= 8192 ? neighbours_block() : row_block(rows.size);
}

// Softmax of float16 rounds each step, as the operator's function body does.
template <class T, bool kLog, class W>
__device__ W step_of(W value) {
  if constexpr (std::is_same_v<T, __half> && !kLog) return __half2float(__float2half_rn(value));
  else return value;
}
// A sum beyond the type's range is not rounded.
template <class T, bool kLog, class W>
__device__ W divisor_of(W sum) {
  const W rounded = step_of<T, kLog>(sum);
  return rounded - rounded == W(0) ? rounded : sum;
}

template <class T, bool kLog, bool kKept>
__global__ void __launch_bounds__(kMaxRowThreads) softmax(const T* x, T* y, Rows rows) {
  using W = WorkOf<T>;
  for (int64_t row = first_row(); row - threadIdx.y < rows.count; row += row_step()) {
    const int64_t first = first_of(rows, row);
    const Share<T, W, kKept> share(x + first, rows.step, row < rows.count ? rows.size : 0);
    W most = -std::numeric_limits<W>::infinity();
    share.each([&](W value, int64_t, int) { most = most > value || most != most ? most : value; });
    most = max_block(most, -std::numeric_limits<W>::infinity());
    W sum = 0;
    share.each([&](W value, int64_t, int) { sum += step_of<T, kLog>(exp(value - most)); });
    sum = divisor_of<T, kLog>(sum_block(sum));
    const W last = kLog ? log(sum) : sum;
    T* to = y + first;
    share.each([&](W value, int64_t i, int) {
      to[i * rows.step] = narrow<T>(kLog ? value - most - last : step_of<T, kLog>(exp(value - most)) / last);
    });
  }
}

template <class T, bool kLog>
void launch_softmax(const Queue& queue, const Rows& rows, const void* x, void* y) {
  if (rows.count == 0 || rows.size == 0) return;
  const dim3 block = block_for(rows);
  launch(queue, is_held(rows.size, block) ? softmax<T, kLog, true> : softmax<T, kLog, false>,
         row_grid(rows.count, block), block, static_cast<const T*>(x), static_cast<T*>(y), rows);
}

template <class T, bool kKept>
__global__ void __launch_bounds__(kMaxRowThreads) lp_normalize(const T* x, T* y, Rows rows, int p) {
  using W = WorkOf<T>;
  for (int64_t row = first_row(); row - threadIdx.y < rows.count; row += row_step()) {
    const int64_t first = first_of(rows, row);
    const Share<T, W, kKept> share(x + first, rows.step, row < rows.count ? rows.size : 0);
    W sum = 0;
    share.each([&](W value, int64_t, int) { sum += p == 1 ? fabs(value) : value * value; });
    sum = sum_block(sum);
    const W norm = p == 1 ? sum : sqrt(sum);
    T* to = y + first;
    share.each([&](W value, int64_t i, int) { to[i * rows.step] = narrow<T>(norm == W(0) ? W(0) : value / norm); });
  }
}

template <class T>
void launch_lp_normalize(const Queue& queue, const Rows& rows, int p, const void* x, void* y) {
  if (rows.count == 0 || rows.size == 0) return;
  const dim3 block = block_for(rows);
  launch(queue, is_held(rows.size, block) ? lp_normalize<T, true> : lp_normalize<T, false>, row_grid(rows.count, block),
         block, static_cast<const T*>(x), static_cast<T*>(y), rows, p);
}

// What brings a row to mean 0 and variance 1.
template <class W>
struct Scaling {
  W mean, factor;
};
template <class T, class W, bool kKept>
__device__ Scaling<W> scaling_of(const Share<T, W, kKept>& share, const Normalization& how) {
  const auto size = static_cast<W>(how.size);
  W mean = 0;
  if (how.centred) {
    share.each([&](W value, int64_t, int) { mean += value; });
    mean = sum_block(mean) / size;
  }
  W squares = 0;
  share.each([&](W value, int64_t, int) { squares += (value - mean) * (value - mean); });
  const W factor = W(1) / sqrt(sum_block(squares) / size + static_cast<W>(how.epsilon));
  return {mean, factor};
}
template <class W>
__device__ void store_statistics(const Normalization& how, int64_t row, const Scaling<W>& scaling) {
  if (threadIdx.x != 0 || row >= how.count) return;
  if (how.mean != nullptr) store_number(how.mean, how.statistics_type, row, scaling.mean);
  if (how.factor != nullptr) store_number(how.factor, how.statistics_type, row, scaling.factor);
}

// Of parameters that have x's type and of which element i serves element i of each row, or one serves all of a row.
template <class T, bool kKept>
__global__ void __launch_bounds__(kMaxRowThreads) normalize(const T* x, T* y, Normalization how) {
  using W = WorkOf<T>;
  using Own = Share<T, W, kKept>;
  for (int64_t row = first_row(); row - threadIdx.y < how.count; row += row_step()) {
    const int64_t size = row < how.count ? how.size : 0;
    const Own share(x + row * how.size, 1, size);
    const int64_t first = how.period != 0 ? row % how.period : 0, step = how.period != 0 ? 0 : 1;
    const auto* scale = static_cast<const T*>(how.scale);
    const auto* bias = static_cast<const T*>(how.bias);
    const Own factors(scale + first, step, scale != nullptr ? size : 0);
    const Own terms(bias + first, step, bias != nullptr ? size : 0);
    const Scaling<W> scaling = scaling_of(share, how);
    T* to = y + row * how.size;
    share.each([&](W value, int64_t i, int n) {
      value = (value - scaling.mean) * scaling.factor;
      if (scale != nullptr) value *= factors.at(i, n);
      if (bias != nullptr) value += terms.at(i, n);
      to[i] = narrow<T>(value);
    });
    store_statistics(how, row, scaling);
  }
}

// Of any parameters; computed in W.
template <class T, class W>
__global__ void __launch_bounds__(kMaxRowThreads)
    normalize_any(const T* x, void* y, Normalization how, Walk<2> parameters) {
  for (int64_t row = first_row(); row - threadIdx.y < how.count; row += row_step()) {
    const int64_t size = row < how.count ? how.size : 0;
    const Share<T, W, false> share(x + row * how.size, 1, size);
    const Scaling<W> scaling = scaling_of(share, how);
    for (int64_t i = threadIdx.x; i < size; i += blockDim.x) {
      int64_t at[2] = {0, 0};
      if (how.period != 0) at[0] = at[1] = row % how.period;
      else parameters.offsets(row * how.size + i, at);
      W value = (share.at(i, 0) - scaling.mean) * scaling.factor;
      if (how.scale != nullptr) value *= load_number<W>(how.scale, how.scale_type, at[0]);
      if (how.bias != nullptr) value += load_number<W>(how.bias, how.bias_type, at[1]);
      if (how.y_type == DType::kNone) static_cast<T*>(y)[row * how.size + i] = narrow<T>(value);
      else store_number(y, how.y_type, row * how.size + i, value);
    }
    store_statistics(how, row, scaling);
  }
}

// Whether a parameter that is walked with the tensor has an element for each element of a row, the same ones for all rows.
bool runs_along_rows(const Normalization& how, int parameter) {
  const Axes<2>& axes = how.parameters;
  if (axes.rank == 0) return true;
  const int last = axes.rank - 1;
  if (axes.dims[last] != how.size || axes.steps[parameter][last] != 1) return false;
  for (int d = 0; d < last; ++d)
    if (axes.steps[parameter][d] != 0) return false;
  return true;
}
template <class T>
bool is_plain(const Normalization& how) {
  const auto plain = [&](const void* data, DType type, int parameter) {
    return data == nullptr || (type == element_type<T>() && (how.period != 0 || runs_along_rows(how, parameter)));
  };
  return how.y_type == DType::kNone && plain(how.scale, how.scale_type, 0) && plain(how.bias, how.bias_type, 1);
}

template <class T>
void launch_normalize(const Queue& queue, const Normalization& how, const void* x, void* y) {
  if (how.count == 0 || how.size == 0) return;
  const dim3 block = row_block(how.size), grid = row_grid(how.count, block);
  const auto* from = static_cast<const T*>(x);
  if (is_plain<T>(how))
    return launch(queue, is_held(how.size, block) ? normalize<T, true> : normalize<T, false>, grid, block, from,
                  static_cast<T*>(y), how);
  launch(queue, how.y_type == DType::kFloat64 ? normalize_any<T, double> : normalize_any<T, WorkOf<T>>, grid, block,
         from, y, how, Walk<2>(how.parameters));
}

template <class T>
__global__ void batch_norm(const T* x, T* y, BatchNorm how, Divisor plane, Divisor channels) {
  using W = WorkOf<T>;
  for (int64_t i = first_item(); i < how.count; i += item_step()) {
    int64_t c, place;
    channels.divide(plane.divide(i, place), c);
    const W factor = load_number<W>(how.scale, how.scale_type, c) /
                     sqrt(load_number<W>(how.variance, how.mean_type, c) + static_cast<W>(how.epsilon));
    const W value = (static_cast<W>(widen(x[i])) - load_number<W>(how.mean, how.mean_type, c)) * factor;
    y[i] = narrow<T>(value + load_number<W>(how.bias, how.scale_type, c));
  }
}

template <class T>
void launch_batch_norm(const Queue& queue, const BatchNorm& how, const void* x, void* y) {
  if (how.count == 0) return;
  launch(queue, batch_norm<T>, blocks_for(how.count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how,
         Divisor(how.plane, how.count), Divisor(how.channels, how.count));
}

// A block a channel; the statistics, which may be of float64 whatever the elements are, in double.
template <class T>
__global__ void batch_train(const T* x, T* y, BatchNorm how, BatchTraining training) {
  using W = WorkOf<T>;
  const int64_t members = how.count / how.channels;
  for (int64_t c = blockIdx.x; c < how.channels; c += gridDim.x) {
    const auto place = [&](int64_t i) { return (i / how.plane * how.channels + c) * how.plane + i % how.plane; };
    const auto element = [&](int64_t i) { return static_cast<double>(widen(x[place(i)])); };
    double sum = 0, squares = 0;
    for (int64_t i = threadIdx.x; i < members; i += blockDim.x) sum += element(i);
    const double mean = sum_block(sum) / static_cast<double>(members);
    for (int64_t i = threadIdx.x; i < members; i += blockDim.x) squares += (element(i) - mean) * (element(i) - mean);
    const double variance = sum_block(squares) / static_cast<double>(members);
    const double root = sqrt(variance + static_cast<double>(how.epsilon));
    const W factor = static_cast<W>(load_number<double>(how.scale, how.scale_type, c) / root);
    const W middle = static_cast<W>(mean), bias = load_number<W>(how.bias, how.scale_type, c);
    for (int64_t i = threadIdx.x; i < members; i += blockDim.x)
      y[place(i)] = narrow<T>((static_cast<W>(widen(x[place(i)])) - middle) * factor + bias);
    if (threadIdx.x != 0) continue;
    const auto move = [&](void* running, const void* before, double now) {
      if (running == nullptr) return;
      const auto momentum = static_cast<double>(training.momentum);
      store_number(running, how.mean_type, c,
                   load_number<double>(before, how.mean_type, c) * momentum + now * (1 - momentum));
    };
    move(training.mean, how.mean, mean);
    move(training.variance, how.variance, variance);
  }
}

template <class T>
void launch_batch_train(const Queue& queue, const BatchNorm& how, const BatchTraining& training, const void* x,
                        void* y) {
  if (how.channels == 0) return;
  launch(queue, batch_train<T>, blocks_for_rows(how.channels), threads_for_row(how.count / how.channels),
         static_cast<const T*>(x), static_cast<T*>(y), how, training);
}

template <class T>
__global__ void standardize(const T* x, T* y, Walk<1> outer, Walk<1> inner) {
  using W = WorkOf<T>;
  for (int64_t row = blockIdx.x; row < outer.count(); row += gridDim.x) {
    const int64_t first = outer.offset(row), size = inner.count();
    const auto place = [&](int64_t i) { return first + inner.offset(i); };
    W sum = 0, squares = 0;
    for (int64_t i = threadIdx.x; i < size; i += blockDim.x) sum += widen(x[place(i)]);
    const W mean = sum_block(sum) / static_cast<W>(size);
    for (int64_t i = threadIdx.x; i < size; i += blockDim.x) {
      const W d = static_cast<W>(widen(x[place(i)])) - mean;
      squares += d * d;
    }
    const W divisor = sqrt(sum_block(squares) / static_cast<W>(size)) + static_cast<W>(1e-9);
    for (int64_t i = threadIdx.x; i < size; i += blockDim.x)
      y[place(i)] = narrow<T>((static_cast<W>(widen(x[place(i)])) - mean) / divisor);
  }
}

template <class T>
void launch_standardize(const Queue& queue, const Axes<1>& outer, const Axes<1>& inner, const void* x, void* y) {
  if (outer.count == 0 || inner.count == 0) return;
  launch(queue, standardize<T>, blocks_for_rows(outer.count), threads_for_row(inner.count), static_cast<const T*>(x),
         static_cast<T*>(y), Walk<1>(outer), Walk<1>(inner));
}

}  // namespace

SoftmaxLaunch find_softmax(std::string_view op, DType type) {
  SoftmaxLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) {
    result = op == "Softmax" ? launch_softmax<T, false> : launch_softmax<T, true>;
  });
  return result;
}
LpNormalLaunch find_lp_normalization(DType type) {
  LpNormalLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_lp_normalize<T>; });
  return result;
}
NormalizationLaunch find_normalization(DType type) {
  NormalizationLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_normalize<T>; });
  return result;
}
BatchNormLaunch find_batch_norm(DType type) {
  BatchNormLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_batch_norm<T>; });
  return result;
}

BatchTrainLaunch find_batch_train(DType type) {
  BatchTrainLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_batch_train<T>; });
  return result;
}
StandardLaunch find_standard(DType type) {
  StandardLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_standardize<T>; });
  return result;
}

}  // namespace onnxrun::cuda
