// Which kernels can be recorded: those that neither read nor write host memory in a run, whose outputs have places of their own.
#include "run/recording.h"

#include <algorithm>

namespace onnxrun::run {

using plan::Place;
using plan::Program;
using plan::Segment;
using plan::SegmentStep;
using plan::Step;
using plan::StepKind;

namespace {

bool records(const Program& program, const Step& step) {
  const onnxrun_provider& provider = program.providers().at(step.provider);
  return provider.device_memory != 0 && provider.begin_capture != nullptr;
}

// "" where the step, a device's kernel, can be recorded.
std::string hindrance(const Program& program, const Segment& segment, const SegmentStep& planned, const Step& step) {
  if (program.graph().node(step.node).op->flags & ir::kRandom) return "every run draws numbers of its own";
  if (planned.makes_heap) return "the shape of an output depends on data";
  if (!step.host_waits.empty()) return "the host waits for a copy before it";
  const auto on_host = [&](int slot) { return slot >= 0 && program.slots()[static_cast<size_t>(slot)].memory == 0; };
  for (int out : step.outputs)
    if (on_host(out)) return "it writes '" + program.name(out) + "' to host memory";
  for (int in : step.inputs) {
    if (!on_host(in) || program.slots()[static_cast<size_t>(in)].constant) continue;
    const bool folded = std::any_of(segment.slots.begin(), segment.slots.end(), [&](const plan::SegmentSlot& slot) {
      return slot.slot == in && slot.place == Place::kConstant;
    });
    if (!folded) return "it reads '" + program.name(in) + "' from host memory";
  }
  return {};
}

}  // namespace

std::unique_ptr<Recording> plan_recording(const Program& program, const Segment& segment) {
  auto recording = std::make_unique<Recording>();
  recording->left_out.resize(segment.steps.size());
  bool any = false, open = false;
  for (size_t i = 0; i < segment.steps.size(); ++i) {
    const SegmentStep& planned = segment.steps[i];
    const Step& step = program.steps()[static_cast<size_t>(planned.step)];
    if (planned.skip && step.host_waits.empty()) continue;
    const bool kernel = planned.kernel && (step.kind == StepKind::kKernel || step.kind == StepKind::kView);
    if (!kernel || !records(program, step)) {
      open = false;
      continue;
    }
    any = true;
    recording->left_out[i] = hindrance(program, segment, planned, step);
    if (!recording->left_out[i].empty()) {
      open = false;
      continue;
    }
    if (!open || recording->stretches.back().provider != step.provider) {
      recording->stretches.emplace_back().first = i;
      recording->stretches.back().provider = step.provider;
    }
    Stretch& stretch = recording->stretches.back();
    open = true;
    stretch.last = i + 1;
    stretch.waits.insert(stretch.waits.end(), planned.waits.begin(), planned.waits.end());
    if (planned.records >= 0) stretch.records.push_back(planned.records);
  }
  return any ? std::move(recording) : nullptr;
}

}  // namespace onnxrun::run
