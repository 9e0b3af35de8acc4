// Making the views of a segment's values: where its plan placed them, in the memory of this run.
#include <functional>

#include "base/error.h"
#include "run/frame.h"

namespace onnxrun::run {

using base::Code;
using base::Tensor;
using base::Value;
using plan::Place;
using plan::Segment;
using plan::SegmentSlot;

namespace {
constexpr size_t kLargeResult = size_t{1} << 20;  // bytes
}

void Frame::enter(const Segment& segment, std::vector<Value>& outputs) {
  const size_t depth = segments_.depth() - 1;
  if (!blocks_.hold(segment.block_bytes)) make_blocks(segment);
  if (!segments_.is_placed(depth)) {
    segments_.forget_placed(depth);
    place(segment);
    segments_.set_placed();
  }
  for (size_t index : segment.per_run) {
    const SegmentSlot& planned = segment.slots[index];
    if (planned.place == Place::kOutput) {
      open_output(planned, outputs);
    } else {
      onnxrun_tensor& view = views_[static_cast<size_t>(planned.slot)];
      view.data = nullptr;
      view.rank = planned.dims_known ? static_cast<int32_t>(planned.dims.size()) : -1;
      view.dims = planned.dims.data();
      view.dtype = static_cast<int32_t>(planned.dtype);
      view.memory = program_.slots()[static_cast<size_t>(planned.slot)].memory;
    }
  }
  if (bindings_) place_bindings(segment);
}

void Frame::make_blocks(const Segment& segment) {
  segments_.forget_placed();
  const size_t depth = segments_.depth() - 1;
  blocks_.grow(segment.block_bytes, depth > 0);
  // Values of this run keep their offsets in the new blocks.
  for (size_t d = 0; d < depth; ++d)
    for (const SegmentSlot& planned : segments_.on_path(d).slots) {
      onnxrun_tensor& view = views_[static_cast<size_t>(planned.slot)];
      if (planned.place == Place::kBlock) view.data = static_cast<char*>(blocks_.data(view.memory)) + planned.offset;
      else if (planned.place == Place::kView) view.data = views_[static_cast<size_t>(planned.view_of)].data;
    }
}

void Frame::place(const Segment& segment) {
  for (const SegmentSlot& planned : segment.slots) {
    onnxrun_tensor& view = views_[static_cast<size_t>(planned.slot)];
    Value& holder = holders_[static_cast<size_t>(planned.slot)];
    if (planned.place == Place::kConstant) {
      view = planned.constant.view();
      holder = planned.constant;
      continue;
    }
    holder = {};
    view = {};
    view.dtype = static_cast<int32_t>(planned.dtype);
    view.memory = program_.slots()[static_cast<size_t>(planned.slot)].memory;
    view.rank = planned.dims_known ? static_cast<int32_t>(planned.dims.size()) : -1;
    view.dims = planned.dims_known ? planned.dims.data() : nullptr;
    if (planned.place == Place::kBlock) view.data = static_cast<char*>(blocks_.data(view.memory)) + planned.offset;
    else if (planned.place == Place::kView) view.data = views_[static_cast<size_t>(planned.view_of)].data;
  }
}

void Frame::open_output(const SegmentSlot& planned, std::vector<Value>& outputs) {
  const auto index = static_cast<size_t>(planned.output);
  void*& data = views_[static_cast<size_t>(planned.slot)].data;
  const bool bound = bindings_ && bindings_->outputs[index].memory != 0;
  if (bound && bindings_->outputs[index].copy >= 0 && !bindings_->outputs[index].on_host) {
    data = nullptr;  // nothing comes here
    return;
  }
  if (outputs[index].is_tensor() && !bound) {
    Tensor& callers = outputs[index].tensor();
    if (callers.dtype() != planned.dtype || callers.memory() != 0 ||
        callers.bytes() != base::dtype_bytes(planned.dtype, base::element_count(planned.dims)))
      base::fail(Code::kInvalidArgument, "output '{}' is {}{}, but the caller's tensor for it is {}",
                 program_.name(program_.outputs()[index]), base::dtype_name(planned.dtype),
                 base::to_string(planned.dims), outputs[index].describe());
    if (!shares_input_memory(callers)) {
      data = callers.mutable_raw();
      return;
    }
  }
  // A large result's memory is used again once its holder is done with it: new pages cost more than what is copied there.
  const bool kept = context_.depth > 0 || bound || outputs[index].is_tensor() ||
                    base::dtype_bytes(planned.dtype, base::element_count(planned.dims)) >= kLargeResult;
  output_memory_[index] =
      kept ? context_.tensors->make(planned.dtype, planned.dims) : Tensor(planned.dtype, planned.dims, context_.budget);
  data = output_memory_[index].mutable_raw();
}

bool Frame::shares_input_memory(const Tensor& tensor) const {
  const std::less<const void*> before;
  const auto* begin = static_cast<const char*>(tensor.raw());
  for (int slot : program_.inputs()) {
    const Value* input = borrowed_[static_cast<size_t>(slot)];
    if (input == nullptr || !input->is_tensor()) continue;
    const auto* other = static_cast<const char*>(input->tensor().raw());
    if (before(begin, other + input->tensor().bytes()) && before(other, begin + tensor.bytes())) return true;
  }
  return false;
}

}  // namespace onnxrun::run
