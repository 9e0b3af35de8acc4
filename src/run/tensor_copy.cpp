// Deep copies of tensors and of what holds tensors.
#include "run/tensor_copy.h"

#include <algorithm>
#include <cstring>

#include "base/text_memory.h"

namespace onnxrun::run {

using base::DType;
using base::Tensor;
using base::Value;

namespace {

bool holds(const Value& value, const base::BufferPtr& buffer) {
  if (value.is_tensor()) return value.tensor().buffer() == buffer;
  if (!value.is_sequence()) return false;
  const auto& elements = value.sequence().elements;
  return std::any_of(elements.begin(), elements.end(), [&](const Value& element) { return holds(element, buffer); });
}

}  // namespace

void copy_elements(const onnxrun_tensor& from, Tensor& to) {
  if (to.dtype() == DType::kString)
    std::copy_n(static_cast<const std::string*>(from.data), to.count(), to.mutable_data<std::string>());
  else if (to.bytes() > 0) std::memmove(to.mutable_raw(), from.data, to.bytes());
}

Tensor copy_of(const onnxrun_tensor& view, TensorPool& pool) {
  base::Dims dims(view.dims, view.dims + view.rank);
  if (view.dtype == ONNXRUN_DTYPE_STRING)
    return base::copy_text(static_cast<const std::string*>(view.data), std::move(dims), pool.budget());
  Tensor result = pool.make(static_cast<DType>(view.dtype), std::move(dims));
  copy_elements(view, result);
  return result;
}

Value detached(const Value& value, std::span<const Value* const> lenders, const base::BudgetPtr& budget) {
  if (value.is_tensor()) {
    const base::BufferPtr& buffer = value.tensor().buffer();
    const bool lent = std::any_of(lenders.begin(), lenders.end(),
                                  [&](const Value* lender) { return lender != nullptr && holds(*lender, buffer); });
    return lent ? Value(value.tensor().clone(budget)) : value;
  }
  if (!value.is_sequence()) return value;
  auto sequence = std::make_shared<base::Sequence>();
  for (const Value& element : value.sequence().elements)
    sequence->elements.push_back(detached(element, lenders, budget));
  return Value(std::shared_ptr<const base::Sequence>(std::move(sequence)));
}

}  // namespace onnxrun::run
