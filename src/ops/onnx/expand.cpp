// Expand and Tile: a tensor repeated along its axes (ONNX Expand-13, Tile-13).
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/constant_scalar.h"
#include "ops/known_values.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void check_vector(InferContext& c, size_t i, const char* name) {
  if (c.rank(i) >= 0 && c.rank(i) != 1) c.fail("'{}' must have one dimension, got {}", name, c.input(i).to_string());
}

// Length of a vector input; -1 when unknown.
int64_t length(const InferContext& c, size_t i) {
  const Shape* shape = c.shape(i);
  return shape != nullptr ? (*shape)[0].value() : -1;
}

void infer_expand(InferContext& c) {
  check_vector(c, 1, "shape");
  const Shape* input = c.shape(0);
  const int64_t count = length(c, 1);
  if (input == nullptr || count < 0) return c.set(0, c.dtype(0));
  check_rank(c, static_cast<size_t>(count));
  const Shape wanted = c.elements(1).value_or(Shape(static_cast<size_t>(count)));
  for (const Dim& dim : wanted) checked_dim(c, dim, "a dim of 'shape'");
  Shape out = broadcast_shapes(*input, wanted);
  const bool vector = out.size() <= 1;
  const Dim total = ir::element_count(out);
  c.set(0, c.dtype(0), std::move(out));
  if (!vector || !total.is_constant() || total.value() > ir::kMaxTrackedElements) return;
  auto elements = c.elements(0);
  if (!elements) return;
  if (elements->size() == 1) elements->resize(static_cast<size_t>(total.value()), elements->front());
  if (elements->size() == static_cast<size_t>(total.value())) c.set_elements(0, std::move(*elements));
}

void infer_tile(InferContext& c) {
  check_vector(c, 1, "repeats");
  const Shape* input = c.shape(0);
  if (input == nullptr) {
    const int64_t count = length(c, 1);
    if (count < 0) return c.set(0, c.dtype(0));
    check_rank(c, static_cast<size_t>(count));
    return c.set(0, c.dtype(0), Shape(static_cast<size_t>(count)));
  }
  if (length(c, 1) >= 0 && length(c, 1) != c.rank(0))
    c.fail("'repeats' must have one element for each dim of 'input' {}, it has {}", c.input(0).to_string(),
           length(c, 1));
  Shape out(input->size());
  if (const auto repeats = c.elements(1)) {
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = (*input)[i] * checked_dim(c, (*repeats)[i], "an element of 'repeats'");
  }
  c.set(0, c.dtype(0), std::move(out));
}

// Tile-1 has a count and an axis as scalar inputs: repeats[i] = i == axis ? tiles : 1.
void lift_tile(ir::Expansion& e, int since) {
  if (since >= 6) return e.keep();
  if (!e.has_input(1) || !e.has_input(2)) e.fail("Tile of opset 1 needs the inputs 'tiles' and 'axis'");
  const ir::ValueId one = e.constant(base::Tensor::scalar<int64_t>(1));
  const ir::ValueId zero = e.constant(base::Tensor::scalar<int64_t>(0));
  const ir::ValueId single = e.int64s({1});
  auto integer = [&](size_t i) {
    const ir::ValueId cast = e.emit("Cast", {e.input(i)}, {{"to", int64_t{ONNXRUN_DTYPE_INT64}}});
    return e.emit("Reshape", {cast, single});
  };
  const ir::ValueId rank = e.emit("Size", {e.emit("Shape", {e.input(0)})});
  const ir::ValueId axes = e.emit("Range", {zero, rank, one});
  const ir::ValueId repeats = e.emit("Where", {e.emit("Equal", {axes, integer(2)}), integer(1), one});
  e.finish("Tile", {e.input(0), repeats});
}

void lower_tile(ir::Lowering& l, int opset) {
  if (opset >= 6) return l.keep();
  const auto repeats = l.known_ints(1, "repeats");
  const ir::DType dtype = l.fact(l.input(0)).dtype;
  if (!repeats) return l.refuse("its input 'repeats' is not a constant");
  int64_t axis = 0, tiles = 1;
  for (size_t i = 0; i < repeats->size(); ++i) {
    if ((*repeats)[i] == 1) continue;
    if (tiles != 1) return l.refuse("it repeats more than one axis");
    axis = static_cast<int64_t>(i);
    tiles = (*repeats)[i];
  }
  // Both are of the type of the data.
  const auto number = [&](int64_t value) {
    if (dtype == ir::DType::kInt64) return ir::Tensor::scalar<int64_t>(value);
    return value < (1 << 11) ? float_as_scalar(static_cast<float>(value), dtype) : ir::Tensor();
  };
  if (!number(tiles)) return l.refuse("the number of repeats has no form in {}", base::dtype_name(dtype));
  l.set_input(1, l.constant(number(tiles)));
  l.set_input(2, l.constant(number(axis)));
  l.keep();
}

}  // namespace

void define_onnx_expand(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Expand",
             .versions = {8, 13},
             .signature = {.inputs = "input:T, shape:int64", .outputs = "output:T", .types = "T: all"},
             .infer = infer_expand});
  table.add({.domain = "",
             .name = "Tile",
             .versions = {1, 6, 13},
             .signature = {.inputs = "input:T, repeats:int64", .outputs = "output:T", .types = "T: all"},
             .infer = infer_tile,
             .lift = lift_tile,
             .lower = lower_tile});
}

}  // namespace onnxrun::ops
