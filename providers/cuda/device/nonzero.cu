// NonZero: one thread a piece of the elements, so that their order stays.
#include "cuda/device/nonzero.h"

#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

// Element [first, last) of piece p.
__device__ int64_t piece_start(int64_t count, int64_t p) {
  const int64_t size = (count + kNonZeroPieces - 1) / kNonZeroPieces;
  return p * size < count ? p * size : count;
}

template <class T>
__device__ bool is_set(T value) {
  return widen(value) != WorkOf<T>(0);
}

template <class T>
__global__ void count_nonzero(int64_t count, const T* x, int64_t* starts) {
  __shared__ int64_t counts[kNonZeroPieces];
  const int64_t p = threadIdx.x;
  int64_t found = 0;
  for (int64_t i = piece_start(count, p); i < piece_start(count, p + 1); ++i) found += is_set(x[i]) ? 1 : 0;
  counts[p] = found;
  __syncthreads();
  if (p != 0) return;
  int64_t before = 0;
  for (int n = 0; n < kNonZeroPieces; ++n) {
    starts[n] = before;
    before += counts[n];
  }
  starts[kNonZeroPieces] = before;
}

template <class T>
__global__ void write_nonzero(int64_t count, int rank, const int64_t* dims, int64_t found, const int64_t* starts,
                              const T* x, int64_t* y) {
  const int64_t p = threadIdx.x;
  int64_t at = starts[p];
  for (int64_t i = piece_start(count, p); i < piece_start(count, p + 1); ++i) {
    if (!is_set(x[i])) continue;
    int64_t rest = i;
    for (int d = rank - 1; d >= 0; --d) {
      y[d * found + at] = rest % dims[d];
      rest /= dims[d];
    }
    ++at;
  }
}

template <class T>
void launch_count(const Queue& queue, int64_t count, const void* x, int64_t* starts) {
  launch(queue, count_nonzero<T>, 1, kNonZeroPieces, count, static_cast<const T*>(x), starts);
}
template <class T>
void launch_write(const Queue& queue, int64_t count, int rank, const int64_t* dims, int64_t found,
                  const int64_t* starts, const void* x, int64_t* y) {
  if (found * rank > 0)
    launch(queue, write_nonzero<T>, 1, kNonZeroPieces, count, rank, dims, found, starts, static_cast<const T*>(x), y);
}

using Tested = JoinElements<NumberElements, Elements<bool>>;

}  // namespace

NonZeroCount find_nonzero_count(DType type) {
  NonZeroCount result = nullptr;
  with_element(Tested{}, type, [&]<class T>(std::type_identity<T>) { result = launch_count<T>; });
  return result;
}
NonZeroWrite find_nonzero_write(DType type) {
  NonZeroWrite result = nullptr;
  with_element(Tested{}, type, [&]<class T>(std::type_identity<T>) { result = launch_write<T>; });
  return result;
}

}  // namespace onnxrun::cuda
