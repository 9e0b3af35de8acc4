// Gather: slices of an axis picked by index (ONNX Gather-13).
#include <algorithm>

#include "base/shape.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void gather_elements(InferContext& c) {
  const auto elements = c.elements(0);
  const auto indices = c.ints(1);
  if (!elements || !indices || c.rank(0) != 1 || c.rank(1) > 1) return;
  const auto size = static_cast<int64_t>(elements->size());
  std::vector<Dim> picked;
  for (int64_t index : *indices) {
    if (index < -size || index >= size) return;  // the run says so
    picked.push_back((*elements)[static_cast<size_t>(index < 0 ? index + size : index)]);
  }
  c.set_elements(0, std::move(picked));
}

void infer_gather(InferContext& c) {
  const Shape* data = c.shape(0);
  const Shape* indices = c.shape(1);
  if (data != nullptr && data->empty())
    c.fail("'data' must have one dimension or more, got {}", c.input(0).to_string());
  if (data == nullptr || indices == nullptr) return c.set(0, c.dtype(0));
  const int64_t axis = base::normalize_axis(c.attributes().get_int("axis", 0), c.rank(0));
  check_rank(c, data->size() + indices->size() - 1);
  Shape out(data->begin(), data->begin() + axis);
  out.insert(out.end(), indices->begin(), indices->end());
  out.insert(out.end(), data->begin() + axis + 1, data->end());
  c.set(0, c.dtype(0), std::move(out));
  gather_elements(c);
}

// Positions counted from the back came with opset 11.
void lower_gather(ir::Lowering& l, int opset) {
  const ir::Tensor indices = l.constant_input(1);
  if (opset >= 11 || !indices || l.fact(l.input(0)).rank() < 1) return l.keep();
  std::vector<int64_t> places = indices.as_int64();
  if (std::none_of(places.begin(), places.end(), [](int64_t at) { return at < 0; })) return l.keep();
  const ir::Fact& data = l.fact(l.input(0));
  const Dim& size =
      (*data.shape)[static_cast<size_t>(base::normalize_axis(l.attributes().get_int("axis", 0), data.rank()))];
  if (!size.is_constant()) return l.refuse("its indices count from the end of an axis of unknown size");
  for (int64_t& at : places) at += at < 0 ? size.value() : 0;
  l.set_input(1, l.constant(ir::Tensor::vector<int64_t>(places).reshaped(indices.dims())));
  l.keep();
}

}  // namespace

void define_onnx_gather(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Gather",
             .versions = {1, 11, 13},
             .signature = {.inputs = "data:T, indices:I",
                           .outputs = "output:T",
                           .types = "T: all | I: int32 int64",
                           .attributes = "axis:int"},
             .infer = infer_gather,
             .lower = lower_gather});
}

}  // namespace onnxrun::ops
