// Computing steps at planning time.
#include "plan/fold_step.h"

#include "base/error.h"
#include "plan/bound_kernel.h"

namespace onnxrun::plan {

using base::Tensor;
using ir::Fact;

namespace {

bool evaluate(const Program& program, const Step& step, SlotFacts& facts, std::vector<Fact>& outputs,
              base::Deadline deadline) {
  if (step.provider != program.providers().host()) return false;
  int64_t elements = 0;
  std::vector<const Tensor*> inputs;
  for (int in : step.inputs) {
    if (in >= 0 && !facts[in].constant) return false;
    inputs.push_back(in < 0 ? nullptr : &facts[in].constant);
    if (in >= 0) elements += facts[in].constant.count();
  }
  if (elements > kMaxFoldInputs) return false;
  for (const Candidate& candidate : step.candidates) {
    std::optional<std::vector<Tensor>> results;
    try {
      results = run_now(*candidate.kernel, program.graph().node(step.node), inputs, outputs, program.options().budget,
                        deadline);
    } catch (const base::Error& error) {
      // A kernel that was told to end does not know why.
      if (error.code() != base::Code::kCancelled || !deadline.past()) throw;
      throw base::Error(base::Code::kDeadline, std::string(base::kPastDeadline));
    }
    if (!results) continue;
    for (size_t k = 0; k < outputs.size(); ++k)
      if (step.outputs[k] >= 0) outputs[k] = Fact::of(std::move((*results)[k]));
    return true;
  }
  return false;
}

}  // namespace

bool fold_step(const Program& program, const Step& step, SlotFacts& facts, std::vector<Fact>& outputs,
               base::Deadline deadline) {
  if (program.graph().node(step.node).op->flags & ir::kRandom) return false;
  bool known = true;
  int64_t elements = 0;
  for (size_t k = 0; k < step.outputs.size(); ++k) {
    if (step.outputs[k] < 0) continue;
    if (program.slots()[static_cast<size_t>(step.outputs[k])].memory != 0) return false;
    known &= static_cast<bool>(outputs[k].constant);
    elements += base::element_count(*outputs[k].dims());
  }
  if (elements > ir::kMaxTrackedElements) return false;
  return known || evaluate(program, step, facts, outputs, deadline);
}

}  // namespace onnxrun::plan
