// Device memory of the double.
#include "memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#if defined(ONNXRUN_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(from, bytes) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(from, bytes) static_cast<void>(0)
#endif

namespace cuda_double {

namespace {

constexpr size_t kRegion = size_t{1} << 38;
constexpr size_t kPage = 4096;
constexpr size_t kGap = 1024;  // after each block at least
constexpr unsigned char kFresh = 0xAB, kBeyond = 0xCD;

size_t round_up(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

Memory::Memory() : limit_(size_t{16} << 30) {
  void* region = mmap(nullptr, kRegion, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) std::abort();
  base_ = static_cast<char*>(region);
}

void Memory::open() {
  if (opened_++ == 0 && end_ > 0) mprotect(base_, end_, PROT_READ | PROT_WRITE);
}

void Memory::close() {
  if (--opened_ == 0 && end_ > 0) mprotect(base_, end_, PROT_NONE);
}

void* Memory::allocate(size_t bytes) {
  if (bytes > limit_ || used_ + bytes > limit_) return nullptr;
  const size_t reserved = round_up(bytes + kGap, kPage);
  if (reserved > kRegion - end_) return nullptr;
  char* start = base_ + end_;
  end_ += reserved;
  used_ += bytes;
  blocks_[start] = {bytes, reserved};
  mprotect(start, reserved, PROT_READ | PROT_WRITE);
  std::memset(start, kFresh, bytes < (size_t{1} << 20) ? bytes : size_t{1} << 20);
  std::memset(start + bytes, kBeyond, reserved - bytes);
  if (opened_ == 0) mprotect(start, reserved, PROT_NONE);
  ASAN_POISON_MEMORY_REGION(start + bytes, reserved - bytes);
  return start;
}

void Memory::check_end(char* start, const Block& block) const {
  ASAN_UNPOISON_MEMORY_REGION(start + block.bytes, block.reserved - block.bytes);
  for (size_t i = block.bytes; i < block.reserved; ++i)
    if (static_cast<unsigned char>(start[i]) != kBeyond)
      throw std::string("a device allocation of ") + std::to_string(block.bytes) + " bytes was written at byte " +
          std::to_string(i);
}

void Memory::release(void* memory) {
  const auto found = blocks_.find(static_cast<char*>(memory));
  if (found == blocks_.end()) throw std::string("freed memory that is not allocated");
  const Block block = found->second;
  char* start = found->first;
  used_ -= block.bytes;
  blocks_.erase(found);
  check_end(start, block);
  madvise(start, block.reserved, MADV_DONTNEED);
  ASAN_POISON_MEMORY_REGION(start, block.reserved);
}

bool Memory::holds(const void* memory, size_t bytes) const {
  const auto* at = static_cast<const char*>(memory);
  auto found = blocks_.upper_bound(const_cast<char*>(at));
  if (found == blocks_.begin()) return false;
  --found;
  const auto offset = static_cast<size_t>(at - found->first);
  return offset <= found->second.bytes && bytes <= found->second.bytes - offset;
}

bool Memory::in_region(const void* memory) const {
  const auto* at = static_cast<const char*>(memory);
  return at >= base_ && at < base_ + kRegion;
}

}  // namespace cuda_double
