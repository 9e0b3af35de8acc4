#include "base/charge.h"

#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "base/error.h"

namespace onnxrun::base {
namespace {

constexpr int64_t kMegabyte = int64_t{1} << 20;

TEST(Charge, HoldsForAsLongAsItLives) {
  const auto budget = std::make_shared<Budget>();
  {
    Charge charge(budget, 100);
    const Charge moved = std::move(charge);
    EXPECT_EQ(budget->used(), 100);
  }
  EXPECT_EQ(budget->used(), 0);
}

TEST(Charge, CountsAllOfWhatGrows) {
  const auto budget = std::make_shared<Budget>(16 * kMegabyte);
  {
    Charge charge(budget);
    for (int i = 0; i < 1000; ++i) charge.add(32);
    EXPECT_EQ(budget->used(), kMegabyte) << "a step ahead";
    charge.add(10 * kMegabyte);
    EXPECT_EQ(budget->used(), 10 * kMegabyte + 32000);
    EXPECT_THROW(charge.add(8 * kMegabyte), Error);
  }
  EXPECT_EQ(budget->used(), 0);
}

}  // namespace
}  // namespace onnxrun::base
