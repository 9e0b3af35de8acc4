// Acceptance, reduction and copy that ScatterElements and ScatterND share.
#include "cpu/loops/scatter_target.h"

#include "ops/attributes/reduction_mode.h"

namespace onnxrun::cpu {

using ops::attributes::ReductionMode;

Acceptance ScatterTarget::accepts(const Node& node) {
  if (is_packed(node.input(0).dtype)) return Acceptance::decline("packed elements");
  const auto mode = ops::attributes::reduction_mode(node);
  if (mode != ReductionMode::kNone && find_combine(dtype(node.input(0)), mode) == nullptr)
    return Acceptance::decline("no such reduction of this element type");
  return Acceptance().alias(0, 0);
}

ScatterTarget::ScatterTarget(const Node& node)
    : unit_(unit_of(node.input(0).dtype)), count_(provider::count(node.input(0))) {
  const auto mode = ops::attributes::reduction_mode(node);
  if (mode != ReductionMode::kNone) combine_ = find_combine(dtype(node.input(0)), mode);
}

void* ScatterTarget::copy(RunContext& context) const {
  void* out = context.output(0).data;
  if (context.input(0).data != out) copy_all(context, unit_, context.input(0).data, out, count_);
  return out;
}

}  // namespace onnxrun::cpu
