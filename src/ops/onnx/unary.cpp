// Operators of one input, computed element by element: Abs to Reciprocal, and the trigonometric and hyperbolic
// functions.
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;

Dim absolute(const Dim& x) { return x.is_constant() && x.value() < 0 ? Dim(0) - x : x.is_constant() ? x : Dim(); }
Dim negative(const Dim& x) { return Dim(0) - x; }
Dim sign(const Dim& x) { return x.is_constant() ? Dim((x.value() > 0) - (x.value() < 0)) : Dim(); }

template <Dim (*kFunction)(const Dim&)>
void infer_with_elements(ir::InferContext& c) {
  infer_like_first(c);
  propagate(c, kFunction);
}

// Erf took integers before opset 13; its values among them are -1, 0 and, from where float64 rounds to it, 1.
void lift_erf(ir::Expansion& e, int since) {
  const ir::DType type = e.fact(e.input(0)).dtype;
  if (since >= 13 || !base::is_integer(type)) return e.keep();
  const ir::ValueId wide = e.emit("Cast", {e.input(0)}, {{"to", static_cast<int64_t>(ir::DType::kFloat64)}});
  e.finish("Cast", {e.emit("Erf", {wide})}, {{"to", static_cast<int64_t>(type)}});
}

struct Entry {
  const char* name;
  std::vector<int> versions;
  const char* types = "T: floats";
  void (*infer)(ir::InferContext&) = infer_like_first;
  void (*lift)(ir::Expansion&, int) = lift_without_consumed_inputs;
};

}  // namespace

void define_onnx_unary(ir::OpTable& table) {
  const Entry entries[] = {
      {"Abs", {1, 6, 13}, "T: numeric", infer_with_elements<absolute>},
      {"Neg", {1, 6, 13}, "T: floats ints", infer_with_elements<negative>},
      {"Sign", {9, 13}, "T: numeric", infer_with_elements<sign>},
      {"Ceil", {1, 6, 13}},
      {"Floor", {1, 6, 13}},
      {"Round", {11, 22}},
      {"Sqrt", {1, 6, 13}},
      {"Exp", {1, 6, 13}},
      {"Log", {1, 6, 13}},
      {"Erf", {9, 13}, "T: floats", infer_like_first, lift_erf},
      {"Reciprocal", {1, 6, 13}},
      {"Sin", {7, 22}},
      {"Cos", {7, 22}},
      {"Tan", {7, 22}},
      {"Asin", {7, 22}},
      {"Acos", {7, 22}},
      {"Atan", {7, 22}},
      {"Sinh", {9, 22}},
      {"Cosh", {9, 22}},
      {"Tanh", {1, 6, 13}},
      {"Asinh", {9, 22}},
      {"Acosh", {9, 22}},
      {"Atanh", {9, 22}},
  };
  for (const Entry& entry : entries)
    table.add({.domain = "",
               .name = entry.name,
               .versions = entry.versions,
               .signature = {.inputs = "X:T", .outputs = "Y:T", .types = entry.types},
               .infer = entry.infer,
               .lift = entry.lift,
               .lower = ir::lower_unchanged});
}

}  // namespace onnxrun::ops
