// The table of all operators, generated from the files of src/ops/.
#pragma once

#include "ir/op.h"

namespace onnxrun::ops {

void define_all(ir::OpTable& table);

}  // namespace onnxrun::ops
