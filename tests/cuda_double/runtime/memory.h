// Device memory of the double: a reserved region that is open only while a stream works.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace cuda_double {

class Memory {
 public:
  static constexpr size_t kAlignment = 256;

  Memory();
  // Addresses are not used again, so that late uses of freed memory are seen. Null beyond the limit.
  void* allocate(size_t bytes);
  // Throws std::string for what is no live allocation or was written beyond its end. Only while open.
  void release(void* memory);
  // Whether [memory, memory + bytes) lies in one live allocation.
  bool holds(const void* memory, size_t bytes) const;
  // Whether any of it lies in the region, live or not.
  bool in_region(const void* memory) const;
  size_t used() const { return used_; }
  void set_limit(size_t bytes) { limit_ = bytes; }
  size_t limit() const { return limit_; }

  void open();
  void close();

 private:
  struct Block {
    size_t bytes = 0, reserved = 0;
  };
  void check_end(char* start, const Block& block) const;

  char* base_ = nullptr;
  size_t end_ = 0;  // of what was handed out so far
  size_t used_ = 0, limit_;
  int opened_ = 0;
  std::map<char*, Block> blocks_;
};

}  // namespace cuda_double
