// BlockedQLinearConv: QLinearConv on blocked channels (src/ops/onnxrun/blocked.cpp), with an addition of another quantised value and a function of one byte
// behind it.
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/blocked_shapes.h"
#include "ops/emitter.h"
#include "ops/image_inputs.h"
#include "ops/quantization_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::ValueId;

// Inputs by place.
constexpr size_t kW = 3, kWScale = 4, kWZero = 5, kYScale = 6, kYZero = 7, kBias = 8, kZ = 9, kSumScale = 12,
                 kSumZero = 13, kTable = 14;

void infer(ir::InferContext& c) {
  const char* names[] = {"",
                         "x_scale",
                         "x_zero_point",
                         "",
                         "",
                         "",
                         "y_scale",
                         "y_zero_point",
                         "",
                         "",
                         "z_scale",
                         "z_zero_point",
                         "sum_scale",
                         "sum_zero_point"};
  for (const size_t i : {1, 2, 6, 7, 10, 11, 12, 13})
    if (c.has_input(i)) require_one_element(c, i, names[i]);
  if (const ir::Shape* weights = c.shape(kW)) {
    if (weights->size() < 3) c.fail("'w' must have rank 3 or more, got {}", c.input(kW).to_string());
    for (const size_t i : {kWScale, kWZero})
      if (const ir::Shape* own = c.shape(i); own != nullptr && !own->empty() && !(*own == ir::Shape{ir::Dim(1)}))
        require_vector(c, i, i == kWScale ? "w_scale" : "w_zero_point", (*weights)[0]);
  }
  for (size_t i = kZ + 1; i <= kSumZero; ++i)
    if (c.has_input(i) != c.has_input(kZ)) c.fail("'Z' and '{}' go together", names[i]);
  if (c.has_input(kTable)) require_vector(c, kTable, "table", ir::Dim(256));
  infer_blocked_convolution(c, {.weights = kW, .bias = kBias, .added = kZ}, c.dtype(0));
}

bool decompose(ir::Expansion& e) {
  const auto weights = e.fact(e.input(kW)).dims();
  const ir::Fact& fact = e.fact(e.input(0));
  if (!weights || fact.rank() < 0) return false;
  ir::Attributes attributes = e.attributes();
  const int64_t block = attributes.get_int("block", 0);
  attributes.erase("block");
  std::vector<ValueId> inputs;
  for (size_t i = 0; i <= kBias; ++i) inputs.push_back(e.input(i));
  if (fact.rank() == static_cast<int64_t>(weights->size()) + 1)
    inputs[0] = from_blocked(e, inputs[0], (*weights)[1] * attributes.get_int("group", 1));
  ValueId y = e.emit("QLinearConv", std::move(inputs), std::move(attributes));
  if (e.has_input(kZ))
    y = e.emit("QLinearAdd",
               {y, e.input(kYScale), e.input(kYZero), from_blocked(e, e.input(kZ), (*weights)[0]), e.input(kZ + 1),
                e.input(kZ + 2), e.input(kSumScale), e.input(kSumZero)},
               {}, "com.microsoft");
  if (e.has_input(kTable)) y = e.emit("ByteTable", {y, e.input(kTable)}, {}, "onnxrun");
  e.finish("ToBlocked", {y}, {{"block", block}}, "onnxrun");
  return true;
}

}  // namespace

void define_onnxrun_blocked_qlinear_conv(ir::OpTable& table) {
  table.add(
      {.domain = "onnxrun",
       .name = "BlockedQLinearConv",
       .versions = {1},
       // X may be plain where W has few channels. Z, of the output's shape, is added: y_scale and y_zero_point are of what it is added to.
       .signature = {.inputs = "X:T, x_scale:float32, x_zero_point:T, W:T2, w_scale:float32, w_zero_point:T2, "
                               "y_scale:float32, y_zero_point:T, B?:int32, Z?:T, z_scale?:float32, "
                               "z_zero_point?:T, sum_scale?:float32, sum_zero_point?:T, table?:T",
                     .outputs = "Y:T",
                     .types = "T: uint8 | T2: int8 uint8",
                     .attributes = "auto_pad:string, block:int!, dilations:ints, group:int, kernel_shape:ints, "
                                   "pads:ints, strides:ints"},
       .infer = infer,
       .decompose = decompose});
}

}  // namespace onnxrun::ops
