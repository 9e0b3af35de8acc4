// GatherND and ScatterND: slices picked or placed by index tuples (ONNX GatherND-13, ScatterND-18).
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/known_values.h"
#include "ops/reduction_mode.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// Length of the index tuples, checked against the axes of 'data' they may address; -1 when unknown.
int64_t tuple_length(InferContext& c, int64_t batch_dims) {
  const Shape& data = *c.shape(0);
  const Shape& indices = *c.shape(1);
  if (data.empty() || indices.empty())
    c.fail("'data' and 'indices' must have one dimension or more, got {} and {}", c.input(0).to_string(),
           c.input(1).to_string());
  if (!indices.back().is_constant()) return -1;
  const int64_t length = indices.back().value();
  const int64_t most = c.rank(0) - batch_dims;
  if (length < 0 || length > most)
    c.fail("the last dim of 'indices' {} must be from 0 to {} for 'data' {}", c.input(1).to_string(), most,
           c.input(0).to_string());
  return length;
}

void infer_gather_nd(InferContext& c) {
  const Shape* data = c.shape(0);
  const Shape* indices = c.shape(1);
  if (data == nullptr || indices == nullptr) return c.set(0, c.dtype(0));
  const int64_t batch_dims = c.attributes().get_int("batch_dims", 0);
  if (batch_dims < 0 || batch_dims >= std::max<int64_t>(1, std::min(c.rank(0), c.rank(1))))
    c.fail("'batch_dims' is {}, but must be less than the ranks of 'data' {} and 'indices' {}", batch_dims,
           c.input(0).to_string(), c.input(1).to_string());
  const int64_t length = tuple_length(c, batch_dims);
  if (length < 0) return c.set(0, c.dtype(0));
  const auto batch = static_cast<size_t>(batch_dims);
  Shape out(indices->begin(), indices->end() - 1);
  for (size_t i = 0; i < batch; ++i)
    out[i] = unify(c, (*data)[i], (*indices)[i], fmt::format("batch dim {} of 'data' and 'indices'", i));
  out.insert(out.end(), data->begin() + batch_dims + length, data->end());
  check_rank(c, out.size());
  c.set(0, c.dtype(0), std::move(out));
}

void infer_scatter_nd(InferContext& c) {
  check_reduction(c);
  const Shape* data = c.shape(0);
  const Shape* indices = c.shape(1);
  const Shape* updates = c.shape(2);
  c.set(0, c.dtype(0), shape_of(c, 0));
  if (data == nullptr || indices == nullptr) return;
  const int64_t length = tuple_length(c, 0);
  if (length < 0 || updates == nullptr) return;
  Shape wanted(indices->begin(), indices->end() - 1);
  wanted.insert(wanted.end(), data->begin() + length, data->end());
  if (wanted.size() != updates->size())
    c.fail("'updates' must have the shape {}, got {}", ir::to_string(wanted), c.input(2).to_string());
  for (size_t i = 0; i < wanted.size(); ++i)
    unify(c, wanted[i], (*updates)[i], fmt::format("dim {} of 'updates' and what 'indices' and 'data' give", i));
}

void lower_scatter_nd(ir::Lowering& l, int opset) {
  const std::string reduction = l.attributes().get_string("reduction", "none");
  if (opset < 18 && (reduction == "max" || reduction == "min"))
    return l.refuse("its reduction '{}' came with opset 18", reduction);
  l.keep();
}

}  // namespace

void define_onnx_gather_nd(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "GatherND",
             .versions = {11, 12, 13},
             .signature = {.inputs = "data:T, indices:int64",
                           .outputs = "output:T",
                           .types = "T: all",
                           .attributes = "batch_dims:int"},
             .infer = infer_gather_nd});
  table.add({.domain = "",
             .name = "ScatterND",
             .versions = {11, 13, 16, 18},
             .signature = {.inputs = "data:T, indices:int64, updates:T",
                           .outputs = "output:T",
                           .types = "T: all",
                           .attributes = "reduction:string"},
             .infer = infer_scatter_nd,
             .lower = lower_scatter_nd});
}

}  // namespace onnxrun::ops
