// The table of all operators, generated from the files of src/ops/.
#pragma once

#include "ir/op.h"

namespace onnxrun::ops {

void define_all(ir::OpTable& table);
// visit(self, "onnx/conv", what defines the operators of that file), file by file.
void define_all_parts(void (*visit)(void* self, const char* part, void (*define)(ir::OpTable&)), void* self);

}  // namespace onnxrun::ops
