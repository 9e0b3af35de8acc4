// Slice: parts of the axes with steps (ONNX Slice-13).
#include "ops/attributes/slice.h"

#include <numeric>

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

constexpr int64_t kFar = INT32_MAX;  // ends from here on mean "to the end", whatever the dim

// Number of axes sliced; -1 when unknown. The vectors must agree on it.
int64_t check_lengths(InferContext& c) {
  static constexpr const char* kNames[] = {"data", "starts", "ends", "axes", "steps"};
  int64_t count = -1;
  for (size_t i = 1; i < 5; ++i) {
    const Shape* shape = c.shape(i);
    if (shape == nullptr) continue;
    if (shape->size() != 1) c.fail("'{}' must have one dimension, got {}", kNames[i], c.input(i).to_string());
    const int64_t length = (*shape)[0].value();
    if (length < 0) continue;
    if (count >= 0 && length != count)
      c.fail("'starts', 'ends', 'axes' and 'steps' must have the same length; '{}' has {}, another has {}", kNames[i],
             length, count);
    count = length;
  }
  if (count > c.rank(0) && c.rank(0) >= 0)
    c.fail("'starts' has {} elements, but 'data' is {}", count, c.input(0).to_string());
  return count;
}

// A position on the axis that `at` means for a step of 1 or more: at most `dim`, not below 0.
Dim place(const Dim& dim, const Dim& at) {
  if (at.is_constant() && at.value() >= kFar) return dim;
  const auto sign = is_non_negative(at);
  if (!sign) return Dim();
  if (*sign) return at == dim ? dim : min(at, dim);
  if (at.is_constant() && at.value() <= -kFar) return Dim(0);
  return at_least_zero(dim + at);
}

// The length of a slice of a dim that is not a constant, or has bounds that are not.
Dim symbolic_length(const Dim& dim, const Dim& start, const Dim& end, int64_t step) {
  if (dim.is_unknown()) return Dim();
  if (step < 0) {
    const bool all = start.is_constant() && (start.value() == -1 || start.value() >= kFar) && end.is_constant() &&
                     end.value() <= -kFar;
    return all ? ceil_div(dim, Dim(step == INT64_MIN ? INT64_MAX : -step)) : Dim();
  }
  const Dim stop = place(dim, end);
  if (stop.is_unknown() || start.is_unknown()) return Dim();
  const auto start_sign = is_non_negative(start);
  if (!start_sign) return Dim();
  Dim length;
  if (*start_sign) length = at_least_zero(stop - start);  // a start beyond the end gives a negative difference too
  else if (start.is_constant() && stop == dim) length = start.value() <= -kFar ? dim : min(Dim(-1) * start, dim);
  else length = at_least_zero(stop - place(dim, start));
  return step == 1 ? length : ceil_div(length, Dim(step));
}

Dim slice_length(const Dim& dim, const Dim& start, const Dim& end, int64_t step) {
  if (dim.is_constant() && start.is_constant() && end.is_constant())
    return Dim(attributes::slice_range(dim.value(), start.value(), end.value(), step).count);
  return symbolic_length(dim, start, end, step);
}

void slice_elements(InferContext& c, const Dim& start, const Dim& end, int64_t step) {
  const auto elements = c.elements(0);
  if (!elements || elements->empty() || !start.is_constant() || !end.is_constant() || c.rank(0) != 1) return;
  const auto range = attributes::slice_range(static_cast<int64_t>(elements->size()), start.value(), end.value(), step);
  std::vector<Dim> picked;
  for (int64_t i = 0; i < range.count; ++i)
    picked.push_back((*elements)[static_cast<size_t>(range.first + i * range.step)]);
  c.set_elements(0, std::move(picked));
}

void infer_slice(InferContext& c) {
  const int64_t count = check_lengths(c);
  const Shape* input = c.shape(0);
  if (input == nullptr) return c.set(0, c.dtype(0));
  const auto unknown = [&] { c.set(0, c.dtype(0), Shape(input->size())); };
  if (count < 0) return unknown();
  const auto n = static_cast<size_t>(count);
  std::vector<int64_t> axes(n);
  std::iota(axes.begin(), axes.end(), int64_t{0});
  if (c.has_input(3)) {
    const auto given = c.ints(3);
    if (!given) return unknown();
    axes = base::normalize_axes(*given, c.rank(0), "axes");
  }
  const auto starts = c.elements(1).value_or(std::vector<Dim>(n));
  const auto ends = c.elements(2).value_or(std::vector<Dim>(n));
  const auto steps = c.has_input(4) ? c.elements(4).value_or(std::vector<Dim>(n)) : std::vector<Dim>(n, Dim(1));
  Shape out = *input;
  for (size_t i = 0; i < n; ++i) {
    Dim& dim = out[static_cast<size_t>(axes[i])];
    if (steps[i].is_constant() && steps[i].value() == 0) c.fail("'steps' has a 0 at {}", i);
    dim = steps[i].is_constant() ? slice_length(dim, starts[i], ends[i], steps[i].value()) : Dim();
  }
  c.set(0, c.dtype(0), std::move(out));
  if (n == 0) set_reshaped(c, *input);
  else if (n == 1 && steps[0].is_constant()) slice_elements(c, starts[0], ends[0], steps[0].value());
}

void lift_slice(ir::Expansion& e, int since) {
  if (since < 10) {
    e.ints_to_input("starts", 1);
    e.ints_to_input("ends", 2);
    e.ints_to_input("axes", 3);
  }
  e.keep();
}

void lower_slice(ir::Lowering& l, int opset) {
  if (opset < 10) {
    if (const auto steps = l.known_ints(4, "steps"))
      for (const int64_t step : *steps)
        if (step != 1) return l.refuse("its step {} came with opset 10", step);
    if (l.refused()) return;
    l.drop_input(4);
    l.input_to_ints(3, "axes");
    l.input_to_ints(2, "ends");
    l.input_to_ints(1, "starts");
  }
  l.keep();
}

}  // namespace

void define_onnx_slice(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Slice",
             .versions = {1, 10, 11, 13},
             .signature = {.inputs = "data:T, starts:I, ends:I, axes?:I, steps?:I",
                           .outputs = "output:T",
                           .types = "T: all | I: int32 int64"},
             .infer = infer_slice,
             .lift = lift_slice,
             .lower = lower_slice});
}

}  // namespace onnxrun::ops
