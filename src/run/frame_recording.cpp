// Running what a device can be given as one: plainly the first time, recorded when its memory is where it was, launched from then on.
#include "base/error.h"
#include "plan/device_memory.h"
#include "run/frame.h"

namespace onnxrun::run {

using base::Code;
using base::Error;
using plan::Segment;
using plan::SegmentStep;
using plan::Step;

// Null where nothing is recorded: no provider does, or values are looked at between the steps.
Recording* Frame::recording_of(const Segment& segment) {
  if (context_.observer != nullptr && context_.observer->tapping()) return nullptr;
  if (!segment.recording_planned) {
    segment.recording = plan_recording(program_, segment);
    segment.recording_planned = true;
  }
  return static_cast<Recording*>(segment.recording.get());
}

// Notes where the values of its steps are in this run: whether they are where they were in the run before.
bool Frame::stayed(const Segment& segment, Stretch& stretch) const {
  std::vector<const void*>& seen = stretch.seen;
  size_t count = 0;
  bool same = true;
  const auto note = [&](const void* place) {
    if (count == seen.size()) {
      seen.push_back(place);
      same = false;
    } else if (seen[count] != place) {
      seen[count] = place;
      same = false;
    }
    ++count;
  };
  note(blocks_.data(program_.providers().memory(stretch.provider)));
  for (size_t i = stretch.first; i < stretch.last; ++i) {
    const Step& step = program_.steps()[static_cast<size_t>(segment.steps[i].step)];
    for (const std::vector<int>* list : {&step.inputs, &step.outputs})
      for (int slot : *list) note(slot < 0 ? nullptr : views_[static_cast<size_t>(slot)].data);
  }
  return same;
}

void Frame::run_stretch(const Segment& segment, Stretch& stretch) {
  static const std::string kFirst = "it was elsewhere in memory, or nowhere, in the run before";
  context_.control->check();
  if (stretch.refused.empty()) {
    const bool settled = stayed(segment, stretch);
    if (settled && stretch.seen != stretch.recorded) record(segment, stretch);
  }
  if (!stretch.graph || stretch.seen != stretch.recorded) {
    const std::string& why = stretch.refused.empty() ? kFirst : stretch.refused;
    for (size_t i = stretch.first; i < stretch.last; ++i) execute_one(segment, i, why);
    return;
  }
  launch(segment, stretch);
  for (size_t i = stretch.first; i < stretch.last; ++i) end_step(segment.steps[i]);
}

void Frame::record(const Segment& segment, Stretch& stretch) {
  const onnxrun_provider& provider = program_.providers().at(stretch.provider);
  void* const stream = context_.devices->of(stretch.provider);
  const Step* running = nullptr;
  try {
    plan::Capture capture(provider, stream);
    for (size_t i = stretch.first; i < stretch.last; ++i) {
      if (segment.steps[i].skip) continue;
      running = &program_.steps()[static_cast<size_t>(segment.steps[i].step)];
      run_kernel(*running, segment.steps[i]);
    }
    running = nullptr;
    capture.end(stretch.graph);
    stretch.recorded = stretch.seen;
  } catch (Error& error) {
    stretch.graph = nullptr;
    stretch.recorded.clear();
    // What only this run ran into; a later one tries again.
    for (const Code passing : {Code::kCancelled, Code::kDeadline, Code::kLimitExceeded})
      if (error.code() == passing) return;
    stretch.refused = error.message();
    if (running != nullptr) stretch.refused += ", in " + program_.describe(*running);
  }
}

void Frame::launch(const Segment& segment, const Stretch& stretch) {
  const Step& first = program_.steps()[static_cast<size_t>(segment.steps[stretch.first].step)];
  const Step& last = program_.steps()[static_cast<size_t>(segment.steps[stretch.last - 1].step)];
  ProfileEvent event;
  Observer* const observer = context_.observer;
  const bool profiled = observer != nullptr && observer->profile;
  if (profiled) event.begin_ns = now_ns() - observer->origin_ns;
  try {
    for (int number : stretch.waits) context_.devices->await(stretch.provider, Lane::kKernels, number);
    plan::launch_graph(program_.providers().at(stretch.provider), stretch.graph.get(),
                       context_.devices->of(stretch.provider));
    for (int number : stretch.records) context_.devices->record(stretch.provider, Lane::kKernels, number);
    if (profiled) context_.devices->wait_all();
  } catch (Error& error) {
    rethrow(error, first);
  }
  if (!profiled) return;
  event.end_ns = now_ns() - observer->origin_ns;
  event.depth = context_.depth;
  event.provider = program_.providers().at(stretch.provider).name;
  event.kernel = "graph";
  event.node = program_.graph().node(first.node).name;
  event.last = &program_.graph().node(last.node);
  for (size_t i = stretch.first; i < stretch.last; ++i) {
    const SegmentStep& planned = segment.steps[i];
    if (!planned.skip) count_live(program_.steps()[static_cast<size_t>(planned.step)], planned.step);
  }
  event.live_bytes = observer->live_bytes;
  observer->note(std::move(event));
}

}  // namespace onnxrun::run
