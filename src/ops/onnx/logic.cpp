// Not, And, Or and Xor on booleans.
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;

bool is_false(const Dim& x) { return x.is_constant() && x.value() == 0; }
bool is_true(const Dim& x) { return x.is_constant() && x.value() != 0; }

Dim negation(const Dim& x) { return truth(x.is_constant(), is_false(x)); }
Dim conjunction(const Dim& a, const Dim& b) {
  return truth((a.is_constant() && b.is_constant()) || is_false(a) || is_false(b), is_true(a) && is_true(b));
}
Dim disjunction(const Dim& a, const Dim& b) {
  return truth((a.is_constant() && b.is_constant()) || is_true(a) || is_true(b), is_true(a) || is_true(b));
}
Dim exclusion(const Dim& a, const Dim& b) {
  return truth(a.is_constant() && b.is_constant(), is_true(a) != is_true(b));
}

template <Dim (*kFunction)(const Dim&, const Dim&)>
void infer_logic(ir::InferContext& c) {
  infer_broadcast(c);
  propagate(c, kFunction);
}

void infer_not(ir::InferContext& c) {
  infer_like_first(c);
  propagate(c, negation);
}

}  // namespace

void define_onnx_logic(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Not",
             .versions = {1},
             .signature = {.inputs = "X:bool", .outputs = "Y:bool"},
             .infer = infer_not});
  const auto add = [&](const char* name, void (*infer)(ir::InferContext&)) {
    table.add({.domain = "",
               .name = name,
               .versions = {1, 7},
               .signature = {.inputs = "A:bool, B:bool", .outputs = "C:bool"},
               .infer = infer,
               .lift = lift_limited_broadcast,
               .lower = lower_limited_broadcast});
  };
  add("And", infer_logic<conjunction>);
  add("Or", infer_logic<disjunction>);
  add("Xor", infer_logic<exclusion>);
}

}  // namespace onnxrun::ops
