// Inference and lifts that the elementwise operators share.
#include "ops/elementwise.h"

#include <algorithm>
#include <array>
#include <limits>

#include "ops/constant_scalar.h"

namespace onnxrun::ops {

using ir::Dim;
using ir::DType;
using ir::InferContext;

void infer_like_first(InferContext& c) { c.set(0, c.dtype(0), c.input(0).shape); }

void infer_broadcast(InferContext& c) { c.set(0, c.dtype(0), broadcast_inputs(c, c.input_count())); }

void infer_broadcast_bool(InferContext& c) { c.set(0, DType::kBool, broadcast_inputs(c, c.input_count())); }

namespace {

// An element that the output's type can hold; unknown otherwise. An expression may wrap in a run where it does so for sizes that are not unusual.
Dim fitting(const Dim& dim, DType dtype) {
  if (dim.is_unknown() || (dim.is_constant() && dtype != DType::kInt32)) return dim;
  const bool narrow = dtype == DType::kInt32;
  const Dim value = dim.substitute([&](std::string_view) { return Dim(narrow ? 64 : int64_t{1} << 15); });
  using Limits = std::numeric_limits<int32_t>;
  return !narrow || !value.is_constant() || (value.value() >= Limits::min() && value.value() <= Limits::max()) ? dim
                                                                                                               : Dim();
}

template <size_t N, class F>
void propagate_rows(InferContext& c, F f) {
  const DType dtype = c.output(0).dtype;
  if (dtype != DType::kInt64 && dtype != DType::kInt32 && dtype != DType::kBool) return;
  if (c.output(0).rank() < 0 || c.output(0).rank() > 1) return;
  std::array<std::vector<Dim>, N> inputs;
  size_t count = 1;
  bool empty = false;
  for (size_t k = 0; k < N; ++k) {
    auto elements = c.elements(k);
    if (!elements) return;
    inputs[k] = std::move(*elements);
    count = std::max(count, inputs[k].size());
    empty |= inputs[k].empty();
  }
  if (empty) count = 0;
  std::vector<Dim> result(count);
  for (size_t i = 0; i < count; ++i) {
    try {
      result[i] = fitting(f([&](size_t k) -> const Dim& { return inputs[k][inputs[k].size() == 1 ? 0 : i]; }), dtype);
    } catch (const base::Error&) {
      result[i] = Dim();  // wraps, or fails, when it is computed
    }
  }
  c.set_elements(0, std::move(result));
}

}  // namespace

void propagate(InferContext& c, Dim (*f)(const Dim&)) {
  propagate_rows<1>(c, [f](auto at) { return f(at(0)); });
}

void propagate(InferContext& c, Dim (*f)(const Dim&, const Dim&)) {
  propagate_rows<2>(c, [f](auto at) { return f(at(0), at(1)); });
}

void propagate(InferContext& c, Dim (*f)(const Dim&, const Dim&, const Dim&)) {
  propagate_rows<3>(c, [f](auto at) { return f(at(0), at(1), at(2)); });
}

void lift_without_consumed_inputs(ir::Expansion& e, int) {
  e.drop({"consumed_inputs"});
  e.keep();
}

void lift_limited_broadcast(ir::Expansion& e, int since) {
  if (since >= 7) return e.keep();
  const bool has_axis = e.attributes().has("axis");
  const bool broadcast = e.attributes().get_int("broadcast", 0) != 0;
  const int64_t axis = e.attributes().get_int("axis", 0);
  e.drop({"consumed_inputs", "axis", "broadcast"});
  if (!broadcast || !has_axis) return e.keep();
  const int64_t rank_a = e.fact(e.input(0)).rank();
  const int64_t rank_b = e.fact(e.input(1)).rank();
  if (rank_a < 0 || rank_b < 0)
    e.fail("{}-{} with axis={} needs inputs of known rank", e.source().op->full_name(), since, axis);
  const int64_t first = axis < 0 ? axis + rank_a : axis;
  const int64_t trailing = rank_a - first - rank_b;
  if (first < 0 || (trailing < 0 && rank_b > 0))
    e.fail("{}-{}: axis {} does not place an input of rank {} in one of rank {}", e.source().op->full_name(), since,
           axis, rank_b, rank_a);
  if (rank_b > 0 && trailing > 0) {
    std::vector<int64_t> axes;
    for (int64_t k = 0; k < trailing; ++k) axes.push_back(rank_b + k);
    e.set_input(1, e.emit("Unsqueeze", {e.input(1), e.int64s(axes)}));
  }
  e.keep();
}

bool same_shape(const ir::Fact& a, const ir::Fact& b) {
  if (!a.shape || !b.shape || a.shape->size() != b.shape->size()) return false;
  for (size_t i = 0; i < a.shape->size(); ++i)
    if ((*a.shape)[i].is_unknown() || !((*a.shape)[i] == (*b.shape)[i])) return false;
  return true;
}

// B without its dims of 1 at both ends must be a run of A's dims.
void lower_limited_broadcast(ir::Lowering& l, int opset) {
  if (opset >= 7) return l.keep();
  const ir::Fact &a = l.fact(l.input(0)), &b = l.fact(l.input(1));
  if (same_shape(a, b)) return l.keep();
  if (a.rank() < b.rank() || b.rank() < 0)
    return l.refuse("its second input is not known to broadcast to the first, as it must before opset 7");
  const size_t offset = a.shape->size() - b.shape->size();
  size_t first = 0, last = b.shape->size();
  while (first < last && (*b.shape)[first] == Dim(1)) ++first;
  while (last > first && (*b.shape)[last - 1] == Dim(1)) --last;
  std::vector<int64_t> dims;
  const bool shorter = first < last && last - first < b.shape->size();  // one element broadcasts in any shape
  for (size_t i = first; i < last; ++i) {
    const Dim& dim = (*b.shape)[i];
    if (dim.is_unknown() || !(dim == (*a.shape)[i + offset]) || (shorter && !dim.is_constant()))
      return l.refuse("its second input of shape {} broadcasts to {} in a way that came with opset 7",
                      ir::to_string(*b.shape), ir::to_string(*a.shape));
    dims.push_back(dim.value());
  }
  const size_t end = last + offset, size = a.shape->size();
  if (shorter) l.set_input(1, reshaped_constant(l, l.input(1), dims));
  l.attributes().set("broadcast", int64_t{1});
  if (first < last && end != size) l.attributes().set("axis", static_cast<int64_t>(first + offset));
  l.keep();
}

}  // namespace onnxrun::ops
