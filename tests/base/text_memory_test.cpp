// What the text of strings and the lists of kernels are charged to.
#include "base/text_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/kernel_memory.h"
#include "base/parallel.h"

namespace onnxrun::base {
namespace {

constexpr int64_t kString = sizeof(std::string);

Tensor strings_of(const BudgetPtr& budget, size_t length) {
  Tensor tensor(DType::kString, {2}, budget);
  for (int i = 0; i < 2; ++i) tensor.mutable_data<std::string>()[i].assign(length, 'a');
  return tensor;
}

TEST(TextMemory, ShortTextLiesInTheString) {
  EXPECT_EQ(text_bytes(0), 0);
  EXPECT_EQ(text_bytes(std::string().capacity()), 0);
  EXPECT_EQ(text_bytes(1000), 1001);
}

TEST(TextMemory, IsChargedForAsLongAsTheStringsLive) {
  const auto budget = std::make_shared<Budget>(1 << 20);
  {
    Tensor tensor = charge_text(strings_of(budget, 1000), budget);
    EXPECT_GE(budget->used(), 2 * (kString + 1001));
    const Tensor copy = tensor.clone(budget);
    EXPECT_EQ(copy.data<std::string>()[1], std::string(1000, 'a'));
    EXPECT_GE(budget->used(), 4 * (kString + 1001));
    const Tensor seen = tensor.reshaped({1, 2});
    tensor = Tensor();
    EXPECT_GE(budget->used(), 4 * (kString + 1001));
  }
  EXPECT_EQ(budget->used(), 0);
}

TEST(TextMemory, IsRefusedBeforeItIsCopied) {
  const auto budget = std::make_shared<Budget>(10'000);
  const Tensor tensor = charge_text(strings_of(budget, 4000), budget);
  EXPECT_THROW((void)tensor.clone(budget), Error);
  EXPECT_LE(budget->peak(), 10'000);
}

TEST(KernelMemory, ChargesTheKernelAtWorkAndGivesBack) {
  const BudgetPtr budget = std::make_shared<Budget>(1000);
  take_kernel_memory(5000);  // no kernel is at work
  {
    KernelMemory memory(budget);
    const KernelMemory::Here here(&memory);
    take_kernel_memory(600);
    EXPECT_EQ(budget->used(), 600);
    EXPECT_THROW(take_kernel_memory(600), Error);
    EXPECT_EQ(kernel_budget(), budget);
    {
      const KernelMemory::Here nobody(nullptr);
      take_kernel_memory(5000);
    }
    EXPECT_EQ(KernelMemory::here(), &memory);
  }
  EXPECT_EQ(KernelMemory::here(), nullptr);
  EXPECT_EQ(kernel_budget(), nullptr);
  EXPECT_EQ(budget->used(), 0);
}

TEST(KernelMemory, TextIsTakenAsItIsWritten) {
  const BudgetPtr budget = std::make_shared<Budget>(10'000);
  KernelMemory memory(budget);
  const KernelMemory::Here here(&memory);
  const std::string word(3000, 'b');
  Text texts[4];
  texts[0].set(word);
  texts[1] = texts[0];
  EXPECT_GE(budget->used(), 2 * 3001);
  texts[1] = texts[0];  // there is room already
  EXPECT_LE(budget->used(), 3 * 3001);
  texts[2].set(word);
  EXPECT_THROW(texts[3] = texts[0], Error);
  EXPECT_TRUE(texts[3].empty());
}

}  // namespace
}  // namespace onnxrun::base
