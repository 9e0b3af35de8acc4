// Activations of one input: Relu, LeakyRelu, Elu, Celu, Selu, Sigmoid, HardSigmoid, HardSwish, Softplus, Softsign,
// ThresholdedRelu, Mish, Gelu, Shrink and Swish.
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/activation_bodies.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;

void infer_relu(ir::InferContext& c) {
  infer_like_first(c);
  propagate(
      c, +[](const Dim& x) { return max(x, Dim(0)); });
}

void infer_gelu(ir::InferContext& c) {
  const std::string approximate = c.attributes().get_string("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    c.fail("attribute 'approximate' of Gelu must be 'none' or 'tanh', not '{}'", approximate);
  infer_like_first(c);
}

void infer_celu(ir::InferContext& c) {
  if (c.attributes().get_float("alpha", 1.0f) == 0.0f) c.fail("attribute 'alpha' of Celu must not be 0");
  infer_like_first(c);
}

// Opset 1 had rounded defaults.
void lift_selu(ir::Expansion& e, int since) {
  if (since < 6) {
    if (!e.attributes().has("alpha")) e.attributes().set("alpha", 1.6732f);
    if (!e.attributes().has("gamma")) e.attributes().set("gamma", 1.0507f);
  }
  lift_without_consumed_inputs(e, since);
}

void lower_selu(ir::Lowering& l, int opset) {
  if (opset < 6) {
    if (!l.attributes().has("alpha")) l.attributes().set("alpha", 1.67326319217681884765625f);
    if (!l.attributes().has("gamma")) l.attributes().set("gamma", 1.05070102214813232421875f);
  }
  l.keep();
}

struct Entry {
  const char* name;
  std::vector<int> versions;
  const char* attributes;
  bool (*decompose)(ir::Expansion&);
  void (*infer)(ir::InferContext&) = infer_like_first;
  void (*lift)(ir::Expansion&, int) = lift_without_consumed_inputs;
  void (*lower)(ir::Lowering&, int) = ir::lower_unchanged;
  const char* types = "T: floats";
};

}  // namespace

void define_onnx_activation(ir::OpTable& table) {
  const Entry entries[] = {
      {"Relu",
       {1, 6, 13, 14},
       "",
       decompose_relu,
       infer_relu,
       lift_without_consumed_inputs,
       ir::lower_unchanged,
       "T: floats ints"},
      {"LeakyRelu", {1, 6, 16}, "alpha:float", decompose_leaky_relu},
      {"Elu", {1, 6, 22}, "alpha:float", decompose_elu},
      {"Celu", {12, 28}, "alpha:float", decompose_celu, infer_celu},
      {"Selu", {1, 6, 22}, "alpha:float, gamma:float", decompose_selu, infer_like_first, lift_selu, lower_selu},
      {"Sigmoid", {1, 6, 13}, "", nullptr},
      {"HardSigmoid", {1, 6, 22}, "alpha:float, beta:float", decompose_hard_sigmoid},
      {"HardSwish", {14, 22}, "", decompose_hard_swish},
      {"Softplus", {1, 22}, "", decompose_softplus},
      {"Softsign", {1, 22}, "", decompose_softsign},
      {"ThresholdedRelu", {10, 22}, "alpha:float", decompose_thresholded_relu},
      {"Mish", {18, 22}, "", decompose_mish},
      {"Gelu", {20}, "approximate:string", decompose_gelu, infer_gelu},
      {"Shrink",
       {9},
       "bias:float, lambd:float",
       decompose_shrink,
       infer_like_first,
       nullptr,
       nullptr,
       "T: float16 float32 float64 integers"},
      {"Swish", {24}, "alpha:float", decompose_swish},
  };
  for (const Entry& entry : entries)
    table.add({.domain = "",
               .name = entry.name,
               .versions = entry.versions,
               .signature = {.inputs = "X:T", .outputs = "Y:T", .types = entry.types, .attributes = entry.attributes},
               .infer = entry.infer,
               .lift = entry.lift,
               .lower = entry.lower,
               .decompose = entry.decompose});
}

}  // namespace onnxrun::ops
