// BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot and BitShift on integers.
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

void infer_bit_shift(ir::InferContext& c) {
  const std::string direction = c.attributes().get_string("direction");
  if (direction != "LEFT" && direction != "RIGHT")
    c.fail("attribute 'direction' of BitShift must be 'LEFT' or 'RIGHT', not '{}'", direction);
  infer_broadcast(c);
}

}  // namespace

void define_onnx_bitwise(ir::OpTable& table) {
  for (const char* name : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"})
    table.add({.domain = "",
               .name = name,
               .versions = {18},
               .signature = {.inputs = "A:T, B:T", .outputs = "C:T", .types = "T: integers"},
               .infer = infer_broadcast});
  table.add({.domain = "",
             .name = "BitwiseNot",
             .versions = {18},
             .signature = {.inputs = "X:T", .outputs = "Y:T", .types = "T: integers"},
             .infer = infer_like_first});
  table.add(
      {.domain = "",
       .name = "BitShift",
       .versions = {11, 28},
       .signature = {.inputs = "X:T, Y:T", .outputs = "Z:T", .types = "T: integers", .attributes = "direction:string!"},
       .infer = infer_bit_shift});
}

}  // namespace onnxrun::ops
