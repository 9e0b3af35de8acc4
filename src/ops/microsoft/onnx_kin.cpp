// Operators of com.microsoft that ONNX has too, with other names of attributes and looser shapes: Unique, GridSample, ExpandDims, GatherND, Pad, Range,
// Trilu, SampleOp, UnfoldTensor and ConvTransposeWithDynamicPads.
#include <algorithm>

#include "ir/op.h"
#include "ops/emitter.h"

namespace onnxrun::ops {
namespace {

using ir::Expansion;
using ir::ValueId;

void lift_unique(Expansion& e, int) {
  const auto results = e.emit_many("Unique", {e.input(0)}, 4, {{"sorted", int64_t{0}}});
  e.bind(0, results[0]);
  e.bind(1, results[2]);
  e.bind(2, results[3]);
}

void lift_grid_sample(Expansion& e, int) {
  const std::string mode = e.attributes().get_string("mode", "bilinear");
  e.attributes().set("mode", std::string(mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode));
  e.become("", "GridSample");
  e.keep();
}

void lift_expand_dims(Expansion& e, int) {
  Emitter emit(e);
  e.finish("Unsqueeze", {e.input(0), emit.reshape(emit.cast(e.input(1), ir::DType::kInt64), {1})});
}

void lift_gather_nd(Expansion& e, int) {
  Emitter emit(e);
  e.finish("GatherND", {e.input(0), emit.cast(e.input(1), ir::DType::kInt64)});
}

void lift_pad(Expansion& e, int) {
  Emitter emit(e);
  e.finish("Pad",
           {e.input(0), emit.reshape(e.input(1), {-1}), e.has_input(2) ? emit.reshape(e.input(2), {}) : ir::kNone},
           {{"mode", e.attributes().get_string("mode", "constant")}});
}

void lift_range(Expansion& e, int) {
  Emitter emit(e);
  const auto scalar = [&](size_t i) { return emit.reshape(e.input(i), {}); };
  e.finish("Range", {scalar(0), scalar(1), e.has_input(2) ? scalar(2) : emit.like(1, e.input(0))});
}

void lift_trilu(Expansion& e, int) {
  e.become("", "Trilu");
  e.keep();
}

void lift_sample(Expansion& e, int) { e.finish("Identity", {e.input(0)}); }

// Slices of `size` elements along `dim`, `step` apart, the elements of a slice last.
void lift_unfold(Expansion& e, int) {
  Emitter emit(e);
  const ValueId x = e.input(0);
  const int64_t rank = emit.rank(x, "input"), size = e.attributes().get_int("size", 0),
                step = e.attributes().get_int("step", 1);
  int64_t dim = e.attributes().get_int("dim", -1);
  if (size < 1 || step < 1) e.fail("attributes 'size' and 'step' must be positive, got {} and {}", size, step);
  if (dim < -rank || dim >= std::max<int64_t>(rank, 1))
    e.fail("attribute 'dim' is {}, beyond the rank {} of 'input'", dim, rank);
  if (rank == 0) e.fail("'input' must have one dimension or more");
  if (dim < 0) dim += rank;
  const ValueId count =
      emit.add(emit.div(emit.sub(emit.dim(x, dim), emit.int64s({size})), emit.int64s({step})), emit.int64s({1}));
  const ValueId starts = emit.unsqueeze(emit.mul(emit.count_up(count), emit.int64(step)), {1});
  const ValueId slices = emit.op("Gather", {x, emit.add(starts, emit.count_up(emit.int64s({size})))}, {{"axis", dim}});
  Emitter::Ints order;
  for (int64_t i = 0; i <= rank; ++i)
    if (i != dim + 1) order.push_back(i);
  order.push_back(dim + 1);
  e.bind(0, emit.transpose(slices, order));
}

// The pads are cut off the output of a transposed convolution without any.
void lift_conv_transpose(Expansion& e, int) {
  Emitter emit(e);
  const bool padded = e.has_input(2) && e.attributes().get_string("auto_pad", "NOTSET") == "NOTSET";
  ir::Attributes attributes = e.attributes();
  const ValueId y = emit.op("ConvTranspose", {e.input(0), e.input(1), e.input(3)}, std::move(attributes));
  if (!padded) return e.bind(0, y);
  const int64_t rank = emit.rank(e.input(0), "X");
  if (rank < 3) e.fail("'X' must have rank 3 or more, got {}", e.fact(e.input(0)).to_string());
  Emitter::Ints axes;
  for (int64_t i = 2; i < rank; ++i) axes.push_back(i);
  const ValueId begin = emit.cut(e.input(2), 0, 0, rank - 2), end = emit.cut(e.input(2), 0, rank - 2, 2 * (rank - 2));
  e.finish("Slice", {y, begin, emit.sub(emit.dims(y, 2, rank), end), emit.int64s(axes)});
}

}  // namespace

void define_microsoft_onnx_kin(ir::OpTable& table) {
  const auto add = [&](const char* name, ir::OpSignature signature, void (*lift)(Expansion&, int)) {
    table.add({.domain = "com.microsoft",
               .name = name,
               .versions = {1},
               .signature = signature,
               .infer = infer_lifted,
               .lift = lift});
  };
  add("Unique", {.inputs = "x:T", .outputs = "y:T, idx:int64, counts:int64", .types = "T: all"}, lift_unique);
  add("GridSample",
      {.inputs = "X:T, Grid:T",
       .outputs = "Y:T",
       .types = "T: all",
       .attributes = "align_corners:int, mode:string, padding_mode:string"},
      lift_grid_sample);
  add("ExpandDims", {.inputs = "X:T, axis:int32", .outputs = "Y:T", .types = "T: all"}, lift_expand_dims);
  add("GatherND", {.inputs = "data:T, indices:I", .outputs = "output:T", .types = "T: all | I: int32 int64"},
      lift_gather_nd);
  add("Pad",
      {.inputs = "data:T, pads:int64, value?:T",
       .outputs = "output:T",
       .types = "T: floats",
       .attributes = "mode:string"},
      lift_pad);
  add("Range",
      {.inputs = "start:T, limit:T, delta?:T", .outputs = "Y:T", .types = "T: float32 float64 int16 int32 int64"},
      lift_range);
  add("Trilu", {.inputs = "X:T, k?:int64", .outputs = "Y:T", .types = "T: all", .attributes = "upper:int"}, lift_trilu);
  add("SampleOp", {.inputs = "X:T", .outputs = "Y:T", .types = "T: all"}, lift_sample);
  add("UnfoldTensor",
      {.inputs = "input:T", .outputs = "output:T", .types = "T: all", .attributes = "dim:int, size:int!, step:int"},
      lift_unfold);
  add("ConvTransposeWithDynamicPads",
      {.inputs = "X:T, W:T, Pads?:int64, B?:T",
       .outputs = "Y:T",
       .types = "T: floats",
       .attributes =
           "auto_pad:string, dilations:ints, group:int, kernel_shape:ints, output_padding:ints, strides:ints"},
      lift_conv_transpose);
}

}  // namespace onnxrun::ops
