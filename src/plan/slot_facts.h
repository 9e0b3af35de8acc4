// SlotFacts: what is known of each slot while a segment is planned.
#pragma once

#include <vector>

#include "plan/segment.h"

namespace onnxrun::plan {

class SlotFacts {
 public:
  explicit SlotFacts(const Program& program) : program_(program), facts_(program.slots().size()) {}

  // What the program's constants, the segments before `segment`, and the facts given to all of them say.
  void recall(const Segment& segment);

  ir::Fact& operator[](int slot) { return facts_[static_cast<size_t>(slot)]; }
  // The slot's type without shape or value.
  ir::Fact unresolved(int slot, base::DType dtype = base::DType::kNone) const;

 private:
  void recall_planned(const SegmentSlot& planned);
  void recall_given(const std::vector<std::pair<int, ir::Fact>>& given);

  const Program& program_;
  std::vector<ir::Fact> facts_;
};

// Whether nothing more has to be known to allocate the value.
inline bool resolved(const ir::Fact& fact) { return !fact.is_tensor() || fact.dims().has_value(); }

}  // namespace onnxrun::plan
