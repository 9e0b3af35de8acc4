// Recalling facts from the segments before.
#include "plan/slot_facts.h"

namespace onnxrun::plan {

using base::DType;
using ir::Fact;

void SlotFacts::recall(const Segment& segment) {
  for (size_t i = 0; i < program_.slots().size(); ++i)
    if (program_.slots()[i].constant) facts_[i] = program_.fact(static_cast<int>(i));
  std::vector<const Segment*> chain{&segment};
  for (const Segment* s = segment.before; s != nullptr; s = s->before) chain.push_back(s);
  for (auto it = chain.rbegin(); it != chain.rend(); ++it)
    for (const SegmentSlot& planned : (*it)->slots) recall_planned(planned);
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) recall_given((*it)->given);
}

void SlotFacts::recall_planned(const SegmentSlot& planned) {
  Fact& fact = (*this)[planned.slot];
  if (planned.place == Place::kConstant) fact = Fact::of(planned.constant);
  else if (planned.dims_known) fact = Fact::tensor(planned.dtype, ir::make_shape(planned.dims));
  else fact = unresolved(planned.slot, planned.dtype);
}

void SlotFacts::recall_given(const std::vector<std::pair<int, Fact>>& given) {
  for (const auto& [index, known] : given) {
    (*this)[index] = known;
    if (!known.constant) continue;
    // A value is known in every memory it was copied to.
    const ir::ValueId value = program_.slots()[static_cast<size_t>(index)].value;
    for (size_t other = 0; other < program_.slots().size(); ++other)
      if (program_.slots()[other].value == value) facts_[other] = known;
  }
}

Fact SlotFacts::unresolved(int slot, DType dtype) const {
  Fact result = program_.fact(slot);
  result.constant = {};
  result.elements.reset();
  result.shape.reset();
  if (result.kind == ir::TypeKind::kUnknown && dtype != DType::kNone) result = Fact::tensor(dtype);
  return result;
}

}  // namespace onnxrun::plan
