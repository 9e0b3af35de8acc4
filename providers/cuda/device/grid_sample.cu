// GridSample: a thread a point, which places its taps once for all channels.
#include "cuda/device/grid_sample.h"

#include <cmath>

#include "cuda/device/bytes.h"
#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

__device__ double bounded(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

__device__ double reflected(double x, double low, double high) {
  const double range = high - low;
  if (!(x - x == 0) || range <= 0) return low;
  const bool below = x < low;
  if (!below && x <= high) return x;
  const double over = below ? low - x : x - high, turns = floor(over / range), rest = over - turns * range;
  const bool even = fmod(turns, 2.0) == 0;
  return below == even ? low + rest : high - rest;
}

// The coordinate in elements of a normalised one.
__device__ double position(const GridSampling& how, double n, int64_t size) {
  const auto length = static_cast<double>(size);
  double x =
      static_cast<double>(static_cast<float>(how.corners ? (n + 1) / 2 * (length - 1) : ((n + 1) * length - 1) / 2));
  if (how.taps == 1) x = rint(x);
  const double low = how.corners ? 0.0 : -0.5, high = how.corners ? length - 1 : length - 0.5;
  // Of a cubic sample the neighbours are brought inside, each by itself.
  if (how.taps < 4 && !(x >= low && x <= high)) {
    if (how.edge == SampleEdge::kBorder) x = bounded(x != x ? 0.0 : x, 0.0, length - 1);
    if (how.edge == SampleEdge::kReflection) x = reflected(x, low, high);
  }
  return x != x ? -2.0 : bounded(x, -1e15, 1e15);
}

// The element along an axis that coordinate `i` stands for; -1 for a zero.
__device__ int64_t element(const GridSampling& how, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  if (how.edge == SampleEdge::kZeros) return -1;
  if (how.edge == SampleEdge::kBorder) return i < 0 ? 0 : size - 1;
  const auto length = static_cast<double>(size);
  const double at =
      reflected(static_cast<double>(i), how.corners ? 0.0 : -0.5, how.corners ? length - 1 : length - 0.5);
  return static_cast<int64_t>(bounded(at, 0.0, length - 1));
}

__device__ void place_cubic(double t, double (&w)[4]) {
  constexpr double a = -0.75;
  w[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
  w[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
  w[2] = ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1;
  w[3] = ((a * (2 - t) - 5 * a) * (2 - t) + 8 * a) * (2 - t) - 4 * a;
}

// Where a point's taps lie along each axis, and what they weigh.
struct Taps {
  int64_t index[kMaxAxes][4];
  double weight[kMaxAxes][4];
  int64_t combinations = 1;
};

__device__ void place(const GridSampling& how, DType grid_type, const void* grid, int64_t point, Taps& taps) {
  for (int d = 0; d < how.axes; ++d) {
    const double n = load_number<double>(grid, grid_type, point * how.axes + (how.axes - 1 - d));
    const double at = position(how, n, how.space[d]);
    const auto first = static_cast<int64_t>(how.taps == 1 ? at : floor(at));
    const double t = at - static_cast<double>(first);
    taps.weight[d][0] = how.taps == 2 ? 1 - t : 1;
    taps.weight[d][1] = t;
    if (how.taps == 4) place_cubic(t, taps.weight[d]);
    for (int k = 0; k < how.taps; ++k)
      taps.index[d][k] = element(how, first + k - (how.taps == 4 ? 1 : 0), how.space[d]);
    taps.combinations *= how.taps;
  }
}

// The element of the plane that combination `k` of taps names, or -1 for a zero, and its weight.
__device__ int64_t tap_of(const GridSampling& how, const Taps& taps, int64_t k, double& weight) {
  int64_t from = 0;
  weight = 1;
  for (int d = 0; d < how.axes; ++d, k /= how.taps) {
    const int64_t index = taps.index[d][k % how.taps];
    weight *= taps.weight[d][k % how.taps];
    from = index < 0 || from < 0 ? -1 : from * how.space[d] + index;
  }
  return from;
}

template <class T>
__global__ void sample_nearest(const T* x, DType grid_type, const void* grid, T* y, GridSampling how) {
  for (int64_t item = first_item(); item < how.batch * how.points; item += item_step()) {
    Taps taps;
    place(how, grid_type, grid, item, taps);
    double weight;
    const int64_t from = tap_of(how, taps, 0, weight), n = item / how.points, point = item % how.points;
    for (int64_t c = n * how.channels; c < (n + 1) * how.channels; ++c)
      y[c * how.points + point] = from < 0 ? T{} : x[c * how.plane + from];
  }
}

// Whole numbers are cut off.
template <class T, class W>
__device__ T sample_of(W sum) {
  if constexpr (std::is_same_v<T, bool>) return sum != 0;
  else if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<int64_t>(sum));
  else return narrow<T>(sum);
}

template <class T>
__global__ void sample(const T* x, DType grid_type, const void* grid, T* y, GridSampling how) {
  using W = std::conditional_t<std::is_integral_v<T> || std::is_same_v<T, double>, double, float>;
  for (int64_t item = first_item(); item < how.batch * how.points; item += item_step()) {
    Taps taps;
    place(how, grid_type, grid, item, taps);
    const int64_t n = item / how.points, point = item % how.points;
    for (int64_t c = n * how.channels; c < (n + 1) * how.channels; ++c) {
      W sum = 0;
      for (int64_t k = 0; k < taps.combinations; ++k) {
        double weight;
        const int64_t from = tap_of(how, taps, k, weight);
        if (from >= 0) sum += static_cast<W>(weight) * static_cast<W>(widen(x[c * how.plane + from]));
      }
      y[c * how.points + point] = sample_of<T>(sum);
    }
  }
}

template <class T>
void launch_nearest(const Queue& queue, const GridSampling& how, const void* x, DType grid_type, const void* grid,
                    void* y) {
  if (how.batch * how.points * how.channels == 0) return;
  launch(queue, sample_nearest<T>, blocks_for(how.batch * how.points), kThreads, static_cast<const T*>(x), grid_type,
         grid, static_cast<T*>(y), how);
}
template <class T>
void launch_sample(const Queue& queue, const GridSampling& how, const void* x, DType grid_type, const void* grid,
                   void* y) {
  if (how.batch * how.points * how.channels == 0) return;
  launch(queue, sample<T>, blocks_for(how.batch * how.points), kThreads, static_cast<const T*>(x), grid_type, grid,
         static_cast<T*>(y), how);
}

}  // namespace

GridSampleLaunch find_grid_sample(DType type, bool nearest) {
  GridSampleLaunch result = nullptr;
  if (nearest && !base::is_sub_byte(type) && type != DType::kString)
    with_bytes(base::dtype_bits(type) / 8, [&]<class T>(std::type_identity<T>) { result = launch_nearest<T>; });
  if (!nearest) with_element(AnyNumber{}, type, [&]<class T>(std::type_identity<T>) { result = launch_sample<T>; });
  return result;
}

}  // namespace onnxrun::cuda
