// Kernels of float32 that serve float16 and bfloat16 through scratch memory, against the plain ones in double.
#include <gtest/gtest.h>

#include <cmath>

#include "base/floats.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

template <class T>
Tensor random(const Dims& dims, uint32_t seed) {
  Tensor tensor(std::is_same_v<T, base::Float16> ? DType::kFloat16 : DType::kBfloat16, dims);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    tensor.mutable_data<T>()[i] = T(static_cast<float>(seed >> 8) * 0x1p-22f - 2.0f);
  }
  return tensor;
}

// Both round once: they differ by one unit in the last place at most.
template <class T>
void expect_rounded_once(KernelCall call) {
  const float unit = std::is_same_v<T, base::Float16> ? 0x1p-10f : 0x1p-7f;
  call.kernel = "widened";
  const std::vector<Tensor> got = run_kernel(call);
  call.kernel = "reference";
  const std::vector<Tensor> want = run_kernel(call);
  for (size_t k = 0; k < want.size(); ++k)
    for (int64_t i = 0; i < want[k].count(); ++i) {
      const float a = got[k].data<T>()[i], b = want[k].data<T>()[i];
      ASSERT_LE(std::abs(a - b), unit * std::abs(b) + 1e-6f) << call.op << " output " << k << " at " << i;
    }
}

template <class T>
void check_all() {
  const DType type = std::is_same_v<T, base::Float16> ? DType::kFloat16 : DType::kBfloat16;
  for (const char* op : {"Softmax", "LogSoftmax"})
    expect_rounded_once<T>({.op = op, .inputs = {random<T>({3, 5, 37}, 1)}, .outputs = {{type, {3, 5, 37}}}});
  expect_rounded_once<T>({.op = "LayerNormalization",
                          .inputs = {random<T>({4, 100}, 1), random<T>({100}, 2), random<T>({100}, 3)},
                          .outputs = {{type, {4, 100}}}});
  expect_rounded_once<T>({.op = "RMSNormalization",
                          .inputs = {random<T>({4, 100}, 1), random<T>({100}, 2)},
                          .outputs = {{type, {4, 100}}}});
  expect_rounded_once<T>(
      {.op = "Attention",
       .inputs = {random<T>({2, 4, 9, 16}, 1), random<T>({2, 2, 9, 16}, 2), random<T>({2, 2, 9, 16}, 3), Tensor(),
                  random<T>({2, 2, 6, 16}, 4), random<T>({2, 2, 6, 16}, 5)},
       .outputs = {{type, {2, 4, 9, 16}}, {type, {2, 2, 15, 16}}, {type, {2, 2, 15, 16}}},
       .attributes = {{"is_causal", int64_t{1}}}});
}

TEST(Widened, Float16) { check_all<base::Float16>(); }
TEST(Widened, Bfloat16) { check_all<base::Bfloat16>(); }

TEST(Widened, LeavesFloat32ToTheKernelItself) {
  EXPECT_THROW(run_kernel({.op = "Softmax",
                           .inputs = {Tensor(DType::kFloat32, {2, 3})},
                           .outputs = {{DType::kFloat32, {2, 3}}},
                           .kernel = "widened"}),
               Error);
}

}  // namespace
}  // namespace onnxrun::cpu
