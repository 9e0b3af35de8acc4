// Relocatable hash tables from numbers or strings to positions in a list, for operators that carry a vocabulary.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace onnxrun::cpu {

// A table in a block of bytes without pointers, so that it can be packed once and shared. The caller keeps the block, aligned to 8, alive.
// Of equal keys the last one's position holds.
class NumberLookup {
 public:
  static size_t bytes(size_t keys);
  static void build(const std::vector<uint64_t>& keys, void* block);

  NumberLookup() = default;
  explicit NumberLookup(const void* block);
  // -1 when it is not there.
  int64_t find(uint64_t key) const;

 private:
  const uint64_t* keys_ = nullptr;
  const uint32_t* slots_ = nullptr;  // position + 1; 0 is free
  uint64_t mask_ = 0;
};

class StringLookup {
 public:
  static size_t bytes(const std::vector<std::string_view>& keys);
  static void build(const std::vector<std::string_view>& keys, void* block);

  StringLookup() = default;
  explicit StringLookup(const void* block);
  int64_t find(std::string_view key) const;

 private:
  std::string_view text(uint32_t position) const;

  const uint64_t* ends_ = nullptr;  // of each key's text
  const uint32_t* slots_ = nullptr;
  const char* text_ = nullptr;
  uint64_t mask_ = 0;
};

// What a float is looked up by: -0 is 0, and all NaN are one.
uint64_t float_key(double value);

}  // namespace onnxrun::cpu
