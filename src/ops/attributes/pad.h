// The mode of Pad.
#pragma once

#include <string>

#include "base/error.h"

namespace onnxrun::ops::attributes {

enum class PadMode { kConstant, kReflect, kEdge, kWrap };

// Throws kInvalidModel for an unknown name.
template <class Source>
PadMode pad_mode(const Source& source) {
  const std::string name = source.get_string("mode", "constant");
  if (name == "constant") return PadMode::kConstant;
  if (name == "reflect") return PadMode::kReflect;
  if (name == "edge") return PadMode::kEdge;
  if (name == "wrap") return PadMode::kWrap;
  base::fail(base::Code::kInvalidModel, "'mode' is \"{}\", but must be constant, reflect, edge or wrap", name);
}

}  // namespace onnxrun::ops::attributes
