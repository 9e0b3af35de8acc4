// Costs of work made of sizes that stand beside a dimension of 0.
#include <gtest/gtest.h>

#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

TEST(Cost, EndsAtTheGreatestNumber) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max(), kLarge = int64_t{1} << 61;
  EXPECT_EQ((Cost(6) * 7 + 8).steps(), 50);
  EXPECT_EQ((Cost(kLarge) * 0 * kLarge).steps(), 0);
  EXPECT_EQ((Cost(kLarge) * 10).steps(), kMost);
  EXPECT_EQ((Cost(kLarge) * kLarge * kLarge + kLarge).steps(), kMost);
  EXPECT_EQ(((Cost(kLarge) * 3 + kLarge) * 2 / 4).steps(), kMost / 4);
}

}  // namespace
}  // namespace onnxrun::cpu
