// com.microsoft.QLinearAveragePool, QLinearGlobalAveragePool, QLinearReduceMean and NhwcMaxPool, written in ONNX's operators.
#include "ir/op.h"
#include "ops/elementwise.h"
#include "ops/quantization_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

int64_t rank_of(Expansion& e) {
  const int64_t rank = e.fact(e.input(0)).rank();
  if (rank < 0) e.fail("channels_last needs an input of known rank");
  if (rank < 3) e.fail("input 'X' must have rank 3 or more, got {}", e.fact(e.input(0)).to_string());
  return rank;
}

// `op` between dequantisation and quantisation, between transposes with channels_last.
void lift_pool(Expansion& e, std::string_view op) {
  const ir::DType type = e.fact(e.input(0)).dtype;
  const bool last = e.attributes().get_int("channels_last", 0) != 0;
  const int64_t rank = last ? rank_of(e) : 0;
  e.drop({"channels_last"});
  const ValueId x = dequantized(e, last ? channels_first(e, e.input(0), rank) : e.input(0), e.input(1), e.input(2));
  ValueId y = e.emit(op, {x}, e.attributes());
  if (last) y = channels_last(e, y, rank);
  finish_quantized(e, y, e.input(3), e.input(4), type);
}

void lift_reduce_mean(Expansion& e, int) {
  const ir::DType type = e.fact(e.input(0)).dtype;
  std::vector<ValueId> inputs = {dequantized(e, e.input(0), e.input(1), e.input(2))};
  if (e.attributes().has("axes")) inputs.push_back(e.int64s(e.attributes().get_ints("axes")));
  const ValueId y = e.emit("ReduceMean", std::move(inputs), {{"keepdims", e.attributes().get_int("keepdims", 1)}});
  finish_quantized(e, y, e.input(3), e.input(4), type);
}

void lift_nhwc_max_pool(Expansion& e, int) {
  const int64_t rank = rank_of(e);
  e.bind(0, channels_last(e, e.emit("MaxPool", {channels_first(e, e.input(0), rank)}, e.attributes()), rank));
}

void infer_unlifted(ir::InferContext& c) { c.set(0, c.dtype(0)); }

}  // namespace

void define_microsoft_qlinear_pool(ir::OpTable& table) {
  constexpr const char* kTypes = "T: int8 uint8";
  table.add({.domain = "com.microsoft",
             .name = "QLinearAveragePool",
             .versions = {1},
             .signature = {.inputs = "X:T, x_scale:float32, x_zero_point?:T, y_scale:float32, y_zero_point?:T",
                           .outputs = "Y:T",
                           .types = kTypes,
                           .attributes = "auto_pad:string, ceil_mode:int, channels_last:int, count_include_pad:int, "
                                         "kernel_shape:ints!, pads:ints, "
                                         "strides:ints"},
             .infer = infer_unlifted,
             .lift = [](Expansion& e, int) { lift_pool(e, "AveragePool"); }});
  table.add({.domain = "com.microsoft",
             .name = "QLinearGlobalAveragePool",
             .versions = {1},
             .signature = {.inputs = "X:T, x_scale:float32, x_zero_point:T, y_scale:float32, y_zero_point:T",
                           .outputs = "Y:T",
                           .types = kTypes,
                           .attributes = "channels_last:int"},
             .infer = infer_unlifted,
             .lift = [](Expansion& e, int) { lift_pool(e, "GlobalAveragePool"); }});
  table.add(
      {.domain = "com.microsoft",
       .name = "QLinearReduceMean",
       .versions = {1},
       .signature = {.inputs =
                         "data:T, data_scale:float32, data_zero_point?:T, reduced_scale:float32, reduced_zero_point?:T",
                     .outputs = "reduced:T",
                     .types = kTypes,
                     .attributes = "axes:ints!, keepdims:int!"},
       .infer = infer_unlifted,
       .lift = lift_reduce_mean});
  table.add(
      {.domain = "com.microsoft",
       .name = "NhwcMaxPool",
       .versions = {1},
       .signature = {.inputs = "x:T",
                     .outputs = "y:T",
                     .types = kTypes,
                     .attributes =
                         "auto_pad:string, ceil_mode:int, dilations:ints, kernel_shape:ints!, pads:ints, strides:ints"},
       .infer = infer_unlifted,
       .lift = lift_nhwc_max_pool});
}

}  // namespace onnxrun::ops
