// Finding races for shared memory, and the functions that instrumented kernels call for each access.
#include "races.h"

#include <dlfcn.h>

#include <cstdio>

#include "streams.h"

namespace cuda_double {

namespace {

// The function and the line of an instruction, as well as the binary's debug information tells them.
std::string place_of(const void* at) {
  Dl_info info{};
  if (dladdr(at, &info) == 0 || info.dli_fname == nullptr) return "an unknown place";
  const auto offset = static_cast<size_t>(static_cast<const char*>(at) - static_cast<const char*>(info.dli_fbase));
  char command[1024];
  // The address is that to which the call returns.
  std::snprintf(command, sizeof(command), "addr2line -Cfpse '%s' 0x%zx 2>/dev/null", info.dli_fname, offset - 1);
  std::string text;
  if (FILE* output = popen(command, "r")) {
    char line[1024];
    if (std::fgets(line, sizeof(line), output) != nullptr) text = line;
    pclose(output);
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.rfind("??", 0) != 0) return text;
  std::snprintf(command, sizeof(command), "%s+0x%zx", info.dli_fname, offset);
  return command;
}

}  // namespace

Races& races() {
  static Races instance;
  return instance;
}

void Races::end_block() {
  running_ = false;
  if (found_.empty()) return;
  const std::string reason = std::move(found_);
  found_.clear();
  throw reason;
}

Races::Cell& Races::cell(uintptr_t address) {
  const uintptr_t number = address / kPage;
  if (last_ == nullptr || number != last_number_) {
    std::unique_ptr<Page>& page = pages_[number];
    if (!page) page = std::make_unique<Page>();
    last_ = page.get();
    last_number_ = number;
  }
  return (*last_)[address % kPage];
}

// Whether `before`, an access in the same block, comes before `now` in every order in which the threads may run.
bool Races::ordered(const Access& before, const Access& now) const {
  if (before.round != now.round || before.thread == now.thread || (before.atomic && now.atomic)) return true;
  return before.thread / 32 == now.thread / 32 && before.met != now.met;
}

void Races::report(const Access& before, bool wrote, const Access& now, bool writes, const void* address) {
  if (!found_.empty()) return;
  char numbers[128];
  std::snprintf(numbers, sizeof(numbers), " at %p without a barrier between: thread %u %s it in ", address,
                before.thread, wrote ? "writes" : "reads");
  found_ = std::string("threads of a block race for shared memory") + numbers + place_of(before.at) + ", thread " +
           std::to_string(now.thread) + (writes ? " writes" : " reads") + " it in " + place_of(now.at);
}

void Races::touch(const void* address, size_t bytes, bool writes, bool atomic, const void* at) {
  if (!running_ || World::get().memory.in_region(address)) return;
  Access now;
  if (!describe_access(address, now)) return;
  now.round = round_;
  now.atomic = atomic;
  now.at = at;
  for (size_t i = 0; i < bytes; ++i) {
    Cell& byte = cell(reinterpret_cast<uintptr_t>(address) + i);
    if (!ordered(byte.write, now)) report(byte.write, true, now, writes, address);
    if (writes) {
      if (!ordered(byte.read, now)) report(byte.read, false, now, true, address);
      if (!ordered(byte.other_read, now)) report(byte.other_read, false, now, true, address);
      byte.write = now;
    } else {
      if (byte.read.thread != now.thread) byte.other_read = byte.read;
      byte.read = now;
    }
  }
}

}  // namespace cuda_double

using cuda_double::races;

CUDA_DOUBLE_API void cuda_double_atomic(const void* address, size_t bytes) {
  if (races().running()) races().touch(address, bytes, true, true, __builtin_return_address(0));
}

// The names that the compiler calls.
#define READ_AND_WRITE(bytes)                                                                  \
  CUDA_DOUBLE_API void __tsan_read##bytes(void* p) {                                           \
    if (races().running()) races().touch(p, bytes, false, false, __builtin_return_address(0)); \
  }                                                                                            \
  CUDA_DOUBLE_API void __tsan_write##bytes(void* p) {                                          \
    if (races().running()) races().touch(p, bytes, true, false, __builtin_return_address(0));  \
  }                                                                                            \
  CUDA_DOUBLE_API void __tsan_unaligned_read##bytes(void* p) {                                 \
    if (races().running()) races().touch(p, bytes, false, false, __builtin_return_address(0)); \
  }                                                                                            \
  CUDA_DOUBLE_API void __tsan_unaligned_write##bytes(void* p) {                                \
    if (races().running()) races().touch(p, bytes, true, false, __builtin_return_address(0));  \
  }

READ_AND_WRITE(1)
READ_AND_WRITE(2)
READ_AND_WRITE(4)
READ_AND_WRITE(8)
READ_AND_WRITE(16)

CUDA_DOUBLE_API void __tsan_read_range(void* p, size_t bytes) {
  if (races().running()) races().touch(p, bytes, false, false, __builtin_return_address(0));
}
CUDA_DOUBLE_API void __tsan_write_range(void* p, size_t bytes) {
  if (races().running()) races().touch(p, bytes, true, false, __builtin_return_address(0));
}
CUDA_DOUBLE_API void __tsan_init() {}
CUDA_DOUBLE_API void __tsan_func_entry(void*) {}
CUDA_DOUBLE_API void __tsan_func_exit() {}
CUDA_DOUBLE_API void __tsan_vptr_update(void**, void*) {}
CUDA_DOUBLE_API void __tsan_vptr_read(void**) {}
