// The first input of the scattering operators, into a copy of which updates go.
#pragma once

#include "cpu/cpu.h"
#include "cpu/loops/combine.h"
#include "cpu/loops/copy.h"

namespace onnxrun::cpu {

class ScatterTarget {
 public:
  // Takes any unpacked type, and any reduction that the type has; the output may share the input's memory.
  static Acceptance accepts(const Node& node);
  explicit ScatterTarget(const Node& node);

  Unit unit() const { return unit_; }
  // How updates join what is there; null: they replace it.
  Combine combine() const { return combine_; }
  // Copies the input to the output, unless they share memory, and returns the output.
  void* copy(RunContext& context) const;

 private:
  Unit unit_;
  int64_t count_;
  Combine combine_ = nullptr;
};

}  // namespace onnxrun::cpu
