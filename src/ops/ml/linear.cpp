// ai.onnx.ml.LinearClassifier and LinearRegressor: scores that are linear in the features.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/labels.h"
#include "ops/attributes/post_transform.h"
#include "ops/feature_rows.h"

namespace onnxrun::ops {
namespace {

using ir::InferContext;

// The coefficients must be as many for each of `rows` rows as there are features.
void check_coefficients(const InferContext& c, size_t rows, const ir::Dim& features) {
  const size_t count = attribute_length(c, "coefficients");
  const bool fits = features.is_constant() ? static_cast<int64_t>(count % rows) == 0 &&
                                                 static_cast<int64_t>(count / rows) == features.value()
                                           : count % rows == 0;
  if (!fits)
    c.fail("'coefficients' has {} elements, which are not {} for each feature of 'X' {}", count, rows,
           c.input(0).to_string());
}

void infer_linear_classifier(InferContext& c) {
  const auto& a = c.attributes();
  const Labels labels = read_labels(a, "classlabels_ints", "classlabels_strings");
  read_post_transform(a);
  const auto [rows, features] = feature_rows(c);
  const size_t intercepts = attribute_length(c, "intercepts"), coefficients = attribute_length(c, "coefficients");
  // Two classes may share one row of coefficients, that of the second.
  if (labels.size() == 0) c.fail("there are no labels");
  size_t scores = intercepts;
  if (scores == 0 && features.is_constant() && features.value() > 0) {
    scores = coefficients / static_cast<size_t>(features.value());
    if (scores == 0) c.fail("'coefficients' has {} elements for {} features", coefficients, features.value());
  }
  if (scores != 0) {
    if (scores != labels.size() && !(scores == 1 && labels.size() == 2))
      c.fail("there are {} labels for {} rows of coefficients", labels.size(), scores);
    check_coefficients(c, scores, features);
  }
  set_classes(c, labels.are_strings() ? ir::DType::kString : ir::DType::kInt64, rows,
              static_cast<int64_t>(labels.size()));
}

void infer_linear_regressor(InferContext& c) {
  const auto& a = c.attributes();
  read_post_transform(a);
  const int64_t targets = a.get_int("targets", 1);
  if (targets < 1) c.fail("'targets' is {}, but must be 1 or more", targets);
  const auto [rows, features] = feature_rows(c);
  const size_t intercepts = attribute_length(c, "intercepts");
  if (intercepts != 0 && static_cast<int64_t>(intercepts) != targets)
    c.fail("'intercepts' has {} elements for {} targets", intercepts, targets);
  check_coefficients(c, static_cast<size_t>(targets), features);
  c.set(0, ir::DType::kFloat32, ir::Shape{rows, targets});
}

}  // namespace

void define_ml_linear(ir::OpTable& table) {
  table.add(
      {.domain = "ai.onnx.ml",
       .name = "LinearClassifier",
       .versions = {1},
       .signature = {.inputs = "X:T1",
                     .outputs = "Y:T2, Z?:float32",
                     .types = "T1: float32 float64 int64 int32 | T2: string int64",
                     .attributes =
                         "classlabels_ints:ints, classlabels_strings:strings, coefficients:floats!, intercepts:floats, "
                         "multi_class:int, post_transform:string"},
       .infer = infer_linear_classifier});
  table.add({.domain = "ai.onnx.ml",
             .name = "LinearRegressor",
             .versions = {1},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:float32",
                           .types = "T: float32 float64 int64 int32",
                           .attributes = "coefficients:floats, intercepts:floats, post_transform:string, targets:int"},
             .infer = infer_linear_regressor});
}

}  // namespace onnxrun::ops
