// Convolutions with odd sizes, groups, padding and batches, as tests of several kernels run them.
#pragma once

#include <cmath>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/tensor.h"
#include "cpu/kernels/blocked.h"
#include "cpu/loops/block_convolution.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {

using base::Dims;
using base::DType;
using base::Tensor;

struct ConvCase {
  Dims x, w;
  std::vector<int64_t> strides, dilations, pads;
  int64_t group;
  bool onednn;             // must take it, where the build has it
  int64_t from_block = 8;  // with blocks of so many channels or more: 8 with AVX2, 16 with AVX-512
};

inline Dims output_of(const ConvCase& c) {
  Dims y{c.x[0], c.w[0]};
  const size_t axes = c.strides.size();
  for (size_t d = 0; d < axes; ++d)
    y.push_back((c.x[d + 2] + c.pads[d] + c.pads[d + axes] - (c.w[d + 2] - 1) * c.dilations[d] - 1) / c.strides[d] + 1);
  return y;
}

inline const ConvCase kConvolutions[] = {
    {{1, 3, 17, 19}, {20, 3, 7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}, 1, true},
    {{1, 1, 9, 9}, {5, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
    {{1, 24, 13, 11}, {40, 24, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, true},
    {{2, 24, 13, 11}, {40, 24, 1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}, 1, true},
    {{1, 33, 14, 14}, {47, 33, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
    {{1, 33, 14, 14}, {47, 33, 3, 3}, {1, 1}, {2, 2}, {2, 0, 2, 1}, 1, true},
    {{3, 16, 8, 8}, {64, 16, 3, 3}, {2, 1}, {1, 1}, {0, 1, 1, 1}, 1, true},
    {{5, 16, 6, 6}, {16, 16, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
    {{1, 40, 12, 12}, {40, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 40, true},
    {{2, 24, 15, 15}, {24, 1, 5, 5}, {2, 2}, {1, 1}, {2, 2, 2, 2}, 24, true},
    {{1, 64, 9, 9}, {96, 32, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 2, true},
    {{1, 12, 9, 9}, {18, 4, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 3, false},
    {{1, 8, 9, 9}, {16, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 8, false},
    {{1, 20, 50}, {30, 20, 3}, {2}, {1}, {1, 1}, 1, true},
    {{2, 32, 40}, {32, 1, 7}, {1}, {1}, {3, 3}, 32, true},
    {{1, 16, 6, 7, 8}, {32, 16, 3, 3, 3}, {1, 2, 1}, {1, 1, 1}, {1, 1, 1, 1, 1, 1}, 1, true},
    {{1, 4, 5, 5}, {3, 4, 5, 5}, {1, 1}, {1, 1}, {4, 4, 4, 4}, 1, true, 16},
    {{1, 20, 50, 1}, {36, 20, 5, 1}, {2, 1}, {1, 1}, {1, 0, 2, 0}, 1, true},
    {{2, 3, 40, 1}, {20, 3, 5, 1}, {1, 3}, {2, 1}, {0, 0, 0, 0}, 1, true},
    {{2, 24, 30, 1}, {24, 1, 7, 1}, {1, 1}, {1, 1}, {3, 0, 3, 0}, 24, true},
    {{1, 17, 9, 7, 1}, {32, 17, 3, 2, 1}, {1, 2, 1}, {1, 1, 1}, {1, 0, 0, 1, 1, 0}, 1, true},
    {{1, 17, 9, 1, 1}, {32, 17, 3, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 0, 0, 1, 0, 0}, 1, true},
};

// Channels of the blocks that convolutions of this build take here: oneDNN's or those of our tiles; 0 where there are none.
inline int64_t block_here() {
  const int64_t theirs = onednn_block();
  return theirs != 0 ? theirs : block_convolution_functions().block;
}

inline Tensor blocked(const Tensor& x) {
  const int64_t block = block_here();
  Dims dims = x.dims();
  dims[1] = (dims[1] + block - 1) / block;
  dims.push_back(block);
  return run_kernel({.op = "ToBlocked",
                     .inputs = {x},
                     .outputs = {{DType::kFloat32, dims}},
                     .attributes = {{"block", block}},
                     .domain = "onnxrun"})[0];
}

// Plain where there are few channels.
inline Tensor input_of(const ConvCase& c, const Tensor& x) {
  return c.group == 1 && c.x[1] < 5 && c.x.size() == 4 ? x : blocked(x);
}

inline KernelCall blocked_call(const ConvCase& c, const Tensor& x, const Tensor& w, const char* kernel, int precision) {
  return {.op = "BlockedConv",
          .inputs = {input_of(c, x), w},
          .outputs = {{DType::kFloat32, blocked(Tensor(DType::kFloat32, output_of(c))).dims()}},
          .attributes = {{"strides", c.strides},
                         {"dilations", c.dilations},
                         {"pads", c.pads},
                         {"group", c.group},
                         {"block", block_here()}},
          .kernel = kernel,
          .domain = "onnxrun",
          .precision = precision};
}

inline std::vector<ConvCase> blocked_convolutions() {
  std::vector<ConvCase> cases(std::begin(kConvolutions), std::end(kConvolutions));
  // Pointwise with many filters: whole and begun blocks of channels and filters, strides, groups, more than one part and one piece of channels.
  for (const auto& [x, w, stride, group] :
       std::vector<std::tuple<Dims, Dims, int64_t, int64_t>>{{{2, 48, 9, 7}, {48, 48, 1, 1}, 1, 1},
                                                             {{1, 67, 13, 11}, {150, 67, 1, 1}, 1, 1},
                                                             {{2, 65, 13, 11}, {99, 65, 1, 1}, 2, 1},
                                                             {{1, 128, 9, 9}, {192, 64, 1, 1}, 1, 2},
                                                             {{1, 500, 5, 40}, {290, 500, 1, 1}, 1, 1},
                                                             {{1, 50, 40}, {70, 50, 1}, 2, 1}}) {
    const std::vector<int64_t> ones(x.size() - 2, 1), strides(x.size() - 2, stride), pads(2 * (x.size() - 2), 0);
    cases.push_back({x, w, strides, ones, pads, group, false});
  }
  // Rows of many tiles and of one, taps that see nothing of some positions, images that are larger than the weights.
  for (const int64_t width : {1, 2, 5, 7, 13, 29, 45, 71})
    for (const int64_t kernel : {1, 3, 5, 7})
      cases.push_back({{1, 40, 5, width},
                       {48, 40, kernel, kernel},
                       {1, 1},
                       {1, 1},
                       {kernel / 2, kernel / 2, kernel / 2, kernel / 2},
                       1,
                       true});
  cases.push_back({{2, 64, 10, 40}, {64, 32, 3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 2, true});
  cases.push_back({{1, 32, 9, 30}, {32, 32, 3, 3}, {1, 2}, {2, 4}, {2, 4, 2, 4}, 1, true});
  cases.push_back({{1, 16, 150, 150}, {16, 16, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, true});
  // Kernels far larger than the image, for which rows are cut into parts.
  cases.push_back({{1, 16, 6, 400}, {32, 16, 700, 15}, {1, 1}, {1, 1}, {348, 7, 348, 7}, 1, false});
  cases.push_back({{1, 16, 6, 3}, {16, 16, 90, 1}, {3, 1}, {7, 1}, {320, 0, 320, 0}, 1, false});
  return cases;
}

// X and W of a convolution along two axes: numbers of very different sizes, whose sums cancel.
inline std::pair<Tensor, Tensor> cancelling(const ConvCase& c) {
  Tensor x = random(c.x, 1), w = random(c.w, 2);
  const int64_t plane = c.x[2] * c.x[3], kernel = c.w[2] * c.w[3];
  float *xs = x.mutable_data<float>(), *ws = w.mutable_data<float>();
  for (int64_t i = 0; i < x.count(); ++i) xs[i] = std::ldexp(xs[i], static_cast<int>(i * 7 % 41) - 20);
  for (int64_t i = 0; i < w.count(); ++i) ws[i] = std::ldexp(ws[i], static_cast<int>(i * 5 % 31) - 15);
  // Each odd channel all but takes back what the one before it gave.
  for (int64_t i = 0; i < c.x[0] * c.x[1]; ++i)
    if (i % c.x[1] % 2 != 0)
      for (int64_t at = 0; at < plane; ++at) xs[i * plane + at] = xs[(i - 1) * plane + at] * (1.0f + 0x1p-12f);
  for (int64_t i = 0; i < c.w[0] * c.w[1]; ++i)
    if (i % c.w[1] % 2 != 0)
      for (int64_t at = 0; at < kernel; ++at) ws[i * kernel + at] = -ws[(i - 1) * kernel + at];
  return {std::move(x), std::move(w)};
}

inline std::string what_of(const ConvCase& c) { return base::to_string(c.x) + " with " + base::to_string(c.w); }

inline bool equal(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

}  // namespace onnxrun::cpu
