// AffineGrid: a thread a point, in double.
#include "cuda/device/affine_grid.h"

#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

__device__ double position(int64_t i, int64_t size, bool corners) {
  if (corners) return size == 1 ? -1.0 : -1.0 + 2.0 * static_cast<double>(i) / static_cast<double>(size - 1);
  return (2.0 * static_cast<double>(i) + 1.0) / static_cast<double>(size) - 1.0;
}

__global__ void affine_grid(AffineGridding how, DType type, const void* theta, void* y) {
  for (int64_t item = first_item(); item < how.batch * how.points; item += item_step()) {
    double at[4];
    int64_t rest = item % how.points;
    for (int64_t d = how.axes - 1; d >= 0; --d) {  // x is the last axis of the space
      at[how.axes - 1 - d] = position(rest % how.space[d], how.space[d], how.corners);
      rest /= how.space[d];
    }
    at[how.axes] = 1;
    const int64_t row = how.axes + 1, matrix = item / how.points * how.axes * row;
    for (int64_t r = 0; r < how.axes; ++r) {
      double sum = 0;
      for (int64_t k = 0; k < row; ++k) sum += load_number<double>(theta, type, matrix + r * row + k) * at[k];
      store_number(y, type, item * how.axes + r, sum);
    }
  }
}

}  // namespace

void launch_affine_grid(const Queue& queue, const AffineGridding& how, DType type, const void* theta, void* y) {
  if (how.batch * how.points > 0)
    launch(queue, affine_grid, blocks_for(how.batch * how.points), kThreads, how, type, theta, y);
}

}  // namespace onnxrun::cuda
