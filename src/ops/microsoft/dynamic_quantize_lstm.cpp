// com.microsoft.DynamicQuantizeLSTM: an LSTM with 8-bit weights. They are dequantised, once where they are constant, and activations stay float32, so that
// results are nearer to the float model's than those of a runtime that rounds activations to 8 bits.
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

// [directions, rows, columns] with a scale and a zero point for each direction, or for each of its columns; transposed for LSTM.
ValueId float_weights(Expansion& e, size_t weights, size_t scale, size_t zero, const char* name) {
  const int64_t rank = e.fact(e.input(scale)).rank();
  if (rank != 1 && rank != 2)
    e.fail("the scale of '{}' must have rank 1 or 2, got {}", name, e.fact(e.input(scale)).to_string());
  const auto as_float = [&](ValueId x) {
    return e.emit("Cast", {x}, {{"to", static_cast<int64_t>(ir::DType::kFloat32)}});
  };
  const auto spread = [&](ValueId x) { return e.emit("Unsqueeze", {x, rank == 1 ? e.int64s({1, 2}) : e.int64s({1})}); };
  const ValueId moved = e.emit("Sub", {as_float(e.input(weights)), spread(as_float(e.input(zero)))});
  return e.emit("Transpose", {e.emit("Mul", {moved, spread(e.input(scale))})},
                {{"perm", std::vector<int64_t>{0, 2, 1}}});
}

void lift_lstm(Expansion& e, int) {
  const ValueId w = float_weights(e, 1, 8, 9, "W"), r = float_weights(e, 2, 10, 11, "R");
  e.finish("LSTM", {e.input(0), w, r, e.input(3), e.input(4), e.input(5), e.input(6), e.input(7)}, e.attributes());
}

}  // namespace

void define_microsoft_dynamic_quantize_lstm(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "DynamicQuantizeLSTM",
       .versions = {1},
       .signature =
           {.inputs = "X:float32, W:T2, R:T2, B?:float32, sequence_lens?:int32, initial_h?:float32, "
                      "initial_c?:float32, P?:float32, "
                      "W_scale:float32, W_zero_point:T2, R_scale:float32, R_zero_point:T2",
            .outputs = "Y?:float32, Y_h?:float32, Y_c?:float32",
            .types = "T2: int8 uint8",
            .attributes =
                "activation_alpha:floats, activation_beta:floats, activations:strings, clip:float, direction:string, "
                "hidden_size:int, input_forget:int"},
       .infer =
           [](ir::InferContext& c) {
             for (size_t i = 0; i < c.output_count(); ++i) c.set(i, ir::DType::kFloat32);
           },
       .lift = lift_lstm});
}

}  // namespace onnxrun::ops
