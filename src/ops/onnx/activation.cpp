// Activations of one input: Relu, LeakyRelu, Elu, Celu, Selu, Sigmoid, HardSigmoid, HardSwish, Softplus, Softsign,
// ThresholdedRelu, Mish, Gelu, Shrink and Swish.
#include "ir/op.h"
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

struct Entry {
  const char* name;
  std::vector<int> versions;
  const char* attributes = "";
  const char* types = "T: floats";
  void (*infer)(ir::InferContext&) = infer_like_first;
  void (*lift)(ir::Expansion&, int) = nullptr;
};

}  // namespace

void define_onnx_activation(ir::OpTable& table) {
  const Entry entries[] = {
      {"Relu", {1, 6, 13, 14}, "", "T: floats ints", infer_relu, lift_without_consumed_inputs},
      {"LeakyRelu", {1, 6, 16}, "alpha:float", "T: floats", infer_like_first, lift_without_consumed_inputs},
      {"Elu", {1, 6, 22}, "alpha:float", "T: floats", infer_like_first, lift_without_consumed_inputs},
      {"Celu", {12, 28}, "alpha:float", "T: floats", infer_celu},
      {"Selu", {1, 6, 22}, "alpha:float, gamma:float", "T: floats", infer_like_first, lift_selu},
      {"Sigmoid", {1, 6, 13}, "", "T: floats", infer_like_first, lift_without_consumed_inputs},
      {"HardSigmoid",
       {1, 6, 22},
       "alpha:float, beta:float",
       "T: floats",
       infer_like_first,
       lift_without_consumed_inputs},
      {"HardSwish", {14, 22}},
      {"Softplus", {1, 22}},
      {"Softsign", {1, 22}},
      {"ThresholdedRelu", {10, 22}, "alpha:float"},
      {"Mish", {18, 22}},
      {"Gelu", {20}, "approximate:string", "T: floats", infer_gelu},
      {"Shrink", {9}, "bias:float, lambd:float", "T: float16 float32 float64 integers"},
      {"Swish", {24}, "alpha:float"},
  };
  for (const Entry& entry : entries)
    table.add({.domain = "",
               .name = entry.name,
               .versions = entry.versions,
               .signature = {.inputs = "X:T", .outputs = "Y:T", .types = entry.types, .attributes = entry.attributes},
               .infer = entry.infer,
               .lift = entry.lift});
}

}  // namespace onnxrun::ops
