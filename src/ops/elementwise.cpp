// Inference and lifts that the elementwise operators share.
#include "ops/elementwise.h"

#include <algorithm>
#include <array>
#include <limits>

namespace onnxrun::ops {

using ir::Dim;
using ir::DType;
using ir::InferContext;

void infer_like_first(InferContext& c) { c.set(0, c.dtype(0), c.input(0).shape); }

void infer_broadcast(InferContext& c) { c.set(0, c.dtype(0), broadcast_inputs(c, c.input_count())); }

void infer_broadcast_bool(InferContext& c) { c.set(0, DType::kBool, broadcast_inputs(c, c.input_count())); }

namespace {

// An element that the output's type can hold; unknown otherwise.
Dim fitting(const Dim& dim, DType dtype) {
  if (dtype != DType::kInt32 || !dim.is_constant()) return dim;
  using Limits = std::numeric_limits<int32_t>;
  return dim.value() >= Limits::min() && dim.value() <= Limits::max() ? dim : Dim();
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

}  // namespace onnxrun::ops
