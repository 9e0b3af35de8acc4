// The parts of a finding that an error does not carry by itself: what was expected and what to do.
#pragma once

#include "import/context.h"
#include "ir/op.h"

namespace onnxrun::import {

// The finding that `e`, met at `where` (may be empty), stands for: a Diagnosis' own parts, else those of the house's messages ("S has X,
// expected E", "S must be E, got X"). Whatever is left open says what `def` takes, where given, and what one does about errors of that code.
// Its place is not repeated in `what`.
Problem finding_of(const Error& e, const std::string& where, const ir::OpTable* table, const ir::OpDef* def);

}  // namespace onnxrun::import
