// DepthToSpace and SpaceToDepth: blocks of pixels moved out of and into the channels (ONNX DepthToSpace-28, SpaceToDepth-28).
#include "ops/attributes/depth_to_space.h"

#include "base/checked.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

const Shape* checked_input(InferContext& c) {
  if (c.rank(0) >= 0 && c.rank(0) != 4) c.fail("'input' must be [N,C,H,W], got {}", c.input(0).to_string());
  return c.shape(0);
}

Dim divide(InferContext& c, const Dim& dim, int64_t by, const char* name) {
  if (dim.is_constant() && dim.value() % by != 0)
    c.fail("{} of 'input' {} must be a multiple of {}", name, c.input(0).to_string(), by);
  return floor_div(dim, Dim(by));
}

void infer_depth_to_space(InferContext& c) {
  const int64_t block = attributes::block_size(c.attributes());
  attributes::depth_first(c.attributes());
  const Shape* in = checked_input(c);
  if (in == nullptr) return c.set(0, c.dtype(0), Shape(4));
  const Dim channels = divide(c, (*in)[1], base::checked_mul(block, block), "the channels");
  c.set(0, c.dtype(0), Shape{(*in)[0], channels, (*in)[2] * Dim(block), (*in)[3] * Dim(block)});
}

void infer_space_to_depth(InferContext& c) {
  const int64_t block = attributes::block_size(c.attributes());
  attributes::depth_first(c.attributes());
  const Shape* in = checked_input(c);
  if (in == nullptr) return c.set(0, c.dtype(0), Shape(4));
  const Dim channels = (*in)[1] * Dim(base::checked_mul(block, block));
  c.set(0, c.dtype(0),
        Shape{(*in)[0], channels, divide(c, (*in)[2], block, "the height"), divide(c, (*in)[3], block, "the width")});
}

}  // namespace

void define_onnx_depth_to_space(ir::OpTable& table) {
  const ir::OpSignature signature = {
      .inputs = "input:T", .outputs = "output:T", .types = "T: all", .attributes = "blocksize:int!, mode:string"};
  table.add({.domain = "",
             .name = "DepthToSpace",
             .versions = {1, 11, 13, 28},
             .signature = signature,
             .infer = infer_depth_to_space});
  table.add({.domain = "",
             .name = "SpaceToDepth",
             .versions = {1, 13, 28},
             .signature = signature,
             .infer = infer_space_to_depth});
}

}  // namespace onnxrun::ops
