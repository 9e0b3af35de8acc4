// GridSample: an input sampled at the positions of a grid (ONNX GridSample-22).
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

void infer_grid_sample(ir::InferContext& c) {
  using ir::Dim;
  const auto& a = c.attributes();
  const std::string mode = a.get_string("mode", "linear"), padding = a.get_string("padding_mode", "zeros");
  if (mode != "linear" && mode != "cubic" && mode != "nearest")
    c.fail("attribute 'mode' is '{}', expected linear, nearest or cubic", mode);
  if (padding != "zeros" && padding != "border" && padding != "reflection")
    c.fail("attribute 'padding_mode' is '{}', expected zeros, border or reflection", padding);
  const bool numeric = base::is_numeric(c.dtype(0)) && !base::is_complex(c.dtype(0));
  if (mode != "nearest" && !numeric && c.dtype(0) != base::DType::kNone)
    c.fail("mode '{}' cannot interpolate elements of type {}", mode, base::dtype_name(c.dtype(0)));
  const ir::Shape* in = spatial_input(c, 0, "X");
  const ir::Shape* grid = c.shape(1);
  if (in != nullptr && in->size() > 12)
    c.fail("input 'X' has {} spatial axes, at most 10 are supported", in->size() - 2);
  if (grid == nullptr || in == nullptr) return c.set(0, c.dtype(0));
  if (grid->size() != in->size())
    c.fail("input 'grid' has the shape {} and 'X' the shape {}: their ranks differ", ir::to_string(*grid),
           ir::to_string(*in));
  require_equal(c, (*grid)[0], (*in)[0], "batch of 'grid' and 'X'");
  require_equal(c, grid->back(), Dim(static_cast<int64_t>(in->size()) - 2),
                "last dimension of 'grid' and spatial axes of 'X'");
  ir::Shape out(grid->begin(), grid->end() - 1);
  out.insert(out.begin() + 1, (*in)[1]);
  if (out[0].is_unknown()) out[0] = (*in)[0];
  c.set(0, c.dtype(0), out);
}

void lift_grid_sample(ir::Expansion& e, int since) {
  if (since < 20) {
    const std::string mode = e.attributes().get_string("mode", "bilinear");
    e.attributes().set("mode", mode == "bilinear"  ? std::string("linear")
                               : mode == "bicubic" ? std::string("cubic")
                                                   : mode);
  }
  e.keep();
}

void lower_grid_sample(ir::Lowering& l, int opset) {
  if (opset < 20) {
    if (l.fact(l.input(0)).rank() != 4) return l.refuse("'X' is not known to have rank 4, as it must before opset 20");
    const std::string mode = l.attributes().get_string("mode", "linear");
    l.attributes().set("mode", mode == "linear"  ? std::string("bilinear")
                               : mode == "cubic" ? std::string("bicubic")
                                                 : mode);
  }
  l.keep();
}

}  // namespace

void define_onnx_grid_sample(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "GridSample",
             .versions = {16, 20, 22},
             .signature = {.inputs = "X:T1, grid:T2",
                           .outputs = "Y:T1",
                           .types = "T1: numeric bool string complex | T2: floats",
                           .attributes = "align_corners:int, mode:string, padding_mode:string"},
             .infer = infer_grid_sample,
             .lift = lift_grid_sample,
             .lower = lower_grid_sample});
}

}  // namespace onnxrun::ops
