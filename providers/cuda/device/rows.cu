// Softmax and the normalisations: a block a row.
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

template <class T, bool kLog>
__global__ void softmax(const T* x, T* y, Rows rows) {
  using W = WorkOf<T>;
  for (int64_t row = blockIdx.x; row < rows.count; row += gridDim.x) {
    const T* from = x + first_of(rows, row);
    T* to = y + first_of(rows, row);
    W most = -std::numeric_limits<W>::infinity();
    for (int64_t i = threadIdx.x; i < rows.size; i += blockDim.x) {
      const W value = widen(from[i * rows.step]);
      most = most > value || most != most ? most : value;
    }
    most = max_block(most, -std::numeric_limits<W>::infinity());
    W sum = 0;
    for (int64_t i = threadIdx.x; i < rows.size; i += blockDim.x)
      sum += step_of<T, kLog>(exp(static_cast<W>(widen(from[i * rows.step])) - most));
    sum = divisor_of<T, kLog>(sum_block(sum));
    const W last = kLog ? log(sum) : sum;
    for (int64_t i = threadIdx.x; i < rows.size; i += blockDim.x) {
      const W value = static_cast<W>(widen(from[i * rows.step])) - most;
      to[i * rows.step] = narrow<T>(kLog ? value - last : step_of<T, kLog>(exp(value)) / last);
    }
  }
}

template <class T, bool kLog>
void launch_softmax(const Queue& queue, const Rows& rows, const void* x, void* y) {
  if (rows.count == 0 || rows.size == 0) return;
  launch(queue, softmax<T, kLog>, blocks_for_rows(rows.count), threads_for_row(rows.size), static_cast<const T*>(x),
         static_cast<T*>(y), rows);
}

template <class T>
__global__ void lp_normalize(const T* x, T* y, Rows rows, int p) {
  using W = WorkOf<T>;
  for (int64_t row = blockIdx.x; row < rows.count; row += gridDim.x) {
    const T* from = x + first_of(rows, row);
    T* to = y + first_of(rows, row);
    W sum = 0;
    for (int64_t i = threadIdx.x; i < rows.size; i += blockDim.x) {
      const W value = widen(from[i * rows.step]);
      sum += p == 1 ? fabs(value) : value * value;
    }
    sum = sum_block(sum);
    const W norm = p == 1 ? sum : sqrt(sum);
    for (int64_t i = threadIdx.x; i < rows.size; i += blockDim.x) {
      const W value = widen(from[i * rows.step]);
      to[i * rows.step] = narrow<T>(norm == W(0) ? W(0) : value / norm);
    }
  }
}

template <class T>
void launch_lp_normalize(const Queue& queue, const Rows& rows, int p, const void* x, void* y) {
  if (rows.count == 0 || rows.size == 0) return;
  launch(queue, lp_normalize<T>, blocks_for_rows(rows.count), threads_for_row(rows.size), static_cast<const T*>(x),
         static_cast<T*>(y), rows, p);
}

// Computed in W.
template <class T, class W>
__global__ void normalize(const T* x, void* y, Normalization how) {
  const bool same_type = how.y_type == DType::kNone;
  for (int64_t row = blockIdx.x; row < how.count; row += gridDim.x) {
    const T* from = x + row * how.size;
    W mean = 0;
    if (how.centred) {
      for (int64_t i = threadIdx.x; i < how.size; i += blockDim.x) mean += static_cast<W>(widen(from[i]));
      mean = sum_block(mean) / static_cast<W>(how.size);
    }
    W squares = 0;
    for (int64_t i = threadIdx.x; i < how.size; i += blockDim.x) {
      const W d = static_cast<W>(widen(from[i])) - mean;
      squares += d * d;
    }
    const W factor = W(1) / sqrt(sum_block(squares) / static_cast<W>(how.size) + static_cast<W>(how.epsilon));
    for (int64_t i = threadIdx.x; i < how.size; i += blockDim.x) {
      int64_t at[2] = {0, 0};
      if (how.period != 0) at[0] = at[1] = row % how.period;
      else how.parameters.offsets(row * how.size + i, at);
      W value = (static_cast<W>(widen(from[i])) - mean) * factor;
      if (how.scale != nullptr) value *= load_number<W>(how.scale, how.scale_type, at[0]);
      if (how.bias != nullptr) value += load_number<W>(how.bias, how.bias_type, at[1]);
      if (same_type) static_cast<T*>(y)[row * how.size + i] = narrow<T>(value);
      else store_number(y, how.y_type, row * how.size + i, value);
    }
    if (threadIdx.x == 0) {
      if (how.mean != nullptr) store_number(how.mean, how.statistics_type, row, mean);
      if (how.factor != nullptr) store_number(how.factor, how.statistics_type, row, factor);
    }
  }
}

template <class T>
void launch_normalize(const Queue& queue, const Normalization& how, const void* x, void* y) {
  if (how.count == 0 || how.size == 0) return;
  const auto kernel = how.y_type == DType::kFloat64 ? normalize<T, double> : normalize<T, WorkOf<T>>;
  launch(queue, kernel, blocks_for_rows(how.count), threads_for_row(how.size), static_cast<const T*>(x), y, how);
}

template <class T>
__global__ void batch_norm(const T* x, T* y, BatchNorm how) {
  using W = WorkOf<T>;
  for (int64_t i = first_item(); i < how.count; i += item_step()) {
    const int64_t c = i / how.plane % how.channels;
    const W factor = load_number<W>(how.scale, how.scale_type, c) /
                     sqrt(load_number<W>(how.variance, how.mean_type, c) + static_cast<W>(how.epsilon));
    const W value = (static_cast<W>(widen(x[i])) - load_number<W>(how.mean, how.mean_type, c)) * factor;
    y[i] = narrow<T>(value + load_number<W>(how.bias, how.scale_type, c));
  }
}

template <class T>
void launch_batch_norm(const Queue& queue, const BatchNorm& how, const void* x, void* y) {
  if (how.count == 0) return;
  launch(queue, batch_norm<T>, blocks_for(how.count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how);
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
__global__ void standardize(const T* x, T* y, Axes<1> outer, Axes<1> inner) {
  using W = WorkOf<T>;
  for (int64_t row = blockIdx.x; row < outer.count; row += gridDim.x) {
    int64_t first[1];
    outer.offsets(row, first);
    const auto place = [&](int64_t i) {
      int64_t at[1];
      inner.offsets(i, at);
      return first[0] + at[0];
    };
    W sum = 0, squares = 0;
    for (int64_t i = threadIdx.x; i < inner.count; i += blockDim.x) sum += widen(x[place(i)]);
    const W mean = sum_block(sum) / static_cast<W>(inner.count);
    for (int64_t i = threadIdx.x; i < inner.count; i += blockDim.x) {
      const W d = static_cast<W>(widen(x[place(i)])) - mean;
      squares += d * d;
    }
    const W divisor = sqrt(sum_block(squares) / static_cast<W>(inner.count)) + static_cast<W>(1e-9);
    for (int64_t i = threadIdx.x; i < inner.count; i += blockDim.x)
      y[place(i)] = narrow<T>((static_cast<W>(widen(x[place(i)])) - mean) / divisor);
  }
}

template <class T>
void launch_standardize(const Queue& queue, const Axes<1>& outer, const Axes<1>& inner, const void* x, void* y) {
  if (outer.count == 0 || inner.count == 0) return;
  launch(queue, standardize<T>, blocks_for_rows(outer.count), threads_for_row(inner.count), static_cast<const T*>(x),
         static_cast<T*>(y), outer, inner);
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
