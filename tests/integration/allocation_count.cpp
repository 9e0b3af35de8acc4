// malloc and its kin, replaced for this test program by ones that count, and fail when told to.
#include "integration/allocation_count.h"

#include <execinfo.h>
#include <link.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

namespace onnxrun::testing {

#if defined(ONNXRUN_ADDRESS_SANITIZER) || defined(ONNXRUN_THREAD_SANITIZER)

bool counts_allocations() { return false; }
void start_counting() {}
AllocationCount stop_counting() { return {}; }
void fail_allocation(int64_t) {}
bool stop_failing() { return false; }

#else

namespace {

constexpr int kFrames = 32;
std::atomic<bool> counting{false};
std::atomic<int64_t> ours{0}, library{0};
void* first[kFrames];
int first_frames = 0;
struct Range {
  uintptr_t begin, end;
};
constexpr int kLibraries = 4;
Range library_at[kLibraries];
int libraries = 0;
thread_local bool inside = false;
thread_local int64_t left = -1;  // allocations of this thread before the one that fails; -1: none fails
thread_local bool failed = false;

// The ranges of addresses of oneDNN's shared library and its OpenMP runtime.
int find_library(dl_phdr_info* info, size_t, void*) {
  if (info->dlpi_name == nullptr ||
      (std::strstr(info->dlpi_name, "dnnl") == nullptr && std::strstr(info->dlpi_name, "gomp") == nullptr))
    return 0;
  Range range{UINTPTR_MAX, 0};
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    range.begin = std::min<uintptr_t>(range.begin, info->dlpi_addr + header.p_vaddr);
    range.end = std::max<uintptr_t>(range.end, info->dlpi_addr + header.p_vaddr + header.p_memsz);
  }
  if (libraries < kLibraries) library_at[libraries++] = range;
  return 0;
}

void count_allocation() {
  if (!counting.load(std::memory_order_relaxed) || inside) return;
  inside = true;
  void* frames[kFrames];
  const int depth = backtrace(frames, kFrames);
  bool in_library = false;
  for (int i = 0; i < depth; ++i) {
    const auto address = reinterpret_cast<uintptr_t>(frames[i]);
    for (int l = 0; l < libraries; ++l) in_library |= address >= library_at[l].begin && address < library_at[l].end;
  }
  if (in_library) {
    ++library;
  } else if (ours++ == 0) {
    std::memcpy(first, frames, sizeof frames);
    first_frames = depth;
  }
  inside = false;
}

// Whether the allocation is the one that fails.
bool fails() {
  count_allocation();
  if (left < 0 || left-- > 0) return false;
  failed = true;
  return true;
}

}  // namespace

bool counts_allocations() { return true; }

void fail_allocation(int64_t n) {
  failed = false;
  left = n;
}

bool stop_failing() {
  left = -1;
  return failed;
}

void start_counting() {
  void* frames[1];
  backtrace(frames, 1);  // the first call loads what it needs
  libraries = 0;
  dl_iterate_phdr(find_library, nullptr);
  ours = library = 0;
  first_frames = 0;
  counting = true;
}

AllocationCount stop_counting() {
  counting = false;
  AllocationCount count{ours, library, {}};
  if (first_frames == 0) return count;
  char** names = backtrace_symbols(first, first_frames);
  for (int i = 0; names != nullptr && i < first_frames; ++i) count.first += std::string("\n  ") + names[i];
  std::free(names);
  return count;
}

}  // namespace onnxrun::testing

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t bytes) { return onnxrun::testing::fails() ? nullptr : __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) { return onnxrun::testing::fails() ? nullptr : __libc_calloc(count, bytes); }
void* realloc(void* memory, size_t bytes) {
  return onnxrun::testing::fails() ? nullptr : __libc_realloc(memory, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  return onnxrun::testing::fails() ? nullptr : __libc_memalign(alignment, bytes);
}
int posix_memalign(void** out, size_t alignment, size_t bytes) {
  *out = onnxrun::testing::fails() ? nullptr : __libc_memalign(alignment, bytes);
  return *out == nullptr ? 12 : 0;
}
}

namespace onnxrun::testing {
#endif

}  // namespace onnxrun::testing
