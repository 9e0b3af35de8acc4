// The reductions: ReduceSum, Mean, Max, Min, Prod, L1, L2, LogSum, LogSumExp and SumSquare (ONNX, up to opset 28).
#include <optional>

#include "base/shape.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// The axes of input 1 when known; all of them when absent or empty, unless noop_with_empty_axes is set.
std::optional<std::vector<int64_t>> axes_of(const InferContext& c, int64_t rank) {
  std::vector<int64_t> axes;
  if (c.has_input(1)) {
    if (c.rank(1) > 1) c.fail("'axes' must have one dimension, got {}", c.input(1).to_string());
    const auto given = c.ints(1);
    if (!given) return std::nullopt;
    axes = *given;
  }
  if (axes.empty() && c.attributes().get_int("noop_with_empty_axes", 0) == 0)
    for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  return axes;
}

// How many axes there are whose values are not known: each is named once. None would be all or none, by an attribute.
std::optional<size_t> axis_count(const InferContext& c) {
  const Shape* axes = c.shape(1);
  if (axes == nullptr || axes->size() != 1 || !axes->front().is_constant()) return std::nullopt;
  const int64_t count = axes->front().value();
  if (count < 1 || count > c.rank(0)) return std::nullopt;
  return static_cast<size_t>(count);
}

void infer_reduce(InferContext& c) {
  const bool keepdims = c.attributes().get_int("keepdims", 1) != 0;
  const Shape* shape = c.shape(0);
  c.set(0, c.dtype(0), std::nullopt);
  if (shape == nullptr) {
    // Without a known rank only the reduction of everything has a known shape.
    if (!keepdims && !c.has_input(1) && c.attributes().get_int("noop_with_empty_axes", 0) == 0)
      c.set(0, c.dtype(0), Shape{});
    return;
  }
  if (const auto axes = axes_of(c, c.rank(0))) c.set(0, c.dtype(0), reduce_shape(*shape, *axes, keepdims));
  else if (keepdims) c.set(0, c.dtype(0), Shape(shape->size()));
  else if (const auto count = axis_count(c)) c.set(0, c.dtype(0), Shape(shape->size() - *count));
}

// A reduction that shape arithmetic uses: the known elements of a vector reduced to one. `f` folds them from `start` on.
void infer_folded(InferContext& c, std::optional<Dim> start, Dim (*f)(const Dim&, const Dim&)) {
  infer_reduce(c);
  if (c.rank(0) != 1 || (c.dtype(0) != ir::DType::kInt64 && c.dtype(0) != ir::DType::kInt32)) return;
  const auto axes = axes_of(c, 1);
  const auto elements = c.elements(0);
  if (!axes || !elements || axes->size() != 1) return;
  if (elements->empty() && !start) return;
  Dim result = start ? *start : (*elements)[0];
  try {
    for (const Dim& element : *elements) result = f(result, element);
  } catch (const base::Error&) {
    return;  // wraps when it is computed
  }
  c.set_elements(0, {result});
}

void infer_sum(InferContext& c) {
  infer_folded(c, Dim(0), [](const Dim& a, const Dim& b) { return a + b; });
}
void infer_prod(InferContext& c) {
  infer_folded(c, Dim(1), [](const Dim& a, const Dim& b) { return a * b; });
}
void infer_max(InferContext& c) {
  infer_folded(c, std::nullopt, [](const Dim& a, const Dim& b) { return ir::max(a, b); });
}
void infer_min(InferContext& c) {
  infer_folded(c, std::nullopt, [](const Dim& a, const Dim& b) { return ir::min(a, b); });
}

// `axes` was an attribute before opset 18, before 13 for ReduceSum.
void lift_reduce(ir::Expansion& e, int) {
  e.ints_to_input("axes", 1);
  e.keep();
}

void lower_reduce(ir::Lowering& l, int opset) {
  const bool is_sum = std::string_view(l.source().op->name) == "ReduceSum";
  if (opset < (is_sum ? 13 : 18)) {
    const auto axes = l.known_ints(1, "axes");
    const bool none = !l.has_input(1) || (axes && axes->empty());
    if (none && l.attributes().get_int("noop_with_empty_axes", 0) != 0)
      return l.refuse("it reduces no axis, where the older form reduces all");
    l.attributes().erase("noop_with_empty_axes");
    if (none) l.drop_input(1);
    else l.input_to_ints(1, "axes");
  }
  l.keep();
}

void define(ir::OpTable& table, const char* name, std::vector<int> versions, void (*infer)(InferContext&),
            const char* types) {
  table.add({.domain = "",
             .name = name,
             .versions = std::move(versions),
             .signature = {.inputs = "data:T, axes?:int64",
                           .outputs = "reduced:T",
                           .types = types,
                           .attributes = "keepdims:int, noop_with_empty_axes:int"},
             .infer = infer,
             .lift = lift_reduce,
             .lower = lower_reduce});
}

}  // namespace

void define_onnx_reduce(ir::OpTable& table) {
  constexpr const char* kNumbers = "T: uint32 uint64 int32 int64 floats";
  constexpr const char* kOrdered = "T: uint8 uint32 uint64 int8 int32 int64 floats bool";
  define(table, "ReduceSum", {1, 11, 13}, infer_sum, kNumbers);
  define(table, "ReduceMean", {1, 11, 13, 18}, infer_reduce, kNumbers);
  define(table, "ReduceProd", {1, 11, 13, 18}, infer_prod, kNumbers);
  define(table, "ReduceSumSquare", {1, 11, 13, 18}, infer_reduce, kNumbers);
  define(table, "ReduceL1", {1, 11, 13, 18}, infer_reduce, kNumbers);
  define(table, "ReduceL2", {1, 11, 13, 18}, infer_reduce, kNumbers);
  define(table, "ReduceLogSum", {1, 11, 13, 18, 28}, infer_reduce, kNumbers);
  define(table, "ReduceLogSumExp", {1, 11, 13, 18, 28}, infer_reduce, kNumbers);
  define(table, "ReduceMax", {1, 11, 12, 13, 18, 20}, infer_max, kOrdered);
  define(table, "ReduceMin", {1, 11, 12, 13, 18, 20}, infer_min, kOrdered);
}

}  // namespace onnxrun::ops
