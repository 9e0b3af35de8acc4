// Which operator set and IR versions a graph can be written at.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ir/graph.h"

namespace onnxrun::import {

struct OpsetChoice {
  std::map<std::string, int64_t> opsets;  // by domain, those in use
  int64_t ir_version = 0;
};

// The versions to write `model` at, with ai.onnx at `wanted` or, for 0, at the lowest version not below the source's in which every node means what it means
// here. Throws kUnsupported naming a node that has no such form.
OpsetChoice choose_opsets(const ir::Model& model, int64_t wanted);

}  // namespace onnxrun::import
