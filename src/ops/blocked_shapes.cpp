// Checks and shapes of operators on blocked channels.
#include "ops/blocked_shapes.h"

#include "ops/image_inputs.h"

namespace onnxrun::ops {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

namespace {

constexpr int64_t kMaxBlock = 1024;

}  // namespace

int64_t block_of(const InferContext& c) {
  const int64_t block = c.attributes().get_int("block", 0);
  if (block < 1 || block > kMaxBlock) c.fail("attribute 'block' is {}, expected 1 to {}", block, kMaxBlock);
  return block;
}

const Shape* blocked_input(const InferContext& c, size_t i, std::string_view name) {
  const Shape* shape = c.shape(i);
  if (shape != nullptr && shape->size() < 4)
    c.fail("input '{}' has the shape {}, expected [N, blocks of channels, D1, ..., block]", name,
           ir::to_string(*shape));
  return shape;
}

Shape blocked_shape(const Shape& plain, int64_t block) {
  Shape result = plain;
  result[1] = ceil_div(plain[1], Dim(block));
  result.push_back(Dim(block));
  return result;
}

Shape unblocked_shape(const InferContext& c, const Shape& shape, const Dim& channels, std::string_view name) {
  require_equal(c, shape[1], ceil_div(channels, shape.back()),
                fmt::format("blocks of channels of input '{}' of shape {}, and those of {} channels", name,
                            ir::to_string(shape), channels.to_string()));
  Shape result(shape.begin(), shape.end() - 1);
  result[1] = channels;
  return result;
}

void infer_blocked_convolution(InferContext& c, const BlockedConvolutionInputs& inputs, ir::DType type) {
  const int64_t block = block_of(c), group = c.attributes().get_int("group", 1);
  if (group < 1) c.fail("attribute 'group' is {}, expected at least 1", group);
  const Shape* weights = spatial_input(c, inputs.weights, "W");
  const Shape* in = c.shape(0);
  if (weights == nullptr || in == nullptr) return c.set(0, type);
  const Dim channels = Dim(group) * (*weights)[1], filters = (*weights)[0];
  if (filters.is_constant() && filters.value() % group != 0)
    c.fail("input 'W' of shape {} has {} output channels, not a multiple of group {}", ir::to_string(*weights),
           filters.value(), group);
  Shape plain = *in;
  if (in->size() == weights->size() + 1) {
    require_equal(c, in->back(), Dim(block), "the block of input 'X' and attribute 'block'");
    plain = unblocked_shape(c, *in, channels, "X");
  } else if (in->size() == weights->size()) {
    require_equal(c, plain[1], channels, "channels of input 'X', and those that 'W' expects");
  } else {
    c.fail("input 'X' has the shape {} and 'W' the shape {}: their ranks do not fit", ir::to_string(*in),
           ir::to_string(*weights));
  }
  std::vector<int64_t> kernel;
  for (size_t i = 2; i < weights->size(); ++i)
    kernel.push_back((*weights)[i].is_constant() ? (*weights)[i].value() : -1);
  const Shape out = blocked_shape(windowed(c, plain, filters, kernel), block);
  if (c.has_input(inputs.bias)) require_vector(c, inputs.bias, "B", filters);
  if (const Shape* added = c.shape(inputs.added)) {
    if (added->size() != out.size())
      c.fail("input 'Z' has the shape {}, expected {}", ir::to_string(*added), ir::to_string(out));
    for (size_t d = 0; d < out.size(); ++d)
      require_equal(c, (*added)[d], out[d], "sizes of input 'Z' and of the output");
  }
  c.set(0, type, out);
}

ir::ValueId from_blocked(ir::Expansion& e, ir::ValueId x, int64_t channels) {
  return e.emit("FromBlocked", {x}, {{"channels", channels}}, "onnxrun");
}

}  // namespace onnxrun::ops
