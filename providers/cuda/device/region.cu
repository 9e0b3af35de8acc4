// RoiAlign and MaxRoiPool: a thread a bin. Places are found in double, so that all precisions sample the same pixels.
#include "cuda/device/region.h"

#include <cmath>

#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

// Which bin of which region and channel an output element is.
struct Bin {
  int64_t region, channel, row, column;
};
__device__ Bin bin_of(const Regions& how, int64_t i) {
  Bin bin;
  bin.column = i % how.columns, i /= how.columns;
  bin.row = i % how.rows, i /= how.rows;
  bin.channel = i % how.channels, bin.region = i / how.channels;
  return bin;
}
__device__ double corner(const Regions& how, int64_t i) { return load_number<double>(how.regions, how.region_type, i); }

// A position along an axis of `size` elements: the two neighbours and the weight of the second; false outside.
struct Sample {
  int64_t low = 0, high = 0;
  double weight = 0;
};
__device__ bool sample(double at, int64_t size, Sample& s) {
  if (!(at >= -1.0 && at <= static_cast<double>(size)) || size == 0) return false;
  if (at < 0) at = 0;
  s.low = static_cast<int64_t>(at);
  if (s.low >= size - 1) {
    s.low = s.high = size - 1;
    s.weight = 0;
  } else {
    s.high = s.low + 1;
    s.weight = at - static_cast<double>(s.low);
  }
  return true;
}

// One axis of a region: where it starts, how long a bin is, and how many samples one has.
struct Side {
  double start, bin;
  int64_t samples;
  __device__ double at(int64_t bin_index, int64_t k) const {
    return start +
           (static_cast<double>(bin_index) + (static_cast<double>(k) + 0.5) / static_cast<double>(samples)) * bin;
  }
  // Samples [first, last) of a bin: all that lie on an axis of `size` elements, and few others.
  struct Range {
    int64_t first, last;
  };
  __device__ Range on_axis(int64_t bin_index, int64_t size) const {
    const auto sample_at = [&](double place) {
      return ((place - start) / bin - static_cast<double>(bin_index)) * static_cast<double>(samples) - 0.5;
    };
    double low = sample_at(-1.0), high = sample_at(static_cast<double>(size));
    if (low > high) {
      const double lower = high;
      high = low, low = lower;
    }
    Range range{0, samples};
    if (low - 1 > 0) range.first = low - 1 < static_cast<double>(samples) ? static_cast<int64_t>(low - 1) : samples;
    if (high + 2 < static_cast<double>(samples)) range.last = high + 2 > 0 ? static_cast<int64_t>(high + 2) : 0;
    if (range.first > range.last) range.first = range.last;
    return range;
  }
};
__device__ Side side_of(const Regions& how, const Alignment& alignment, double from, double to, int64_t bins) {
  const double offset = alignment.half_pixel ? 0.5 : 0.0;
  Side side;
  side.start = from * how.scale - offset;
  double size = to * how.scale - offset - side.start;
  if (!alignment.half_pixel && size < 1.0) size = 1.0;
  side.bin = size / static_cast<double>(bins);
  const double pixels = ceil(side.bin);
  side.samples = alignment.ratio > 0 ? alignment.ratio
                 : !(pixels > 0)     ? 0
                 : pixels > 65536.0  ? 65536
                                     : static_cast<int64_t>(pixels);
  return side;
}

template <class T>
__global__ void align(const T* x, T* y, Regions how, Alignment alignment) {
  using W = WorkOf<T>;
  const int64_t count = how.count * how.channels * how.rows * how.columns;
  for (int64_t i = first_item(); i < count; i += item_step()) {
    const Bin bin = bin_of(how, i);
    const int64_t image = alignment.images[bin.region], r = bin.region * 4;
    if (image < 0 || image >= how.batch) {
      set(how.report);
      continue;
    }
    const T* plane = x + (image * how.channels + bin.channel) * how.height * how.width;
    const Side rows = side_of(how, alignment, corner(how, r + 1), corner(how, r + 3), how.rows);
    const Side columns = side_of(how, alignment, corner(how, r), corner(how, r + 2), how.columns);
    const Side::Range high = rows.on_axis(bin.row, how.height), wide = columns.on_axis(bin.column, how.width);
    W sum = 0, best = 0;
    // A sample outside the image is 0.
    bool any = high.last - high.first < rows.samples || wide.last - wide.first < columns.samples;
    for (int64_t a = high.first; a < high.last; ++a)
      for (int64_t b = wide.first; b < wide.last; ++b) {
        Sample h, w;
        W corners[4] = {0, 0, 0, 0};
        if (sample(rows.at(bin.row, a), how.height, h) && sample(columns.at(bin.column, b), how.width, w)) {
          const auto pixel = [&](int64_t row, int64_t column) {
            return static_cast<W>(widen(plane[row * how.width + column]));
          };
          corners[0] = static_cast<W>((1 - h.weight) * (1 - w.weight)) * pixel(h.low, w.low);
          corners[1] = static_cast<W>((1 - h.weight) * w.weight) * pixel(h.low, w.high);
          corners[2] = static_cast<W>(h.weight * (1 - w.weight)) * pixel(h.high, w.low);
          corners[3] = static_cast<W>(h.weight * w.weight) * pixel(h.high, w.high);
        }
        for (const W value : corners) {
          sum += value;
          if (!any || best < value) best = value;
          any = true;
        }
      }
    const int64_t samples = rows.samples * columns.samples;
    y[i] = narrow<T>(alignment.largest ? best : sum / static_cast<W>(samples > 0 ? samples : 1));
  }
}

__device__ int64_t pixel_at(double value) {
  if (!(value == value)) return 0;
  return static_cast<int64_t>(value < -1e9 ? -1e9 : value > 1e9 ? 1e9 : value);
}

// The pixels [from, to) of a bin along an axis.
struct Span {
  int64_t from, to;
};
__device__ Span span_of(const Regions& how, double low, double high, int64_t bin, int64_t bins, int64_t size) {
  const int64_t first = pixel_at(round(low * how.scale));
  int64_t length = pixel_at(round(high * how.scale)) - first + 1;
  if (length < 1) length = 1;
  const auto edge = [&](int64_t k) {
    return static_cast<double>(k) * static_cast<double>(length) / static_cast<double>(bins);
  };
  const auto inside = [&](int64_t at) { return at < 0 ? 0 : at > size ? size : at; };
  return {inside(pixel_at(floor(edge(bin))) + first), inside(pixel_at(ceil(edge(bin + 1))) + first)};
}

template <class T>
__global__ void region_max(const T* x, T* y, Regions how) {
  const int64_t count = how.count * how.channels * how.rows * how.columns;
  for (int64_t i = first_item(); i < count; i += item_step()) {
    const Bin bin = bin_of(how, i);
    const int64_t r = bin.region * 5;
    const double image = corner(how, r);
    if (!(image >= 0 && image < static_cast<double>(how.batch))) {
      set(how.report);
      continue;
    }
    const T* plane = x + (static_cast<int64_t>(image) * how.channels + bin.channel) * how.height * how.width;
    const Span rows = span_of(how, corner(how, r + 2), corner(how, r + 4), bin.row, how.rows, how.height);
    const Span columns = span_of(how, corner(how, r + 1), corner(how, r + 3), bin.column, how.columns, how.width);
    T best{};
    if (rows.from < rows.to && columns.from < columns.to) best = plane[rows.from * how.width + columns.from];
    for (int64_t row = rows.from; row < rows.to; ++row)
      for (int64_t column = columns.from; column < columns.to; ++column) {
        const T value = plane[row * how.width + column];
        if (widen(best) < widen(value)) best = value;
      }
    y[i] = best;
  }
}

template <class T>
void launch_align(const Queue& queue, const Regions& how, const Alignment& alignment, const void* x, void* y) {
  const int64_t count = how.count * how.channels * how.rows * how.columns;
  if (count > 0)
    launch(queue, align<T>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how, alignment);
}
template <class T>
void launch_region_max(const Queue& queue, const Regions& how, const void* x, void* y) {
  const int64_t count = how.count * how.channels * how.rows * how.columns;
  if (count > 0)
    launch(queue, region_max<T>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how);
}

}  // namespace

AlignLaunch find_align(DType type) {
  AlignLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_align<T>; });
  return result;
}

RegionMaxLaunch find_region_max(DType type) {
  RegionMaxLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_region_max<T>; });
  return result;
}

}  // namespace onnxrun::cuda
