// Products and convolutions of 8-bit integers without tensor cores: small ones, and those of groups of few filters.
#include "cuda/device/integer.h"

#include "cuda/device/divisor.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"
#include "cuda/device/requantize.h"

namespace onnxrun::cuda {
namespace {

constexpr int kTile = 16;

template <class T>
__device__ int zero_at(const PerLine& zero, int64_t line) {
  return zero.data == nullptr ? 0 : static_cast<int>(static_cast<const T*>(zero.data)[line * zero.step]);
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

// The divisions that lead from an output element to what it sees.
struct ConvolutionWalk {
  Divisor out[3], dilations[3], filters, per_group;

  // Of dividends up to `limit`.
  ConvolutionWalk(const IntegerConvolution& how, int64_t limit)
      : filters(how.filters, limit), per_group(how.filters / how.groups, limit) {
    for (int d = 0; d < 3; ++d) out[d] = Divisor(how.out[d], limit), dilations[d] = Divisor(how.dilations[d], limit);
  }
};

// n / by of numbers that are not negative, and what is left.
template <class Index>
__device__ Index divide(const Divisor& by, Index n, Index& rest) {
  if constexpr (sizeof(Index) == 4) return static_cast<Index>(by.narrow_divide(static_cast<uint32_t>(n), rest));
  else return by.divide(n, rest);
}

// A thread an output element. Index is the type of places and distances: 32 bits where those fit.
template <class X, class W, class Y, class Index>
__global__ void integer_convolution(const X* __restrict__ x, const W* __restrict__ w, Y* __restrict__ y,
                                    IntegerConvolution how, ConvolutionWalk walk) {
  Index in[3], kernel[3], dilation[3];
  for (int d = 0; d < 3; ++d) {
    in[d] = static_cast<Index>(how.in[d]), kernel[d] = static_cast<Index>(how.kernel[d]);
    dilation[d] = static_cast<Index>(how.dilations[d]);
  }
  const auto channels = static_cast<Index>(how.channels / how.groups);
  const int x_zero = zero_at<X>(how.x_zero, 0);
  const int64_t count = how.batch * how.filters * how.out[0] * how.out[1] * how.out[2];
  for (int64_t item = first_item(); item < count; item += item_step()) {
    auto rest = static_cast<Index>(item);
    Index start[3], from[3], to[3], m, ignored;
    // The part of the kernel, [from, to), that sees the image.
    for (int d = 2; d >= 0; --d) {
      rest = divide(walk.out[d], rest, start[d]);
      start[d] = start[d] * static_cast<Index>(how.strides[d]) - static_cast<Index>(how.begin[d]);
      from[d] = start[d] >= 0 ? 0 : divide(walk.dilations[d], dilation[d] - 1 - start[d], ignored);
      const Index last = start[d] >= in[d] ? 0 : divide(walk.dilations[d], in[d] - start[d] + dilation[d] - 1, ignored);
      to[d] = last < kernel[d] ? last : kernel[d];
    }
    const Index n = divide(walk.filters, rest, m), group = divide(walk.per_group, m, ignored);
    const int w_zero = zero_at<W>(how.w_zero, m);
    const X* plane = x + (n * how.groups + group) * static_cast<int64_t>(channels) * in[0] * in[1] * in[2];
    const W* weights = w + m * static_cast<int64_t>(channels) * kernel[0] * kernel[1] * kernel[2];
    unsigned sum = 0;
    for (Index c = 0; c < channels; ++c) {
      for (Index i = from[0]; i < to[0]; ++i)
        for (Index j = from[1]; j < to[1]; ++j) {
          const X* line =
              plane + ((start[0] + i * dilation[0]) * in[1] + start[1] + j * dilation[1]) * in[2] + start[2];
          const W* row = weights + (i * kernel[1] + j) * kernel[2];
          for (Index k = from[2]; k < to[2]; ++k)
            sum += static_cast<unsigned>((static_cast<int>(line[k * dilation[2]]) - x_zero) *
                                         (static_cast<int>(row[k]) - w_zero));
        }
      plane += in[0] * in[1] * in[2];
      weights += kernel[0] * kernel[1] * kernel[2];
    }
    if (how.bias != nullptr) sum += static_cast<unsigned>(how.bias[m]);
    y[item] = ended<Y>(static_cast<int>(sum), how.ends, 0, m);
  }
}

// Whether places and distances of a convolution fit 31 bits.
bool is_small(const IntegerConvolution& how) {
  double x = static_cast<double>(how.channels / how.groups), w = x,
         y = static_cast<double>(how.batch) * static_cast<double>(how.filters);
  double start = 0;
  for (int d = 0; d < 3; ++d) {
    const double in = static_cast<double>(how.in[d]),
                 begin = static_cast<double>(how.begin[d] < 0 ? -how.begin[d] : how.begin[d]);
    const double kernel = static_cast<double>(how.kernel[d]), out = static_cast<double>(how.out[d]);
    x *= in, w *= kernel, y *= out;
    start = start * in + out * static_cast<double>(how.strides[d]) + kernel * static_cast<double>(how.dilations[d]) +
            begin + in;
  }
  constexpr double kMost = 1 << 30;
  return x < kMost && w < kMost && y < kMost && start < kMost;
}

template <class X, class W, class Y>
void launch_integer_convolution(const Queue& queue, const IntegerConvolution& how, const void* x, const void* w,
                                void* y) {
  const int64_t count = how.batch * how.filters * how.out[0] * how.out[1] * how.out[2];
  if (count == 0) return;
  const bool small = is_small(how);
  launch(queue, small ? integer_convolution<X, W, Y, int32_t> : integer_convolution<X, W, Y, int64_t>,
         blocks_for(count), kThreads, static_cast<const X*>(x), static_cast<const W*>(w), static_cast<Y*>(y), how,
         ConvolutionWalk(how, small ? kNarrow - 1 : kNarrow));
}

using ByteElements = Elements<int8_t, uint8_t>;

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

}  // namespace onnxrun::cuda
