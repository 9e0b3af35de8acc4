// Windows over values in channel blocks, along three axes; those that are missing have one element.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "cpu/loops/polled.h"
#include "cpu/loops/window_geometry.h"

namespace onnxrun::cpu {

struct BlockWindows {
  static constexpr size_t kAxes = 3;
  using Three = std::array<int64_t, kAxes>;

  int64_t block = 0, planes = 0;  // lanes of a block; images times blocks
  Three in{}, out{}, kernel{}, strides{}, dilations{}, pads{}, end_pads{};

  BlockWindows() = default;
  // Of a geometry whose channels are blocks.
  BlockWindows(const WindowGeometry& g, int64_t lanes)
      : block(lanes),
        planes(g.batch * g.in_channels),
        in(three(g.in, 1)),
        out(three(g.out, 1)),
        kernel(three(g.kernel, 1)),
        strides(three(g.strides, 1)),
        dilations(three(g.dilations, 1)),
        pads(three(g.pad_begin, 0)),
        end_pads(three(g.pad_end, 0)) {}

  int64_t rows() const { return out[0] * out[1]; }
  int64_t in_plane() const { return in[0] * in[1] * in[2] * block; }  // elements

  // Kernel positions [begin, end) along an axis that lie in the image for the window at `at`.
  std::pair<int64_t, int64_t> inside(size_t axis, int64_t at) const {
    const int64_t first = at * strides[axis] - pads[axis], step = dilations[axis];
    const int64_t begin = first >= 0 ? 0 : (-first + step - 1) / step;
    const int64_t end = first >= in[axis] ? 0 : std::min(kernel[axis], (in[axis] - 1 - first) / step + 1);
    return {begin, std::max(begin, end)};
  }

  // For each kernel position of which results [begin, end) of row `at` of the output see the image: step(element of the plane, begin, end); its
  // element for the next result is strides[2] blocks further.
  template <class Step>
  void each_tap(int64_t at, Pacer& pacer, Step&& step) const {
    const int64_t z = at / out[1], y = at % out[1];
    const auto [z_begin, z_end] = inside(0, z);
    const auto [y_begin, y_end] = inside(1, y);
    const int64_t most = std::min(kernel[2], (in[2] + pads[2]) / dilations[2] + 1);  // those beyond see nothing
    for (int64_t i = z_begin; i < z_end; ++i)
      for (int64_t j = y_begin; j < y_end; ++j) {
        const int64_t depth = z * strides[0] - pads[0] + i * dilations[0],
                      height = y * strides[1] - pads[1] + j * dilations[1];
        for (int64_t k = 0; k < most; ++k) {
          const int64_t shift = k * dilations[2] - pads[2], stride = strides[2];
          const int64_t begin = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
          const int64_t end = shift >= in[2] ? 0 : std::min(out[2], (in[2] - 1 - shift) / stride + 1);
          pacer.did(begin < end ? (end - begin) * block : 4);
          if (begin < end) step(((depth * in[1] + height) * in[2] + begin * stride + shift) * block, begin, end);
        }
      }
  }

 private:
  // The last of `values` behind as many `fill` as are missing.
  static Three three(const std::vector<int64_t>& values, int64_t fill) {
    Three result;
    result.fill(fill);
    std::copy(values.begin(), values.end(), result.end() - static_cast<int64_t>(values.size()));
    return result;
  }
};

}  // namespace onnxrun::cpu
