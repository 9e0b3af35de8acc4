// One training step: Adagrad, Adam and Momentum (ai.onnx.preview.training, opset 1).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::InferContext;

// Inputs: rate, count, then `kinds` groups of tensors: values, gradients, states; outputs: values and states.
void infer_step(InferContext& c, size_t kinds) {
  const char* const names[] = {"R", "T"};
  for (size_t i = 0; i < 2; ++i) {
    const ir::Shape* shape = c.shape(i);
    if (shape == nullptr) continue;
    const ir::Dim count = ir::element_count(*shape);
    if (count.is_constant() && count.value() != 1)
      c.fail("'{}' must be a scalar, got {}", names[i], c.input(i).to_string());
  }
  const size_t given = c.input_count() - 2;
  if (given % kinds != 0)
    c.fail("there must be {} inputs for each optimised tensor after 'R' and 'T', got {}", kinds, given);
  const size_t tensors = given / kinds;
  if (c.output_count() > tensors * (kinds - 1))
    c.fail("{} tensors give {} outputs, not {}", tensors, tensors * (kinds - 1), c.output_count());
  for (size_t i = 0; i < tensors; ++i) {
    const ir::Shape* value = c.shape(2 + i);
    for (size_t k = 1; k < kinds; ++k) {
      const ir::Shape* other = c.shape(2 + k * tensors + i);
      if (value == nullptr || other == nullptr) continue;
      if (value->size() != other->size())
        c.fail("input {} must have the shape of input {}, {}, got {}", 2 + k * tensors + i, 2 + i,
               c.input(2 + i).to_string(), c.input(2 + k * tensors + i).to_string());
      for (size_t d = 0; d < value->size(); ++d)
        unify(c, (*value)[d], (*other)[d], fmt::format("dim {} of an optimised tensor, its gradient and states", d));
    }
    for (size_t k = 0; k + 1 < kinds; ++k) c.set(k * tensors + i, c.dtype(2 + i), c.input(2 + i).shape);
  }
}

}  // namespace

void define_onnx_optimizer(ir::OpTable& table) {
  const auto define = [&](const char* name, const char* attributes, void (*infer)(InferContext&)) {
    table.add({.domain = "ai.onnx.preview.training",
               .name = name,
               .versions = {1},
               .signature = {.inputs = "R:T1, T:int64, inputs*:T3",
                             .outputs = "outputs*:T3",
                             .types = "T1: float32 float64 | T3: float32 float64",
                             .attributes = attributes},
               .infer = infer});
  };
  define("Adagrad", "decay_factor:float, epsilon:float, norm_coefficient:float",
         [](InferContext& c) { infer_step(c, 3); });
  define("Adam", "alpha:float, beta:float, epsilon:float, norm_coefficient:float, norm_coefficient_post:float",
         [](InferContext& c) { infer_step(c, 4); });
  define("Momentum", "alpha:float!, beta:float!, mode:string!, norm_coefficient:float!", [](InferContext& c) {
    const std::string mode = c.attributes().get_string("mode");
    if (mode != "standard" && mode != "nesterov") c.fail("mode must be standard or nesterov, got '{}'", mode);
    infer_step(c, 3);
  });
}

}  // namespace onnxrun::ops
