// Col2Im: sums columns of sliding blocks back into an image (ONNX Col2Im-18).
#include <utility>

#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/window.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::Shape;

void infer_col2im(ir::InferContext& c) {
  const Shape* in = c.shape(0);
  if (in != nullptr && in->size() != 3)
    c.fail("input 'input' has the shape {}, expected [N, C * block elements, blocks]", ir::to_string(*in));
  for (const auto& [name, least] : {std::pair("strides", 1), std::pair("dilations", 1), std::pair("pads", 0)})
    read_sizes(c.attributes(), name, c.attributes().get_ints(name).size(), least, least);
  const auto image = c.elements(1);
  const auto block = c.ints(2);
  if (!image) return c.set(0, c.dtype(0));
  const size_t rank = image->size();
  if (rank == 0) c.fail("input 'image_shape' is empty");
  const auto strides = read_sizes(c.attributes(), "strides", rank, 1, 1);
  const auto dilations = read_sizes(c.attributes(), "dilations", rank, 1, 1);
  const auto pads = read_sizes(c.attributes(), "pads", 2 * rank, 0, 0);
  Shape out{in ? (*in)[0] : Dim(), Dim()};
  for (const Dim& dim : *image) {
    if (dim.is_constant() && dim.value() < 1)
      c.fail("input 'image_shape' has the value {}, expected at least 1", dim.value());
    out.push_back(dim);
  }
  if (block) {
    if (block->size() != rank) c.fail("input 'block_shape' has {} values, 'image_shape' {}", block->size(), rank);
    Dim elements(1), blocks(1);
    for (size_t d = 0; d < rank; ++d) {
      if ((*block)[d] < 1 || (*block)[d] > INT32_MAX)
        c.fail("input 'block_shape' has the value {}, expected at least 1", (*block)[d]);
      elements = elements * Dim((*block)[d]);
      const Dim span = (*image)[d] + Dim(pads[d] + pads[rank + d] - ((*block)[d] - 1) * dilations[d] - 1);
      if (span.is_constant() && span.value() < 0) c.fail("a block does not fit axis {} of the padded image", d);
      blocks = blocks * (floor_div(span, Dim(strides[d])) + Dim(1));
    }
    if (in != nullptr) {
      const Dim& rows = (*in)[1];
      if (rows.is_constant() && elements.is_constant()) {
        if (rows.value() % elements.value() != 0)
          c.fail("input 'input' of shape {} has {} rows, not a multiple of the block's {} elements", ir::to_string(*in),
                 rows.value(), elements.value());
        out[1] = Dim(rows.value() / elements.value());
      } else {
        out[1] = exact_div(rows, elements);
      }
      require_equal(c, (*in)[2], blocks, "last dimension of 'input' and number of blocks in the image");
    }
  }
  c.set(0, c.dtype(0), out);
}

}  // namespace

void define_onnx_col2im(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Col2Im",
             .versions = {18},
             .signature = {.inputs = "input:T, image_shape:int64, block_shape:int64",
                           .outputs = "output:T",
                           .types = "T: numeric bool string complex",
                           .attributes = "dilations:ints, pads:ints, strides:ints"},
             .infer = infer_col2im});
}

}  // namespace onnxrun::ops
