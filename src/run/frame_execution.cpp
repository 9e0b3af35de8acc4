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
  Observer* observer = context_.observer;
  for (const SegmentStep& planned : segment.steps) {
    const Step& step = program_.steps()[static_cast<size_t>(planned.step)];
    if (!planned.skip) {
      if (observer != nullptr && observer->profile) execute_profiled(step, planned);
      else execute_step(step, planned);
    }
    if constexpr (kChecksFacts) check_facts(step);
    if (observer != nullptr && observer->tapping()) tap(step);
    for (int slot : planned.frees) holders_[static_cast<size_t>(slot)] = {};
  }
}

void Frame::execute_step(const Step& step, const SegmentStep& planned) {
  try {
    context_.control->check();
    switch (step.kind) {
      case StepKind::kKernel: run_kernel(step, planned); break;
      case StepKind::kView:
        if (planned.kernel) run_kernel(step, planned);
        else views_[static_cast<size_t>(step.outputs[0])].data = views_[static_cast<size_t>(step.inputs[0])].data;
        break;
      case StepKind::kCopy: run_copy(step); break;
      case StepKind::kStructural: {
        StructuralContext context(*this, planned.step);
        context.run();
        break;
      }
    }
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

void Frame::run_copy(const Step& step) {
  const onnxrun_tensor& from = views_[static_cast<size_t>(step.inputs[0])];
  const onnxrun_tensor& to = views_[static_cast<size_t>(step.outputs[0])];
  const size_t bytes = base::dtype_bytes(static_cast<DType>(from.dtype),
                                         base::element_count({from.dims, static_cast<size_t>(from.rank)}));
  context_.devices->copy(step.provider, from.data, from.memory != 0, to.data, to.memory != 0, bytes);
  if (to.memory == 0) context_.devices->wait(step.provider);
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
