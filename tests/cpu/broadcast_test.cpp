// Broadcast plans: every element of the output meets the right element of each input, over whole and split ranges.
#include "cpu/loops/broadcast.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace onnxrun::cpu {
namespace {

using base::Dims;

// The offset of the element of a contiguous `from` that broadcasts to element `index` of `to`.
int64_t expected_offset(const Dims& from, const Dims& to, int64_t index) {
  int64_t offset = 0, stride = 1;
  for (size_t i = 0; i < to.size(); ++i) {
    const size_t d = to.size() - 1 - i;
    const int64_t at = index % to[d];
    index /= to[d];
    if (i >= from.size()) continue;
    const int64_t size = from[from.size() - 1 - i];
    offset += (size == 1 ? 0 : at) * stride;
    stride *= size;
  }
  return offset;
}

void check(const std::vector<Dims>& inputs, const Dims& output, int64_t piece) {
  std::vector<base::DimsView> views(inputs.begin(), inputs.end());
  const BroadcastPlan plan(views, output);
  int64_t next = 0;
  for (int64_t begin = 0; begin < plan.count(); begin += piece) {
    plan.each_row(begin, std::min(begin + piece, plan.count()), [&](const int64_t* in, int64_t out, int64_t n) {
      ASSERT_EQ(out, next);
      for (int64_t i = 0; i < n; ++i)
        for (size_t k = 0; k < inputs.size(); ++k)
          ASSERT_EQ(in[k] + i * plan.row_stride(k), expected_offset(inputs[k], output, out + i));
      next += n;
    });
  }
  EXPECT_EQ(next, plan.count());
}

TEST(BroadcastPlan, MeetsEveryElement) {
  for (const int64_t piece : {1, 3, 7, 1000}) {
    check({{2, 3, 4}, {2, 3, 4}}, {2, 3, 4}, piece);
    check({{2, 3, 4}, {4}}, {2, 3, 4}, piece);
    check({{2, 3, 4}, {3, 1}}, {2, 3, 4}, piece);
    check({{2, 1, 4}, {3, 1}}, {2, 3, 4}, piece);
    check({{}, {2, 3, 4}, {2, 1, 1}}, {2, 3, 4}, piece);
    check({{1, 5, 1, 7}, {6, 5, 1, 1}}, {6, 5, 1, 7}, piece);
    check({{4, 1}, {1, 3}}, {4, 3}, piece);
    check({{}, {}}, {}, piece);
    check({{1, 1}}, {1, 1, 1}, piece);
    check({{0, 3}, {3}}, {0, 3}, piece);
  }
}

TEST(BroadcastPlan, MergesDims) {
  const Dims shape{2, 3, 4}, bias{4}, channel{3, 1};
  EXPECT_EQ(BroadcastPlan({shape, shape}, shape).row_length(), 24);
  EXPECT_EQ(BroadcastPlan({shape, bias}, shape).row_length(), 4);
  EXPECT_EQ(BroadcastPlan({shape, channel}, shape).row_length(), 4);
  EXPECT_EQ(BroadcastPlan({shape, Dims{}}, shape).row_length(), 24);
  EXPECT_EQ(BroadcastPlan({shape, Dims{}}, shape).row_stride(1), 0);
}

TEST(BroadcastPlan, RefusesWhatDoesNotBroadcast) {
  EXPECT_THROW(BroadcastPlan({Dims{2}}, Dims{3}), Error);
  EXPECT_THROW(BroadcastPlan({Dims{2, 3}}, Dims{3}), Error);
}

}  // namespace
}  // namespace onnxrun::cpu
