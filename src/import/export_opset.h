// Which operator set and IR versions a graph is written at.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "import/export.h"

namespace onnxrun::import {

struct OpsetChoice {
  std::map<std::string, int64_t> opsets;  // by domain, those in use
  int64_t ir_version = 0;
};

// A copy of the model with every node as the opsets chosen want it: the lowest not below the source's in which all nodes mean what they mean here, or those that
// the options ask for. Throws kUnsupported naming a node that has no such form, why, and the lowest opset that has one for all.
ir::Model lower_model(const ir::Model& model, const ExportOptions& options, OpsetChoice& choice);

}  // namespace onnxrun::import
