// What observers see of a run: profile events and tapped values.
#include "base/error.h"
#include "run/frame.h"
#include "run/tensor_copy.h"

namespace onnxrun::run {

using base::DType;
using base::Tensor;
using base::Value;
using plan::SegmentStep;
using plan::Step;
using plan::StepKind;

namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void Frame::execute_profiled(const Step& step, const SegmentStep& planned) {
  Observer& observer = *context_.observer;
  ProfileEvent event;
  event.begin_ns = now_ns() - observer.origin_ns;
  execute_step(step, planned);
  event.end_ns = now_ns() - observer.origin_ns;
  event.depth = context_.depth;
  event.provider = program_.providers().at(step.provider).name;
  event.op = "Copy";
  event.kernel = "copy";
  if (step.node != ir::kNone) {
    const ir::Node& node = program_.graph().node(step.node);
    event.node = node.name;
    event.op = node.op->full_name();
    event.origin = node.origin;
    event.kernel = planned.chosen != nullptr      ? planned.chosen->name
                   : step.kind == StepKind::kView ? "view"
                                                  : "structural";
  }
  if (event.node.empty() && !step.outputs.empty() && step.outputs[0] >= 0) event.node = program_.name(step.outputs[0]);
  observer.events.push_back(std::move(event));
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
        context_.devices->copy(view.memory - 1, view.data, true, copy.mutable_raw(), false, copy.bytes());
        context_.devices->wait(view.memory - 1);
      }
      value = std::move(copy);
    }
    context_.observer->on_tap(name, std::move(value));
  }
}

}  // namespace onnxrun::run
