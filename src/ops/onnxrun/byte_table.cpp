// ByteTable: a function of one 8-bit value as the table of its 256 results, at the place of the value's byte.
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/emitter.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

void infer(ir::InferContext& c) {
  require_vector(c, 1, "table", ir::Dim(256));
  c.set(0, c.dtype(1), c.input(0).shape);
}

// Negative indices count from the end: int8 -1 is the byte 255.
bool decompose(ir::Expansion& e) {
  Emitter emit(e);
  e.finish("Gather", {e.input(1), emit.cast(e.input(0), ir::DType::kInt32)}, {{"axis", int64_t{0}}});
  return true;
}

}  // namespace

void define_onnxrun_byte_table(ir::OpTable& table) {
  table.add({.domain = "onnxrun",
             .name = "ByteTable",
             .versions = {1},
             .signature = {.inputs = "X:T, table:U",
                           .outputs = "Y:U",
                           .types = "T: int8 uint8 | U: int8 uint8",
                           .attributes = ""},
             .infer = infer,
             .decompose = decompose});
}

}  // namespace onnxrun::ops
