// Plain loops of convolutions in any number of spatial axes: the reference of the faster kernels.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/window_geometry.h"

namespace onnxrun::cpu {

// Splits a flat index over dims[0, count) into coordinates.
inline void coordinates(int64_t flat, const std::vector<int64_t>& dims, size_t count, int64_t* at) {
  for (size_t d = count; d-- > 0;) {
    at[d] = flat % dims[d];
    flat /= dims[d];
  }
}

inline constexpr size_t kMaxSpatialAxes = 16;
inline constexpr int64_t kConvolveRow = 256;

// Walks the rows of the output of a convolution, or of a transposed one, in pieces of up to kConvolveRow elements. `reach(d, o, k)` is the input
// index along axis d that meets output index o at kernel index k, or -1 outside; `products(weights, from, kw, first, count, sums)` adds to
// sums[0, count), the output's columns from `first` on, what one row of the input contributes through column kw of the kernel; `weights_of(m, c)`
// is the index of the filter's elements of output channel m and input channel c of its group. Calls store(m, offset, sums, count) with `count` sums
// of output channel m that begin at element `offset` of y. `work` is the cost of a row.
template <class T, class Reach, class WeightsOf, class Products, class Store>
void walk_output_rows(RunContext& context, const WindowGeometry& g, int64_t group, int64_t work, const T* x, const T* w,
                      Reach reach, WeightsOf weights_of, Products products, Store store) {
  const int64_t channels = g.in_channels / group, filters = g.out_channels / group;
  const size_t last = g.rank() - 1;
  const int64_t width = g.out[last], rows = width == 0 ? 0 : g.out_size / width;
  const int64_t in_width = g.in[last], kernel_width = g.kernel[last], kernel_rows = g.kernel_size / kernel_width;
  context.parallel(
      g.batch * g.out_channels * rows, std::max<int64_t>(1, 16384 / work), [&](int64_t begin, int64_t end) {
        double sums[kConvolveRow];
        int64_t o[kMaxSpatialAxes], k[kMaxSpatialAxes];
        Pacer pacer(context);
        for (int64_t item = begin; item < end; ++item) {
          const int64_t row = item % rows, m = item / rows % g.out_channels, n = item / rows / g.out_channels;
          coordinates(row, g.out, last, o);
          for (int64_t first = 0; first < width; first += kConvolveRow) {
            const int64_t count = std::min(kConvolveRow, width - first);
            std::fill_n(sums, count, 0.0);
            for (int64_t kr = 0; kr < kernel_rows; ++kr) {
              coordinates(kr, g.kernel, last, k);
              pacer.did(8);
              int64_t in_row = 0;
              bool inside = true;
              for (size_t d = 0; d < last && inside; ++d) {
                const int64_t i = reach(d, o[d], k[d]);
                inside = i >= 0;
                in_row = in_row * g.in[d] + i;
              }
              if (!inside) continue;
              for (int64_t c = 0; c < channels; ++c) {
                const T* from = x + (n * g.in_channels + m / filters * channels + c) * g.in_size + in_row * in_width;
                const T* weights = w + weights_of(m, c) * g.kernel_size + kr * kernel_width;
                for (int64_t kw = 0; kw < kernel_width; ++kw) {
                  pacer.did(count);
                  products(static_cast<double>(weights[kw]), from, kw, first, count, sums);
                }
              }
            }
            store(m, (n * g.out_channels + m) * g.out_size + row * width + first, static_cast<const double*>(sums),
                  count);
          }
        }
      });
}

// y[n, m, o] = sum over c, k of x[n, c, o * stride + k * dilation - pad] * w[m, c, k], accumulated in double; `store` as above.
template <class T, class Store>
void convolve(RunContext& context, const WindowGeometry& g, int64_t group, const T* x, const T* w, Store store) {
  const size_t last = g.rank() - 1;
  const int64_t channels = g.in_channels / group, in_width = g.in[last];
  const int64_t stride = g.strides[last], dilation = g.dilations[last], pad = g.pad_begin[last];
  walk_output_rows(
      context, g, group, std::max<int64_t>(1, g.out[last] * channels * g.kernel_size), x, w,
      [&](size_t d, int64_t o, int64_t k) {
        const int64_t i = o * g.strides[d] + k * g.dilations[d] - g.pad_begin[d];
        return i < g.in[d] ? i : -1;
      },
      [&](int64_t m, int64_t c) { return m * channels + c; },
      [&](double weight, const T* from, int64_t kw, int64_t first, int64_t count, double* sums) {
        const int64_t shift = kw * dilation - pad;  // input column of output column 0
        const int64_t low = std::max(first, shift >= 0 ? 0 : (-shift + stride - 1) / stride);
        const int64_t high = shift >= in_width ? 0 : std::min(first + count, (in_width - 1 - shift) / stride + 1);
        for (int64_t i = low; i < high; ++i) sums[i - first] += weight * static_cast<double>(from[i * stride + shift]);
      },
      store);
}

}  // namespace onnxrun::cpu
