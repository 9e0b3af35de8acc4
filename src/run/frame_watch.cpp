// What observers see of a run: profile events and tapped values.
#include <utility>

#include "base/error.h"
#include "ir/op.h"
#include "run/frame.h"
#include "run/tensor_copy.h"

namespace onnxrun::run {

using base::DType;
using base::Tensor;
using base::Value;
using plan::SegmentStep;
using plan::Step;
using plan::StepKind;

std::string ProfileEvent::op() const {
  return source != nullptr ? source->op->full_name() : last != nullptr ? "Graph" : "Copy";
}

std::string ProfileEvent::label() const {
  return last != nullptr ? std::string(node) + " .. " + last->name : std::string(node);
}

void Observer::note(ProfileEvent event) {
  if (events.size() < kMostEvents) events.push_back(std::move(event));
  else ++left_out;
}

void Frame::execute_profiled(const Step& step, const SegmentStep& planned, const std::string& not_recorded) {
  Observer& observer = *context_.observer;
  ProfileEvent event;
  event.begin_ns = now_ns() - observer.origin_ns;
  execute_step(step, planned);
  try {
    context_.devices->wait_all();
  } catch (Error& error) {
    rethrow(error, step);
  }
  event.end_ns = now_ns() - observer.origin_ns;
  event.depth = context_.depth;
  event.not_recorded = not_recorded;
  event.provider = program_.providers().at(step.provider).name;
  event.kernel = "copy";
  if (step.node != ir::kNone) {
    const ir::Node& node = program_.graph().node(step.node);
    event.source = &node;
    event.node = node.name;
    event.kernel = planned.chosen != nullptr      ? planned.chosen->name
                   : step.kind == StepKind::kView ? "view"
                                                  : "structural";
  }
  event.bytes = note_shapes(step.inputs, event.inputs) + note_shapes(step.outputs, event.outputs);
  count_live(step, planned.step);
  event.live_bytes = observer.live_bytes;
  if (event.node.empty() && !step.outputs.empty() && step.outputs[0] >= 0) event.node = program_.name(step.outputs[0]);
  observer.note(std::move(event));
}

// Their bytes.
int64_t Frame::note_shapes(const std::vector<int>& slots, std::vector<std::optional<base::Dims>>& shapes) const {
  int64_t bytes = 0;
  for (int slot : slots) {
    std::optional<base::Dims>& shape = shapes.emplace_back();
    if (slot < 0) continue;
    const onnxrun_tensor& view = views_[static_cast<size_t>(slot)];
    if (view.dtype == 0 || view.rank < 0) continue;
    shape.emplace(view.dims, view.dims + view.rank);
    bytes += static_cast<int64_t>(base::dtype_bytes(static_cast<DType>(view.dtype), base::element_count(*shape)));
  }
  return bytes;
}

void Frame::count_live(const Step& step, int index) {
  if (dying_.empty()) {
    live_.resize(program_.slots().size());
    dying_.resize(static_cast<size_t>(program_.step_count()) + 1);
    for (size_t slot = 0; slot < program_.slots().size(); ++slot)
      if (const int last = program_.slots()[slot].last_use; last >= 0)
        dying_[static_cast<size_t>(last)].push_back(static_cast<int>(slot));
  }
  int64_t& all = context_.observer->live_bytes;
  for (int out : step.outputs) {
    if (out < 0 || program_.slots()[static_cast<size_t>(out)].root != out) continue;
    std::vector<std::optional<base::Dims>> shape;
    int64_t& live = live_[static_cast<size_t>(out)];
    all -= live;
    all += live = note_shapes({out}, shape);
  }
  for (int slot : dying_[static_cast<size_t>(index)]) all -= std::exchange(live_[static_cast<size_t>(slot)], 0);
}

void Frame::forget_live() {
  for (int64_t& live : live_) {
    if (context_.observer != nullptr) context_.observer->live_bytes -= live;
    live = 0;
  }
}

void Frame::tap(const Step& step) {
  if (step.kind == StepKind::kCopy) return;
  for (int out : step.outputs) {
    if (out < 0) continue;
    const std::string& name = program_.name(out);
    if (!context_.observer->wants(name)) continue;
    const onnxrun_tensor& view = views_[static_cast<size_t>(out)];
    Value value;
    if (view.dtype == 0) {
      value = slot_value(out);
    } else {
      Tensor copy(static_cast<DType>(view.dtype), base::Dims(view.dims, view.dims + view.rank), context_.budget);
      if (view.memory == 0) {
        copy_elements(view, copy);
      } else {
        context_.devices->meet();  // a view of what is on its way to the device waits for nothing else
        context_.devices->copy(view.memory - 1, view.data, true, copy.mutable_raw(), false, copy.bytes());
        context_.devices->wait(view.memory - 1);
      }
      value = std::move(copy);
    }
    context_.observer->on_tap(name, std::move(value));
  }
}

}  // namespace onnxrun::run
