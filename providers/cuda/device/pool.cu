// Pools over up to three spatial axes: a thread an output element.
#include "cuda/device/pool.h"

#include <cmath>
#include <limits>

#include "cuda/device/divisor.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

// The taps [first, last) of a window that meet the axis, and the place of the first one.
template <class I>
struct Taps {
  I first = 0, last = 0, start = 0;
  __device__ I count() const { return last - first; }
};
template <bool kFlat, class I>
__device__ Taps<I> taps(const Pool& p, int d, I o) {
  const I start = o * static_cast<I>(p.strides[d]) - static_cast<I>(p.begin[d]);
  const I in = static_cast<I>(p.in[d]), kernel = static_cast<I>(p.kernel[d]), dilation = static_cast<I>(p.dilations[d]);
  const auto taps_in = [dilation](I places) {
    return places <= 0 ? I(0) : kFlat || dilation == 1 ? places : (places - 1) / dilation + 1;
  };
  const I first = taps_in(-start), end = taps_in(in - start), last = end < kernel ? end : kernel;
  if (first >= last) return {};
  return {first, last, start + first * (kFlat ? I(1) : dilation)};
}

// Taps within the axis and its padding.
template <class I>
__device__ I padded_taps(const Pool& p, int d, I o) {
  const int64_t start = static_cast<int64_t>(o) * p.strides[d] - p.begin[d];
  const int64_t reach = (p.in[d] + p.end[d] - 1 - start) / p.dilations[d] + 1;
  return static_cast<I>(reach < 0 ? 0 : reach < p.kernel[d] ? reach : p.kernel[d]);
}

// Takes an output's index apart, from the last axis to the first; what is left counts planes.
struct PoolOut {
  Divisor axes[3];

  template <class I>
  __device__ int64_t plane_of(int64_t item, I (&o)[3]) const {
    if constexpr (sizeof(I) == 4) {
      auto rest = static_cast<uint32_t>(item);
      for (int d = 2; d >= 0; --d) rest = axes[d].narrow_divide(rest, o[d]);
      return rest;
    } else {
      for (int d = 2; d >= 0; --d) item = axes[d].divide(item, o[d]);
      return item;
    }
  }
};

// Not greater than any element.
template <class W>
__device__ constexpr W least() {
  if constexpr (std::is_floating_point_v<W>) return -std::numeric_limits<W>::infinity();
  else return std::numeric_limits<W>::lowest();
}

template <class I>
__device__ I padded_taps(const Pool& p, const I (&o)[3]) {
  I product = 1;
  for (int d = 0; d < 3; ++d) product *= padded_taps(p, d, o[d]);
  return product;
}

constexpr int kAtOnce = 4;  // elements of a window's line that are read before the first is waited for

// Outputs, places within a plane and taps are counted in I. Flat is what has two axes at most and no dilations.
template <class T, PoolKind kKind, bool kIndices, bool kFlat, class I>
__global__ void pool(const T* x, T* y, int64_t* indices, Pool p, PoolOut out, int64_t count) {
  using W = WorkOf<T>;
  const int64_t in_size = p.in[0] * p.in[1] * p.in[2];
  const I rows = static_cast<I>(p.in[1]), columns = static_cast<I>(p.in[2]);
  // From tap to tap; a dilation beyond the axis has no second tap.
  const auto step = [&](int d) {
    return kFlat ? I(1) : static_cast<I>(p.dilations[d] < p.in[d] ? p.dilations[d] : p.in[d]);
  };
  const I deep_step = step(0) * rows * columns, down_step = step(1) * columns, along_step = step(2);
  for (int64_t item = first_item(); item < count; item += item_step()) {
    I o[3];
    const int64_t plane = out.plane_of(item, o);
    const Taps<I> deep = kFlat ? Taps<I>{0, 1, 0} : taps<false>(p, 0, o[0]);
    const Taps<I> down = taps<kFlat>(p, 1, o[1]), along = taps<kFlat>(p, 2, o[2]);
    const T* from = x + plane * in_size;
    W best = least<W>();
    double sum = 0;
    I where = -1;
    I layer = (deep.start * rows + down.start) * columns + along.start;
    for (I a = deep.first; a < deep.last; ++a, layer += deep_step) {
      I line = layer;
      for (I b = down.first; b < down.last; ++b, line += down_step) {
        I at = line;
        for (I c = along.first; c < along.last; c += kAtOnce, at += kAtOnce * along_step) {
          T read[kAtOnce];
          for (int n = 0; n < kAtOnce; ++n) read[n] = c + n < along.last ? from[at + n * along_step] : T{};
          for (int n = 0; n < kAtOnce; ++n) {
            if (c + n >= along.last) break;
            const W value = widen(read[n]);
            if constexpr (kKind == PoolKind::kMax) {
              if constexpr (kIndices)
                if (value > best || where < 0) where = at + n * along_step;
              if (value > best) best = value;
            } else if constexpr (kKind == PoolKind::kAverage) {
              sum += static_cast<double>(value);
            } else {
              const double size = fabs(static_cast<double>(value));
              sum += p.p == 1 ? size : p.p == 2 ? size * size : pow(size, p.p);
            }
          }
        }
      }
    }
    if constexpr (kKind == PoolKind::kMax) {
      y[item] = narrow<T>(best);
      if constexpr (kIndices) {
        if (where < 0) where = 0;
        const I column = where % columns, row = where / columns % rows, depth = where / columns / rows;
        indices[item] =
            plane * in_size + (p.columns_first ? (column * rows + row) * static_cast<I>(p.in[0]) + depth : where);
      }
    } else if constexpr (kKind == PoolKind::kAverage) {
      const I divisor = p.count_pads ? padded_taps(p, o) : deep.count() * down.count() * along.count();
      y[item] = narrow<T>(divisor == 0 ? 0.0 : sum / static_cast<double>(divisor));
    } else {
      y[item] = narrow<T>(p.p == 1 ? sum : p.p == 2 ? sqrt(sum) : pow(sum, 1 / p.p));
    }
  }
}

// Flat pools with windows of at most kSide by kSide: all of a window is read before the first element is waited for.
template <class T, PoolKind kKind, int kSide>
__global__ void pool_small(const T* x, T* y, Pool p, PoolOut out, int64_t count) {
  using W = WorkOf<T>;
  constexpr bool kMax = kKind == PoolKind::kMax;
  const int rows = static_cast<int>(p.in[1]), columns = static_cast<int>(p.in[2]);
  const int down = static_cast<int>(p.kernel[1]), along = static_cast<int>(p.kernel[2]);
  for (int64_t item = first_item(); item < count; item += item_step()) {
    int32_t o[3];
    const T* from = x + out.plane_of(item, o) * rows * columns;
    const int row = o[1] * static_cast<int>(p.strides[1]) - static_cast<int>(p.begin[1]);
    const int column = o[2] * static_cast<int>(p.strides[2]) - static_cast<int>(p.begin[2]);
    T window[kSide][kSide];
    for (int b = 0; b < kSide; ++b)
      for (int c = 0; c < kSide; ++c) {
        const bool inside =
            b < down && c < along && row + b >= 0 && row + b < rows && column + c >= 0 && column + c < columns;
        window[b][c] = inside ? from[(row + b) * columns + column + c] : narrow<T>(kMax ? least<W>() : W(0));
      }
    W best = least<W>();
    double sum = 0;
    for (const auto& line : window)
      for (const T& element : line) {
        const W value = widen(element);
        if constexpr (!kMax) sum += static_cast<double>(value);
        else if (value > best) best = value;
      }
    if constexpr (kMax) {
      y[item] = narrow<T>(best);
    } else {
      const int divisor =
          p.count_pads ? padded_taps(p, o) : taps<true>(p, 1, o[1]).count() * taps<true>(p, 2, o[2]).count();
      y[item] = narrow<T>(divisor == 0 ? 0.0 : sum / static_cast<double>(divisor));
    }
  }
}

// Whether nothing that a pool of `count` outputs counts leaves 32 bits.
bool is_narrow(const Pool& p, int64_t count) {
  if (count >= kNarrow) return false;
  constexpr int64_t kLimit = 1 << 15;
  for (int d = 0; d < 3; ++d)
    if (p.dilations[d] >= kLimit || p.kernel[d] >= kLimit || p.strides[d] >= kLimit || p.begin[d] >= kNarrow / 4 ||
        p.end[d] >= kNarrow / 4 || p.in[d] >= kNarrow / 4 || p.out[d] * p.strides[d] >= kNarrow / 4)
      return false;
  // The places before the first and beyond the last tap, too.
  return (p.in[0] + p.dilations[0]) * (p.in[1] + p.dilations[1]) < kNarrow / 4 &&
         (p.in[0] + p.dilations[0]) * (p.in[1] + p.dilations[1]) * (p.in[2] + p.dilations[2]) < kNarrow / 4 &&
         p.kernel[0] * p.kernel[1] < kNarrow / 4 && p.kernel[0] * p.kernel[1] * p.kernel[2] < kNarrow / 4;
}

bool is_flat(const Pool& p) {
  return p.in[0] == 1 && p.out[0] == 1 && p.kernel[0] == 1 && p.begin[0] == 0 && p.dilations[1] == 1 &&
         p.dilations[2] == 1;
}

template <class T, PoolKind kKind, bool kIndices>
void launch_pool_of(const Queue& queue, const Pool& p, const void* x, void* y, int64_t* indices) {
  const int64_t count = p.planes * p.out[0] * p.out[1] * p.out[2];
  if (count == 0) return;
  PoolOut out;
  for (int d = 0; d < 3; ++d) out.axes[d] = Divisor(p.out[d], count);
  const bool narrow = is_narrow(p, count);
  if constexpr (!kIndices && kKind != PoolKind::kLp)
    if (narrow && is_flat(p) && p.kernel[1] <= 3 && p.kernel[2] <= 3) {
      const bool two = p.kernel[1] <= 2 && p.kernel[2] <= 2;
      return launch(queue, two ? pool_small<T, kKind, 2> : pool_small<T, kKind, 3>, blocks_for(count), kThreads,
                    static_cast<const T*>(x), static_cast<T*>(y), p, out, count);
    }
  auto kernel = narrow ? pool<T, kKind, kIndices, false, int32_t> : pool<T, kKind, kIndices, false, int64_t>;
  if constexpr (!kIndices)
    if (narrow && is_flat(p)) kernel = pool<T, kKind, kIndices, true, int32_t>;
  launch(queue, kernel, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), indices, p, out,
         count);
}

template <class T, PoolKind kKind>
void launch_pool(const Queue& queue, const Pool& p, const void* x, void* y, int64_t* indices) {
  if constexpr (kKind == PoolKind::kMax)
    if (indices != nullptr) return launch_pool_of<T, kKind, true>(queue, p, x, y, indices);
  launch_pool_of<T, kKind, false>(queue, p, x, y, nullptr);
}

}  // namespace

PoolLaunch find_pool(PoolKind kind, DType type) {
  PoolLaunch result = nullptr;
  if (kind == PoolKind::kMax)
    with_element(JoinElements<FloatElements, Elements<int8_t, uint8_t>>{}, type,
                 [&]<class T>(std::type_identity<T>) { result = launch_pool<T, PoolKind::kMax>; });
  else
    with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) {
      result = kind == PoolKind::kAverage ? launch_pool<T, PoolKind::kAverage> : launch_pool<T, PoolKind::kLp>;
    });
  return result;
}

}  // namespace onnxrun::cuda
