// CausalConvWithState: a depthwise convolution over the past, with the last inputs carried on (ONNX, opset 27).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void infer_causal_conv(InferContext& c) {
  const std::string activation = c.attributes().get_string("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish")
    c.fail("activation must be none, silu or swish, got '{}'", activation);
  Dim batch, channels, kernel;
  if (const Shape* input = c.shape(0)) {
    if (input->size() != 3) c.fail("'input' must have rank 3, got {}", c.input(0).to_string());
    batch = (*input)[0];
    channels = (*input)[1];
  }
  if (const Shape* weight = c.shape(1)) {
    if (weight->size() != 3) c.fail("'weight' must have rank 3, got {}", c.input(1).to_string());
    channels = unify(c, channels, (*weight)[0], "the channels of 'input' and 'weight'");
    unify(c, 1, (*weight)[1], "dim 1 of 'weight' and 1");
    kernel = (*weight)[2];
    if (kernel.is_constant() && kernel.value() < 1) c.fail("'weight' {} has an empty kernel", c.input(1).to_string());
  }
  if (const Shape* bias = c.shape(2)) {
    if (bias->size() != 1) c.fail("'bias' must have rank 1, got {}", c.input(2).to_string());
    unify(c, channels, bias->front(), "the channels of 'input' and 'bias'");
  }
  const Dim carried = kernel - Dim(1);
  if (const Shape* past = c.shape(3)) {
    if (past->size() != 3) c.fail("'past_state' must have rank 3, got {}", c.input(3).to_string());
    unify(c, batch, (*past)[0], "the batch sizes of 'input' and 'past_state'");
    unify(c, channels, (*past)[1], "the channels of 'input' and 'past_state'");
    unify(c, carried, (*past)[2], "the kernel's length less 1 and the last dim of 'past_state'");
  }
  c.set(0, c.dtype(0), c.input(0).shape);
  c.set(1, c.dtype(0), Shape{batch, channels, carried});
}

}  // namespace

void define_onnx_causal_conv_with_state(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "CausalConvWithState",
             .versions = {27},
             .signature = {.inputs = "input:T, weight:T, bias?:T, past_state?:T",
                           .outputs = "output:T, present_state:T",
                           .types = "T: float32 float16 bfloat16",
                           .attributes = "activation:string"},
             .infer = infer_causal_conv});
}

}  // namespace onnxrun::ops
