// Every kernel with much to do looks at the run's cancellation while it works.
#include <gtest/gtest.h>

#include "cpu/convolution_cases.h"
#include "cpu/loops/block_convolution.h"
#include "run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

constexpr DType kF32 = DType::kFloat32;

Tensor floats(Dims dims) {
  Tensor tensor(kF32, std::move(dims));
  std::fill_n(tensor.mutable_data<float>(), tensor.count(), 0.5f);
  return tensor;
}
Tensor ints(std::vector<int64_t> values) { return Tensor::vector<int64_t>(std::span<const int64_t>(values)); }

// Work of some 50 ms and more, of which a cancelled run may do a little. The names of kernels stand where an operator has several.
std::vector<KernelCall> long_calls() {
  const Tensor large = floats({64, 256, 512}), rows = floats({16384, 512}), image = floats({4, 64, 128, 128});
  const auto same = [](const Tensor& x) { return std::vector<std::pair<DType, Dims>>{{kF32, x.dims()}}; };
  const auto numbers = [](std::vector<int64_t> values) { return Attribute(std::move(values)); };
  std::vector<KernelCall> calls;
  for (const char* op : {"Relu", "Exp", "Erf", "Sigmoid", "Tanh", "Gelu", "Neg", "Sqrt"})
    calls.push_back({op, {large}, same(large)});
  for (const char* op : {"Add", "Mul", "Div", "Pow", "Max"}) calls.push_back({op, {large, large}, same(large)});
  calls.push_back({"Add", {large, floats({512})}, same(large)});
  calls.push_back({"Where", {Tensor(DType::kBool, large.dims()), large, large}, same(large)});
  calls.push_back({"Transpose", {large}, {{kF32, {512, 256, 64}}}, {{"perm", numbers({2, 1, 0})}}});
  calls.push_back({"Concat", {large, large}, {{kF32, {128, 256, 512}}}, {{"axis", int64_t{0}}}});
  calls.push_back({"Slice", {large, ints({0}), ints({64}), ints({0})}, same(large)});
  calls.push_back({"Gather", {rows, ints(std::vector<int64_t>(16384, 3))}, same(rows)});
  calls.push_back({"Expand", {floats({1, 512}), ints({16384, 512})}, same(rows)});
  calls.push_back({"Tile", {floats({1024, 512}), ints({16, 1})}, same(rows)});
  calls.push_back({"Softmax", {rows}, same(rows), {{"axis", int64_t{-1}}}});
  calls.push_back({"Softmax", {rows}, same(rows), {{"axis", int64_t{0}}}});
  calls.push_back({"LogSoftmax", {rows}, same(rows), {{"axis", int64_t{-1}}}});
  calls.push_back({"LayerNormalization", {rows, floats({512}), floats({512})}, same(rows)});
  calls.push_back({"RMSNormalization", {rows, floats({512})}, same(rows)});
  calls.push_back({"ReduceSum", {rows, ints({1})}, {{kF32, {16384, 1}}}});
  calls.push_back({"ReduceMax", {rows, ints({0})}, {{kF32, {1, 512}}}});
  calls.push_back({"ArgMax", {rows}, {{DType::kInt64, {16384, 1}}}, {{"axis", int64_t{1}}}});
  calls.push_back({"CumSum", {rows, Tensor::scalar<int64_t>(1)}, same(rows)});
  calls.push_back({"TopK", {rows, ints({5})}, {{kF32, {16384, 5}}, {DType::kInt64, {16384, 5}}}});
  calls.push_back({"Cast", {large}, {{DType::kFloat16, large.dims()}}, {{"to", int64_t{10}}}});
  calls.push_back({"BatchNormalization", {image, floats({64}), floats({64}), floats({64}), floats({64})}, same(image)});
  calls.push_back({"InstanceNormalization", {image, floats({64}), floats({64})}, same(image)});
  calls.push_back(
      {"GroupNormalization", {image, floats({64}), floats({64})}, same(image), {{"num_groups", int64_t{8}}}});
  calls.push_back({"LRN", {image}, same(image), {{"size", int64_t{5}}}});
  calls.push_back({"MaxPool", {image}, {{kF32, {4, 64, 126, 126}}}, {{"kernel_shape", numbers({3, 3})}}});
  calls.push_back({"AveragePool", {image}, {{kF32, {4, 64, 126, 126}}}, {{"kernel_shape", numbers({3, 3})}}});
  calls.push_back({"GlobalAveragePool", {image}, {{kF32, {4, 64, 1, 1}}}});
  std::vector<const char*> convolutions{"panels", "reference"};
  if (onednn_block() != 0) convolutions.push_back("onednn");
  for (const char* kernel : convolutions)
    calls.push_back({"Conv", {image, floats({64, 64, 3, 3})}, {{kF32, {4, 64, 126, 126}}}, {}, kernel});
  calls.push_back({"ConvTranspose", {image, floats({64, 16, 2, 2})}, {{kF32, {4, 16, 129, 129}}}});
  if (const int64_t block = block_here(); block != 0) {
    const int64_t blocks = 64 / block;
    const Tensor blocked = floats({4, blocks, 128, 128, block});
    std::vector<const char*> kernels{"reference"};
    if (onednn_block() != 0) kernels.push_back("onednn");
    if (block_convolution_functions().block == block) kernels.push_back("tiles");
    if (multiplies_pairs()) kernels.push_back("bfloat16");
    for (const char* kernel : kernels) {
      calls.push_back({"BlockedConv",
                       {blocked, floats({64, 64, 3, 3})},
                       {{kF32, {4, blocks, 126, 126, block}}},
                       {{"block", block}},
                       kernel,
                       "onnxrun"});
      calls.back().precision = ONNXRUN_PRECISION_MEDIUM;
    }
    calls.push_back({"ToBlocked", {image}, same(blocked), {{"block", block}}, "", "onnxrun"});
    calls.push_back({"FromBlocked", {blocked}, same(image), {{"channels", int64_t{64}}}, "", "onnxrun"});
    for (const char* op : {"BlockedMaxPool", "BlockedAveragePool"})
      calls.push_back(
          {op, {blocked}, {{kF32, {4, blocks, 126, 126, block}}}, {{"kernel_shape", numbers({3, 3})}}, "", "onnxrun"});
    calls.push_back({"BlockedGlobalAveragePool", {blocked}, {{kF32, {4, blocks, 1, 1, block}}}, {}, "", "onnxrun"});
  }
  calls.push_back({"MatMul", {floats({1024, 1024}), floats({1024, 1024})}, {{kF32, {1024, 1024}}}});
  calls.push_back({"Gemm", {floats({1024, 1024}), floats({1024, 1024})}, {{kF32, {1024, 1024}}}});
  calls.push_back({"LSTM",
                   {floats({200, 4, 256}), floats({1, 1024, 256}), floats({1, 1024, 256})},
                   {{kF32, {200, 1, 4, 256}}},
                   {{"hidden_size", int64_t{256}}}});
  return calls;
}

TEST(Cancellation, EndsEveryLongKernel) {
  for (KernelCall call : long_calls()) {
    call.cancelled = true;
    call.threads = 1;
    try {
      run_kernel(call);
      ADD_FAILURE() << call.op << " " << call.kernel << " ran to its end";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCancelled) << call.op << " " << call.kernel << ": " << error.what();
    }
  }
}

}  // namespace
}  // namespace onnxrun::cpu
