// com.microsoft.QuantizeLinear and DequantizeLinear: the same as ONNX's operators.
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {

void define_microsoft_quantize_linear(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "QuantizeLinear",
       .versions = {1},
       .signature = {.inputs = "x:T1, y_scale:T1, y_zero_point?:T2",
                     .outputs = "y:T2",
                     .types = "T1: float32 float16 | T2: int8 uint8 int16 uint16 int4 uint4 float8s",
                     .attributes = "axis:int, block_size:int, output_dtype:int, saturate:int"},
       .infer =
           [](ir::InferContext& c) { c.set(0, c.has_input(2) ? c.dtype(2) : ir::DType::kUint8, c.input(0).shape); },
       .lift =
           [](ir::Expansion& e, int) {
             e.become("", "QuantizeLinear");
             e.keep();
           }});
  table.add({.domain = "com.microsoft",
             .name = "DequantizeLinear",
             .versions = {1},
             .signature = {.inputs = "x:T1, x_scale:T2, x_zero_point?:T1",
                           .outputs = "y:T2",
                           .types = "T1: int8 uint8 int16 uint16 int32 int4 uint4 float8s | T2: float32 float16",
                           .attributes = "axis:int, block_size:int, output_dtype:int"},
             .infer = [](ir::InferContext& c) { c.set(0, c.dtype(1), c.input(0).shape); },
             .lift =
                 [](ir::Expansion& e, int) {
                   e.become("", "DequantizeLinear");
                   e.keep();
                 }});
}

}  // namespace onnxrun::ops
