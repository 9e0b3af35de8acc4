// AffineGrid: sampling positions of an affine transformation (ONNX AffineGrid-20).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

void infer_affine_grid(ir::InferContext& c) {
  using ir::Dim;
  const ir::Shape* theta = c.shape(0);
  const auto size = c.elements(1);
  if (theta != nullptr && theta->size() != 3)
    c.fail("input 'theta' has the shape {}, expected [N, 2, 3] or [N, 3, 4]", ir::to_string(*theta));
  if (!size) {
    const int64_t axes = theta ? (*theta)[1].value() : -1;
    if (axes == 2 || axes == 3) {
      ir::Shape out(static_cast<size_t>(axes + 2));
      out.front() = (*theta)[0];
      out.back() = Dim(axes);
      return c.set(0, c.dtype(0), out);
    }
    return c.set(0, c.dtype(0));
  }
  if (size->size() != 4 && size->size() != 5)
    c.fail("input 'size' has {} values, expected 4 ([N, C, H, W]) or 5", size->size());
  const int64_t axes = static_cast<int64_t>(size->size()) - 2;
  if (theta != nullptr) {
    require_equal(c, (*theta)[0], (*size)[0], "batch of 'theta' and 'size'");
    require_equal(c, (*theta)[1], Dim(axes), "rows of 'theta' and spatial axes of 'size'");
    require_equal(c, (*theta)[2], Dim(axes + 1), "columns of 'theta' and those that 'size' asks for");
  }
  ir::Shape out{(*size)[0]};
  for (size_t d = 2; d < size->size(); ++d) out.push_back((*size)[d]);
  for (const Dim& dim : out)
    if (dim.is_constant() && dim.value() < 0) c.fail("input 'size' has the value {}", dim.value());
  out.push_back(Dim(axes));
  c.set(0, c.dtype(0), out);
}

}  // namespace

void define_onnx_affine_grid(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "AffineGrid",
             .versions = {20},
             .signature = {.inputs = "theta:T1, size:int64",
                           .outputs = "grid:T1",
                           .types = "T1: floats",
                           .attributes = "align_corners:int"},
             .infer = infer_affine_grid});
}

}  // namespace onnxrun::ops
