// Values of slots for structural operators and for the caller.
#include <algorithm>

#include "base/error.h"
#include "run/frame.h"
#include "run/tensor_copy.h"

namespace onnxrun::run {

using base::Code;
using base::DType;
using base::Tensor;
using base::Value;

Feed Frame::slot_feed(int slot) const {
  Feed feed;
  feed.view = views_[static_cast<size_t>(slot)];
  const Value& holder = holders_[static_cast<size_t>(slot)];
  if (const Value* borrowed = borrowed_[static_cast<size_t>(slot)]) feed.holder = borrowed;
  else if (!holder.absent() || feed.view.dtype == 0) feed.holder = &holder;
  return feed;
}

Value Frame::slot_value(int slot) {
  const onnxrun_tensor& view = views_[static_cast<size_t>(slot)];
  if (const Value* borrowed = borrowed_[static_cast<size_t>(slot)]) return *borrowed;
  const Value& holder = holders_[static_cast<size_t>(slot)];
  if (!holder.absent() || view.dtype == 0) return holder;
  const auto root_slot = static_cast<size_t>(program_.slots()[static_cast<size_t>(slot)].root);
  const Value& root = borrowed_[root_slot] != nullptr ? *borrowed_[root_slot] : holders_[root_slot];
  if (root.is_tensor()) return root.tensor().reshaped(base::Dims(view.dims, view.dims + view.rank));
  return copy_of(view, *context_.tensors);
}

void Frame::set_slot(int slot, Value value) {
  Value& holder = holders_[static_cast<size_t>(slot)];
  if (holder.absent()) held_.push_back(slot);
  holder = std::move(value);
  views_[static_cast<size_t>(slot)] = holder.is_tensor() ? holder.tensor().view() : onnxrun_tensor{};
}

void Frame::collect(std::vector<Value>& outputs) {
  // A caller's tensor that shares memory with an input is written last: other outputs may be views of that input.
  const auto last = [&](size_t k) { return output_memory_[k] && outputs[k].is_tensor(); };
  for (size_t k = 0; k < outputs.size(); ++k)
    if (!last(k)) collect_output(k, outputs[k]);
  for (size_t k = 0; k < outputs.size(); ++k)
    if (last(k)) collect_output(k, outputs[k]);
}

void Frame::collect_output(size_t k, Value& output) {
  const int slot = program_.outputs()[k];
  const onnxrun_tensor& view = views_[static_cast<size_t>(slot)];
  if (bindings_ && bindings_->outputs[k].memory != 0) return collect_bound(k, output);
  Tensor& own = output_memory_[k];
  if (view.dtype == 0) {
    if (output.is_tensor())
      base::fail(Code::kInvalidArgument, "output '{}' is no tensor, but the caller gave a tensor for it",
                 program_.name(slot));
    output = context_.depth > 0 ? slot_value(slot) : detached(slot_value(slot), borrowed_, context_.budget);
    return;
  }
  const base::DimsView dims(view.dims, static_cast<size_t>(view.rank));
  if (output.is_tensor()) {
    Tensor& target = output.tensor();
    if (!std::equal(dims.begin(), dims.end(), target.dims().begin(), target.dims().end()) ||
        static_cast<int32_t>(target.dtype()) != view.dtype)
      base::fail(Code::kInvalidArgument, "output '{}' is {}{}, but the caller's tensor for it is {}",
                 program_.name(slot), base::dtype_name(static_cast<DType>(view.dtype)), base::to_string(dims),
                 output.describe());
    if (view.data != target.raw()) copy_elements(view, target);
  } else if (own && own.raw() == view.data) {
    base::Dims own_dims(dims.begin(), dims.end());
    output = own.dims() == own_dims ? std::move(own) : own.reshaped(std::move(own_dims));
  } else if (context_.depth > 0) {
    output = slot_value(slot);
  } else if (view.dtype == ONNXRUN_DTYPE_STRING) {
    output = copy_of(view, *context_.tensors);
  } else {
    Tensor copy(static_cast<DType>(view.dtype), base::Dims(dims.begin(), dims.end()), context_.budget);
    copy_elements(view, copy);
    output = std::move(copy);
  }
}

}  // namespace onnxrun::run
