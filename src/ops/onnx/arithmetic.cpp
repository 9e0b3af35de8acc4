// Add, Sub, Mul, Div, Mod and Pow with multidirectional broadcasting.
#include "base/checked.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;

Dim sum(const Dim& a, const Dim& b) { return a + b; }
Dim difference(const Dim& a, const Dim& b) { return a - b; }
Dim product(const Dim& a, const Dim& b) { return a * b; }

bool positive(const Dim& x) { return x.is_constant() && x.value() > 0; }

// Symbols stand for sizes, so an expression written without a minus is not negative.
bool non_negative(const Dim& x) {
  if (x.is_constant()) return x.value() >= 0;
  return x.is_symbolic() && x.to_string().find('-') == std::string::npos;
}

// Truncates, which is flooring where neither is negative.
Dim quotient(const Dim& a, const Dim& b) {
  if (a.is_constant() && b.is_constant()) {
    base::floor_div(a.value(), b.value());  // refuses what has no quotient
    return a.value() / b.value();
  }
  if (const Dim exact = exact_div(a, b); !exact.is_unknown()) return exact;
  return non_negative(a) && positive(b) ? floor_div(a, b) : Dim();
}

Dim remainder_of_floor(const Dim& a, const Dim& b) {
  if ((a.is_constant() && b.is_constant() && b.value() != 0) || positive(b)) return mod(a, b);
  return Dim();
}

template <Dim (*kFunction)(const Dim&, const Dim&)>
void infer_arithmetic(ir::InferContext& c) {
  infer_broadcast(c);
  propagate(c, kFunction);
}

void infer_mod(ir::InferContext& c) {
  const int64_t fmod = c.attributes().get_int("fmod", 0);
  if (fmod != 0 && fmod != 1) c.fail("attribute 'fmod' of Mod must be 0 or 1, not {}", fmod);
  infer_broadcast(c);
  if (fmod == 0) propagate(c, remainder_of_floor);
}

// Floats were only divided by truncation before opset 28.
void lower_mod(ir::Lowering& l, int opset) {
  const ir::DType dtype = l.fact(l.input(0)).dtype;
  if (opset < 28 && l.attributes().get_int("fmod", 0) == 0 && !base::is_integer(dtype))
    return l.refuse("floats need fmod=1 before opset 28");
  l.keep();
}

}  // namespace

void define_onnx_arithmetic(ir::OpTable& table) {
  const auto add = [&](const char* name, void (*infer)(ir::InferContext&)) {
    table.add({.domain = "",
               .name = name,
               .versions = {1, 6, 7, 13, 14},
               .signature = {.inputs = "A:T, B:T", .outputs = "C:T", .types = "T: numeric"},
               .infer = infer,
               .lift = lift_limited_broadcast,
               .lower = lower_limited_broadcast});
  };
  add("Add", infer_arithmetic<sum>);
  add("Sub", infer_arithmetic<difference>);
  add("Mul", infer_arithmetic<product>);
  add("Div", infer_arithmetic<quotient>);
  table.add({.domain = "",
             .name = "Mod",
             .versions = {10, 13, 28},
             .signature = {.inputs = "A:T, B:T", .outputs = "C:T", .types = "T: numeric", .attributes = "fmod:int"},
             .infer = infer_mod,
             .lower = lower_mod});
  table.add({.domain = "",
             .name = "Pow",
             .versions = {1, 7, 12, 13, 15},
             .signature = {.inputs = "X:T, Y:T1", .outputs = "Z:T", .types = "T: floats int32 int64 | T1: numeric"},
             .infer = infer_broadcast,
             .lift = lift_limited_broadcast,
             .lower = lower_limited_broadcast});
}

}  // namespace onnxrun::ops
