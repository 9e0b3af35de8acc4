// TensorScatter: new rows written into a cache along its sequence axis (ONNX TensorScatter-24).
#include "base/shape.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::InferContext;
using ir::Shape;

void infer_tensor_scatter(InferContext& c) {
  const std::string mode = c.attributes().get_string("mode", "linear");
  if (mode != "linear" && mode != "circular") c.fail("'mode' is \"{}\", but must be linear or circular", mode);
  const Shape* cache = c.shape(0);
  const Shape* update = c.shape(1);
  c.set(0, c.dtype(0), shape_of(c, 0));
  if (cache == nullptr) return;
  const int64_t axis = base::normalize_axis(c.attributes().get_int("axis", -2), c.rank(0));
  if (axis == 0) c.fail("'axis' must not be the batch axis 0 of 'past_cache' {}", c.input(0).to_string());
  if (update != nullptr) {
    if (update->size() != cache->size())
      c.fail("'update' {} and 'past_cache' {} must have the same rank", c.input(1).to_string(), c.input(0).to_string());
    for (size_t i = 0; i < cache->size(); ++i) {
      const ir::Dim& have = (*cache)[i];
      const ir::Dim& want = (*update)[i];
      if (static_cast<int64_t>(i) != axis) unify(c, have, want, fmt::format("dim {} of 'past_cache' and 'update'", i));
      else if (have.is_constant() && want.is_constant() && want.value() > have.value())
        c.fail("'update' {} is longer than 'past_cache' {} along axis {}", c.input(1).to_string(),
               c.input(0).to_string(), i);
    }
  }
  if (const Shape* at = c.shape(2)) {
    if (at->size() != 1) c.fail("'write_indices' must have one dimension, got {}", c.input(2).to_string());
    unify(c, (*at)[0], (*cache)[0], "the length of 'write_indices' and the batch of 'past_cache'");
  }
}

}  // namespace

void define_onnx_tensor_scatter(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "TensorScatter",
             .versions = {24},
             .signature = {.inputs = "past_cache:T, update:T, write_indices?:int64",
                           .outputs = "present_cache:T",
                           .types = "T: all",
                           .attributes = "axis:int, mode:string"},
             .infer = infer_tensor_scatter});
}

}  // namespace onnxrun::ops
