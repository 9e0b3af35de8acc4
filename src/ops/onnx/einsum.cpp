// Einsum: sums of products over labelled dimensions (ONNX Einsum-28).
#include <map>

#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/einsum.h"

namespace onnxrun::ops {
namespace {

void infer_einsum(ir::InferContext& c) {
  using ir::Dim;
  std::vector<int64_t> ranks;
  for (size_t i = 0; i < c.input_count(); ++i) {
    if (c.rank(i) < 0) return c.set(0, c.dtype(0));
    ranks.push_back(c.rank(i));
  }
  const std::string equation = c.attributes().get_string("equation");
  const EinsumTerms terms = parse_einsum(equation, ranks);
  std::map<int, Dim> sizes;
  for (size_t i = 0; i < ranks.size(); ++i) {
    for (size_t d = 0; d < terms.inputs[i].size(); ++d) {
      const Dim& dim = (*c.shape(i))[d];
      const auto [at, fresh] = sizes.emplace(terms.inputs[i][d], dim);
      if (fresh) continue;
      Dim& known = at->second;
      const bool one = known.is_constant() && known.value() == 1;
      if (one || (dim.is_constant() && dim.value() != 1 && !known.is_constant())) known = dim;
      else if (known.is_constant() && dim.is_constant() && dim.value() != 1 && dim.value() != known.value())
        c.fail("input {} of shape {} does not fit the equation '{}': a dimension of {} meets one of {}", i,
               ir::to_string(*c.shape(i)), equation, dim.value(), known.value());
      else if (!known.is_constant() && !dim.is_constant() && known != dim) known = Dim();
    }
  }
  ir::Shape out;
  for (int label : terms.output) out.push_back(sizes[label]);
  c.set(0, c.dtype(0), out);
}

}  // namespace

void define_onnx_einsum(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Einsum",
             .versions = {12, 28},
             .signature = {.inputs = "Inputs*:T",
                           .outputs = "Output:T",
                           .types = "T: numeric",
                           .attributes = "equation:string!"},
             .infer = infer_einsum});
}

}  // namespace onnxrun::ops
