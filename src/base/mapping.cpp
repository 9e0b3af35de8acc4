// Mapping, and letting pages go.
#include "base/mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace onnxrun::base {
namespace {

// Deletes the owner of a mapped file, and is how such a one is told from others.
struct Unmap {
  void* data;
  size_t bytes;
  void operator()(const void*) const noexcept { munmap(data, bytes); }
};

}  // namespace

std::shared_ptr<const void> map_file(int descriptor, size_t bytes) {
  void* const data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (data == MAP_FAILED) return nullptr;
  return {data, Unmap{data, bytes}};
}

std::shared_ptr<void> map_block(size_t bytes) {
  void* const data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return nullptr;
  return {data, [bytes](void* block) { munmap(block, bytes); }};
}

void forget_pages(const std::shared_ptr<const void>& owner, const void* data, size_t bytes) noexcept {
  if (std::get_deleter<Unmap>(owner) == nullptr) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)), from = reinterpret_cast<uintptr_t>(data);
  const uintptr_t begin = (from + page - 1) / page * page, end = (from + bytes) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace onnxrun::base
