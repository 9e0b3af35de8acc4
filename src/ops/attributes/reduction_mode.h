// The `reduction` attribute of ScatterElements and ScatterND.
#pragma once

#include <string>

#include "base/error.h"

namespace onnxrun::ops::attributes {

enum class ReductionMode { kNone, kAdd, kMul, kMax, kMin };

// Throws kInvalidModel for an unknown name.
template <class Source>
ReductionMode reduction_mode(const Source& source) {
  const std::string name = source.get_string("reduction", "none");
  if (name == "none") return ReductionMode::kNone;
  if (name == "add") return ReductionMode::kAdd;
  if (name == "mul") return ReductionMode::kMul;
  if (name == "max") return ReductionMode::kMax;
  if (name == "min") return ReductionMode::kMin;
  base::fail(base::Code::kInvalidModel, "'reduction' is \"{}\", but must be none, add, mul, max or min", name);
}

}  // namespace onnxrun::ops::attributes
