// Slots, and copies between memories.
#include "plan/slot_table.h"

#include <algorithm>

#include "plan/device_memory.h"

namespace onnxrun::plan {

using ir::kNone;

int SlotTable::add_slot(ir::ValueId value, int memory) {
  Slot slot;
  slot.value = value;
  slot.memory = memory;
  slots_.push_back(std::move(slot));
  return static_cast<int>(slots_.size()) - 1;
}

int SlotTable::home(ir::ValueId value, int memory) {
  const auto index = static_cast<size_t>(value);
  if (index >= homes_.size()) homes_.resize(std::max(graph_.value_count(), index + 1), -1);
  if (homes_[index] >= 0) return homes_[index];
  homes_[index] = add_slot(value, memory);
  const ir::Value& v = graph_.value(value);
  if (v.outer != kNone) captures_.push_back(homes_[index]);
  else if (v.fact.constant && v.producer == kNone && !v.is_input) slots_.back().constant = v.fact.constant;
  return homes_[index];
}

int SlotTable::in_memory(ir::ValueId value, int memory) {
  if (graph_.value(value).outer == kNone) {
    const int source = home(value);
    if (slots_[static_cast<size_t>(source)].memory == memory) return source;
    const auto found = others_.find({value, memory});
    return found != others_.end() ? found->second : others_[{value, memory}] = copied(value, source, memory);
  }
  if (memory == 0) return home(value);
  const auto found = others_.find({value, memory});
  if (found != others_.end()) return found->second;
  captures_.push_back(add_slot(value, memory));
  return others_[{value, memory}] = captures_.back();
}

int SlotTable::copied(ir::ValueId value, int source, int memory) {
  const int from = slots_[static_cast<size_t>(source)].memory;
  // Two devices know nothing of each other's memory.
  if (from != 0 && memory != 0) source = in_memory(value, 0);
  const base::Tensor constant = slots_[static_cast<size_t>(source)].constant;
  const int slot = add_slot(value, memory);
  if (constant) {
    slots_[static_cast<size_t>(slot)].constant = upload(constant, memory);
    return slot;
  }
  Step step;
  step.kind = StepKind::kCopy;
  step.provider = (memory != 0 ? memory : from) - 1;
  step.inputs = {source};
  step.outputs = {slot};
  push(std::move(step));
  return slot;
}

// Copied once for the life of the program.
base::Tensor SlotTable::upload(const base::Tensor& constant, int memory) const {
  const base::BufferPtr buffer = allocate_on_device(options_.providers, memory, constant.bytes(), options_.budget);
  const onnxrun_provider& provider = options_.providers->at(memory - 1);
  const std::shared_ptr<void> stream = create_stream(provider);
  copy_on(provider, stream.get(), constant.stored(), false, buffer->data(), true, constant.bytes());
  wait_for(provider, stream.get());
  return base::Tensor(constant.dtype(), constant.dims(), buffer, 0, memory);
}

void SlotTable::push(Step step) {
  const int index = static_cast<int>(steps_.size());
  for (int slot : step.outputs)
    if (slot >= 0) slots_[static_cast<size_t>(slot)].producer = index;
  steps_.push_back(std::move(step));
}

}  // namespace onnxrun::plan
