// Running sequence operators. Sequences share their tensors; none is copied but those from the planned block.
#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "run/structural/axis.h"
#include "run/structural/functions.h"
#include "run/structural/list.h"

namespace onnxrun::run {

using base::Code;
using base::Sequence;
using base::Tensor;
using base::Value;

namespace {

Value make_sequence(std::vector<Value> elements, base::Charge list) {
  auto sequence = make_listed(std::move(list));
  sequence->elements = std::move(elements);
  return Value(std::shared_ptr<const Sequence>(std::move(sequence)));
}
// Of elements that others share.
Value make_sequence(StructuralContext& context, std::vector<Value> elements) {
  const auto count = static_cast<int64_t>(elements.size());
  return make_sequence(std::move(elements),
                       {context.tensors().budget(), base::checked_mul(count, static_cast<int64_t>(sizeof(Value)))});
}

// Of elements that are tensors of their own: each takes a buffer, a shape and the length that it is cut from.
base::Charge own_list(StructuralContext& context, int64_t elements) {
  return {context.tensors().budget(), list_bytes(elements)};
}

// Index of `position` in [-limit_low, limit_high], counted from the end when negative.
size_t position_of(StructuralContext& context, size_t input, int64_t size, int64_t last, int64_t fallback) {
  if (!context.has_input(input)) return static_cast<size_t>(fallback);
  const std::vector<int64_t> values = context.input(input).tensor().as_int64();
  if (values.size() != 1) base::fail(Code::kRunFailed, "'position' must be one number, got {}", values.size());
  const int64_t position = values[0] < 0 ? values[0] + size : values[0];
  if (position < 0 || position > last)
    base::fail(Code::kRunFailed, "position {} is outside a sequence of {}", values[0], size);
  return static_cast<size_t>(position);
}

}  // namespace

void run_identity(StructuralContext& context) { context.set_output(0, context.input(0)); }

void run_sequence_empty(StructuralContext& context) { context.set_output(0, make_sequence(context, {})); }

void run_sequence_construct(StructuralContext& context) {
  std::vector<Value> elements;
  for (size_t i = 0; i < context.input_count(); ++i) elements.push_back(context.input(i));
  context.set_output(0, make_sequence(context, std::move(elements)));
}

void run_sequence_at(StructuralContext& context) {
  const Value sequence = context.input(0);
  const auto size = static_cast<int64_t>(sequence.sequence().elements.size());
  context.set_output(0, sequence.sequence().elements[position_of(context, 1, size, size - 1, 0)]);
}

void run_sequence_insert(StructuralContext& context) {
  std::vector<Value> elements = context.input(0).sequence().elements;
  const auto size = static_cast<int64_t>(elements.size());
  const size_t at = position_of(context, 2, size, size, size);
  elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(at), context.input(1));
  context.set_output(0, make_sequence(context, std::move(elements)));
}

void run_sequence_erase(StructuralContext& context) {
  std::vector<Value> elements = context.input(0).sequence().elements;
  const auto size = static_cast<int64_t>(elements.size());
  if (size == 0) base::fail(Code::kRunFailed, "nothing can be erased from an empty sequence");
  elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(position_of(context, 1, size, size - 1, size - 1)));
  context.set_output(0, make_sequence(context, std::move(elements)));
}

void run_sequence_length(StructuralContext& context) {
  context.set_output(0, Tensor::scalar<int64_t>(static_cast<int64_t>(context.input(0).sequence().elements.size())));
}

void run_split_to_sequence(StructuralContext& context) {
  const Value input = context.input(0);
  const Tensor& tensor = input.tensor();
  const ir::Attributes& attributes = context.node().attributes;
  const int64_t axis = base::normalize_axis(attributes.get_int("axis", 0), tensor.rank());
  const int64_t extent = tensor.dims()[static_cast<size_t>(axis)];
  bool drop = false;
  std::vector<int64_t> lengths;
  base::Charge list;
  if (!context.has_input(1)) {
    list = own_list(context, extent);
    drop = attributes.get_int("keepdims", 1) == 0;
    lengths.assign(static_cast<size_t>(extent), 1);
  } else {
    const Value split = context.input(1);
    lengths = split.tensor().as_int64();
    if (split.tensor().rank() != 0) {
      list = own_list(context, static_cast<int64_t>(lengths.size()));
    } else {
      const int64_t step = lengths[0];
      if (step <= 0) base::fail(Code::kRunFailed, "'split' must be positive, got {}", step);
      list = own_list(context, base::ceil_div(extent, step));
      lengths.clear();
      for (int64_t begin = 0; begin < extent; begin += std::min(step, extent - begin))
        lengths.push_back(std::min(step, extent - begin));
    }
    int64_t total = 0;
    for (int64_t length : lengths) total = base::checked_add(total, length);
    if (total != extent)
      base::fail(Code::kRunFailed, "the parts of 'split' add up to {}, dimension {} is {}", total, axis, extent);
  }
  std::vector<Value> elements;
  int64_t begin = 0;
  for (int64_t length : lengths) {
    if (elements.size() % 1024 == 1023) context.control().check();
    elements.emplace_back(slice_axis(tensor, axis, begin, length, drop, context.tensors()));
    begin += length;
  }
  context.set_output(0, make_sequence(std::move(elements), std::move(list)));
}

void run_concat_from_sequence(StructuralContext& context) {
  const Value input = context.input(0);
  std::vector<Tensor> tensors;
  for (const Value& element : input.sequence().elements) tensors.push_back(element.tensor());
  if (tensors.empty()) base::fail(Code::kRunFailed, "an empty sequence cannot be joined to a tensor");
  const ir::Attributes& attributes = context.node().attributes;
  const bool stack = attributes.get_int("new_axis", 0) != 0;
  const int64_t axis = base::normalize_axis(attributes.get_int("axis", 0), tensors[0].rank() + (stack ? 1 : 0));
  context.set_output(0, join_axis(tensors, axis, stack, context.tensors()));
}

void run_sequence_map(StructuralContext& context) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < context.input_count(); ++i) inputs.push_back(context.input(i));
  const size_t count = inputs[0].sequence().elements.size();
  for (const Value& input : inputs)
    if (input.is_sequence() && input.sequence().elements.size() != count)
      base::fail(Code::kRunFailed, "all sequences must have {} elements, one has {}", count,
                 input.sequence().elements.size());
  std::vector<std::vector<Value>> results(context.output_count());
  std::vector<base::Charge> lists;
  for (size_t i = 0; i < results.size(); ++i) lists.emplace_back(context.tensors().budget());
  std::vector<Value> outputs;
  std::vector<Feed> feeds(inputs.size());
  for (size_t k = 0; k < count; ++k) {
    context.control().check();
    for (size_t i = 0; i < inputs.size(); ++i)
      feeds[i] = feed_of(inputs[i].is_sequence() ? inputs[i].sequence().elements[k] : inputs[i]);
    outputs.clear();
    context.run_body("body", feeds, outputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      lists[i].add(list_bytes(1));
      results[i].push_back(std::move(outputs[i]));
    }
  }
  for (size_t i = 0; i < results.size(); ++i)
    context.set_output(i, make_sequence(std::move(results[i]), std::move(lists[i])));
}

}  // namespace onnxrun::run
