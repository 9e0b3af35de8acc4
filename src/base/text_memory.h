// The memory that the text of strings takes beside the strings themselves.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/charge.h"
#include "base/kernel_memory.h"
#include "base/tensor.h"

namespace onnxrun::base {

// Bytes outside of a string that has room for `capacity` characters: 0 where they fit into it.
inline int64_t text_bytes(size_t capacity) {
  static const size_t kInside = std::string().capacity();
  return capacity > kInside ? static_cast<int64_t>(capacity) + 1 : 0;
}
int64_t text_bytes(std::span<const std::string> strings);

// An element of a string tensor as kernels write it: what its text takes is charged to the kernel first. It is a std::string and nothing else, so that arrays
// of strings can be seen as such.
struct Text : std::string {
  Text() = default;
  Text(const Text& other) : std::string(other) {}
  ~Text() = default;
  Text& operator=(const Text& other) {
    set(other);
    return *this;
  }
  void set(std::string_view text) {
    if (text.size() > capacity()) take_kernel_memory(text_bytes(text.size()));
    assign(text);
  }
};
static_assert(sizeof(Text) == sizeof(std::string));

// The same strings, that hold on to what their text is charged to.
Tensor with_text(Tensor strings, Charge text);
// The same strings, their text charged to `budget`. Throws kLimitExceeded.
Tensor charge_text(Tensor strings, const BudgetPtr& budget);
// A copy, its text charged before it is made. Throws kLimitExceeded.
Tensor copy_text(const std::string* from, Dims dims, const BudgetPtr& budget);

}  // namespace onnxrun::base
