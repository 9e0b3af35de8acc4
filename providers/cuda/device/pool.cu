// Pools over up to three spatial axes: a thread an output element.
#include "cuda/device/pool.h"

#include <cmath>
#include <limits>

#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

template <class T, PoolKind kKind>
__global__ void pool(const T* x, T* y, int64_t* indices, Pool p) {
  using W = WorkOf<T>;
  const int64_t out_size = p.out[0] * p.out[1] * p.out[2], in_size = p.in[0] * p.in[1] * p.in[2];
  for (int64_t item = first_item(); item < p.planes * out_size; item += item_step()) {
    const int64_t plane = item / out_size;
    int64_t o[3], start[3], divisor = 1;
    int64_t rest = item % out_size;
    for (int d = 2; d >= 0; --d) {
      o[d] = rest % p.out[d];
      rest /= p.out[d];
      start[d] = o[d] * p.strides[d] - p.begin[d];
      const int64_t reach = (p.in[d] + p.end[d] - 1 - start[d]) / p.dilations[d] + 1;
      divisor *= reach < 0 ? 0 : reach < p.kernel[d] ? reach : p.kernel[d];
    }
    const T* from = x + plane * in_size;
    W best = W(0);
    if constexpr (kKind == PoolKind::kMax) {
      if constexpr (std::is_floating_point_v<W>) best = -std::numeric_limits<W>::infinity();
      else best = std::numeric_limits<W>::lowest();
    }
    double sum = 0;
    int64_t where = -1, inside = 0;
    for (int64_t a = 0; a < p.kernel[0]; ++a) {
      const int64_t i = start[0] + a * p.dilations[0];
      if (i < 0 || i >= p.in[0]) continue;
      for (int64_t b = 0; b < p.kernel[1]; ++b) {
        const int64_t j = start[1] + b * p.dilations[1];
        if (j < 0 || j >= p.in[1]) continue;
        for (int64_t c = 0; c < p.kernel[2]; ++c) {
          const int64_t k = start[2] + c * p.dilations[2];
          if (k < 0 || k >= p.in[2]) continue;
          const W value = widen(from[(i * p.in[1] + j) * p.in[2] + k]);
          ++inside;
          if constexpr (kKind == PoolKind::kMax) {
            if (value > best || where < 0) {
              if (value > best) best = value;
              where = p.columns_first ? (k * p.in[1] + j) * p.in[0] + i : (i * p.in[1] + j) * p.in[2] + k;
            }
          } else if constexpr (kKind == PoolKind::kAverage) {
            sum += static_cast<double>(value);
          } else {
            const double size = fabs(static_cast<double>(value));
            sum += p.p == 1 ? size : p.p == 2 ? size * size : pow(size, p.p);
          }
        }
      }
    }
    if constexpr (kKind == PoolKind::kMax) {
      y[item] = narrow<T>(best);
      if (indices != nullptr) indices[item] = plane * in_size + (where < 0 ? 0 : where);
    } else if constexpr (kKind == PoolKind::kAverage) {
      const int64_t count = p.count_pads ? divisor : inside;
      y[item] = narrow<T>(count == 0 ? 0.0 : sum / static_cast<double>(count));
    } else {
      y[item] = narrow<T>(p.p == 1 ? sum : p.p == 2 ? sqrt(sum) : pow(sum, 1 / p.p));
    }
  }
}

template <class T, PoolKind kKind>
void launch_pool(const Queue& queue, const Pool& p, const void* x, void* y, int64_t* indices) {
  const int64_t count = p.planes * p.out[0] * p.out[1] * p.out[2];
  if (count == 0) return;
  launch(queue, pool<T, kKind>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), indices, p);
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
