// Adding up and charging text.
#include "base/text_memory.h"

#include <algorithm>
#include <memory>

namespace onnxrun::base {

int64_t text_bytes(std::span<const std::string> strings) {
  int64_t total = 0;
  for (const std::string& text : strings) total += text_bytes(text.capacity());
  return total;
}

Tensor with_text(Tensor strings, Charge text) {
  struct Owner {
    Charge text;
    BufferPtr strings;
  };
  auto owner = std::make_shared<Owner>(Owner{std::move(text), strings.buffer()});
  const size_t bytes = strings.bytes();
  return Tensor(DType::kString, strings.dims(), Buffer::wrap(strings.mutable_raw(), bytes, std::move(owner)));
}

Tensor charge_text(Tensor strings, const BudgetPtr& budget) {
  const int64_t bytes = text_bytes(strings.span<std::string>());
  return bytes == 0 ? strings : with_text(std::move(strings), Charge(budget, bytes));
}

Tensor copy_text(const std::string* from, Dims dims, const BudgetPtr& budget) {
  Tensor result(DType::kString, std::move(dims), budget);
  Charge text(budget, text_bytes({from, static_cast<size_t>(result.count())}));
  std::copy_n(from, result.count(), result.mutable_data<std::string>());
  return with_text(std::move(result), std::move(text));
}

}  // namespace onnxrun::base
