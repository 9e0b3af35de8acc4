// com.microsoft.RotaryEmbedding and MRotaryEmbedding: ONNX's RotaryEmbedding with positions that count from an offset, or three of them a token.
#include "ir/op.h"
#include "ops/emitter.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

// Makes output 0 the rotation of X by the given caches; `positions` absent: the caches hold a row for each token.
void finish_rotation(Expansion& e, ValueId cos, ValueId sin, ValueId positions) {
  Emitter emit(e);
  const ValueId x = e.input(0);
  const int64_t rank = emit.rank(x, "input");
  const int64_t heads = e.attributes().get_int("num_heads", 0),
                rotated = e.attributes().get_int("rotary_embedding_dim", 0);
  ir::Attributes attributes = {{"interleaved", e.attributes().get_int("interleaved", 0)},
                               {"rotary_embedding_dim", rotated}};
  if (rank == 4 || heads > 0) {
    if (rank == 3) attributes.set("num_heads", heads);
    return e.finish("RotaryEmbedding", {x, cos, sin, positions}, std::move(attributes));
  }
  if (rank != 3) e.fail("'input' must have rank 3 or 4, got {}", e.fact(x).to_string());
  if (rotated > 0) e.fail("rotary_embedding_dim needs the attribute num_heads");
  // The head size is twice a row of the caches.
  const ValueId head = emit.mul(emit.dim(cos, -1), emit.int64s({2}));
  const ValueId split = emit.op("Reshape", {x, emit.concat({emit.int64s({0, 0, -1}), head}, 0)});
  const ValueId turned =
      emit.op("RotaryEmbedding", {emit.transpose(split, {0, 2, 1, 3}), cos, sin, positions}, std::move(attributes));
  e.finish("Reshape", {emit.transpose(turned, {0, 2, 1, 3}), emit.shape(x)});
}

ValueId token_axis(Emitter& emit, ValueId x) { return emit.dim(x, emit.rank(x, "input") == 4 ? 2 : 1); }

void lift_rotary(Expansion& e, int) {
  Emitter emit(e);
  ValueId positions = e.input(1);
  if (emit.rank(positions, "position_ids") < 2) {
    const ValueId counted = emit.add(emit.count_up(token_axis(emit, e.input(0))), positions);
    positions =
        emit.op("Expand", {emit.unsqueeze(counted, {0}), emit.concat({emit.dim(e.input(0), 0), emit.int64s({1})}, 0)});
  }
  finish_rotation(e, e.input(2), e.input(3), positions);
}

// The rows of each token's temporal, height and width position, of which every pair of elements takes one.
ValueId mixed_rows(Expansion& e, ValueId cache, const std::vector<int64_t>& section, bool interleaved) {
  Emitter emit(e);
  const int64_t half = section[0] + section[1] + section[2];
  std::vector<int64_t> source(static_cast<size_t>(half), 0);
  for (int64_t i = 0; i < half; ++i) {
    int64_t& of = source[static_cast<size_t>(i)];
    if (!interleaved) of = i < section[0] ? 0 : i < section[0] + section[1] ? 1 : 2;
    else if (i % 3 != 0 && i < section[static_cast<size_t>(i % 3)] * 3) of = i % 3;
  }
  const ValueId rows = emit.op("Gather", {cache, e.input(1)}, {{"axis", int64_t{0}}});  // [3, batch, tokens, half]
  ir::Tensor height(ir::DType::kBool, {half}), width(ir::DType::kBool, {half});
  for (int64_t i = 0; i < half; ++i) {
    height.mutable_data<bool>()[i] = source[static_cast<size_t>(i)] == 1;
    width.mutable_data<bool>()[i] = source[static_cast<size_t>(i)] == 2;
  }
  const ValueId time_or_height = emit.where(e.constant(height), emit.pick(rows, 0, 1), emit.pick(rows, 0, 0));
  return emit.where(e.constant(width), emit.pick(rows, 0, 2), time_or_height);
}

void lift_mrotary(Expansion& e, int) {
  const std::vector<int64_t> section = e.attributes().get_ints("mrope_section");
  if (section.size() != 3 || section[0] < 0 || section[1] < 0 || section[2] < 0 || section[0] > (1 << 20) ||
      section[1] > (1 << 20) || section[2] > (1 << 20))
    e.fail("attribute 'mrope_section' must be three numbers from 0 on");
  const int64_t layout = e.attributes().get_int("mrope_layout", 0);
  if (layout != 0 && layout != 1) e.fail("attribute 'mrope_layout' must be 0 or 1, got {}", layout);
  finish_rotation(e, mixed_rows(e, e.input(2), section, layout == 1), mixed_rows(e, e.input(3), section, layout == 1),
                  ir::kNone);
}

}  // namespace

void define_microsoft_rotary_embedding(ir::OpTable& table) {
  const auto add = [&](const char* name, const char* attributes, void (*lift)(Expansion&, int)) {
    table.add({.domain = "com.microsoft",
               .name = name,
               .versions = {1},
               .signature = {.inputs = "input:T, position_ids:int64, cos_cache:T, sin_cache:T",
                             .outputs = "output:T",
                             .types = "T: float32 float16 bfloat16",
                             .attributes = attributes},
               .infer = infer_lifted,
               .lift = lift});
  };
  add("RotaryEmbedding",
      "interleaved:int, is_packed_batching:int, num_heads:int, rotary_embedding_dim:int, scale:float", lift_rotary);
  add("MRotaryEmbedding",
      "interleaved:int, is_packed_batching:int, mrope_layout:int, mrope_section:ints!, num_heads:int, "
      "rotary_embedding_dim:int, scale:float",
      lift_mrotary);
}

}  // namespace onnxrun::ops
