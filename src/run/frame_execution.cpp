// Executing the steps of a segment.
#include <algorithm>

#include "base/error.h"
#include "run/frame.h"
#include "run/structural.h"

namespace onnxrun::run {

using base::Code;
using base::DType;
using base::Error;
using plan::Segment;
using plan::SegmentStep;
using plan::Step;
using plan::StepKind;

void Frame::execute(const Segment& segment) {
  static const std::string kNothing;
  Recording* const recording = recording_of(segment);
  size_t next = 0;  // of the recording's stretches
  for (size_t i = 0; i < segment.steps.size(); ++i) {
    if (recording != nullptr && next < recording->stretches.size() && recording->stretches[next].first == i) {
      Stretch& stretch = recording->stretches[next++];
      run_stretch(segment, stretch);
      i = stretch.last - 1;
      continue;
    }
    execute_one(segment, i, recording != nullptr ? recording->left_out[i] : kNothing);
  }
}

// `not_recorded`: why it is no part of what a device is given as one, for profiles.
void Frame::execute_one(const Segment& segment, size_t index, const std::string& not_recorded) {
  Observer* observer = context_.observer;
  const SegmentStep& planned = segment.steps[index];
  const Step& step = program_.steps()[static_cast<size_t>(planned.step)];
  for (int provider : step.host_waits) wait_for_downloads(provider, step);
  if (!planned.skip) {
    if (observer != nullptr && observer->profile) execute_profiled(step, planned, not_recorded);
    else execute_step(step, planned);
  }
  end_step(planned);
}

void Frame::end_step(const SegmentStep& planned) {
  const Step& step = program_.steps()[static_cast<size_t>(planned.step)];
  if constexpr (kChecksFacts) check_facts(step);
  if (Observer* observer = context_.observer; observer != nullptr && observer->tapping()) tap(step);
  for (int slot : planned.frees) holders_[static_cast<size_t>(slot)] = {};
}

void Frame::execute_step(const Step& step, const SegmentStep& planned) {
  try {
    context_.control->check();
    for (int event : planned.waits) context_.devices->await(step.provider, lane_of(step), event);
    switch (step.kind) {
      case StepKind::kKernel: run_kernel(step, planned); break;
      case StepKind::kView:
        if (planned.kernel) run_kernel(step, planned);
        else views_[static_cast<size_t>(step.outputs[0])].data = views_[static_cast<size_t>(step.inputs[0])].data;
        break;
      case StepKind::kCopy: run_copy(planned.step, step); break;
      case StepKind::kStructural: {
        // Bodies have plans of their own, which know nothing of copies under way here.
        if (!step.bodies.empty()) context_.devices->meet();
        StructuralContext context(*this, planned.step);
        context.run();
        break;
      }
    }
    if (planned.records >= 0) context_.devices->record(step.provider, lane_of(step), planned.records);
  } catch (Error& error) {
    rethrow(error, step);
  }
}

void Frame::check_facts(const Step& step) const {
  try {
    for (int out : step.outputs)
      if (out >= 0) facts_.check(program_.fact(out), views_[static_cast<size_t>(out)], program_.name(out));
  } catch (Error& error) {
    rethrow(error, step);
  }
}

void Frame::run_copy(int s, const Step& step) {
  if (bindings_ && copied_by_binding(s, step)) return;
  const onnxrun_tensor& from = views_[static_cast<size_t>(step.inputs[0])];
  const onnxrun_tensor& to = views_[static_cast<size_t>(step.outputs[0])];
  const size_t bytes = base::dtype_bytes(static_cast<DType>(from.dtype),
                                         base::element_count({from.dims, static_cast<size_t>(from.rank)}));
  const Lane lane = lane_of(step);
  context_.devices->copy(step.provider, from.data, from.memory != 0, to.data, to.memory != 0, bytes, lane);
  if (lane == Lane::kKernels && to.memory == 0) context_.devices->wait(step.provider);
}

void Frame::wait_for_downloads(int provider, const Step& step) {
  try {
    context_.devices->wait_for_downloads(provider);
  } catch (Error& error) {
    rethrow(error, step);
  }
}

Lane Frame::lane_of(const Step& step) const {
  if (step.kind != StepKind::kCopy || !program_.providers().has_events(step.provider)) return Lane::kKernels;
  return program_.slots()[static_cast<size_t>(step.outputs[0])].memory == 0 ? Lane::kDownloads : Lane::kUploads;
}

void Frame::rethrow(Error& error, const Step& step) const {
  // A kernel that was told to end does not know why.
  if (error.code() == Code::kCancelled && context_.control->past_deadline()) {
    try {
      context_.control->check();
    } catch (const Error& why) {
      error = why;
    }
  }
  if (error.code() == Code::kCancelled) throw error;
  std::string where = program_.describe(step);
  if (error.code() == Code::kDeadline) throw error.in(std::move(where));
  where += " with inputs";
  for (int in : step.inputs) {
    if (in < 0) {
      where += " (absent)";
      continue;
    }
    const onnxrun_tensor& view = views_[static_cast<size_t>(in)];
    where += " " + program_.name(in) + ": ";
    where += view.dtype == 0 ? std::string("no tensor")
                             : std::string(base::dtype_name(static_cast<DType>(view.dtype))) +
                                   base::to_string({view.dims, static_cast<size_t>(std::max(view.rank, 0))});
  }
  throw error.in(where);
}

}  // namespace onnxrun::run
