// Open addressing with linear probing; at most half of the slots are taken.
#include "cpu/loops/lookup.h"

#include <bit>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "cpu/loops/order_key.h"

namespace onnxrun::cpu {
namespace {

// Both tables begin with the number of keys and the mask of the slots.
struct Head {
  uint64_t keys, mask;
};

uint64_t slot_count(size_t keys) {
  if (keys >= (size_t{1} << 31)) base::fail(base::Code::kLimitExceeded, "a table of {} keys", keys);
  return std::bit_ceil(uint64_t{2} * (keys + 1));
}

uint64_t hash(uint64_t key) {
  key ^= key >> 32;
  key *= 0x9e3779b97f4a7c15u;
  return key ^ key >> 29;
}

uint64_t hash(std::string_view key) { return hash(uint64_t{std::hash<std::string_view>{}(key)}); }

// Puts `position` into the slot of an equal key or into a free one.
template <class Key, class KeyAt>
void place(uint32_t* slots, uint64_t mask, const Key& key, uint32_t position, const KeyAt& key_at) {
  uint64_t slot = hash(key) & mask;
  while (slots[slot] != 0 && !(key_at(slots[slot] - 1) == key)) slot = (slot + 1) & mask;
  slots[slot] = position + 1;
}

template <class Key, class KeyAt>
int64_t search(const uint32_t* slots, uint64_t mask, const Key& key, const KeyAt& key_at) {
  for (uint64_t slot = hash(key) & mask; slots[slot] != 0; slot = (slot + 1) & mask)
    if (key_at(slots[slot] - 1) == key) return slots[slot] - 1;
  return -1;
}

}  // namespace

size_t NumberLookup::bytes(size_t keys) {
  return sizeof(Head) + keys * sizeof(uint64_t) + slot_count(keys) * sizeof(uint32_t);
}

void NumberLookup::build(const std::vector<uint64_t>& keys, void* block) {
  const Head head{keys.size(), slot_count(keys.size()) - 1};
  auto* own = reinterpret_cast<uint64_t*>(static_cast<char*>(block) + sizeof(Head));
  auto* slots = reinterpret_cast<uint32_t*>(own + keys.size());
  std::memcpy(block, &head, sizeof(head));
  std::copy(keys.begin(), keys.end(), own);
  std::memset(slots, 0, (head.mask + 1) * sizeof(uint32_t));
  for (size_t i = 0; i < keys.size(); ++i)
    place(slots, head.mask, keys[i], static_cast<uint32_t>(i), [&](uint32_t k) { return keys[k]; });
}

NumberLookup::NumberLookup(const void* block) {
  Head head;
  std::memcpy(&head, block, sizeof(head));
  keys_ = reinterpret_cast<const uint64_t*>(static_cast<const char*>(block) + sizeof(Head));
  slots_ = reinterpret_cast<const uint32_t*>(keys_ + head.keys);
  mask_ = head.mask;
}

int64_t NumberLookup::find(uint64_t key) const {
  return search(slots_, mask_, key, [&](uint32_t k) { return keys_[k]; });
}

size_t StringLookup::bytes(const std::vector<std::string_view>& keys) {
  size_t text = 0;
  for (std::string_view key : keys) text += key.size();
  return sizeof(Head) + keys.size() * sizeof(uint64_t) + slot_count(keys.size()) * sizeof(uint32_t) + text;
}

void StringLookup::build(const std::vector<std::string_view>& keys, void* block) {
  const Head head{keys.size(), slot_count(keys.size()) - 1};
  auto* ends = reinterpret_cast<uint64_t*>(static_cast<char*>(block) + sizeof(Head));
  auto* slots = reinterpret_cast<uint32_t*>(ends + keys.size());
  auto* text = reinterpret_cast<char*>(slots + head.mask + 1);
  std::memcpy(block, &head, sizeof(head));
  std::memset(slots, 0, (head.mask + 1) * sizeof(uint32_t));
  uint64_t end = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    std::copy(keys[i].begin(), keys[i].end(), text + end);
    ends[i] = end += keys[i].size();
    place(slots, head.mask, keys[i], static_cast<uint32_t>(i), [&](uint32_t k) { return keys[k]; });
  }
}

StringLookup::StringLookup(const void* block) {
  Head head;
  std::memcpy(&head, block, sizeof(head));
  ends_ = reinterpret_cast<const uint64_t*>(static_cast<const char*>(block) + sizeof(Head));
  slots_ = reinterpret_cast<const uint32_t*>(ends_ + head.keys);
  mask_ = head.mask;
  text_ = reinterpret_cast<const char*>(slots_ + mask_ + 1);
}

std::string_view StringLookup::text(uint32_t position) const {
  const uint64_t begin = position == 0 ? 0 : ends_[position - 1];
  return {text_ + begin, ends_[position] - begin};
}

int64_t StringLookup::find(std::string_view key) const {
  return search(slots_, mask_, key, [&](uint32_t k) { return text(k); });
}

uint64_t float_key(double value) { return order_key(value); }

}  // namespace onnxrun::cpu
