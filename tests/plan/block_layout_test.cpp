// The layout of a block: ranges in use never overlap, and free ranges are used again.
#include "plan/block_layout.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/error.h"

namespace onnxrun::plan {
namespace {

TEST(BlockLayout, UsesTheSmallestRangeThatFits) {
  BlockLayout layout;
  const size_t a = layout.allocate(640), b = layout.allocate(64), c = layout.allocate(128), d = layout.allocate(64);
  layout.release(a, 640);
  layout.release(c, 128);
  EXPECT_EQ(layout.allocate(100), c);
  EXPECT_EQ(layout.allocate(320), a);
  layout.release(b, 64);
  EXPECT_EQ(layout.allocate(384), a + 320) << "neighbouring free ranges are one";
  EXPECT_EQ(layout.peak(), d + 64);
}

TEST(BlockLayout, GrowsFromItsLastFreeRange) {
  BlockLayout layout;
  layout.allocate(64);
  layout.release(layout.allocate(128), 128);
  EXPECT_EQ(layout.allocate(256), 64u);
  EXPECT_EQ(layout.peak(), 320u);
}

TEST(BlockLayout, KeepsReservedRanges) {
  BlockLayout layout;
  layout.reserve(128, 64);
  layout.reserve(320, 64);
  EXPECT_EQ(layout.allocate(128), 0u);
  EXPECT_EQ(layout.allocate(128), 192u);
  EXPECT_EQ(layout.allocate(64), 384u);
}

TEST(BlockLayout, AlignsToMoreWhereToldTo) {
  BlockLayout layout(256);
  EXPECT_EQ(layout.allocate(1), 0u);
  EXPECT_EQ(layout.allocate(300), 256u);
  EXPECT_EQ(layout.allocate(64), 768u);
}

TEST(BlockLayout, RefusesSizesBeyondMemory) { EXPECT_THROW(BlockLayout().allocate(SIZE_MAX - 10), base::Error); }

TEST(BlockLayout, NeverGivesARangeTwice) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    BlockLayout layout;
    std::map<size_t, size_t> used;  // offset, bytes
    for (int step = 0; step < 400; ++step) {
      if (!used.empty() && random() % 2) {
        const auto at = std::next(used.begin(), static_cast<std::ptrdiff_t>(random() % used.size()));
        layout.release(at->first, at->second);
        used.erase(at);
        continue;
      }
      const size_t bytes = random() % 3000, offset = layout.allocate(bytes);
      const auto after = used.lower_bound(offset);
      ASSERT_TRUE(after == used.end() || offset + layout.round_up(bytes) <= after->first) << "seed " << seed;
      if (after != used.begin()) {
        const auto before = std::prev(after);
        ASSERT_LE(before->first + layout.round_up(before->second), offset) << "seed " << seed;
      }
      ASSERT_LE(offset + bytes, layout.peak());
      used[offset] = bytes;
    }
  }
}

}  // namespace
}  // namespace onnxrun::plan
