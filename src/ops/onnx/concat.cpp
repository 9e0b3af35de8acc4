// Concat: tensors joined along an axis (ONNX Concat-13).
#include "base/shape.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void join_elements(InferContext& c, const Dim& total) {
  if (!total.is_constant() || total.value() > ir::kMaxTrackedElements) return;
  std::vector<Dim> joined;
  for (size_t i = 0; i < c.input_count(); ++i) {
    const auto part = c.elements(i);
    if (!part) return;
    joined.insert(joined.end(), part->begin(), part->end());
  }
  c.set_elements(0, std::move(joined));
}

void infer_concat(InferContext& c) {
  std::optional<Shape> out;
  bool complete = true;
  int64_t axis = 0;
  for (size_t i = 0; i < c.input_count(); ++i) {
    const Shape* shape = c.shape(i);
    if (shape == nullptr) {
      complete = false;
      continue;
    }
    if (!out) {
      if (shape->empty()) c.fail("'inputs' must have one dimension or more, input {} is {}", i, c.input(i).to_string());
      axis = base::normalize_axis(c.attributes().get_int("axis", 1), c.rank(i));
      out = *shape;
      continue;
    }
    if (shape->size() != out->size())
      c.fail("'inputs' must have the same rank, input {} is {}, an earlier one has {} dims", i, c.input(i).to_string(),
             out->size());
    for (size_t d = 0; d < out->size(); ++d) {
      Dim& dim = (*out)[d];
      if (static_cast<int64_t>(d) == axis) dim = dim + (*shape)[d];
      else dim = unify(c, dim, (*shape)[d], "the dims of 'inputs' beside the joined one");
    }
  }
  if (out && !complete) (*out)[static_cast<size_t>(axis)] = Dim();
  const bool vector = out && complete && out->size() == 1;
  const Dim total = vector ? (*out)[0] : Dim();
  c.set(0, c.dtype(0), std::move(out));
  if (vector) join_elements(c, total);
}

void lift_concat(ir::Expansion& e, int since) {
  if (since < 4 && !e.attributes().has("axis")) e.attributes().set("axis", int64_t{1});
  e.keep();
}

}  // namespace

void define_onnx_concat(ir::OpTable& table) {
  table.add(
      {.domain = "",
       .name = "Concat",
       .versions = {1, 4, 11, 13},
       .signature = {.inputs = "inputs*:T", .outputs = "concat_result:T", .types = "T: all", .attributes = "axis:int!"},
       .infer = infer_concat,
       .lift = lift_concat,
       .lower = ir::lower_unchanged});
}

}  // namespace onnxrun::ops
