// Dropout: the identity outside training; in training zeroes elements at random and scales the others (ONNX
// Dropout-22).
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

void infer_dropout(ir::InferContext& c) {
  for (size_t i : {size_t{1}, size_t{2}}) {
    const ir::Shape* shape = c.shape(i);
    if (shape == nullptr) continue;
    const ir::Dim count = ir::element_count(*shape);
    if (count.is_constant() && count.value() != 1)
      c.fail("input '{}' of Dropout must be a scalar, its shape is {}", i == 1 ? "ratio" : "training_mode",
             ir::to_string(*shape));
  }
  infer_like_first(c);
  c.set(1, ir::DType::kBool, c.input(0).shape);
}

// Before opset 12 Dropout is the identity, also where is_test, gone with opset 7, says training: old exporters left it out. The mask
// had the data's type before opset 10.
void lift_dropout(ir::Expansion& e, int since) {
  if (since >= 12) return e.keep();
  if (since < 7 && e.attributes().get_int("is_test", 0) == 0) {
    e.warn({"Dropout is in training mode (is_test is 0) and runs as in inference: it drops nothing", "inference mode",
            "call model.eval() before the export"});
  }
  e.drop({"is_test", "consumed_inputs", "ratio"});
  if (since >= 10 || !e.has_output(1)) return e.keep();
  const std::vector<ir::ValueId> results = e.emit_many("Dropout", {e.input(0)}, 2);
  e.bind(0, results[0]);
  e.bind(1, e.emit("CastLike", {results[1], e.input(0)}));
}

bool decompose_dropout(ir::Expansion& e) {
  if (e.has_input(2)) return false;
  e.bind(0, e.input(0));
  if (e.has_output(1)) {
    const ir::ValueId shape = e.emit("Shape", {e.input(0)});
    e.bind(1, e.emit("ConstantOfShape", {shape}, {{"value", ir::Tensor::vector<bool>({true})}}));
  }
  return true;
}

// Outside training, whatever the ratio.
void lower_dropout(ir::Lowering& l, int opset) {
  if (opset >= 12) return l.keep();
  if (l.has_input(2)) {
    const ir::Tensor training = l.constant_input(2);
    if (!training || *training.data<bool>()) return l.refuse("it may be in training");
  }
  if (opset < 10 && l.has_output(1)) return l.refuse("its mask is boolean, which it is from opset 10 on");
  l.drop_input(2);
  l.drop_input(1);
  l.attributes().erase("seed");
  if (opset < 7) l.attributes().set("is_test", int64_t{1});
  l.keep();
}

}  // namespace

void define_onnx_dropout(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Dropout",
             .versions = {1, 6, 7, 10, 12, 13, 22},
             .signature = {.inputs = "data:T, ratio?:T1, training_mode?:bool",
                           .outputs = "output:T, mask?:bool",
                           .types = "T: floats float8s | T1: floats float8s",
                           .attributes = "seed:int"},
             .flags = ir::kRandom,
             .infer = infer_dropout,
             .lift = lift_dropout,
             .lower = lower_dropout,
             .decompose = decompose_dropout});
}

}  // namespace onnxrun::ops
