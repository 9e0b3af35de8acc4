// TopK: the k largest or smallest elements of an axis and where they are (ONNX TopK-24).
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

void infer_top_k(InferContext& c) {
  if (const Shape* shape = c.shape(1)) {
    const Dim count = ir::element_count(*shape);
    if (count.is_constant() && count.value() != 1) c.fail("'K' must have one element, got {}", c.input(1).to_string());
  }
  const Shape* input = c.shape(0);
  if (input == nullptr) {
    c.set(0, c.dtype(0));
    return c.set(1, ir::DType::kInt64);
  }
  if (input->empty()) c.fail("'X' must have one dimension or more, got {}", c.input(0).to_string());
  const auto axis = static_cast<size_t>(base::normalize_axis(c.attributes().get_int("axis", -1), c.rank(0)));
  const auto elements = c.elements(1);
  const Dim k = elements && elements->size() == 1 ? checked_dim(c, elements->front(), "'K'") : Dim();
  Shape out = *input;
  if (k.is_constant() && out[axis].is_constant() && k.value() > out[axis].value())
    c.fail("'K' is {}, but axis {} of 'X' {} has only {} elements", k.value(), axis, c.input(0).to_string(),
           out[axis].value());
  out[axis] = k;
  c.set(0, c.dtype(0), out);
  c.set(1, ir::DType::kInt64, std::move(out));
}

void lift_top_k(ir::Expansion& e, int since) {
  if (since < 10) {
    if (!e.attributes().has("k")) e.fail("TopK of opset {} needs the attribute 'k'", since);
    e.set_input(1, e.int64s({e.attributes().get_int("k", 0)}));
    e.drop({"k"});
  }
  e.keep();
}

void lower_top_k(ir::Lowering& l, int opset) {
  if (opset < 11) {
    l.drop_int("largest", 1);
    l.attributes().erase("sorted");  // what may come in any order may come sorted
  }
  if (opset < 10) l.input_to_int(1, "k");
  l.keep();
}

}  // namespace

void define_onnx_top_k(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "TopK",
             .versions = {1, 10, 11, 24},
             .signature = {.inputs = "X:T, K:int64",
                           .outputs = "Values:T, Indices:int64",
                           .types = "T: floats int8 int16 int32 int64 uint8 uint16 uint32 uint64",
                           .attributes = "axis:int, largest:int, sorted:int"},
             .infer = infer_top_k,
             .lift = lift_top_k,
             .lower = lower_top_k});
}

}  // namespace onnxrun::ops
