// Last uses by a walk from the last step to the first.
#include "plan/lifetimes.h"

#include <algorithm>

namespace onnxrun::plan {

void find_lifetimes(const std::vector<Step>& steps, const std::vector<int>& outputs, const ProviderSet& providers,
                    std::vector<Slot>& slots) {
  for (size_t i = 0; i < slots.size(); ++i) slots[i].root = static_cast<int>(i);
  for (const Step& step : steps)
    if (step.kind == StepKind::kView)
      slots[static_cast<size_t>(step.outputs[0])].root = slots[static_cast<size_t>(step.inputs[0])].root;
  const auto root_of = [&](int slot) -> Slot& {
    return slots[static_cast<size_t>(slots[static_cast<size_t>(slot)].root)];
  };
  const auto use = [&](int slot, int when) {
    if (slot >= 0) root_of(slot).last_use = std::max(root_of(slot).last_use, when);
  };

  const int end = static_cast<int>(steps.size());
  // Host memory that a device still copies from must stay as it is until that device was waited for.
  std::vector<int> next_wait(static_cast<size_t>(providers.size()), end);
  for (int s = end - 1; s >= 0; --s) {
    const Step& step = steps[static_cast<size_t>(s)];
    if (step.kind == StepKind::kCopy) {
      const bool to_host = slots[static_cast<size_t>(step.outputs[0])].memory == 0;
      int& wait = next_wait[static_cast<size_t>(step.provider)];
      use(step.inputs[0], to_host ? s : wait);
      // With streams of their own, copies to the device are waited for at the end.
      if (to_host && !providers.has_events(step.provider)) wait = s;
    }
    for (const std::vector<int>* list :
         {&step.inputs, &step.shape_values, &step.outputs})  // unused outputs live while they are written
      for (int slot : *list) use(slot, s);
    for (const BodyProgram& body : step.bodies)
      for (int slot : body.captures) use(slot, s);
  }
  for (size_t k = 0; k < outputs.size(); ++k) {
    Slot& root = root_of(outputs[k]);
    root.last_use = end;
    if (root.output < 0) root.output = static_cast<int>(k);
  }
}

}  // namespace onnxrun::plan
