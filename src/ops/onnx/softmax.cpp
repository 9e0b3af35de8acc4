// Softmax, LogSoftmax and Hardmax along one axis (ONNX, opset 13).
#include "ops/attributes/softmax.h"

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_softmax(ir::InferContext& c) {
  const int64_t rank = c.rank(0);
  if (rank == 0) c.fail("'input' must have rank 1 or more, got a scalar");
  if (rank > 0) attributes::softmax_axis(c.attributes(), rank);
  c.set(0, c.dtype(0), c.input(0).shape);
}

// The axis from `axis` on beside which all are known to be 1; -1 where there is no such axis.
int64_t only_axis(const ir::Fact& fact, int64_t axis) {
  if (fact.rank() < 1 || axis < -fact.rank() || axis >= fact.rank()) return -1;
  if (axis < 0) axis += fact.rank();
  int64_t found = -1;
  for (int64_t i = axis; i < fact.rank(); ++i) {
    if ((*fact.shape)[static_cast<size_t>(i)] == ir::Dim(1)) continue;
    if (found >= 0) return -1;
    found = i;
  }
  return found >= 0 ? found : axis;
}

// Before opset 13 the dims from `axis` (default 1) on were one: flattened to a matrix, normalised by rows, and shaped back.
void lift_softmax(ir::Expansion& e, int since) {
  if (since >= 13) return e.keep();
  const int64_t axis = e.attributes().get_int("axis", 1);
  const int64_t rank = e.fact(e.input(0)).rank();
  if (rank > 0 && (axis == -1 || axis == rank - 1)) {
    e.attributes().set("axis", int64_t{-1});
    return e.keep();
  }
  if (const int64_t alone = only_axis(e.fact(e.input(0)), axis); alone >= 0) {
    e.attributes().set("axis", alone);
    return e.keep();
  }
  const ir::ValueId matrix = e.emit("Flatten", {e.input(0)}, {{"axis", axis}});
  const ir::ValueId rows = e.emit(e.source().op->name, {matrix}, {{"axis", int64_t{-1}}});
  e.bind(0, e.emit("Reshape", {rows, e.emit("Shape", {e.input(0)})}, {{"allowzero", int64_t{1}}}));
}

// The older form takes one axis alone only where the dims after it are 1: others are moved to the end and back.
void lower_softmax(ir::Lowering& l, int opset) {
  if (opset >= 13) return l.keep();
  const ir::Fact input = l.fact(l.input(0));
  const int64_t rank = input.rank();
  int64_t axis = l.attributes().get_int("axis", -1);
  if (rank < 0 && axis != -1) return l.refuse("its axis is {} and the rank of 'input' is not known", axis);
  if (rank > 0) axis = base::normalize_axis(axis, rank);
  bool alone = true;
  for (int64_t i = axis + 1; axis >= 0 && i < rank; ++i)
    alone = alone && (*input.shape)[static_cast<size_t>(i)] == ir::Dim(1);
  l.attributes().set("axis", alone ? axis : rank - 1);
  if (alone) return l.keep();
  std::vector<int64_t> swap;
  for (int64_t i = 0; i < rank; ++i) swap.push_back(i == axis ? rank - 1 : i == rank - 1 ? axis : i);
  l.set_input(0, l.emit("Transpose", {l.input(0)}, {{"perm", swap}}));
  const ir::ValueId rows = l.keep_aside(l.fact(l.input(0)));
  l.finish("Transpose", {rows}, {{"perm", swap}});
}

}  // namespace

void define_onnx_softmax(ir::OpTable& table) {
  for (const char* name : {"Softmax", "LogSoftmax", "Hardmax"})
    table.add(
        {.domain = "",
         .name = name,
         .versions = {1, 11, 13},
         .signature = {.inputs = "input:T", .outputs = "output:T", .types = "T: floats", .attributes = "axis:int"},
         .infer = infer_softmax,
         .lift = lift_softmax,
         .lower = lower_softmax});
}

}  // namespace onnxrun::ops
