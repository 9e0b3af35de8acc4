// Memory of packed constants: small ones share blocks as large as was announced, and all of it is charged and given back.
#include "plan/pack_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace onnxrun::plan {
namespace {

constexpr size_t kLarge = size_t{4} << 20;

int64_t signed_of(size_t bytes) { return static_cast<int64_t>(bytes); }

TEST(PackMemory, SmallConstantsShareABlock) {
  const auto budget = std::make_shared<base::Budget>();
  std::vector<base::BufferPtr> parts;
  {
    PackMemory memory(budget);
    for (const size_t bytes : {1000, 64, 5}) memory.expect(bytes);
    for (const size_t bytes : {1000, 64, 5}) {
      parts.push_back(memory.allocate(bytes));
      EXPECT_EQ(parts.back()->bytes(), bytes);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(parts.back()->data()) % base::kAlignment, 0u);
      std::memset(parts.back()->data(), static_cast<int>(bytes), bytes);
    }
    EXPECT_EQ(budget->used(), 1024 + 64 + 64) << "one block, as large as was announced";
    // What was not announced has a block of its own.
    const base::BufferPtr more = memory.allocate(128);
    EXPECT_EQ(budget->used(), 1024 + 64 + 64 + 128);
  }
  EXPECT_EQ(budget->used(), 1024 + 64 + 64) << "parts in use keep their block";
  for (const base::BufferPtr& part : parts)
    for (size_t i = 0; i < part->bytes(); ++i)
      ASSERT_EQ(static_cast<uint8_t*>(part->data())[i], static_cast<uint8_t>(part->bytes()));
  parts.clear();
  EXPECT_EQ(budget->used(), 0);
}

TEST(PackMemory, LargeConstantsHaveTheirOwn) {
  const auto budget = std::make_shared<base::Budget>();
  PackMemory memory(budget);
  memory.expect(kLarge);
  base::BufferPtr large = memory.allocate(kLarge), small = memory.allocate(64);
  EXPECT_EQ(budget->used(), signed_of(kLarge) + 64);
  large.reset();
  EXPECT_EQ(budget->used(), 64);
}

TEST(PackMemory, NearTheLimitBlocksHoldWhatIsPackedOnly) {
  const auto budget = std::make_shared<base::Budget>(1024);
  PackMemory memory(budget);
  for (const size_t bytes : {512, 2000}) memory.expect(bytes);
  const base::BufferPtr part = memory.allocate(512);
  EXPECT_EQ(budget->used(), 512);
  EXPECT_THROW(memory.allocate(2000), base::Error);
  EXPECT_EQ(budget->used(), 512);
}

TEST(PackMemory, UnalignedConstantsAreReadInCopies) {
  const auto budget = std::make_shared<base::Budget>();
  PackMemory memory(budget);
  constexpr int64_t kCount = 100'000;
  std::vector<char> file(static_cast<size_t>(kCount) * sizeof(float) + 1);
  std::vector<float> values(static_cast<size_t>(kCount));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  std::memcpy(file.data() + 1, values.data(), file.size() - 1);
  const base::Tensor constant(base::DType::kFloat32, {kCount},
                              base::Buffer::wrap_unaligned(file.data() + 1, file.size() - 1, nullptr));
  ASSERT_TRUE(constant.is_unaligned());
  const void* first = nullptr;
  {
    // Two at once are two copies.
    const base::Tensor a = memory.readable(constant), b = memory.readable(constant);
    EXPECT_NE(a.raw(), b.raw());
    EXPECT_EQ(std::memcmp(a.raw(), values.data(), a.bytes()), 0);
    EXPECT_EQ(std::memcmp(b.raw(), values.data(), b.bytes()), 0);
    EXPECT_EQ(budget->used(), 2 * signed_of(a.bytes()));
    first = a.raw();
  }
  EXPECT_EQ(budget->used(), 0);
  EXPECT_EQ(memory.readable(constant).raw(), first) << "one after the other they lie in the same place";
  memory.end_packing();
  EXPECT_EQ(std::memcmp(memory.readable(constant).raw(), values.data(), values.size() * sizeof(float)), 0);
}

}  // namespace
}  // namespace onnxrun::plan
