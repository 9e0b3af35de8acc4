// Elementwise: a chain of elementwise operators on floats, not rounded between, that is computed in one pass over memory; the optimizer makes it for sessions.
#include "ops/attributes/elementwise_steps.h"

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/emitter.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using ir::ValueId;

void infer(ir::InferContext& c) {
  attributes::read_elementwise_steps(c.attributes(), c.input_count());
  c.set(0, c.dtype(0), broadcast_inputs(c, c.input_count()));
}

bool decompose(ir::Expansion& e) {
  const auto steps = attributes::read_elementwise_steps(e.attributes(), e.source().inputs.size());
  Emitter emit(e);
  std::vector<ValueId> values = e.source().inputs;
  for (size_t i = 0; i < steps.size(); ++i) {
    const attributes::ElementwiseStep& step = steps[i];
    std::string op(step.op->name);
    std::vector<ValueId> inputs;
    for (int k = 0; k < step.op->operands; ++k) inputs.push_back(values[static_cast<size_t>(step.operands[k])]);
    ir::Attributes own;
    if (op == "GeluTanh") {
      op = "Gelu";
      own.set("approximate", std::string("tanh"));
    } else if (op == "Clip") {
      for (const float limit : {step.alpha, step.beta})
        inputs.push_back(emit.cast(e.constant(base::Tensor::scalar(limit)), e.fact(e.input(0)).dtype));
    } else {
      if (!step.op->alpha.empty()) own.set(std::string(step.op->alpha), step.alpha);
      if (!step.op->beta.empty()) own.set(std::string(step.op->beta), step.beta);
    }
    if (i + 1 == steps.size()) e.finish(op, std::move(inputs), std::move(own));
    else values.push_back(e.emit(op, std::move(inputs), std::move(own)));
  }
  return true;
}

}  // namespace

void define_onnxrun_elementwise(ir::OpTable& table) {
  table.add({.domain = "onnxrun",
             .name = "Elementwise",
             .versions = {1},
             .signature = {.inputs = "X*:T",
                           .outputs = "Y:T",
                           .types = "T: float32 float16 bfloat16",
                           .attributes = "operators:strings!, operands:ints!, numbers:floats!"},
             .infer = infer,
             .decompose = decompose});
}

}  // namespace onnxrun::ops
