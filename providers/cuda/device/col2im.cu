// Col2Im: a thread a pixel.
#include "cuda/device/col2im.h"

#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

__device__ void coordinates(int64_t index, const int64_t* dims, int axes, int64_t* out) {
  for (int d = axes - 1; d >= 0; --d) {
    out[d] = index % dims[d];
    index /= dims[d];
  }
}

// Elements of `kParts` numbers.
template <class T, int kParts>
__global__ void block_sum(const T* x, T* y, BlockSum how) {
  using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, WorkOf<T>>;
  for (int64_t item = first_item(); item < how.planes * how.image_size * kParts; item += item_step()) {
    const int64_t part = item % kParts, plane = item / kParts / how.image_size;
    int64_t pixel[kMaxAxes], k[kMaxAxes];
    coordinates(item / kParts % how.image_size, how.image, how.axes, pixel);
    Sum sum = 0;
    for (int64_t e = 0; e < how.block_size; ++e) {
      coordinates(e, how.block, how.axes, k);
      int64_t at = 0;
      bool inside = true;
      for (int d = 0; inside && d < how.axes; ++d) {
        const int64_t reach = pixel[d] + how.pads[d] - k[d] * how.dilations[d];
        inside = reach >= 0 && reach % how.strides[d] == 0 && reach / how.strides[d] < how.blocks[d];
        at = at * how.blocks[d] + reach / how.strides[d];
      }
      if (inside)
        sum += static_cast<Sum>(widen(x[((plane * how.block_size + e) * how.block_count + at) * kParts + part]));
    }
    y[item] = narrow<T>(sum);
  }
}

template <class T, int kParts>
void launch_block_sum(const Queue& queue, const BlockSum& how, const void* x, void* y) {
  const int64_t count = how.planes * how.image_size * kParts;
  if (count > 0)
    launch(queue, block_sum<T, kParts>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how);
}

}  // namespace

BlockSumLaunch find_block_sum(DType type) {
  if (type == DType::kComplex64) return launch_block_sum<float, 2>;
  if (type == DType::kComplex128) return launch_block_sum<double, 2>;
  BlockSumLaunch result = nullptr;
  with_element(NumberElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_block_sum<T, 1>; });
  return result;
}

}  // namespace onnxrun::cuda
