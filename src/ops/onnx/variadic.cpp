// Min, Max, Sum and Mean of any number of inputs.
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;

Dim smaller(const Dim& a, const Dim& b) { return min(a, b); }
Dim larger(const Dim& a, const Dim& b) { return max(a, b); }
Dim same(const Dim& a) { return a; }

template <Dim (*kFunction)(const Dim&, const Dim&)>
void infer_extremum(ir::InferContext& c) {
  infer_broadcast(c);
  if (c.input_count() == 1) propagate(c, same);
  if (c.input_count() == 2) propagate(c, kFunction);
}

struct Entry {
  const char* name;
  const char* types;
  std::vector<int> versions;
  void (*infer)(ir::InferContext&);
};

// Before opset 8 all inputs had to have one shape.
void lower_variadic(ir::Lowering& l, int opset) {
  for (size_t i = 1; opset < 8 && i < l.source().inputs.size(); ++i)
    if (!same_shape(l.fact(l.input(0)), l.fact(l.input(i))))
      return l.refuse("its inputs are not known to have one shape, as they must before opset 8");
  l.keep();
}

}  // namespace

void define_onnx_variadic(ir::OpTable& table) {
  const Entry entries[] = {
      {"Min", "T: numeric", {1, 6, 8, 12, 13}, infer_extremum<smaller>},
      {"Max", "T: numeric", {1, 6, 8, 12, 13}, infer_extremum<larger>},
      {"Sum", "T: floats", {1, 6, 8, 13}, infer_broadcast},
      {"Mean", "T: floats", {1, 6, 8, 13}, infer_broadcast},
  };
  for (const Entry& entry : entries)
    table.add({.domain = "",
               .name = entry.name,
               .versions = entry.versions,
               .signature = {.inputs = "data_0*:T", .outputs = "result:T", .types = entry.types},
               .infer = entry.infer,
               .lift = lift_without_consumed_inputs,
               .lower = lower_variadic});
}

}  // namespace onnxrun::ops
