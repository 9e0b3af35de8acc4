// ai.onnx.ml.SVMClassifier and SVMRegressor: support vector machines as LIBSVM has them.
#include "ops/attributes/svm.h"
#include "base/checked.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/labels.h"
#include "ops/attributes/post_transform.h"
#include "ops/feature_rows.h"

namespace onnxrun::ops {
namespace {

using ir::InferContext;

// Checks that `count` elements are so many a feature of 'X'.
void check_width(const InferContext& c, const char* attribute, int64_t vectors, const ir::Dim& features) {
  const auto count = static_cast<int64_t>(attribute_length(c, attribute));
  if (count % vectors != 0 || (features.is_constant() && count / vectors != features.value()))
    c.fail("'{}' has {} elements, which are not {} for each feature of 'X' {}", attribute, count, vectors,
           c.input(0).to_string());
}

void infer_svm_classifier(InferContext& c) {
  const auto& a = c.attributes();
  const Labels labels = read_labels(a, "classlabels_ints", "classlabels_strings");
  const auto classes = static_cast<int64_t>(labels.size());
  if (classes > 65535) c.fail("{} classes are more than 65535", classes);
  read_post_transform(a);
  read_svm_kernel(a);
  const auto [rows, features] = feature_rows(c);
  int64_t vectors = 0;
  for (int64_t count : a.get_ints("vectors_per_class")) {
    if (count < 0) c.fail("'vectors_per_class' has {}", count);
    vectors = base::checked_add(vectors, count);
  }
  const auto coefficients = static_cast<int64_t>(attribute_length(c, "coefficients")),
             rho = static_cast<int64_t>(attribute_length(c, "rho"));
  const size_t prob_a = attribute_length(c, "prob_a");
  if (prob_a != attribute_length(c, "prob_b"))
    c.fail("'prob_a' has {} elements, 'prob_b' has {}", prob_a, attribute_length(c, "prob_b"));
  int64_t columns = classes;
  if (vectors == 0) {
    check_width(c, "coefficients", classes, features);
    if (rho < 1) c.fail("'rho' must have an element");
  } else {
    if (static_cast<int64_t>(attribute_length(c, "vectors_per_class")) != classes)
      c.fail("'vectors_per_class' has {} elements for {} classes", attribute_length(c, "vectors_per_class"), classes);
    if (classes < 2) c.fail("support vectors need two classes or more");
    const int64_t pairs = classes * (classes - 1) / 2;
    if (coefficients != base::checked_mul(classes - 1, vectors))
      c.fail("'coefficients' has {} elements, but {} classes and {} support vectors need {}", coefficients, classes,
             vectors, (classes - 1) * vectors);
    check_width(c, "support_vectors", vectors, features);
    if (rho != pairs) c.fail("'rho' has {} elements for {} pairs of classes", rho, pairs);
    if (prob_a != 0 && static_cast<int64_t>(prob_a) != pairs)
      c.fail("'prob_a' has {} elements for {} pairs of classes", prob_a, pairs);
    if (prob_a == 0) columns = classes == 2 ? 2 : pairs;
  }
  set_classes(c, labels.are_strings() ? ir::DType::kString : ir::DType::kInt64, rows, columns);
}

void infer_svm_regressor(InferContext& c) {
  const auto& a = c.attributes();
  read_post_transform(a);
  read_svm_kernel(a);
  const auto [rows, features] = feature_rows(c);
  const int64_t vectors = a.get_int("n_supports", 0);
  if (vectors < 0) c.fail("'n_supports' is {}", vectors);
  if (vectors == 0) {
    check_width(c, "coefficients", 1, features);
  } else {
    if (static_cast<int64_t>(attribute_length(c, "coefficients")) != vectors)
      c.fail("'coefficients' has {} elements for {} support vectors", attribute_length(c, "coefficients"), vectors);
    check_width(c, "support_vectors", vectors, features);
  }
  if (attribute_length(c, "rho") < 1) c.fail("'rho' must have an element");
  c.set(0, ir::DType::kFloat32, ir::Shape{rows, 1});
}

}  // namespace

void define_ml_svm(ir::OpTable& table) {
  table.add({.domain = "ai.onnx.ml",
             .name = "SVMClassifier",
             .versions = {1},
             .signature = {.inputs = "X:T1",
                           .outputs = "Y:T2, Z?:float32",
                           .types = "T1: float32 float64 int64 int32 | T2: string int64",
                           .attributes = "classlabels_ints:ints, classlabels_strings:strings, coefficients:floats, "
                                         "kernel_params:floats, kernel_type:string, "
                                         "post_transform:string, prob_a:floats, prob_b:floats, rho:floats, "
                                         "support_vectors:floats, vectors_per_class:ints"},
             .infer = infer_svm_classifier});
  table.add({.domain = "ai.onnx.ml",
             .name = "SVMRegressor",
             .versions = {1},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:float32",
                           .types = "T: float32 float64 int64 int32",
                           .attributes = "coefficients:floats, kernel_params:floats, kernel_type:string, "
                                         "n_supports:int, one_class:int, post_transform:string, "
                                         "rho:floats, support_vectors:floats"},
             .infer = infer_svm_regressor});
}

}  // namespace onnxrun::ops
