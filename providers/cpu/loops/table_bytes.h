// Memory that lists and maps of kernels take outside of themselves: what table_bytes() tells, and what is charged as they are bound.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/kernel_memory.h"
#include "base/text_memory.h"
#include "ops/attributes/labels.h"

namespace onnxrun::cpu {

// Of a node of a set or map with its allocation, beside the element; with its place in the table where there is one.
inline constexpr size_t kMapNodeBytes = 64;

template <class T>
size_t bytes_outside(const std::vector<T>& list) {
  return list.capacity() * sizeof(T);
}
inline size_t bytes_outside(const std::string& text) { return static_cast<size_t>(base::text_bytes(text.capacity())); }
inline size_t bytes_outside(const std::vector<std::string>& strings) {
  return strings.capacity() * sizeof(std::string) + static_cast<size_t>(base::text_bytes(strings));
}
inline size_t bytes_outside(const std::set<std::string>& strings) {
  size_t bytes = 0;
  for (const std::string& text : strings) bytes += kMapNodeBytes + sizeof(std::string) + bytes_outside(text);
  return bytes;
}
template <class K, class V>
size_t bytes_outside(const std::unordered_map<K, V>& map) {
  size_t bytes = map.size() * (kMapNodeBytes + sizeof(K) + sizeof(V));
  if constexpr (std::is_same_v<K, std::string>)
    for (const auto& [key, value] : map) bytes += bytes_outside(key);
  return bytes;
}
inline size_t bytes_outside(const ops::Labels& labels) {
  return bytes_outside(labels.ints) + bytes_outside(labels.strings);
}

template <class... Parts>
size_t bytes_outside_of(const Parts&... parts) {
  return (size_t{0} + ... + bytes_outside(parts));
}

// Charges the kernel that is being bound for what it keeps. Throws kLimitExceeded.
template <class K>
void charge_tables(const K& kernel) {
  base::take_kernel_memory(static_cast<int64_t>(kernel.table_bytes()));
}

}  // namespace onnxrun::cpu
