// com.microsoft.MaxpoolWithMask: a maximum over windows that stops along a row where the mask has a zero.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/image_inputs.h"
#include "ops/window_shape.h"

namespace onnxrun::ops {
namespace {

void infer_masked_pool(ir::InferContext& c) {
  if (c.attributes().get_int("storage_order", 0) != 0)
    base::fail(base::Code::kUnsupported, "com.microsoft.MaxpoolWithMask with storage_order 1 is not supported");
  const ir::Shape* x = spatial_input(c, 0, "X");
  if (x == nullptr) return c.set(0, c.dtype(0));
  if (x->size() > 5) c.fail("'X' must have rank 3 to 5, got {}", c.input(0).to_string());
  if (const ir::Shape* mask = spatial_input(c, 1, "M")) {
    if (mask->size() != x->size())
      c.fail("'X' and 'M' must have one rank, got {} and {}", c.input(0).to_string(), c.input(1).to_string());
    for (size_t d = 2; d < x->size(); ++d) require_equal(c, (*x)[d], (*mask)[d], "the spatial dims of 'X' and 'M'");
  }
  c.set(0, c.dtype(0), window_shape(read_window(c.attributes(), read_kernel(c.attributes(), x->size() - 2)), *x));
}

}  // namespace

void define_microsoft_max_pool_with_mask(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "MaxpoolWithMask",
       .versions = {1},
       .signature = {.inputs = "X:float32, M:int32",
                     .outputs = "Y:float32",
                     .attributes = "auto_pad:string, kernel_shape:ints, pads:ints, storage_order:int, strides:ints"},
       .infer = infer_masked_pool});
}

}  // namespace onnxrun::ops
