// Pools on blocked channels against the plain ones, for each kernel and both sizes of blocks.
#include <gtest/gtest.h>

#include "cpu/kernels/blocked.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

Dims blocked_dims(Dims dims, int64_t block) {
  dims[1] = (dims[1] + block - 1) / block;
  dims.push_back(block);
  return dims;
}

Tensor move(const char* op, const Tensor& x, const Dims& dims, const char* name, int64_t value) {
  return run_kernel({.op = op,
                     .inputs = {x},
                     .outputs = {{DType::kFloat32, dims}},
                     .attributes = {{name, value}},
                     .domain = "onnxrun"})[0];
}

// The plain kernel's result and that of each kernel on blocks; how many took it.
int compare(const std::string& op, const Dims& x_dims, const Dims& y_dims,
            std::map<std::string, Attribute> attributes) {
  const Tensor x = random(x_dims, 7);
  const Tensor want =
      run_kernel({.op = op, .inputs = {x}, .outputs = {{DType::kFloat32, y_dims}}, .attributes = attributes})[0];
  int taken = 0;
  for (const int64_t block : {8, 16})
    for (const char* kernel : {"blocks", "onednn"}) {
      KernelCall call{.op = "Blocked" + op,
                      .inputs = {move("ToBlocked", x, blocked_dims(x_dims, block), "block", block)},
                      .outputs = {{DType::kFloat32, blocked_dims(y_dims, block)}},
                      .attributes = attributes,
                      .kernel = kernel,
                      .domain = "onnxrun"};
      Tensor y;
      try {
        y = run_kernel(call)[0];
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kUnsupported) << error.what();
        continue;
      }
      ++taken;
      const Tensor got = move("FromBlocked", y, y_dims, "channels", x_dims[1]);
      expect_close(got, want, 9,
                   op + " of " + base::to_string(x_dims) + " by " + kernel + " on blocks of " + std::to_string(block));
      // What lies beyond the last channel stays as it was.
      for (int64_t plane = 0; plane < y.count() / block; ++plane) {
        const int64_t blocks = (x_dims[1] + block - 1) / block, spatial = y.count() / (x_dims[0] * blocks * block);
        if (plane / spatial % blocks != blocks - 1) continue;
        for (int64_t lane = (x_dims[1] - 1) % block + 1; lane < block; ++lane)
          EXPECT_EQ(y.data<float>()[plane * block + lane], 0.0f) << op << " by " << kernel;
      }
    }
  return taken;
}

std::vector<int64_t> sized(size_t axes, int64_t value) { return std::vector<int64_t>(axes, value); }

TEST(BlockedPool, AgreesWithThePlainOne) {
  for (const char* op : {"MaxPool", "AveragePool"})
    for (const Dims& space : {Dims{13}, Dims{7, 12}, Dims{5, 6, 9}})
      for (const int64_t channels : {5, 16, 40})
        for (const int64_t stride : {1, 2, 3})
          for (const int64_t pad : {0, 1})
            for (const int64_t with_pads : {0, 1})
              for (const int64_t ceil_mode : {0, 1}) {
                Dims x{2, channels}, y{2, channels};
                for (const int64_t in : space) {
                  x.push_back(in);
                  const int64_t span = in + 2 * pad - 3;
                  y.push_back(ceil_mode != 0
                                  ? std::min((span + stride - 1) / stride + 1, (in + pad + stride - 1) / stride)
                                  : span / stride + 1);
                }
                const size_t axes = space.size();
                const int taken = compare(op, x, y,
                                          {{"kernel_shape", sized(axes, 3)},
                                           {"strides", sized(axes, stride)},
                                           {"pads", sized(2 * axes, pad)},
                                           {"ceil_mode", ceil_mode},
                                           {"count_include_pad", with_pads}});
                EXPECT_GE(taken, 2) << op;
              }
}

TEST(BlockedPool, OfTheWholeImageAgreesWithThePlainOne) {
  for (const Dims& x : {Dims{1, 3, 5}, Dims{2, 17, 9, 31}, Dims{1, 16, 3, 4, 5}, Dims{1, 8, 300, 300}}) {
    Dims y(x.size(), 1);
    y[0] = x[0];
    y[1] = x[1];
    EXPECT_GE(compare("GlobalAveragePool", x, y, {}), 2);
  }
}

TEST(BlockedPool, RefusesWindowsThatMayLieInThePadding) {
  KernelCall call{.op = "BlockedMaxPool",
                  .inputs = {random({1, 1, 4, 4, 8}, 1)},
                  .outputs = {{DType::kFloat32, {1, 1, 7, 7, 8}}},
                  .attributes = {{"kernel_shape", sized(2, 2)}, {"pads", sized(4, 2)}},
                  .domain = "onnxrun"};
  EXPECT_THROW(run_kernel(call), Error);
}

}  // namespace
}  // namespace onnxrun::cpu
