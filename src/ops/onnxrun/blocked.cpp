// Operators on values whose channels are blocked: [N, C, D1, …] kept as [N, ceil(C / b), D1, …, b], where the lanes beyond C in the
// last block are zero. Convolutions and pools run fastest on it; the optimizer keeps regions of a graph in it.
#include "base/checked.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/blocked_shapes.h"
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

// 8-bit integers are kept unsigned where attribute `flip` says so: int8 becomes uint8 by adding 128, and back.
ir::DType moved_type(const InferContext& c) {
  const ir::DType type = c.dtype(0);
  if (c.attributes().get_int("flip", 0) == 0) return type;
  if (type == ir::DType::kInt8) return ir::DType::kUint8;
  if (type == ir::DType::kUint8) return ir::DType::kInt8;
  c.fail("attribute 'flip' is for 8-bit integers, input 'X' is {}", base::dtype_name(type));
}

// Between int8 and uint8.
ValueId flipped(Expansion& e, ValueId x) {
  if (e.attributes().get_int("flip", 0) == 0) return x;
  Emitter emit(e);
  const bool is_signed = e.fact(e.input(0)).dtype == ir::DType::kInt8;
  return emit.cast(emit.add(emit.cast(x, ir::DType::kInt32), emit.number(is_signed ? 128 : -128, ir::DType::kInt32)),
                   is_signed ? ir::DType::kUint8 : ir::DType::kInt8);
}

void infer_to_blocked(InferContext& c) {
  const int64_t block = block_of(c);
  const Shape* in = spatial_input(c, 0, "X");
  c.set(0, moved_type(c), in != nullptr ? std::optional(blocked_shape(*in, block)) : std::nullopt);
}

void infer_from_blocked(InferContext& c) {
  const int64_t channels = c.attributes().get_int("channels", 0);
  if (channels < 1) c.fail("attribute 'channels' is {}, expected at least 1", channels);
  const Shape* in = blocked_input(c, 0, "X");
  c.set(0, moved_type(c), in != nullptr ? std::optional(unblocked_shape(c, *in, Dim(channels), "X")) : std::nullopt);
}

void infer_blocked_conv(InferContext& c) {
  infer_blocked_convolution(c, {.weights = 1, .bias = 2, .added = 3}, c.dtype(0));
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

void infer_blocked_lrn(InferContext& c) {
  const int64_t size = c.attributes().get_int("size", 0);
  if (size < 1) c.fail("attribute 'size' is {}, expected at least 1", size);
  const Shape* in = blocked_input(c, 0, "X");
  c.set(0, c.dtype(0), in != nullptr ? std::optional(*in) : std::nullopt);
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
  e.bind(0, flipped(e, emit.transpose(emit.reshape(emit.transpose(x, last), shape), order)));
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
  e.bind(0, flipped(e, x));
  return true;
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
  const ValueId w = Emitter(e).cast(e.input(1), fact.dtype);
  ValueId y = e.emit("Conv", {x, w, e.input(2)}, std::move(attributes));
  if (e.has_input(3)) y = e.emit("Add", {y, from_blocked(e, e.input(3), (*weights)[0])});
  y = FusedActivation::of_convolution(e.attributes()).emit(e, y);
  e.finish("ToBlocked", {y}, {{"block", block}}, "onnxrun");
  return true;
}

// ONNX's operator on every channel that the blocks hold.
bool decompose_by_name(Expansion& e) {
  const ir::Fact& fact = e.fact(e.input(0));
  if (fact.rank() < 4 || !(*fact.shape)[1].is_constant() || !fact.shape->back().is_constant()) return false;
  const int64_t block = fact.shape->back().value(), held = base::checked_mul((*fact.shape)[1].value(), block);
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
                       bool (*decompose)(Expansion&), const char* output = "Y:T",
                       const char* types = "T: floats int8 uint8") {
    table.add({.domain = "onnxrun",
               .name = name,
               .versions = {1},
               .signature = {.inputs = inputs, .outputs = output, .types = types, .attributes = attributes},
               .infer = infer,
               .decompose = decompose});
  };
  add("ToBlocked", "X:T", "block:int!, flip:int", infer_to_blocked, decompose_to_blocked, "Y:U",
      "T: floats int8 uint8 | U: floats int8 uint8");
  add("FromBlocked", "X:T", "channels:int!, flip:int", infer_from_blocked, decompose_from_blocked, "Y:U",
      "T: floats int8 uint8 | U: floats int8 uint8");
  // X may be plain where W has few channels; Z, of the output's shape, is added before the activation. W may be of a narrower type: where that is
  // bfloat16, X may be rounded to it.
  add("BlockedConv", "X:T, W:U, B?:T, Z?:T",
      "activation:string, activation_params:floats, auto_pad:string, block:int!, dilations:ints, group:int, "
      "kernel_shape:ints, pads:ints, strides:ints",
      infer_blocked_conv, decompose_conv, "Y:T", "T: floats | U: floats");
  add("BlockedMaxPool", "X:T",
      "auto_pad:string, ceil_mode:int, dilations:ints, kernel_shape:ints!, pads:ints, strides:ints", infer_blocked_pool,
      decompose_by_name);
  add("BlockedAveragePool", "X:T",
      "auto_pad:string, ceil_mode:int, count_include_pad:int, dilations:ints, kernel_shape:ints!, pads:ints, "
      "strides:ints",
      infer_blocked_pool, decompose_by_name, "Y:T", "T: floats");
  // Lanes beyond the last channel must be zero.
  add("BlockedLRN", "X:T", "alpha:float, beta:float, bias:float, size:int!", infer_blocked_lrn, decompose_by_name,
      "Y:T", "T: floats");
  add("BlockedGlobalAveragePool", "X:T", "", infer_blocked_global_pool, decompose_by_name, "Y:T", "T: floats");
}

}  // namespace onnxrun::ops
