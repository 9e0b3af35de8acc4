// The cache of planned segments: finding, dropping those used longest ago, and forgetting what is placed of them.
#include "run/segment_cache.h"

#include <gtest/gtest.h>

namespace onnxrun::run {
namespace {

std::unique_ptr<plan::Segment> segment(int first) {
  auto made = std::make_unique<plan::Segment>();
  made->first = first;
  return made;
}

// One run through segments with these keys; how many had to be made.
int run(SegmentCache& cache, std::initializer_list<int64_t> keys) {
  int made = 0;
  cache.begin_run();
  for (const int64_t key : keys) {
    if (const plan::Segment* found = cache.advance({key})) {
      EXPECT_EQ(found->first, key);
    } else {
      EXPECT_EQ(cache.add({key}, segment(static_cast<int>(key))).first, key);
      ++made;
    }
  }
  cache.set_placed();
  cache.end_run();
  return made;
}

TEST(SegmentCache, FindsSegmentsAlongThePath) {
  PlanAccount account;
  SegmentCache cache(account);
  EXPECT_EQ(run(cache, {1, 2}), 2);
  EXPECT_EQ(run(cache, {1, 2}), 0);
  EXPECT_EQ(run(cache, {2, 2}), 2) << "the same key after another segment is another";
  EXPECT_EQ(run(cache, {1, 3}), 1);
  EXPECT_EQ(run(cache, {1, 2}), 0);
}

TEST(SegmentCache, DropsWhatWasNotUsedForLongest) {
  PlanAccount account;
  SegmentCache cache(account);
  run(cache, {0});
  account.cap = account.used * 8;
  for (int64_t key = 1; key < 100; ++key) {
    EXPECT_EQ(run(cache, {key}), 1);
    EXPECT_EQ(run(cache, {0}), 0) << "used all the time";
    EXPECT_LE(account.used, account.cap);
  }
  EXPECT_EQ(run(cache, {99}), 0);
  EXPECT_EQ(run(cache, {1}), 1) << "dropped long ago";
}

TEST(SegmentCache, BoundsContinuationsAsWell) {
  PlanAccount account;
  SegmentCache cache(account);
  run(cache, {0});
  account.cap = account.used * 8;
  for (int64_t key = 1; key < 100; ++key) {
    EXPECT_EQ(run(cache, {0, key, key}), 2);
    EXPECT_LE(account.used, account.cap);
  }
}

TEST(SegmentCache, KeepsThePathOfARunAndTakesFromOtherCaches) {
  PlanAccount account;
  SegmentCache outer(account), inner(account);
  run(inner, {5});
  account.cap = account.used * 4;
  outer.begin_run();
  outer.add({1}, segment(1));
  for (int64_t key = 0; key < 50; ++key) run(inner, {key});
  EXPECT_EQ(outer.on_path(0).first, 1) << "a loop's body must not drop what its graph is running";
  outer.end_run();
  run(outer, {2, 3, 4, 5, 6, 7});
  EXPECT_EQ(run(inner, {49}), 1) << "its place was taken by another cache of the stream";
}

TEST(SegmentCache, ForgetsWhatIsPlacedOfADroppedSegment) {
  PlanAccount account;
  SegmentCache cache(account);
  run(cache, {1});
  account.cap = account.used * 2;
  cache.begin_run();
  EXPECT_NE(cache.advance({1}), nullptr);
  EXPECT_TRUE(cache.is_placed(0));
  cache.end_run();
  SegmentCache other(account);
  for (int64_t key = 0; key < 3; ++key) run(other, {key});
  cache.begin_run();
  EXPECT_EQ(cache.advance({1}), nullptr);
  cache.add({1}, segment(1));
  EXPECT_FALSE(cache.is_placed(0)) << "even where the new one has the old one's address";
  cache.end_run();
}

TEST(SegmentCache, GivesItsShareBack) {
  PlanAccount account;
  {
    SegmentCache cache(account);
    run(cache, {1, 2, 3});
    EXPECT_GT(account.used, 0u);
    cache.clear();
    EXPECT_EQ(account.used, 0u);
    run(cache, {1});
  }
  EXPECT_EQ(account.used, 0u);
  EXPECT_TRUE(account.caches.empty());
}

}  // namespace
}  // namespace onnxrun::run
