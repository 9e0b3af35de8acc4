// Products and convolutions of 8-bit integers, and products with weights of few bits.
#include "cuda/device/integer.h"

#include <cmath>
#include <limits>

#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

constexpr int kTile = 16;

__device__ float scale_at(const void* data, DType type, int64_t i) {
  switch (type) {
    case DType::kFloat16: return __half2float(static_cast<const __half*>(data)[i]);
    case DType::kBfloat16: return __bfloat162float(static_cast<const __nv_bfloat16*>(data)[i]);
    default: return static_cast<const float*>(data)[i];
  }
}

template <class T>
__device__ int zero_at(const PerLine& zero, int64_t line) {
  return zero.data == nullptr ? 0 : static_cast<int>(static_cast<const T*>(zero.data)[line * zero.step]);
}

template <class Y>
__device__ Y ended(int sum, const Requantization& ends, int64_t row, int64_t column) {
  if constexpr (std::is_same_v<Y, int32_t>) {
    return sum;
  } else if constexpr (std::is_same_v<Y, float>) {
    const float scale = scale_at(ends.a_scale.data, ends.scale_type, row * ends.a_scale.step) *
                        scale_at(ends.b_scale.data, ends.scale_type, column * ends.b_scale.step);
    const float value = static_cast<float>(sum) * scale;
    return ends.bias == nullptr ? value : value + ends.bias[column];
  } else {
    const float scale = scale_at(ends.a_scale.data, ends.scale_type, row * ends.a_scale.step) *
                        scale_at(ends.b_scale.data, ends.scale_type, column * ends.b_scale.step) /
                        scale_at(ends.y_scale, ends.scale_type, 0);
    const double zero = ends.y_zero == nullptr ? 0.0 : static_cast<double>(*static_cast<const Y*>(ends.y_zero));
    const double value = rint(static_cast<double>(sum) * static_cast<double>(scale)) + zero;
    constexpr double kLow = std::numeric_limits<Y>::lowest(), kHigh = std::numeric_limits<Y>::max();
    return static_cast<Y>(value > kLow ? (value < kHigh ? value : kHigh) : kLow);
  }
}

// A block a tile of the result.
template <class A, class B, class Y>
__global__ void integer_product(const A* a, const B* b, Y* y, IntegerProduct how) {
  __shared__ int left[kTile][kTile], right[kTile][kTile + 1];
  const int64_t row = static_cast<int64_t>(blockIdx.y) * kTile + threadIdx.y;
  const int64_t column = static_cast<int64_t>(blockIdx.x) * kTile + threadIdx.x;
  const int a_zero = row < how.m ? zero_at<A>(how.a_zero, row) : 0;
  const int b_zero = column < how.n ? zero_at<B>(how.b_zero, column) : 0;
  int sum = 0;
  for (int64_t first = 0; first < how.k; first += kTile) {
    const int64_t ka = first + threadIdx.x, kb = first + threadIdx.y;
    left[threadIdx.y][threadIdx.x] = row < how.m && ka < how.k ? static_cast<int>(a[row * how.k + ka]) - a_zero : 0;
    right[threadIdx.y][threadIdx.x] =
        column < how.n && kb < how.k ? static_cast<int>(b[kb * how.n + column]) - b_zero : 0;
    __syncthreads();
    for (int i = 0; i < kTile; ++i) sum += left[threadIdx.y][i] * right[i][threadIdx.x];
    __syncthreads();
  }
  if (row < how.m && column < how.n) y[row * how.n + column] = ended<Y>(sum, how.ends, row, column);
}

template <class A, class B, class Y>
void launch_integer_product(const Queue& queue, const IntegerProduct& how, const void* a, const void* b, void* y) {
  if (how.m * how.n == 0) return;
  // The grid's second dimension ends at 65535.
  constexpr int64_t kMostRows = int64_t{65535} * kTile;
  for (int64_t first = 0; first < how.m; first += kMostRows) {
    IntegerProduct part = how;
    part.m = how.m - first < kMostRows ? how.m - first : kMostRows;
    const auto move = [&](PerLine& line, int64_t bytes) {
      if (line.data != nullptr) line.data = static_cast<const char*>(line.data) + first * line.step * bytes;
    };
    move(part.a_zero, sizeof(A));
    move(part.ends.a_scale, how.ends.scale_type == DType::kFloat32 ? 4 : 2);
    const dim3 grid(static_cast<unsigned>((how.n + kTile - 1) / kTile),
                    static_cast<unsigned>((part.m + kTile - 1) / kTile));
    launch(queue, integer_product<A, B, Y>, grid, dim3(kTile, kTile), static_cast<const A*>(a) + first * how.k,
           static_cast<const B*>(b), static_cast<Y*>(y) + first * how.n, part);
  }
}

// A thread an output element.
template <class X, class W, class Y>
__global__ void integer_convolution(const X* x, const W* w, Y* y, IntegerConvolution how) {
  const int64_t out_size = how.out[0] * how.out[1] * how.out[2], in_size = how.in[0] * how.in[1] * how.in[2];
  const int64_t kernel_size = how.kernel[0] * how.kernel[1] * how.kernel[2];
  const int64_t per_group = how.channels / how.groups, filters = how.filters / how.groups;
  for (int64_t item = first_item(); item < how.batch * how.filters * out_size; item += item_step()) {
    const int64_t m = item / out_size % how.filters, n = item / out_size / how.filters;
    int64_t start[3], rest = item % out_size;
    for (int d = 2; d >= 0; --d) {
      start[d] = rest % how.out[d] * how.strides[d] - how.begin[d];
      rest /= how.out[d];
    }
    const int x_zero = zero_at<X>(how.x_zero, 0), w_zero = zero_at<W>(how.w_zero, m);
    int sum = 0;
    for (int64_t c = 0; c < per_group; ++c) {
      const X* plane = x + (n * how.channels + m / filters * per_group + c) * in_size;
      const W* weights = w + (m * per_group + c) * kernel_size;
      for (int64_t i = 0; i < how.kernel[0]; ++i) {
        const int64_t z = start[0] + i * how.dilations[0];
        if (z < 0 || z >= how.in[0]) continue;
        for (int64_t j = 0; j < how.kernel[1]; ++j) {
          const int64_t v = start[1] + j * how.dilations[1];
          if (v < 0 || v >= how.in[1]) continue;
          for (int64_t k = 0; k < how.kernel[2]; ++k) {
            const int64_t u = start[2] + k * how.dilations[2];
            if (u < 0 || u >= how.in[2]) continue;
            sum += (static_cast<int>(plane[(z * how.in[1] + v) * how.in[2] + u]) - x_zero) *
                   (static_cast<int>(weights[(i * how.kernel[1] + j) * how.kernel[2] + k]) - w_zero);
          }
        }
      }
    }
    if (how.bias != nullptr) sum += how.bias[m];
    y[item] = ended<Y>(sum, how.ends, 0, m);
  }
}

template <class X, class W, class Y>
void launch_integer_convolution(const Queue& queue, const IntegerConvolution& how, const void* x, const void* w,
                                void* y) {
  const int64_t count = how.batch * how.filters * how.out[0] * how.out[1] * how.out[2];
  if (count == 0) return;
  launch(queue, integer_convolution<X, W, Y>, blocks_for(count), kThreads, static_cast<const X*>(x),
         static_cast<const W*>(w), static_cast<Y*>(y), how);
}

using ByteElements = Elements<int8_t, uint8_t>;

// A warp an element of the result: its lanes share the depth.
template <class T>
__global__ void n_bits_product(const T* a, T* y, NBitsProduct how) {
  const int64_t lane = threadIdx.x % 32, warps = static_cast<int64_t>(gridDim.x) * (blockDim.x / 32);
  const auto* scales = static_cast<const T*>(how.scales);
  const auto* float_zeros = static_cast<const T*>(how.float_zeros);
  const unsigned mask = (1u << how.bits) - 1;
  for (int64_t item = static_cast<int64_t>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32; item < how.m * how.n;
       item += warps) {
    const int64_t row = item / how.n, column = item % how.n;
    float sum = 0;
    for (int64_t k = lane; k < how.k; k += 32) {
      int64_t block = how.groups == nullptr ? k / how.block : how.groups[k];
      if (block < 0 || block >= how.blocks) {
        set(how.report);
        block = 0;
      }
      const int64_t bit = k * how.bits;
      const unsigned code = how.weights[column * how.row_bytes + bit / 8] >> bit % 8 & mask;
      float zero = static_cast<float>(1u << (how.bits - 1));
      if (how.zeros != nullptr) {
        const int64_t at = block * how.bits;
        zero = static_cast<float>(how.zeros[column * how.zero_row_bytes + at / 8] >> at % 8 & mask);
      } else if (float_zeros != nullptr) {
        zero = static_cast<float>(widen(float_zeros[column * how.blocks + block]));
      }
      const float weight =
          (static_cast<float>(code) - zero) * static_cast<float>(widen(scales[column * how.blocks + block]));
      sum += static_cast<float>(widen(a[row * how.k + k])) * weight;
    }
    for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
    if (lane != 0) continue;
    if (how.bias != nullptr) sum += static_cast<float>(widen(static_cast<const T*>(how.bias)[column]));
    y[item] = narrow<T>(sum);
  }
}

template <class T>
void launch_n_bits(const Queue& queue, const NBitsProduct& how, const void* a, void* y) {
  if (how.m * how.n == 0) return;
  launch(queue, n_bits_product<T>, blocks_for(how.m * how.n, 4), 128, static_cast<const T*>(a), static_cast<T*>(y),
         how);
}

}  // namespace

IntegerProductLaunch find_integer_product(DType a, DType b, DType y) {
  IntegerProductLaunch result = nullptr;
  with_element(ByteElements{}, a, [&]<class A>(std::type_identity<A>) {
    with_element(ByteElements{}, b, [&]<class B>(std::type_identity<B>) {
      with_element(Elements<int32_t, float, int8_t, uint8_t>{}, y,
                   [&]<class Y>(std::type_identity<Y>) { result = launch_integer_product<A, B, Y>; });
    });
  });
  return result;
}

IntegerConvolutionLaunch find_integer_convolution(DType x, DType w, DType y) {
  IntegerConvolutionLaunch result = nullptr;
  with_element(ByteElements{}, x, [&]<class X>(std::type_identity<X>) {
    with_element(ByteElements{}, w, [&]<class W>(std::type_identity<W>) {
      with_element(Elements<int32_t, int8_t, uint8_t>{}, y,
                   [&]<class Y>(std::type_identity<Y>) { result = launch_integer_convolution<X, W, Y>; });
    });
  });
  return result;
}

NBitsLaunch find_n_bits(DType type) {
  NBitsLaunch result = nullptr;
  with_element(Elements<float, __half, __nv_bfloat16>{}, type,
               [&]<class T>(std::type_identity<T>) { result = launch_n_bits<T>; });
  return result;
}

}  // namespace onnxrun::cuda
