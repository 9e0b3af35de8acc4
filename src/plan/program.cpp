// Programs: names for errors, and packing of constants.
#include "plan/program.h"

#include <utility>

#include "base/error.h"
#include "base/kernel_memory.h"
#include "plan/node_view.h"

namespace onnxrun::plan {

using base::Code;
using base::Error;
using ir::kNone;

std::string Program::describe(const Step& step) const {
  if (step.kind == StepKind::kCopy) return "copy of '" + name(step.inputs[0]) + "' between memories";
  return graph_->node(step.node).describe(*graph_);
}

bool Program::makes(std::string_view wanted) const {
  for (const Step& step : steps_) {
    if (step.kind == StepKind::kCopy) continue;
    for (int slot : step.outputs)
      if (slot >= 0 && name(slot) == wanted) return true;
    for (const BodyProgram& body : step.bodies)
      if (body.program->makes(wanted)) return true;
  }
  return false;
}

int Program::host_slot(int slot) const {
  if (slots_[static_cast<size_t>(slot)].memory == 0) return slot;
  for (size_t other = 0; other < slots_.size(); ++other)
    if (slots_[other].value == slots_[static_cast<size_t>(slot)].value && slots_[other].memory == 0)
      return static_cast<int>(other);
  return -1;
}

const void* Program::packed(int step_index, size_t candidate_index) const {
  const Step& step = steps_[static_cast<size_t>(step_index)];
  const Candidate& candidate = step.candidates[candidate_index];
  if (candidate.terms.pack_bytes == 0) return nullptr;
  const std::lock_guard lock(pack_mutex_);
  base::BufferPtr& buffer = packed_[{step_index, candidate_index}];
  if (!buffer) {
    base::BufferPtr fresh = pack_memory_->allocate(candidate.terms.pack_bytes);
    const ir::Node& node = graph_->node(step.node);
    std::vector<ir::Fact> facts(node.inputs.size());
    std::vector<const ir::Fact*> inputs, outputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ir::ValueId id = node.inputs[i];
      if (id != kNone) facts[i] = graph_->value(id).fact;
      if (facts[i].constant) facts[i].constant = pack_memory_->readable(facts[i].constant);
      inputs.push_back(id == kNone ? nullptr : &facts[i]);
    }
    for (ir::ValueId id : node.outputs) outputs.push_back(id == kNone ? nullptr : &graph_->value(id).fact);
    const NodeView view(node, inputs, outputs, options_.node_settings());
    Message message;
    base::KernelMemory taken(options_.budget);  // of copies that packing reads
    const base::KernelMemory::Here here(&taken);
    const onnxrun_code code = candidate.kernel->pack(view.get(), fresh->data(), message.sink());
    if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), message.text()).in(describe(step));
    buffer = std::move(fresh);
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (facts[i].constant && candidate.packs(i)) graph_->value(node.inputs[i]).fact.constant.buffer()->forget_pages();
  }
  return buffer->data();
}

void Program::end_packing() const {
  const std::lock_guard lock(pack_mutex_);
  pack_memory_->end_packing();
}

int64_t Program::packed_bytes() const {
  int64_t total = 0;
  {
    const std::lock_guard lock(pack_mutex_);
    for (const auto& [key, buffer] : packed_)
      if (buffer) total += static_cast<int64_t>(buffer->bytes());
  }
  for (const Step& step : steps_)
    for (const BodyProgram& body : step.bodies) total += body.program->packed_bytes();
  return total;
}

}  // namespace onnxrun::plan
