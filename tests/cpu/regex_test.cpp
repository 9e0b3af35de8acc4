// What regular expressions are charged for, and what they do with little memory.
#include "cpu/content/regex.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/kernel_memory.h"

namespace onnxrun::cpu {
namespace {

constexpr int64_t kMega = int64_t{1} << 20;

// Kernels at work on this thread, charged to a budget of `megabytes`.
class RegexMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (Regex::accepts().declined()) GTEST_SKIP() << "this build has no RE2";
  }
  void limit(int64_t megabytes) {
    budget_ = std::make_shared<base::Budget>(megabytes * kMega);
    memory_.emplace(budget_);
    here_.emplace(&*memory_);
  }

  base::BudgetPtr budget_;
  std::optional<base::KernelMemory> memory_;
  std::optional<base::KernelMemory::Here> here_;
};

TEST_F(RegexMemory, IsChargedWhileTheExpressionLives) {
  limit(1000);
  {
    const Regex expression("a+b");
    EXPECT_GE(budget_->used(), 8 * kMega);
    const int64_t once = budget_->used();
    const Regex same("a+b");
    EXPECT_EQ(budget_->used(), once);
    const Regex other("a+c");
    EXPECT_GE(budget_->used(), 16 * kMega);
  }
  EXPECT_EQ(budget_->used(), 0);
}

TEST_F(RegexMemory, EachBudgetIsChargedForItsOwn) {
  limit(1000);
  const Regex expression("a+b");
  const base::BudgetPtr first = budget_;
  limit(1000);
  const Regex same("a+b");
  EXPECT_EQ(budget_->used(), first->used());
}

TEST_F(RegexMemory, ManyFindRoomInLittle) {
  limit(16);
  std::vector<Regex> expressions;
  expressions.reserve(40);
  for (int i = 0; i < 40; ++i) expressions.emplace_back("a{" + std::to_string(i + 1) + "}");
  EXPECT_LE(budget_->peak(), 16 * kMega);
}

TEST_F(RegexMemory, LargeExpressionsNeedTheirRoom) {
  std::string large;
  for (int i = 0; i < 9; ++i) large += ".{1000}";
  limit(1000);
  const Regex expression(large);
  limit(16);
  EXPECT_THROW(Regex{large}, base::Error);
  EXPECT_EQ(budget_->used(), 0);
}

#if !defined(ONNXRUN_ADDRESS_SANITIZER) && !defined(ONNXRUN_THREAD_SANITIZER)
TEST_F(RegexMemory, RefusedExpressionsLeaveNothing) {
  limit(4);
  const auto refuse = [&](size_t size) {
    EXPECT_THROW(Regex{std::to_string(size) + std::string(size, 'a')}, base::Error);
  };
  refuse(Regex::kMostPattern);
  const size_t before = mallinfo2().uordblks;
  for (size_t i = 0; i < 100; ++i) {
    refuse(Regex::kMostPattern + i);  // too long
    refuse(30'000 + i);               // beyond the budget
  }
  EXPECT_LT(mallinfo2().uordblks, before + kMega);
}
#endif

}  // namespace
}  // namespace onnxrun::cpu
