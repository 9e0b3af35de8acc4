// The pool of blocks: who finds which, and what it holds.
#include "run/block_pool.h"

#include <gtest/gtest.h>

namespace onnxrun::run {
namespace {

BlockPool::Set none() { return BlockPool::Set(1); }

// Takes, grows to `bytes` where that is more, and puts back.
uint64_t use(BlockPool& pool, size_t bytes, uint64_t wanted = 0) {
  BlockPool::Set set = none();
  pool.take(set, wanted);
  if (!set[0] || set[0]->bytes() < bytes) set[0] = base::Buffer::allocate(bytes);
  return pool.put(set);
}

TEST(BlockPool, GivesBackTheSameUnlessAnotherTookIt) {
  BlockPool pool;
  const uint64_t number = use(pool, 100);
  EXPECT_EQ(pool.bytes(), 100);
  BlockPool::Set set = none();
  ASSERT_TRUE(pool.take(set, number));
  const void* const data = set[0]->data();
  EXPECT_EQ(pool.bytes(), 0);
  const uint64_t again = pool.put(set);
  EXPECT_EQ(set[0], nullptr);
  EXPECT_FALSE(pool.take(set, number)) << "it was taken meanwhile";
  EXPECT_EQ(set[0]->data(), data) << "but it is the only one";
  pool.put(set);
  EXPECT_FALSE(pool.take(set, again));
  pool.put(set);
}

TEST(BlockPool, PrefersTheLargest) {
  BlockPool pool;
  BlockPool::Set small = none(), large = none(), set = none();
  pool.take(small, 0);
  pool.take(large, 0);
  small[0] = base::Buffer::allocate(10);
  large[0] = base::Buffer::allocate(1000);
  const uint64_t number = pool.put(small);
  pool.put(large);
  EXPECT_EQ(pool.bytes(), 1010);
  EXPECT_FALSE(pool.take(set, 0));
  EXPECT_EQ(set[0]->bytes(), 1000u);
  BlockPool::Set other = none();
  EXPECT_TRUE(pool.take(other, number));
  EXPECT_EQ(other[0]->bytes(), 10u);
}

TEST(BlockPool, ClearsWhatIsNotInUse) {
  BlockPool pool;
  BlockPool::Set out = none();
  pool.take(out, 0);
  out[0] = base::Buffer::allocate(50);
  use(pool, 100);
  pool.clear();
  EXPECT_EQ(pool.bytes(), 0);
  const uint64_t number = pool.put(out);
  EXPECT_EQ(pool.bytes(), 50);
  EXPECT_TRUE(pool.take(out, number));
}

}  // namespace
}  // namespace onnxrun::run
