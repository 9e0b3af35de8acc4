// Operators on values whose channels are blocked: [N, C, D1, …] kept as [N, ceil(C / b), D1, …, b], where the lanes beyond C in the
// last block are zero. Convolutions and pools run fastest on it; the optimizer keeps regions of a graph in it.
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/emitter.h"
#include "ops/fused_activation.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::Expansion;
using ir::InferContext;
using ir::Shape;
using ir::ValueId;

constexpr int64_t kMaxBlock = 1024;

int64_t block_of(const InferContext& c) {
  const int64_t block = c.attributes().get_int("block", 0);
  if (block < 1 || block > kMaxBlock) c.fail("attribute 'block' is {}, expected 1 to {}", block, kMaxBlock);
  return block;
}

// The shape of input `i`, which has blocked channels; null when its rank is unknown.
const Shape* blocked_input(const InferContext& c, size_t i, const char* name) {
  const Shape* shape = c.shape(i);
  if (shape != nullptr && shape->size() < 4)
    c.fail("input '{}' has the shape {}, expected [N, blocks of channels, D1, ..., block]", name,
           ir::to_string(*shape));
  return shape;
}

Shape blocked(const Shape& plain, int64_t block) {
  Shape result = plain;
  result[1] = ceil_div(plain[1], Dim(block));
  result.push_back(Dim(block));
  return result;
}

// `shape` with `channels`, which its blocks must hold.
Shape unblocked(const InferContext& c, const Shape& shape, const Dim& channels, const char* name) {
  require_equal(c, shape[1], ceil_div(channels, shape.back()),
                fmt::format("blocks of channels of input '{}' of shape {}, and those of {} channels", name,
                            ir::to_string(shape), channels.to_string()));
  Shape result(shape.begin(), shape.end() - 1);
  result[1] = channels;
  return result;
}

void infer_to_blocked(InferContext& c) {
  const int64_t block = block_of(c);
  const Shape* in = spatial_input(c, 0, "X");
  c.set(0, c.dtype(0), in != nullptr ? std::optional(blocked(*in, block)) : std::nullopt);
}

void infer_from_blocked(InferContext& c) {
  const int64_t channels = c.attributes().get_int("channels", 0);
  if (channels < 1) c.fail("attribute 'channels' is {}, expected at least 1", channels);
  const Shape* in = blocked_input(c, 0, "X");
  c.set(0, c.dtype(0), in != nullptr ? std::optional(unblocked(c, *in, Dim(channels), "X")) : std::nullopt);
}

void infer_blocked_conv(InferContext& c) {
  const int64_t block = block_of(c), group = c.attributes().get_int("group", 1);
  if (group < 1) c.fail("attribute 'group' is {}, expected at least 1", group);
  const Shape* weights = spatial_input(c, 1, "W");
  const Shape* in = c.shape(0);
  if (weights == nullptr || in == nullptr) return c.set(0, c.dtype(0));
  const Dim channels = Dim(group) * (*weights)[1], filters = (*weights)[0];
  if (filters.is_constant() && filters.value() % group != 0)
    c.fail("input 'W' of shape {} has {} output channels, not a multiple of group {}", ir::to_string(*weights),
           filters.value(), group);
  Shape plain = *in;
  if (in->size() == weights->size() + 1) {
    require_equal(c, in->back(), Dim(block), "the block of input 'X' and attribute 'block'");
    plain = unblocked(c, *in, channels, "X");
  } else if (in->size() == weights->size()) {
    require_equal(c, plain[1], channels, "channels of input 'X', and those that 'W' expects");
  } else {
    c.fail("input 'X' has the shape {} and 'W' the shape {}: their ranks do not fit", ir::to_string(*in),
           ir::to_string(*weights));
  }
  std::vector<int64_t> kernel;
  for (size_t i = 2; i < weights->size(); ++i)
    kernel.push_back((*weights)[i].is_constant() ? (*weights)[i].value() : -1);
  const Shape out = blocked(windowed(c, plain, filters, kernel), block);
  if (c.has_input(2)) require_vector(c, 2, "B", filters);
  if (const Shape* added = c.shape(3)) {
    if (added->size() != out.size())
      c.fail("input 'Z' has the shape {}, expected {}", ir::to_string(*added), ir::to_string(out));
    for (size_t d = 0; d < out.size(); ++d)
      require_equal(c, (*added)[d], out[d], "sizes of input 'Z' and of the output");
  }
  c.set(0, c.dtype(0), out);
}

void infer_blocked_pool(InferContext& c) {
  const Shape* in = blocked_input(c, 0, "X");
  if (in == nullptr) return c.set(0, c.dtype(0));
  Shape out = windowed(c, Shape(in->begin(), in->end() - 1), (*in)[1]);
  out.push_back(in->back());
  c.set(0, c.dtype(0), out);
}

void infer_blocked_global_pool(InferContext& c) {
  const Shape* in = blocked_input(c, 0, "X");
  if (in == nullptr) return c.set(0, c.dtype(0));
  Shape out = *in;
  std::fill(out.begin() + 2, out.end() - 1, Dim(1));
  c.set(0, c.dtype(0), out);
}

bool decompose_to_blocked(Expansion& e) {
  Emitter emit(e);
  const ir::Fact& fact = e.fact(e.input(0));
  const int64_t rank = fact.rank(), block = e.attributes().get_int("block", 0);
  if (rank < 3 || !(*fact.shape)[1].is_constant()) return false;
  const int64_t channels = (*fact.shape)[1].value(), blocks = (channels + block - 1) / block;
  ValueId x = e.input(0);
  if (blocks * block != channels) {
    Emitter::Ints pads(2 * static_cast<size_t>(rank), 0);
    pads[static_cast<size_t>(rank) + 1] = blocks * block - channels;
    x = emit.op("Pad", {x, emit.int64s(pads)});
  }
  Emitter::Ints last{0}, shape(static_cast<size_t>(rank) - 1, 0), order{0, rank - 1};
  for (int64_t d = 2; d < rank; ++d) last.push_back(d);
  last.push_back(1);
  shape.insert(shape.end(), {blocks, block});
  for (int64_t d = 1; d + 1 < rank; ++d) order.push_back(d);
  order.push_back(rank);
  e.finish("Transpose", {emit.reshape(emit.transpose(x, last), shape)}, {{"perm", order}});
  return true;
}

bool decompose_from_blocked(Expansion& e) {
  Emitter emit(e);
  const ir::Fact& fact = e.fact(e.input(0));
  const int64_t rank = fact.rank() - 1, channels = e.attributes().get_int("channels", 0);
  if (rank < 3 || !(*fact.shape)[1].is_constant() || !fact.shape->back().is_constant()) return false;
  const int64_t held = (*fact.shape)[1].value() * fact.shape->back().value();
  Emitter::Ints last{0}, shape(static_cast<size_t>(rank) - 1, 0), order{0, rank - 1};
  for (int64_t d = 2; d < rank; ++d) last.push_back(d);
  last.insert(last.end(), {1, rank});
  shape.push_back(held);
  for (int64_t d = 1; d + 1 < rank; ++d) order.push_back(d);
  ValueId x = emit.transpose(emit.reshape(emit.transpose(e.input(0), last), shape), order);
  if (held != channels) x = emit.cut(x, 1, 0, channels);
  e.bind(0, x);
  return true;
}

ValueId from_blocked(Expansion& e, ValueId x, int64_t channels) {
  return e.emit("FromBlocked", {x}, {{"channels", channels}}, "onnxrun");
}

bool decompose_conv(Expansion& e) {
  const auto weights = e.fact(e.input(1)).dims();
  const ir::Fact& fact = e.fact(e.input(0));
  if (!weights || fact.rank() < 0) return false;
  ir::Attributes attributes = e.attributes();
  const int64_t block = attributes.get_int("block", 0);
  attributes.erase("block");
  drop_fused_activation(attributes);
  ValueId x = e.input(0);
  if (fact.rank() == static_cast<int64_t>(weights->size()) + 1)
    x = from_blocked(e, x, (*weights)[1] * attributes.get_int("group", 1));
  ValueId y = e.emit("Conv", {x, e.input(1), e.input(2)}, std::move(attributes));
  if (e.has_input(3)) y = e.emit("Add", {y, from_blocked(e, e.input(3), (*weights)[0])});
  y = FusedActivation::of_convolution(e.attributes()).emit(e, y);
  e.finish("ToBlocked", {y}, {{"block", block}}, "onnxrun");
  return true;
}

// A pool of every channel that the blocks hold.
bool decompose_pool(Expansion& e) {
  const ir::Fact& fact = e.fact(e.input(0));
  if (fact.rank() < 4 || !(*fact.shape)[1].is_constant() || !fact.shape->back().is_constant()) return false;
  const int64_t block = fact.shape->back().value(), held = (*fact.shape)[1].value() * block;
  if (held == 0) return false;
  const std::string_view name = e.source().op->name;
  const ValueId y = e.emit(name.substr(std::string_view("Blocked").size()), {from_blocked(e, e.input(0), held)},
                           ir::Attributes(e.attributes()));
  e.finish("ToBlocked", {y}, {{"block", block}}, "onnxrun");
  return true;
}

}  // namespace

void define_onnxrun_blocked(ir::OpTable& table) {
  const auto add = [&](const char* name, const char* inputs, const char* attributes, void (*infer)(InferContext&),
                       bool (*decompose)(Expansion&)) {
    table.add({.domain = "onnxrun",
               .name = name,
               .versions = {1},
               .signature = {.inputs = inputs, .outputs = "Y:T", .types = "T: floats", .attributes = attributes},
               .infer = infer,
               .decompose = decompose});
  };
  add("ToBlocked", "X:T", "block:int!", infer_to_blocked, decompose_to_blocked);
  add("FromBlocked", "X:T", "channels:int!", infer_from_blocked, decompose_from_blocked);
  // X may be plain where W has few channels; Z, of the output's shape, is added before the activation.
  add("BlockedConv", "X:T, W:T, B?:T, Z?:T",
      "activation:string, activation_params:floats, auto_pad:string, block:int!, dilations:ints, group:int, "
      "kernel_shape:ints, pads:ints, strides:ints",
      infer_blocked_conv, decompose_conv);
  add("BlockedMaxPool", "X:T",
      "auto_pad:string, ceil_mode:int, dilations:ints, kernel_shape:ints!, pads:ints, strides:ints", infer_blocked_pool,
      decompose_pool);
  add("BlockedAveragePool", "X:T",
      "auto_pad:string, ceil_mode:int, count_include_pad:int, dilations:ints, kernel_shape:ints!, pads:ints, "
      "strides:ints",
      infer_blocked_pool, decompose_pool);
  add("BlockedGlobalAveragePool", "X:T", "", infer_blocked_global_pool, decompose_pool);
}

}  // namespace onnxrun::ops
