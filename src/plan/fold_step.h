// Folding: a step whose outputs follow from what is known when its segment is planned is computed then, once.
#pragma once

#include <optional>
#include <vector>

#include "base/deadline.h"
#include "plan/slot_facts.h"

namespace onnxrun::plan {

// Elements that the known inputs of such a step may have together.
constexpr int64_t kMaxFoldInputs = 4 * ir::kMaxTrackedElements;

// Completes `outputs`, the inferred facts of a step, with their values where those are small and follow from shapes or known inputs.
// Returns whether all outputs now have values. Throws kDeadline.
bool fold_step(const Program& program, const Step& step, SlotFacts& facts, std::vector<ir::Fact>& outputs,
               base::Deadline deadline);

}  // namespace onnxrun::plan
