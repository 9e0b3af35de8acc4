// Split: a tensor cut along an axis, into given or equal parts (ONNX Split-18).
#include <algorithm>

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

// The parts that 'split' asks for; their sum must be the axis's dim.
std::vector<Dim> given_sizes(InferContext& c, const Dim& dim) {
  const size_t count = c.output_count();
  const Shape* shape = c.shape(1);
  if (shape != nullptr && shape->size() != 1) c.fail("'split' must have one dimension, got {}", c.input(1).to_string());
  auto sizes = c.elements(1);
  if (!sizes) return std::vector<Dim>(count);
  if (sizes->size() != count) c.fail("'split' has {} elements, but the node has {} outputs", sizes->size(), count);
  Dim sum(0);
  for (const Dim& size : *sizes) sum = sum + checked_dim(c, size, "an element of 'split'");
  if (sum.is_constant() && dim.is_constant() && sum.value() != dim.value())
    c.fail("'split' adds up to {}, but the axis of 'input' {} has {} elements", sum.value(), c.input(0).to_string(),
           dim.value());
  return std::move(*sizes);
}

// Equal parts, the last one smaller where the axis does not divide.
std::vector<Dim> equal_sizes(InferContext& c, const Dim& dim) {
  const auto count = static_cast<int64_t>(c.output_count());
  const int64_t wanted = c.attributes().get_int("num_outputs", count);
  if (wanted != count) c.fail("'num_outputs' is {}, but the node has {} outputs", wanted, count);
  const Dim exact = exact_div(dim, Dim(count));
  if (!exact.is_unknown()) return std::vector<Dim>(static_cast<size_t>(count), exact);
  const Dim part = ceil_div(dim, Dim(count));
  std::vector<Dim> sizes(static_cast<size_t>(count), part);
  if (!dim.is_constant()) {
    sizes.back() = dim - part * Dim(count - 1);
    return sizes;
  }
  for (int64_t i = 0; i < count; ++i) sizes[static_cast<size_t>(i)] = max(min(part, dim - part * Dim(i)), Dim(0));
  return sizes;
}

void infer_split(InferContext& c) {
  const Shape* input = c.shape(0);
  if (input == nullptr) {
    for (size_t i = 0; i < c.output_count(); ++i) c.set(i, c.dtype(0));
    return;
  }
  const auto axis = static_cast<size_t>(base::normalize_axis(c.attributes().get_int("axis", 0), c.rank(0)));
  const std::vector<Dim> sizes = c.has_input(1) ? given_sizes(c, (*input)[axis]) : equal_sizes(c, (*input)[axis]);
  const auto elements = c.elements(0);
  int64_t at = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    Shape out = *input;
    out[axis] = sizes[i];
    c.set(i, c.dtype(0), std::move(out));
    if (at < 0 || !elements || !sizes[i].is_constant()) {
      at = -1;
      continue;
    }
    const int64_t end = at + sizes[i].value();
    if (end > static_cast<int64_t>(elements->size())) break;
    c.set_elements(i, std::vector<Dim>(elements->begin() + at, elements->begin() + end));
    at = end;
  }
}

void lift_split(ir::Expansion& e, int since) {
  // In opset 1 the sizes had the type of the data.
  if (since < 2 && e.has_input(1))
    e.set_input(1, e.emit("Cast", {e.input(1)}, {{"to", static_cast<int64_t>(ir::DType::kInt64)}}));
  else if (since < 13) e.ints_to_input("split", 1);
  if (since < 18 && !e.has_input(1)) e.attributes().set("num_outputs", static_cast<int64_t>(e.output_count()));
  e.keep();
}

// Without 'split' the parts were equal before opset 18; since, the last may be smaller.
void lower_split(ir::Lowering& l, int opset) {
  if (opset < 18 && !l.has_input(1)) {
    const ir::Fact& input = l.fact(l.input(0));
    if (input.rank() < 0)
      return l.refuse("the rank of 'input' is not known, so the axis may not divide into equal parts");
    const auto axis = static_cast<size_t>(base::normalize_axis(l.attributes().get_int("axis", 0), input.rank()));
    const auto count = static_cast<int64_t>(l.output_count());
    const Dim dim = (*input.shape)[axis];
    if (exact_div(dim, Dim(count)).is_unknown()) {
      if (!dim.is_constant())
        return l.refuse("the axis has {} elements, which may not divide into {} equal parts", dim.to_string(), count);
      const int64_t part = (dim.value() + count - 1) / count;
      std::vector<int64_t> sizes;
      for (int64_t i = 0; i < count; ++i) sizes.push_back(std::clamp<int64_t>(dim.value() - part * i, 0, part));
      l.set_input(1, l.int64s(sizes));
    }
    l.attributes().erase("num_outputs");
  }
  if (opset < 13) l.input_to_ints(1, "split");
  if (opset < 2 && !l.attributes().has("axis")) l.attributes().set("axis", int64_t{0});
  l.keep();
}

}  // namespace

void define_onnx_split(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Split",
             .versions = {1, 2, 11, 13, 18},
             .signature = {.inputs = "input:T, split?:int64",
                           .outputs = "outputs*:T",
                           .types = "T: all",
                           .attributes = "axis:int, num_outputs:int"},
             .infer = infer_split,
             .lift = lift_split,
             .lower = lower_split});
}

}  // namespace onnxrun::ops
