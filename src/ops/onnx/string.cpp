// StringConcat, StringSplit (ONNX, opset 20) and StringNormalizer (opset 10).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::DType;
using ir::InferContext;
using ir::Shape;

void infer_concat(InferContext& c) { c.set(0, DType::kString, broadcast_inputs(c, 2)); }

void infer_split(InferContext& c) {
  if (c.attributes().get_int("maxsplit", 0) < 0)
    c.fail("maxsplit must not be negative, got {}", c.attributes().get_int("maxsplit", 0));
  c.set(0, DType::kString);
  c.set(1, DType::kInt64, c.input(0).shape);
  if (c.shape(0) == nullptr) return;
  Shape parts = *c.shape(0);
  parts.emplace_back();
  check_rank(c, parts.size());
  c.set(0, DType::kString, std::move(parts));
}

void infer_normalizer(InferContext& c) {
  const std::string action = c.attributes().get_string("case_change_action", "NONE");
  if (action != "NONE" && action != "LOWER" && action != "UPPER")
    c.fail("case_change_action must be NONE, LOWER or UPPER, got '{}'", action);
  c.set(0, DType::kString);
  const Shape* shape = c.shape(0);
  if (shape == nullptr) return;
  const bool fits =
      shape->size() == 1 || (shape->size() == 2 && (!shape->front().is_constant() || shape->front().value() == 1));
  if (!fits) c.fail("'X' must have the shape [C] or [1,C], got {}", c.input(0).to_string());
  c.set(0, DType::kString, shape->size() == 1 ? Shape{Dim()} : Shape{1, Dim()});
}

}  // namespace

void define_onnx_string(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "StringConcat",
             .versions = {20},
             .signature = {.inputs = "X:string, Y:string", .outputs = "Z:string"},
             .infer = infer_concat});
  table.add({.domain = "",
             .name = "StringSplit",
             .versions = {20},
             .signature = {.inputs = "X:string",
                           .outputs = "Y:string, Z:int64",
                           .attributes = "delimiter:string, maxsplit:int"},
             .flags = ir::kDataShape,
             .infer = infer_split});
  table.add({.domain = "",
             .name = "StringNormalizer",
             .versions = {10},
             .signature = {.inputs = "X:string",
                           .outputs = "Y:string",
                           .attributes =
                               "case_change_action:string, is_case_sensitive:int, locale:string, stopwords:strings"},
             .flags = ir::kDataShape,
             .infer = infer_normalizer});
}

}  // namespace onnxrun::ops
