// com.microsoft.nchwc: what ONNX Runtime saves after it has blocked the channels of convolutions, as ordinary operators.
//
// A blocked tensor [N, C, H, W] is kept as the ordinary tensor of that shape, with C a multiple of the block as in the file; only its order in memory was
// another. Weights are stored blocked and are put back in order. The file does not say the block's size: it is that of the machine it was
// made on, 16 with AVX-512 or on Arm and 8 otherwise, and as ONNX Runtime we take it to be this one.
#include "ir/op.h"
#include "ops/channels_last.h"
#include "ops/emitter.h"
#include "ops/fused_activation.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

int64_t machine_block() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") ? 16 : 8;
#else
  return 16;
#endif
}

// Weights [O, I, spatial…] that are stored as [O/b, I, spatial…, b], or as [O/b, I/b, spatial…, b, b] (input before output channels).
ValueId plain_weights(Emitter& emit, ValueId w, const std::vector<int64_t>& dims, int64_t block, bool inputs_blocked) {
  const auto spatial = static_cast<int64_t>(dims.size()) - 2;
  Emitter::Ints stored = {dims[0] / block, inputs_blocked ? dims[1] / block : dims[1]}, order;
  stored.insert(stored.end(), dims.begin() + 2, dims.end());
  if (inputs_blocked) stored.push_back(block);
  stored.push_back(block);
  const int64_t last = static_cast<int64_t>(stored.size()) - 1;
  order = inputs_blocked ? Emitter::Ints{0, last, 1, last - 1} : Emitter::Ints{0, last, 1};
  for (int64_t i = 0; i < spatial; ++i) order.push_back(2 + i);
  return emit.reshape(emit.transpose(emit.reshape(w, stored), order), dims);
}

void lift_conv(Expansion& e, int) {
  Emitter emit(e);
  const auto dims = e.fact(e.input(1)).dims();
  if (!dims || dims->size() < 3)
    e.fail("the shape of the blocked weights 'W' must be known, it is {}", e.fact(e.input(1)).to_string());
  const int64_t group = e.attributes().get_int("group", 1);
  int64_t block = machine_block();
  if ((*dims)[0] % block != 0) block = 8;
  if ((*dims)[0] % block != 0) e.fail("the {} filters of 'W' are no multiple of a block of channels", (*dims)[0]);
  // Few channels, and those of their own group each, are not blocked.
  const bool inputs_blocked = group > 1 ? (*dims)[1] != 1 : (*dims)[1] >= block;
  if (inputs_blocked && (*dims)[1] % block != 0)
    e.fail("the {} channels of 'W' are no multiple of a block of {} channels", (*dims)[1], block);
  ir::Attributes attributes = e.attributes();
  drop_fused_activation(attributes);
  ValueId y = emit.op("Conv", {e.input(0), plain_weights(emit, e.input(1), *dims, block, inputs_blocked), e.input(2)},
                      std::move(attributes));
  if (e.has_input(3)) y = emit.add(y, e.input(3));
  FusedActivation::of_convolution(e.attributes()).finish(e, y);
}

int64_t known_channels(Expansion& e, ValueId x) {
  const auto& shape = e.fact(x).shape;
  if (!shape || shape->size() < 2 || !(*shape)[1].is_constant())
    e.fail("the number of channels must be known, the input is {}", e.fact(x).to_string());
  return (*shape)[1].value();
}

void lift_reorder_input(Expansion& e, int) {
  Emitter emit(e);
  ValueId x = e.input(0);
  if (e.attributes().get_int("channels_last", 0) != 0) x = to_channels_first(e, x);
  const int64_t missing = -known_channels(e, x) & (machine_block() - 1);
  if (missing == 0) return e.bind(0, x);
  Emitter::Ints pads(2 * static_cast<size_t>(emit.rank(x, "X")), 0);
  pads[pads.size() / 2 + 1] = missing;
  e.finish("Pad", {x, emit.int64s(pads)});
}

void lift_reorder_output(Expansion& e, int) {
  Emitter emit(e);
  ValueId x = e.input(0);
  const int64_t channels = e.attributes().get_int("channels", 0);
  if (channels < 1) e.fail("attribute 'channels' must be positive, got {}", channels);
  if (known_channels(e, x) != channels) x = emit.cut(x, 1, 0, channels);
  e.bind(0, e.attributes().get_int("channels_last", 0) != 0 ? to_channels_last(e, x) : x);
}

void lift_same(Expansion& e, int) {
  e.become("", e.source().op->name);
  e.keep();
}

void lift_upsample(Expansion& e, int) {
  Emitter emit(e);
  const std::vector<int64_t> scales = e.attributes().get_ints("scales");
  const std::string mode = e.attributes().get_string("mode", "nearest");
  ir::Attributes attributes = {{"mode", mode}, {"coordinate_transformation_mode", std::string("asymmetric")}};
  if (mode == "nearest") attributes.set("nearest_mode", std::string("floor"));
  else
    attributes.set("coordinate_transformation_mode",
                   e.attributes().get_string("coordinate_transformation_mode", "asymmetric"));
  const std::vector<float> factors(scales.begin(), scales.end());
  e.finish("Resize", {e.input(0), ir::kNone, e.constant(ir::Tensor::vector<float>(factors))}, std::move(attributes));
}

}  // namespace

void define_microsoft_nchwc(ir::OpTable& table) {
  const auto add = [&](const char* name, const char* inputs, const char* attributes, void (*lift)(Expansion&, int)) {
    table.add({.domain = "com.microsoft.nchwc",
               .name = name,
               .versions = {1},
               .signature = {.inputs = inputs, .outputs = "Y:T", .types = "T: floats", .attributes = attributes},
               .infer = infer_lifted,
               .lift = lift});
  };
  add("Conv", "X:T, W:T, B?:T, Sum?:T",
      "activation:string, activation_params:floats, auto_pad:string, dilations:ints, group:int, kernel_shape:ints, "
      "pads:ints, strides:ints",
      lift_conv);
  add("MaxPool", "X:T",
      "auto_pad:string, ceil_mode:int, dilations:ints, kernel_shape:ints!, pads:ints, storage_order:int, strides:ints",
      lift_same);
  add("AveragePool", "X:T",
      "auto_pad:string, ceil_mode:int, count_include_pad:int, dilations:ints, kernel_shape:ints!, pads:ints, "
      "strides:ints",
      lift_same);
  add("GlobalMaxPool", "X:T", "", lift_same);
  add("GlobalAveragePool", "X:T", "", lift_same);
  add("ReorderInput", "X:T", "channels_last:int", lift_reorder_input);
  add("ReorderOutput", "X:T", "channels:int, channels_last:int", lift_reorder_output);
  add("Upsample", "X:T", "coordinate_transformation_mode:string, mode:string, scales:ints", lift_upsample);
}

}  // namespace onnxrun::ops
