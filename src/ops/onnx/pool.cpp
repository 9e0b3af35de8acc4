// MaxPool, AveragePool and LpPool (ONNX MaxPool-22, AveragePool-22, LpPool-22).
#include <cmath>

#include "base/checked.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

std::optional<ir::Shape> pooled(ir::InferContext& c) {
  const ir::Shape* in = spatial_input(c, 0, "X");
  if (in == nullptr) return std::nullopt;
  return windowed(c, *in, (*in)[1]);
}

void infer_max_pool(ir::InferContext& c) {
  const int64_t order = c.attributes().get_int("storage_order", 0);
  if (order != 0 && order != 1) c.fail("attribute 'storage_order' is {}, expected 0 or 1", order);
  const auto out = pooled(c);
  c.set(0, c.dtype(0), out);
  if (c.has_output(1)) c.set(1, ir::DType::kInt64, out);
}

void infer_average_pool(ir::InferContext& c) { c.set(0, c.dtype(0), pooled(c)); }

void infer_lp_pool(ir::InferContext& c) {
  const int64_t p = c.attributes().get_int("p", 2);
  if (p < 1) c.fail("attribute 'p' is {}, expected at least 1", p);
  c.set(0, c.dtype(0), pooled(c));
}

// LpPool-1 has a float p.
void lift_lp_pool(ir::Expansion& e, int since) {
  if (since < 2 && e.attributes().has("p")) {
    const float p = e.attributes().get_float("p", 2.0f);
    if (!(p >= 1 && p < 1e6f) || p != std::floor(p)) e.fail("LpPool-1 with p={} has no form with an integer p", p);
    e.attributes().set("p", static_cast<int64_t>(p));
  }
  e.keep();
}

// With ceil_mode a window that begins in the padding after the input counted before opset 22. Refuses where there may be one.
void refuse_window_in_padding(ir::Lowering& l, int opset) {
  if (opset >= 22) return;
  const Window window = read_window(l.attributes(), l.attributes().get_ints("kernel_shape"));
  if (!window.ceil_mode || window.auto_pad != AutoPad::kNotSet) return;
  const ir::Fact input = l.fact(l.input(0));
  for (size_t axis = 0; axis < window.rank(); ++axis) {
    const int64_t begin = window.pads[axis], end = window.pads[axis + window.rank()], stride = window.strides[axis];
    if (base::checked_add(end, stride) <= window.extent(axis)) continue;  // whatever the size
    const bool known =
        input.rank() == static_cast<int64_t>(window.rank()) + 2 && (*input.shape)[axis + 2].is_constant();
    if (!known)
      return l.refuse("a window of spatial axis {} may begin in the padding, where it counts only before opset 22",
                      axis);
    const int64_t size = base::checked_add((*input.shape)[axis + 2].value(), begin);
    const int64_t steps = base::ceil_div(base::checked_add(size, end) - window.extent(axis), stride);
    if (base::checked_mul(steps, stride) >= size)
      return l.refuse("a window of spatial axis {} begins in the padding, where it counts only before opset 22", axis);
  }
}

void lower_max_pool(ir::Lowering& l, int opset) {
  refuse_window_in_padding(l, opset);
  if (opset < 10) l.drop_ints("dilations", 1);
  l.keep();
}

void lower_average_pool(ir::Lowering& l, int opset) {
  refuse_window_in_padding(l, opset);
  if (opset < 19) l.drop_ints("dilations", 1);
  l.keep();
}

void lower_lp_pool(ir::Lowering& l, int opset) {
  refuse_window_in_padding(l, opset);
  if (opset < 18) l.drop_ints("dilations", 1);
  if (opset < 2 && l.attributes().has("p")) l.attributes().set("p", static_cast<float>(l.attributes().get_int("p", 2)));
  l.keep();
}

}  // namespace

void define_onnx_pool(ir::OpTable& table) {
  table.add(
      {.domain = "",
       .name = "MaxPool",
       .versions = {1, 8, 10, 11, 12, 22},
       .signature = {.inputs = "X:T",
                     .outputs = "Y:T, Indices?:int64",
                     .types = "T: floats int8 uint8",
                     .attributes = "auto_pad:string, ceil_mode:int, dilations:ints, kernel_shape:ints!, pads:ints, "
                                   "storage_order:int, strides:ints"},
       .infer = infer_max_pool,
       .lower = lower_max_pool});
  table.add({.domain = "",
             .name = "AveragePool",
             .versions = {1, 7, 10, 11, 19, 22},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:T",
                           .types = "T: floats",
                           .attributes = "auto_pad:string, ceil_mode:int, count_include_pad:int, dilations:ints, "
                                         "kernel_shape:ints!, pads:ints, strides:ints"},
             .infer = infer_average_pool,
             .lower = lower_average_pool});
  table.add({.domain = "",
             .name = "LpPool",
             .versions = {1, 2, 11, 18, 22},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:T",
                           .types = "T: floats",
                           .attributes =
                               "auto_pad:string, ceil_mode:int, dilations:ints, kernel_shape:ints!, p:int, pads:ints, "
                               "strides:ints"},
             .infer = infer_lp_pool,
             .lift = lift_lp_pool,
             .lower = lower_lp_pool});
}

}  // namespace onnxrun::ops
