// NegativeLogLikelihoodLoss (ONNX, opset 22) and SoftmaxCrossEntropyLoss (opset 13).
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void infer_loss(InferContext& c) {
  const std::string reduction = c.attributes().get_string("reduction", "mean");
  if (reduction != "none" && reduction != "mean" && reduction != "sum")
    c.fail("reduction must be none, mean or sum, got '{}'", reduction);
  const Shape *input = c.shape(0), *target = c.shape(1);
  Dim classes;
  Shape losses;
  if (input != nullptr) {
    if (input->size() < 2) c.fail("input 0 must have rank 2 or more, got {}", c.input(0).to_string());
    classes = (*input)[1];
    losses = *input;
    losses.erase(losses.begin() + 1);
    if (target != nullptr) {
      if (target->size() != losses.size())
        c.fail("input 1 must have rank {}, one less than input 0, got {}", losses.size(), c.input(1).to_string());
      for (size_t i = 0; i < losses.size(); ++i)
        losses[i] = unify(c, losses[i], (*target)[i], fmt::format("dim {} of input 1 and that of input 0", i));
    }
  } else if (target != nullptr) {
    losses = *target;
  }
  if (const Shape* weight = c.shape(2)) {
    if (weight->size() != 1) c.fail("the weights must have rank 1, got {}", c.input(2).to_string());
    unify(c, classes, weight->front(), "the classes and the number of weights");
  }
  if (reduction != "none") c.set(0, c.dtype(0), Shape{});
  else if (input != nullptr || target != nullptr) c.set(0, c.dtype(0), losses);
  else c.set(0, c.dtype(0));
  c.set(1, c.dtype(0), c.input(0).shape);
}

// The negative log-likelihood of the logarithm of the softmax.
bool decompose_cross_entropy(ir::Expansion& e) {
  const ir::ValueId logarithms = e.emit("LogSoftmax", {e.input(0)}, {{"axis", int64_t{1}}});
  const ir::ValueId loss = e.emit("NegativeLogLikelihoodLoss", {logarithms, e.input(1), e.input(2)}, e.attributes());
  e.bind(0, loss);
  e.bind(1, logarithms);
  return true;
}

}  // namespace

void define_onnx_loss(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "NegativeLogLikelihoodLoss",
             .versions = {12, 13, 22},
             .signature = {.inputs = "input:T, target:Tind, weight?:T",
                           .outputs = "loss:T",
                           .types = "T: floats | Tind: int32 int64",
                           .attributes = "ignore_index:int, reduction:string"},
             .infer = infer_loss});
  table.add({.domain = "",
             .name = "SoftmaxCrossEntropyLoss",
             .versions = {12, 13},
             .signature = {.inputs = "scores:T, labels:Tind, weights?:T",
                           .outputs = "output:T, log_prob?:T",
                           .types = "T: floats | Tind: int32 int64",
                           .attributes = "ignore_index:int, reduction:string"},
             .infer = infer_loss,
             .decompose = decompose_cross_entropy});
}

}  // namespace onnxrun::ops
