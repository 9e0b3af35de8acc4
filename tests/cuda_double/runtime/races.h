// Races for shared memory: two threads of a block touch the same byte with no barrier between, and one of them writes.
//
// Kernels are compiled as for the thread sanitizer, which lets each access call a function; those functions are the double's own, in races.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

namespace cuda_double {

struct Access {
  uint32_t round = 0;  // barriers of the block before it, counted through all blocks
  uint32_t thread = 0;
  uint32_t met = 0;  // barriers of its warp before it
  bool atomic = false;
  const void* at = nullptr;  // the instruction
};

class Races {
 public:
  void begin_block() {
    ++round_;
    found_.clear();
    running_ = true;
  }
  // Throws std::string where there was a race.
  void end_block();
  void meet_block() { ++round_; }
  bool running() const { return running_; }
  void touch(const void* address, size_t bytes, bool writes, bool atomic, const void* at);

 private:
  // What was done last to a byte: by the last thread that read it, and by another one before.
  struct Cell {
    Access write, read, other_read;
  };
  static constexpr size_t kPage = 4096;
  using Page = std::array<Cell, kPage>;

  Cell& cell(uintptr_t address);
  bool ordered(const Access& before, const Access& now) const;
  void report(const Access& before, bool wrote, const Access& now, bool writes, const void* address);

  // Of the thread that runs a block: others may call instrumented code of the host meanwhile.
  static inline thread_local bool running_ = false;
  uint32_t round_ = 0;
  std::string found_;
  std::unordered_map<uintptr_t, std::unique_ptr<Page>> pages_;
  uintptr_t last_number_ = 0;
  Page* last_ = nullptr;
};

Races& races();

// Fills thread and warp; false where the memory is the running thread's own.
bool describe_access(const void* address, Access& access);

}  // namespace cuda_double
