// LayerNormalization (ONNX, opset 17), RMSNormalization (opset 23) and SimplifiedLayerNormalization, which exporters write in ONNX's domain.
#include <algorithm>

#include "base/shape.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using ir::DType;
using ir::InferContext;
using ir::Shape;

// Checks axis, scale and bias; the shape of a row's statistics is X's with the dims from `axis` on reduced to 1.
std::optional<Shape> statistics_shape(InferContext& c, std::string_view scale, size_t parameters) {
  const Shape* shape = c.shape(0);
  if (shape == nullptr) return std::nullopt;
  if (shape->empty()) c.fail("'X' must have rank 1 or more, got a scalar");
  const int64_t axis = base::normalize_axis(c.attributes().get_int("axis", -1), c.rank(0));
  for (size_t i = 1; i <= parameters; ++i) check_broadcasts_to(c, i, i == 1 ? scale : "B", *shape);
  Shape result = *shape;
  std::fill(result.begin() + axis, result.end(), ir::Dim(1));
  return result;
}

DType stash_type(InferContext& c) {
  const int64_t type = c.attributes().get_int("stash_type", 1);
  if (type != 1 && type != 10 && type != 11 && type != 16)
    c.fail("stash_type must be 1 (float32), 10 (float16), 11 (float64) or 16 (bfloat16), got {}", type);
  return static_cast<DType>(type);
}

void infer_layer_normalization(InferContext& c) {
  const auto statistics = statistics_shape(c, "Scale", 2);
  const DType stash = stash_type(c);
  c.set(0, c.dtype(0), c.input(0).shape);
  c.set(1, stash, statistics);
  c.set(2, stash, statistics);
}

void infer_rms_normalization(InferContext& c) {
  statistics_shape(c, "scale", 1);
  stash_type(c);
  c.set(0, c.dtype(1), c.input(0).shape);
}

bool decompose_simplified(ir::Expansion& e) {
  if (e.has_output(1)) return false;
  e.finish("RMSNormalization", {e.input(0), e.input(1)}, e.attributes());
  return true;
}

void infer_simplified(InferContext& c) {
  const auto statistics = statistics_shape(c, "scale", 1);
  c.set(0, c.dtype(1), c.input(0).shape);
  c.set(1, stash_type(c), statistics);
}

}  // namespace

void define_onnx_layer_normalization(ir::OpTable& table) {
  constexpr const char* kAttributes = "axis:int, epsilon:float, stash_type:int";
  // ONNX Runtime writes it into models of every opset.
  table.add({.domain = "",
             .name = "LayerNormalization",
             .versions = {1, 17},
             .signature = {.inputs = "X:T, Scale:T, B?:T",
                           .outputs = "Y:T, Mean?:U, InvStdDev?:U",
                           .types = "T: floats | U: floats",
                           .attributes = kAttributes},
             .infer = infer_layer_normalization,
             .lift = [](ir::Expansion& e, int) { e.keep(); },
             .lower = ir::lower_unchanged});
  table.add({.domain = "",
             .name = "RMSNormalization",
             .versions = {23},
             .signature = {.inputs = "X:T, scale:V",
                           .outputs = "Y:V",
                           .types = "T: floats | V: floats",
                           .attributes = kAttributes},
             .infer = infer_rms_normalization});
  table.add({.domain = "",
             .name = "SimplifiedLayerNormalization",
             .versions = {1},
             .signature = {.inputs = "X:T, scale:V",
                           .outputs = "Y:V, inv_std_var?:U",
                           .types = "T: floats | V: floats | U: floats",
                           .attributes = kAttributes},
             .flags = ir::kExtension,
             .infer = infer_simplified,
             .decompose = decompose_simplified});
}

}  // namespace onnxrun::ops
