// What copies of narrow weights are charged for.
#include "cpu/loops/float_weights.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/floats.h"
#include "base/tensor.h"

namespace onnxrun::cpu {
namespace {

constexpr int64_t kBytes = 1000 * sizeof(float);

TEST(FloatWeights, CopiesAreChargedWhileTheyLive) {
  const auto budget = std::make_shared<base::Budget>(kBytes);
  base::KernelMemory memory(budget);
  const base::KernelMemory::Here here(&memory);
  base::Tensor narrow(DType::kFloat16, {1000});
  narrow.mutable_data<base::Float16>()[999] = base::Float16(1.5f);
  {
    const FloatWeights weights(narrow.view());
    EXPECT_EQ(weights.data()[999], 1.5f);
    EXPECT_EQ(budget->used(), kBytes);
    EXPECT_THROW(FloatWeights{narrow.view()}, base::Error);
  }
  EXPECT_EQ(budget->used(), 0);
}

TEST(FloatWeights, ViewsCostNothing) {
  const auto budget = std::make_shared<base::Budget>(0);
  base::KernelMemory memory(budget);
  const base::KernelMemory::Here here(&memory);
  const base::Tensor wide(DType::kFloat32, {1000});
  EXPECT_EQ(FloatWeights(wide.view()).data(), wide.data<float>());
}

}  // namespace
}  // namespace onnxrun::cpu
