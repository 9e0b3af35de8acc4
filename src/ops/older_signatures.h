// The signatures that operators had before their newest version, for checking nodes written at an older opset.
#pragma once

#include <optional>
#include <string_view>

#include "ir/op.h"

namespace onnxrun::ops {

struct OlderSignature {
  ir::OpSignature signature;
  // Attributes that came later, with the value that this version always has: "allowzero=0, mode=linear".
  const char* newer_defaults = "";
};

// Of version `since` of an operator; none for the newest version and for what ONNX does not define. `domain` "" is ai.onnx.
std::optional<OlderSignature> older_signature(std::string_view domain, std::string_view name, int since);

}  // namespace onnxrun::ops
