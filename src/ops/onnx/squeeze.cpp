// Squeeze and Unsqueeze: dims of 1 taken away and put in (ONNX Squeeze-25, Unsqueeze-25).
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

// How many axes input 1 lists; -1 when unknown.
int64_t axis_count(const InferContext& c) {
  const Shape* shape = c.shape(1);
  if (shape == nullptr) return -1;
  if (shape->size() > 1) c.fail("'axes' must have one dimension, got {}", c.input(1).to_string());
  return shape->empty() ? 1 : (*shape)[0].value();
}

void infer_squeeze(InferContext& c) {
  const Shape* input = c.shape(0);
  if (input == nullptr) return set_reshaped(c, std::nullopt);
  Shape out;
  if (!c.has_input(1)) {
    for (const Dim& dim : *input) {
      if (!dim.is_constant()) return set_reshaped(c, std::nullopt);
      if (dim.value() != 1) out.push_back(dim);
    }
    return set_reshaped(c, std::move(out));
  }
  const int64_t count = axis_count(c);
  const auto given = c.ints(1);
  if (!given) {
    if (count < 0) return set_reshaped(c, std::nullopt);
    if (count > c.rank(0)) c.fail("'axes' has {} elements, but 'data' is {}", count, c.input(0).to_string());
    const Dim elements = ir::element_count(*input);
    if (count == c.rank(0) && elements.is_constant() && elements.value() != 1)
      c.fail("'data' {} cannot be squeezed to one element", c.input(0).to_string());
    return set_reshaped(c, Shape(input->size() - static_cast<size_t>(count)));
  }
  const auto axes = base::normalize_axes(*given, c.rank(0), "axes");
  for (size_t i = 0; i < input->size(); ++i) {
    const Dim& dim = (*input)[i];
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) == axes.end()) {
      out.push_back(dim);
    } else if (dim.is_constant() && dim.value() != 1) {
      c.fail("axis {} of 'data' {} has {} elements and cannot be squeezed", i, c.input(0).to_string(), dim.value());
    }
  }
  set_reshaped(c, std::move(out));
}

void infer_unsqueeze(InferContext& c) {
  const Shape* input = c.shape(0);
  const int64_t count = axis_count(c);
  if (input == nullptr || count < 0) return set_reshaped(c, std::nullopt);
  check_rank(c, input->size() + static_cast<size_t>(count));
  const int64_t rank = c.rank(0) + count;
  const auto given = c.ints(1);
  if (!given) return set_reshaped(c, Shape(static_cast<size_t>(rank)));
  const auto axes = base::normalize_axes(*given, rank, "axes");
  Shape out;
  size_t next = 0;
  for (int64_t i = 0; i < rank; ++i)
    out.push_back(std::find(axes.begin(), axes.end(), i) != axes.end() ? Dim(1) : (*input)[next++]);
  set_reshaped(c, std::move(out));
}

void lift_axes(ir::Expansion& e, int since) {
  if (since < 13) e.ints_to_input("axes", 1);
  e.keep();
}

void lower_axes(ir::Lowering& l, int opset) {
  if (opset < 13) l.input_to_ints(1, "axes");
  l.keep();
}

}  // namespace

void define_onnx_squeeze(ir::OpTable& table) {
  const std::vector<int> versions = {1, 11, 13, 21, 23, 24, 25};
  table.add({.domain = "",
             .name = "Squeeze",
             .versions = versions,
             .signature = {.inputs = "data:T, axes?:int64", .outputs = "squeezed:T", .types = "T: all"},
             .flags = ir::kView,
             .infer = infer_squeeze,
             .lift = lift_axes,
             .lower = lower_axes});
  table.add({.domain = "",
             .name = "Unsqueeze",
             .versions = versions,
             .signature = {.inputs = "data:T, axes:int64", .outputs = "expanded:T", .types = "T: all"},
             .flags = ir::kView,
             .infer = infer_unsqueeze,
             .lift = lift_axes,
             .lower = lower_axes});
}

}  // namespace onnxrun::ops
