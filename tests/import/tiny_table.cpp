// A table of a few operators, so that these tests need no operator files.
#include "ir/lowering.h"
#include "wire_model.h"

namespace onnxrun::import::test {
namespace {

void same(ir::InferContext& c) { c.set(0, c.dtype(0), c.input(0).shape); }

void concat(ir::InferContext& c) { c.set(0, ir::Fact::tensor(c.dtype(0))); }

void branch(ir::InferContext& c) {
  const std::vector<ir::Fact> then_facts = c.infer_body("then_branch", {});
  const std::vector<ir::Fact> else_facts = c.infer_body("else_branch", {});
  if (then_facts.size() != c.output_count() || else_facts.size() != c.output_count())
    c.fail("the branches have other numbers of outputs");
  for (size_t i = 0; i < c.output_count(); ++i) c.set(i, ir::join(then_facts.at(i), else_facts.at(i)));
}

void lower_leaky(ir::Lowering& l, int opset) {
  if (opset < 16 && l.attributes().has("lifted")) return l.refuse("it is marked");
  l.keep();
}

void lift_leaky(ir::Expansion& e, int since) {
  if (since < 16) e.attributes().set("lifted", int64_t{1});
  e.keep();
}

}  // namespace

const ir::OpTable& tiny_table() {
  static const std::unique_ptr<const ir::OpTable> table = [] {
    auto t = std::make_unique<ir::OpTable>();
    t->add({.name = "Relu", .versions = {1, 6, 13, 14}, .signature = {"X:T", "Y:T", "T: floats", ""}, .infer = same});
    t->add({.name = "Identity",
            .versions = {1, 13, 14, 16},
            .signature = {"X:V", "Y:V", "V: all seq opt", ""},
            .infer = same});
    t->add({.name = "Add", .versions = {7, 13, 14}, .signature = {"A:T, B:T", "C:T", "T: numeric", ""}, .infer = same});
    t->add({.name = "Concat",
            .versions = {4, 11, 13},
            .signature = {"X*:T", "Y:T", "T: all", "axis:int!"},
            .infer = concat});
    t->add({.name = "If",
            .versions = {1, 11, 13, 16},
            .signature = {"cond:bool", "Y**~:any", "", "then_branch:graph!, else_branch:graph!"},
            .infer = branch});
    t->add({.name = "LeakyRelu",
            .versions = {1, 6, 16},
            .signature = {"X:T", "Y:T", "T: floats", "alpha:float, lifted:int"},
            .infer = same,
            .lift = lift_leaky,
            .lower = lower_leaky});
    return t;
  }();
  return *table;
}

}  // namespace onnxrun::import::test
