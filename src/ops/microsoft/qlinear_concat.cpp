// com.microsoft.QLinearConcat: 8-bit tensors of different scales joined along an axis in the scale of the result.
#include "base/shape.h"
#include "ir/op.h"
#include "ops/known_values.h"
#include "ops/quantization_inputs.h"

namespace onnxrun::ops {
namespace {

using ir::InferContext;
using ir::Shape;

// After Y_scale and Y_zero_point come triples of tensor, scale and zero point.
void infer_concat(InferContext& c) {
  if (c.input_count() < 5 || c.input_count() % 3 != 2)
    c.fail("expected Y_scale, Y_zero_point and then a tensor, a scale and a zero point for each part, got {} inputs",
           c.input_count());
  require_one_element(c, 0, "Y_scale");
  require_one_element(c, 1, "Y_zero_point");
  const ir::DType type = c.dtype(1);
  std::optional<Shape> out;
  bool complete = true;
  int64_t axis = 0;
  for (size_t i = 2; i < c.input_count(); i += 3) {
    const auto wrong = [](ir::DType is, ir::DType wanted) {
      return is != ir::DType::kNone && wanted != ir::DType::kNone && is != wanted;
    };
    if (wrong(c.dtype(i), type) || wrong(c.dtype(i + 2), type))
      c.fail("input {} and its zero point are {} and {}, Y_zero_point is {}", i, base::dtype_name(c.dtype(i)),
             base::dtype_name(c.dtype(i + 2)), base::dtype_name(type));
    if (wrong(c.dtype(i + 1), ir::DType::kFloat32))
      c.fail("the scale of input {} is {}, expected float32", i, base::dtype_name(c.dtype(i + 1)));
    require_one_element(c, i + 1, "scale");
    require_one_element(c, i + 2, "zero point");
    const Shape* shape = c.shape(i);
    if (shape == nullptr) {
      complete = false;
      continue;
    }
    if (!out) {
      if (shape->empty()) c.fail("input {} is a scalar, expected one dimension or more", i);
      axis = base::normalize_axis(c.attributes().get_int("axis", 1), c.rank(i));
      out = *shape;
      continue;
    }
    if (shape->size() != out->size())
      c.fail("input {} is {}, an earlier one has {} dims", i, c.input(i).to_string(), out->size());
    for (size_t d = 0; d < out->size(); ++d) {
      ir::Dim& dim = (*out)[d];
      if (static_cast<int64_t>(d) == axis) dim = dim + (*shape)[d];
      else dim = unify(c, dim, (*shape)[d], "the dims of 'inputs' beside the joined one");
    }
  }
  if (out && !complete) (*out)[static_cast<size_t>(axis)] = ir::Dim();
  c.set(0, type, std::move(out));
}

bool decompose_concat(ir::Expansion& e) {
  std::vector<ir::ValueId> parts;
  for (size_t i = 2; i < e.source().inputs.size(); i += 3)
    parts.push_back(dequantized(e, e.input(i), e.input(i + 1), e.input(i + 2)));
  const ir::ValueId joined = e.emit("Concat", std::move(parts), {{"axis", e.attributes().get_int("axis", 1)}});
  finish_quantized(e, joined, e.input(0), e.input(1), ir::DType::kNone);
  return true;
}

}  // namespace

void define_microsoft_qlinear_concat(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "QLinearConcat",
             .versions = {1},
             .signature = {.inputs = "Y_scale:float32, Y_zero_point:T, inputs*~:any",
                           .outputs = "Y:T",
                           .types = "T: int8 uint8",
                           .attributes = "axis:int!"},
             .infer = infer_concat,
             .decompose = decompose_concat});
}

}  // namespace onnxrun::ops
