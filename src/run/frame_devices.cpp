// Inputs and outputs in the memory of devices: read and written in place of the copies that would lead to the host and back.
#include <algorithm>
#include <functional>

#include "base/error.h"
#include "plan/device_memory.h"
#include "run/frame.h"

namespace onnxrun::run {

using base::Code;
using base::DType;
using base::Tensor;
using base::Value;
using plan::Place;
using plan::Segment;
using plan::SegmentSlot;
using plan::Slot;
using plan::Step;
using plan::StepKind;

namespace {

// As planned memory is aligned, which kernels rely on.
bool aligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % base::kAlignment == 0; }

size_t bytes_of(const onnxrun_tensor& view) {
  return base::dtype_bytes(static_cast<DType>(view.dtype),
                           base::element_count({view.dims, static_cast<size_t>(view.rank)}));
}

}  // namespace

void Frame::bind_devices(const std::vector<Value>& outputs, std::span<const int32_t> output_memories) {
  if (!idle_bindings_) idle_bindings_ = std::make_unique<DeviceBindings>();
  bindings_ = std::move(idle_bindings_);
  bindings_->data.resize(views_.size());
  bindings_->outputs.resize(outputs.size());
  std::vector<char> used(static_cast<size_t>(program_.providers().size()));
  for (int slot : program_.inputs()) {
    const onnxrun_tensor& view = views_[static_cast<size_t>(slot)];
    if (view.memory == 0) continue;
    used[static_cast<size_t>(view.memory) - 1] = 1;
    bindings_->inputs.push_back({static_cast<const char*>(view.data), bytes_of(view)});
  }
  for (size_t k = 0; k < outputs.size(); ++k) {
    bind_output(k, outputs[k], output_memories.empty() ? 0 : output_memories[k]);
    if (const int memory = bindings_->outputs[k].memory; memory != 0) used[static_cast<size_t>(memory) - 1] = 1;
  }
  for (size_t p = 0; p < used.size(); ++p)
    if (used[p]) context_.devices->await_callers(static_cast<int>(p));
  for (int slot : program_.inputs())
    if (views_[static_cast<size_t>(slot)].memory != 0) bind_input(slot);
}

void Frame::bind_input(int slot) {
  const onnxrun_tensor& given = views_[static_cast<size_t>(slot)];
  const DeviceBindings::Reads& reads = reads_of(slot, given.memory);
  if (aligned(given.data))
    for (const auto& [step, copied] : reads.copies) {
      bindings_->data[static_cast<size_t>(copied)] = given.data;
      bindings_->needless.push_back(step);
    }
  if (!reads.by_host) return;
  Tensor on_host =
      context_.tensors->make(static_cast<DType>(given.dtype), base::Dims(given.dims, given.dims + given.rank));
  const int provider = given.memory - 1;
  context_.devices->copy(provider, given.data, true, on_host.mutable_raw(), false, on_host.bytes());
  context_.devices->wait(provider);
  borrowed_[static_cast<size_t>(slot)] = nullptr;
  set_slot(slot, std::move(on_host));
}

const DeviceBindings::Reads& Frame::reads_of(int slot, int memory) {
  if (const auto found = bindings_->reads.find({slot, memory}); found != bindings_->reads.end()) return found->second;
  DeviceBindings::Reads reads;
  for (size_t s = 0; s < program_.steps().size(); ++s) {
    const Step& step = program_.steps()[s];
    if (step.kind == StepKind::kCopy && step.inputs[0] == slot &&
        program_.slots()[static_cast<size_t>(step.outputs[0])].memory == memory)
      reads.copies.emplace_back(static_cast<int>(s), step.outputs[0]);
  }
  reads.by_host = host_reads(slot, memory);
  return bindings_->reads.emplace(std::pair(slot, memory), std::move(reads)).first->second;
}

// Whether anything but copies to `memory` takes the host slot's bytes: a step that does not ask for its shape only, a body, another output that shows them.
bool Frame::host_reads(int slot, int memory) const {
  const auto shows = [&](int other) { return other >= 0 && program_.slots()[static_cast<size_t>(other)].root == slot; };
  const auto any_shows = [&](const std::vector<int>& list) { return std::any_of(list.begin(), list.end(), shows); };
  for (const Step& step : program_.steps()) {
    if (step.kind == StepKind::kCopy && step.inputs[0] == slot &&
        program_.slots()[static_cast<size_t>(step.outputs[0])].memory == memory)
      continue;
    if (step.node != ir::kNone && program_.graph().node(step.node).op->flags & ir::kHostShape) continue;
    if (any_shows(step.inputs) || any_shows(step.shape_values)) return true;
    for (const plan::BodyProgram& body : step.bodies)
      if (any_shows(body.captures)) return true;
  }
  return std::count_if(program_.outputs().begin(), program_.outputs().end(), shows) > (memory < 0 ? 1 : 0);
}

void Frame::bind_output(size_t k, const Value& given, int32_t wanted) {
  DeviceBindings::Output& output = bindings_->outputs[k];
  if (given.is_tensor() && given.tensor().memory() != 0) {
    output.tensor = given.tensor();
    wanted = output.tensor.memory();
  }
  if (wanted == 0) return;
  output.memory = program_.providers().kind_of(wanted);
  const std::less<const char*> before;
  const auto* begin = static_cast<const char*>(output.tensor.raw());
  if (output.tensor && std::any_of(bindings_->inputs.begin(), bindings_->inputs.end(), [&](const auto& input) {
        return before(begin, input.begin + input.bytes) && before(input.begin, begin + output.tensor.bytes());
      }))
    std::swap(output.target, output.tensor);
  const int slot = program_.outputs()[k];
  const Slot& made = program_.slots()[static_cast<size_t>(slot)];
  if (made.root != slot || made.producer < 0) return;
  const Step& step = program_.steps()[static_cast<size_t>(made.producer)];
  if (step.kind != StepKind::kCopy || program_.slots()[static_cast<size_t>(step.inputs[0])].memory != output.memory)
    return;
  output.copy = made.producer;
  output.root = program_.slots()[static_cast<size_t>(step.inputs[0])].root;
  output.on_host = reads_of(slot, -1).by_host;
}

Tensor Frame::make_on_device(int memory, DType dtype, base::Dims dims) {
  const onnxrun_provider& provider = program_.providers().at(memory - 1);
  const size_t bytes = base::dtype_bytes(dtype, base::element_count(dims));
  return Tensor(dtype, std::move(dims),
                plan::allocate_on_device(context_.devices->providers(), memory, bytes, context_.budget), 0,
                plan::memory_on(provider.device_type, provider.device_id));
}

// Lets kernels write outputs of this segment where they are wanted, and shows the views of roots that lie elsewhere than planned.
void Frame::place_bindings(const Segment& segment) {
  for (const SegmentSlot& planned : segment.slots) {
    if (planned.place != Place::kBlock || program_.slots()[static_cast<size_t>(planned.slot)].memory == 0) continue;
    const int producer = program_.slots()[static_cast<size_t>(planned.slot)].producer;
    for (DeviceBindings::Output& output : bindings_->outputs) {
      void*& data = bindings_->data[static_cast<size_t>(planned.slot)];
      if (output.memory == 0 || output.root != planned.slot || data != nullptr || producer < 0 ||
          program_.steps()[static_cast<size_t>(producer)].kind != StepKind::kKernel)
        continue;
      const size_t bytes = base::dtype_bytes(planned.dtype, base::element_count(planned.dims));
      if (output.tensor) {
        if (output.tensor.bytes() != bytes || output.tensor.dtype() != planned.dtype || !aligned(output.tensor.raw()))
          continue;
      } else {
        const Step& copy = program_.steps()[static_cast<size_t>(output.copy)];
        // What shows the root may be known in a later segment only: its tensor is made then.
        const bool known = std::ranges::any_of(segment.slots, [&](const auto& s) { return s.slot == copy.inputs[0]; });
        if (!known || bytes == 0) continue;
        const onnxrun_tensor& view = views_[static_cast<size_t>(copy.inputs[0])];
        output.tensor = make_on_device(output.memory, planned.dtype, base::Dims(view.dims, view.dims + view.rank));
      }
      data = output.tensor.mutable_raw();
      output.written = true;
    }
  }
  for (size_t d = 0; d < segments_.depth(); ++d)
    for (const SegmentSlot& planned : segments_.on_path(d).slots) {
      if (planned.place != Place::kBlock && planned.place != Place::kView) continue;
      const auto root = static_cast<size_t>(program_.slots()[static_cast<size_t>(planned.slot)].root);
      if (void* data = bindings_->data[root]) views_[static_cast<size_t>(planned.slot)].data = data;
    }
}

// Whether nothing is left for the copy step to do.
bool Frame::copied_by_binding(int s, const Step& step) {
  if (std::find(bindings_->needless.begin(), bindings_->needless.end(), s) != bindings_->needless.end()) return true;
  bool on_host = false, bound = false;
  for (size_t k = 0; k < bindings_->outputs.size(); ++k) {
    DeviceBindings::Output& output = bindings_->outputs[k];
    if (output.memory == 0) on_host |= program_.outputs()[k] == step.outputs[0];
    if (output.memory == 0 || output.copy != s) continue;
    bound = true;
    on_host |= output.on_host;
    if (output.written) continue;
    const onnxrun_tensor& from = views_[static_cast<size_t>(step.inputs[0])];
    if (!output.tensor)
      output.tensor =
          make_on_device(output.memory, static_cast<DType>(from.dtype), base::Dims(from.dims, from.dims + from.rank));
    check_target(k, from, output.tensor);
    context_.devices->copy(output.memory - 1, from.data, true, output.tensor.mutable_raw(), true, bytes_of(from),
                           lane_of(step));
  }
  return bound && !on_host;
}

void Frame::check_target(size_t k, const onnxrun_tensor& view, const Tensor& target) const {
  const base::DimsView dims(view.dims, static_cast<size_t>(view.rank));
  if (std::equal(dims.begin(), dims.end(), target.dims().begin(), target.dims().end()) &&
      static_cast<int32_t>(target.dtype()) == view.dtype)
    return;
  base::fail(Code::kInvalidArgument, "output '{}' is {}{}, but the caller's tensor for it is {}",
             program_.name(program_.outputs()[k]), base::dtype_name(static_cast<DType>(view.dtype)),
             base::to_string(dims), Value(target).describe());
}

void Frame::collect_bound(size_t k, Value& value) {
  DeviceBindings::Output& output = bindings_->outputs[k];
  const onnxrun_tensor& view = views_[static_cast<size_t>(program_.outputs()[k])];
  if (view.dtype == 0 || view.dtype == ONNXRUN_DTYPE_STRING)
    base::fail(Code::kInvalidArgument, "output '{}' cannot be given on a device: it is no tensor of numbers",
               program_.name(program_.outputs()[k]));
  if (!output.tensor)
    output.tensor =
        make_on_device(output.memory, static_cast<DType>(view.dtype), base::Dims(view.dims, view.dims + view.rank));
  check_target(k, view, output.target ? output.target : output.tensor);
  if (output.copy < 0) {
    context_.devices->copy(output.memory - 1, view.data, false, output.tensor.mutable_raw(), true, bytes_of(view));
    bindings_->copies = true;
  }
  if (output.target) {
    context_.devices->copy(output.memory - 1, output.tensor.raw(), true, output.target.mutable_raw(), true,
                           output.tensor.bytes());
    bindings_->copies = true;
  }
  if (!value.is_tensor()) value = std::move(output.tensor);
}

}  // namespace onnxrun::run
