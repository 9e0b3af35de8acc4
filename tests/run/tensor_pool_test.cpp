// The pool of tensors: recycling, rounding of sizes, and what stays unused.
#include "run/tensor_pool.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace onnxrun::run {
namespace {

using base::DType;
using base::Tensor;

TEST(TensorPool, UsesFreeMemoryAgain) {
  TensorPool pool(nullptr);
  const void* first = nullptr;
  {
    const Tensor tensor = pool.make(DType::kFloat32, {10, 10});
    first = tensor.raw();
    EXPECT_NE(pool.make(DType::kFloat32, {10, 10}).raw(), first) << "it is in use";
  }
  EXPECT_EQ(pool.make(DType::kFloat64, {5, 10}).raw(), first);
}

// A result that is given away is not copied for the pool's sake.
TEST(TensorPool, LeavesTheirHolderAlone) {
  Tensor tensor;
  {
    TensorPool pool(nullptr);
    tensor = pool.make(DType::kFloat32, {10, 10});
    EXPECT_EQ(tensor.buffer().use_count(), 1);
    pool.trim();
    EXPECT_NE(pool.make(DType::kFloat32, {10, 10}).raw(), tensor.raw()) << "it is in use";
  }
  EXPECT_EQ(tensor.buffer().use_count(), 1);
  tensor.mutable_data<float>()[99] = 1;  // outlives the pool
}

TEST(TensorPool, GivesAGrowingStateRoomToGrow) {
  TensorPool pool(nullptr);
  std::set<const void*> blocks;
  Tensor state = pool.make(DType::kFloat32, {1});
  int moves = 0;
  for (int64_t n = 2; n < 4000; ++n) {
    const base::BufferPtr before = state.buffer();
    state = pool.make(DType::kFloat32, {n});
    moves += blocks.insert(state.raw()).second;
  }
  EXPECT_LT(moves, 120) << "two of each size, four sizes for each doubling";
}

TEST(TensorPool, KeepsNoMoreUnusedThanUsed) {
  const auto budget = std::make_shared<base::Budget>();
  TensorPool pool(budget);
  for (int64_t n = 1; n < 2000; ++n) pool.make(DType::kFloat32, {n * 1000 % 7919 * 64});
  EXPECT_LT(budget->used(), 4 * 7919 * 64 * 4);
  pool.trim();
  EXPECT_EQ(budget->used(), 0);
}

TEST(TensorPool, MakesRoomWithinTheBudget) {
  const auto budget = std::make_shared<base::Budget>(1 << 20);
  TensorPool pool(budget);
  pool.make(DType::kUint8, {700 << 10});
  EXPECT_EQ(pool.make(DType::kUint8, {1 << 20}).count(), 1 << 20)
      << "what lies unused gives way, and nothing is rounded up";
  const Tensor held = pool.make(DType::kUint8, {900 << 10});
  EXPECT_THROW(pool.make(DType::kUint8, {200 << 10}), base::Error);
}

}  // namespace
}  // namespace onnxrun::run
