// MaxUnpool: puts pooled maxima back at their indices among zeros (ONNX MaxUnpool-22).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

void infer_max_unpool(ir::InferContext& c) {
  using ir::Dim;
  const ir::Shape* in = spatial_input(c, 0, "X");
  const ir::Shape* indices = c.shape(1);
  if (in == nullptr) return c.set(0, c.dtype(0));
  if (indices != nullptr) {
    if (indices->size() != in->size())
      c.fail("input 'I' has the shape {}, expected that of 'X', {}", ir::to_string(*indices), ir::to_string(*in));
    for (size_t d = 0; d < in->size(); ++d) require_equal(c, (*in)[d], (*indices)[d], "dimensions of 'X' and 'I'");
  }
  const Window window = read_window(c.attributes(), read_kernel(c.attributes(), in->size() - 2));
  ir::Shape smallest{(*in)[0], (*in)[1]};
  for (size_t axis = 0; axis < window.rank(); ++axis)
    smallest.push_back(((*in)[axis + 2] - Dim(1)) * Dim(window.strides[axis]) +
                       Dim(window.kernel[axis] - window.pads[axis] - window.pads[window.rank() + axis]));
  for (const Dim& dim : smallest)
    if (dim.is_constant() && dim.value() < 0)
      c.fail("attribute 'pads' leaves the output a dimension of {}", dim.value());
  if (!c.has_input(2)) return c.set(0, c.dtype(0), smallest);
  const auto sizes = c.elements(2);
  if (!sizes) return c.set(0, c.dtype(0), ir::Shape(in->size()));
  if (sizes->size() != in->size())
    c.fail("input 'output_shape' has {} values for an input 'X' of rank {}", sizes->size(), in->size());
  for (size_t d = 0; d < in->size(); ++d) {
    const Dim &want = (*sizes)[d], &least = smallest[d];
    if (want.is_constant() && (want.value() < 0 || (least.is_constant() && want.value() < least.value())))
      c.fail("input 'output_shape' asks for {} along axis {}, at least {} are needed", want.value(), d,
             least.to_string());
  }
  c.set(0, c.dtype(0), ir::Shape(sizes->begin(), sizes->end()));
}

}  // namespace

void define_onnx_max_unpool(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "MaxUnpool",
             .versions = {9, 11, 22},
             .signature = {.inputs = "X:T1, I:int64, output_shape?:int64",
                           .outputs = "output:T1",
                           .types = "T1: floats",
                           .attributes = "kernel_shape:ints!, pads:ints, strides:ints"},
             .infer = infer_max_unpool});
}

}  // namespace onnxrun::ops
