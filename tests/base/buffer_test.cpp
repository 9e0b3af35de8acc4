// Buffers: alignment, budget accounting, strings, borrowed memory and sizes that cannot be had.
#include "base/buffer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/mapping.h"

// Sanitizers end the process on an allocation that the system refuses, unless told otherwise.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }

namespace onnxrun::base {
namespace {

TEST(Buffer, IsAlignedAndZeroedOnRequest) {
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{4097}, size_t{3} << 20}) {
    for (const bool zero : {false, true}) {
      const BufferPtr buffer = Buffer::allocate(bytes, nullptr, zero);
      ASSERT_NE(buffer->data(), nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % kAlignment, 0u);
      EXPECT_EQ(buffer->bytes(), bytes);
      auto* data = static_cast<uint8_t*>(buffer->data());
      for (size_t i = 0; zero && i < bytes; ++i) ASSERT_EQ(data[i], 0) << i;
      for (size_t i = 0; i < bytes; ++i) data[i] = 0xff;
    }
  }
}

TEST(Buffer, ChargesTheBudgetForItsLifetime) {
  const auto budget = std::make_shared<Budget>(1000);
  {
    const BufferPtr first = Buffer::allocate(600, budget);
    EXPECT_EQ(budget->used(), 600);
    try {
      Buffer::allocate(401, budget);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kLimitExceeded);
      for (const char* number : {"401", "600", "1000"})
        EXPECT_NE(error.message().find(number), std::string::npos) << number;
    }
    const BufferPtr second = Buffer::allocate(400, budget);
    EXPECT_EQ(budget->used(), 1000);
  }
  EXPECT_EQ(budget->used(), 0);
  EXPECT_EQ(budget->peak(), 1000);
  EXPECT_THROW(budget->charge(-1), Error);
}

TEST(Buffer, FailedAllocationGivesItsChargeBack) {
  const auto budget = std::make_shared<Budget>();
  for (const size_t bytes : {SIZE_MAX, static_cast<size_t>(INT64_MAX), size_t{1} << 62}) {
    for (const bool zero : {false, true}) {
      try {
        Buffer::allocate(bytes, budget, zero);
        FAIL();
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kLimitExceeded);
        EXPECT_NE(error.message().find(std::to_string(bytes)), std::string::npos) << error.message();
      }
      EXPECT_EQ(budget->used(), 0);
    }
  }
}

TEST(Buffer, StringsAreConstructedAndDestroyed) {
  const auto budget = std::make_shared<Budget>();
  {
    const BufferPtr buffer = Buffer::allocate_strings(3, budget);
    auto* strings = static_cast<std::string*>(buffer->data());
    EXPECT_EQ(strings[2], "");
    strings[1] = std::string(100, 'x');  // must be freed, or LeakSanitizer tells
    EXPECT_EQ(budget->used(), static_cast<int64_t>(3 * sizeof(std::string)));
  }
  EXPECT_EQ(budget->used(), 0);
  EXPECT_EQ(Buffer::allocate_strings(0)->bytes(), 0u);
  EXPECT_THROW(Buffer::allocate_strings(-1), Error);
  EXPECT_THROW(Buffer::allocate_strings(INT64_MAX / 8), Error);
}

TEST(Buffer, WrapKeepsTheOwnerAlive) {
  auto owner = std::make_shared<std::vector<int>>(4, 7);
  const std::weak_ptr<std::vector<int>> watch = owner;
  BufferPtr buffer = Buffer::wrap(owner->data(), 4 * sizeof(int), owner);
  EXPECT_EQ(buffer->data(), owner->data());
  owner.reset();
  EXPECT_FALSE(watch.expired());
  buffer.reset();
  EXPECT_TRUE(watch.expired());
}

// Twelve bytes one byte behind an aligned address.
struct Unaligned {
  std::shared_ptr<std::vector<char>> owner = std::make_shared<std::vector<char>>(256);
  char* at = nullptr;
  Unaligned() {
    at = owner->data() + (kAlignment - reinterpret_cast<uintptr_t>(owner->data()) % kAlignment) + 1;
    std::memcpy(at, "twelve bytes", 12);
  }
};

TEST(UnalignedBuffer, IsCopiedWhenAskedForAndCharged) {
  const Unaligned from;
  const auto budget = std::make_shared<Budget>(20);
  const BufferPtr buffer = Buffer::wrap_unaligned(from.at, 12, from.owner, budget);
  EXPECT_EQ(buffer->data(), from.at);
  EXPECT_EQ(buffer->copy(), nullptr);
  EXPECT_EQ(budget->used(), 0);
  void* const copy = buffer->aligned();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(copy) % kAlignment, 0u);
  EXPECT_EQ(std::memcmp(copy, "twelve bytes", 12), 0);
  EXPECT_EQ(buffer->aligned(), copy);
  EXPECT_EQ(buffer->copy(), copy);
  EXPECT_EQ(budget->used(), 12);
}

TEST(UnalignedBuffer, AsksAgainAfterTheLimitWasPassed) {
  const Unaligned from;
  const auto budget = std::make_shared<Budget>(20);
  const BufferPtr buffer = Buffer::wrap_unaligned(from.at, 12, from.owner, budget);
  budget->charge(10);
  EXPECT_THROW(buffer->aligned(), Error);
  EXPECT_EQ(buffer->copy(), nullptr);
  budget->release(10);
  EXPECT_NE(buffer->aligned(), nullptr);
}

TEST(UnalignedBuffer, IsCopiedOnceByMany) {
  for (int round = 0; round < 50; ++round) {
    const Unaligned from;
    const auto budget = std::make_shared<Budget>();
    const BufferPtr buffer = Buffer::wrap_unaligned(from.at, 12, from.owner, budget);
    std::vector<std::thread> threads;
    std::atomic<int> right = 0;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] { right += std::memcmp(buffer->aligned(), "twelve bytes", 12) == 0; });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(right, 4);
    EXPECT_EQ(budget->used(), 12);
  }
}

// Pages of a mapped file that are in memory.
size_t resident_pages(const char* data, size_t bytes) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::ifstream smaps("/proc/self/smaps");
  const std::string begin = fmt::format("{:x}-", reinterpret_cast<uintptr_t>(data));
  for (std::string line; std::getline(smaps, line);) {
    if (line.rfind(begin, 0) != 0) continue;
    while (std::getline(smaps, line))
      if (line.rfind("Rss:", 0) == 0) return std::stoul(line.substr(4)) * 1024 / page;
  }
  ADD_FAILURE() << "no mapping of " << bytes << " bytes";
  return 0;
}

TEST(Mapping, LetsPagesGoUntilTheyAreReadAgain) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  const std::string content(64 * page, 'c');
  ASSERT_EQ(std::fwrite(content.data(), 1, content.size(), file), content.size());
  std::fflush(file);
  const auto owner = map_file(fileno(file), content.size());
  ASSERT_NE(owner, nullptr);
  const char* const data = static_cast<const char*>(owner.get());
  EXPECT_EQ(std::memcmp(data, content.data(), content.size()), 0);
  EXPECT_EQ(resident_pages(data, content.size()), 64u);
  forget_pages(owner, data + 1, 32 * page);  // of the first page and the last, others may still read
  EXPECT_EQ(resident_pages(data, content.size()), 33u);
  EXPECT_EQ(std::memcmp(data, content.data(), content.size()), 0);
  const auto heap = std::make_shared<std::vector<char>>(8 * page, 'h');
  forget_pages(heap, heap->data(), heap->size());
  EXPECT_EQ(std::count(heap->begin(), heap->end(), 'h'), static_cast<ptrdiff_t>(8 * page)) << "not of a file";
  EXPECT_EQ(map_file(-1, page), nullptr);
  std::fclose(file);
}

TEST(Mapping, GivesBlocks) {
  const std::shared_ptr<void> block = map_block(100'000);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block.get()) % kAlignment, 0u);
  std::memset(block.get(), 1, 100'000);
  EXPECT_EQ(map_block(SIZE_MAX / 2), nullptr);
}

TEST(Budget, CountsAcrossThreads) {
  Budget budget(100);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        try {
          budget.charge(40);
          budget.release(40);
        } catch (const Error&) {
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(budget.used(), 0);
  EXPECT_LE(budget.peak(), 100);
}

}  // namespace
}  // namespace onnxrun::base
