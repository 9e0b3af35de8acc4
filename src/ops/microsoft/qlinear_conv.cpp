// com.microsoft.QLinearConv: ONNX's QLinearConv, with channels_last between transposes.
#include "ir/op.h"
#include "ops/quantization_inputs.h"

namespace onnxrun::ops {
namespace {

void lift_conv(ir::Expansion& e, int) {
  const bool last = e.attributes().get_int("channels_last", 0) != 0;
  e.drop({"channels_last"});
  if (!last) {
    e.become("", "QLinearConv");
    return e.keep();
  }
  int64_t rank = e.fact(e.input(0)).rank();
  if (rank < 0) rank = e.fact(e.input(3)).rank();
  if (rank < 3) e.fail("channels_last needs an input or weights of known rank, 3 or more");
  std::vector<ir::ValueId> inputs = e.source().inputs;
  inputs[0] = channels_first(e, inputs[0], rank);
  e.bind(0, channels_last(e, e.emit("QLinearConv", std::move(inputs), e.attributes()), rank));
}

}  // namespace

void define_microsoft_qlinear_conv(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "QLinearConv",
       .versions = {1},
       .signature =
           {.inputs =
                "x:T1, x_scale:float32, x_zero_point:T1, w:T2, w_scale:float32, w_zero_point:T2, y_scale:float32, "
                "y_zero_point:T3, B?:int32",
            .outputs = "y:T3",
            .types = "T1: int8 uint8 | T2: int8 uint8 | T3: int8 uint8",
            .attributes = "auto_pad:string, channels_last:int, dilations:ints, group:int, kernel_shape:ints, "
                          "pads:ints, strides:ints"},
       .infer = [](ir::InferContext& c) { c.set(0, c.dtype(7)); },
       .lift = lift_conv});
}

}  // namespace onnxrun::ops
