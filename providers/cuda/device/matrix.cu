// Determinants by elimination with row pivots, in double: a block a matrix.
#include "cuda/device/matrix.h"

#include <cmath>

#include "cuda/device/block.h"
#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

__global__ void determinant(int64_t count, int64_t n, DType type, const void* x, double* work, void* y) {
  for (int64_t matrix = blockIdx.x; matrix < count; matrix += gridDim.x) {
    double* a = work + matrix * n * n;
    for (int64_t i = threadIdx.x; i < n * n; i += blockDim.x) a[i] = load_number<double>(x, type, matrix * n * n + i);
    __syncthreads();
    double result = 1;
    for (int64_t k = 0; k < n; ++k) {
      int64_t pivot = k;
      for (int64_t i = k + 1; i < n; ++i)
        if (fabs(a[i * n + k]) > fabs(a[pivot * n + k])) pivot = i;
      const double divisor = a[pivot * n + k];
      __syncthreads();  // before rows are swapped
      if (divisor == 0) {
        result = 0;
        break;
      }
      if (pivot != k) {
        for (int64_t j = k + threadIdx.x; j < n; j += blockDim.x) {
          const double moved = a[k * n + j];
          a[k * n + j] = a[pivot * n + j];
          a[pivot * n + j] = moved;
        }
        result = -result;
        __syncthreads();
      }
      result *= divisor;
      const int64_t left = n - k - 1;
      for (int64_t i = threadIdx.x; i < left * left; i += blockDim.x) {
        const int64_t row = k + 1 + i / left, column = k + 1 + i % left;
        a[row * n + column] -= a[row * n + k] / divisor * a[k * n + column];
      }
      __syncthreads();
    }
    if (threadIdx.x == 0) store_number(y, type, matrix, result);
  }
}

}  // namespace

void launch_determinant(const Queue& queue, int64_t count, int64_t size, DType type, const void* x, double* work,
                        void* y) {
  if (count > 0)
    launch(queue, determinant, blocks_for_rows(count), threads_for_row(size * size), count, size, type, x, work, y);
}

}  // namespace onnxrun::cuda
