// ai.onnx.ml.TreeEnsemble, TreeEnsembleClassifier and TreeEnsembleRegressor. The trees themselves are checked by the kernels that pack them.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/labels.h"
#include "ops/attributes/post_transform.h"
#include "ops/feature_rows.h"

namespace onnxrun::ops {
namespace {

using ir::DType;
using ir::InferContext;

int64_t read_targets(InferContext& c) {
  const int64_t targets = c.attributes().get_int("n_targets", 0);
  if (targets < 1) c.fail("'n_targets' is {}, but must be 1 or more", targets);
  return targets;
}

void infer_classifier(InferContext& c) {
  const Labels labels = read_labels(c.attributes(), "classlabels_int64s", "classlabels_strings");
  read_post_transform(c.attributes());
  set_classes(c, labels.are_strings() ? DType::kString : DType::kInt64, feature_rows(c).rows,
              static_cast<int64_t>(labels.size()));
}

void infer_regressor(InferContext& c) {
  read_post_transform(c.attributes());
  c.set(0, DType::kFloat32, ir::Shape{feature_rows(c).rows, read_targets(c)});
}

void infer_tree_ensemble(InferContext& c) {
  const auto& a = c.attributes();
  if (const int64_t transform = a.get_int("post_transform", 0); transform < 0 || transform > 4)
    c.fail("'post_transform' is {}, but must be 0 (none), 1 (softmax), 2 (logistic), 3 (softmax_zero) or 4 (probit)",
           transform);
  for (const char* name : {"nodes_splits", "leaf_weights", "membership_values"}) {
    const DType dtype = a.get_tensor(name).dtype();
    if (a.has(name) && c.dtype(0) != DType::kNone && dtype != c.dtype(0))
      c.fail("'{}' must have the type of 'X' {}, got {}", name, c.input(0).to_string(), base::dtype_name(dtype));
  }
  c.set(0, c.dtype(0), ir::Shape{feature_rows(c).rows, read_targets(c)});
}

// Attributes of nodes that have ids, shared by the two older operators.
#define ONNXRUN_NODES_BY_ID                                                                                  \
  "nodes_falsenodeids:ints, nodes_featureids:ints, nodes_hitrates:floats, nodes_hitrates_as_tensor:tensor, " \
  "nodes_missing_value_tracks_true:ints, nodes_modes:strings, nodes_nodeids:ints, nodes_treeids:ints, "      \
  "nodes_truenodeids:ints, "                                                                                 \
  "nodes_values:floats, nodes_values_as_tensor:tensor, base_values:floats, base_values_as_tensor:tensor, "   \
  "post_transform:string, "

}  // namespace

void define_ml_tree_ensemble(ir::OpTable& table) {
  table.add(
      {.domain = "ai.onnx.ml",
       .name = "TreeEnsemble",
       .versions = {5},
       .signature =
           {.inputs = "X:T",
            .outputs = "Y:T",
            .types = "T: float32 float64 float16",
            .attributes =
                "aggregate_function:int, leaf_targetids:ints!, leaf_weights:tensor!, membership_values:tensor, "
                "n_targets:int, "
                "nodes_falseleafs:ints!, nodes_falsenodeids:ints!, nodes_featureids:ints!, nodes_hitrates:tensor, "
                "nodes_missing_value_tracks_true:ints, nodes_modes:tensor!, nodes_splits:tensor!, "
                "nodes_trueleafs:ints!, "
                "nodes_truenodeids:ints!, post_transform:int, tree_roots:ints!"},
       .infer = infer_tree_ensemble});
  table.add({.domain = "ai.onnx.ml",
             .name = "TreeEnsembleClassifier",
             .versions = {1, 3, 5},
             .signature = {.inputs = "X:T1",
                           .outputs = "Y:T2, Z?:float32",
                           .types = "T1: float32 float64 int64 int32 | T2: string int64",
                           .attributes = ONNXRUN_NODES_BY_ID "class_ids:ints, class_nodeids:ints, class_treeids:ints, "
                                                             "class_weights:floats, class_weights_as_tensor:tensor, "
                                                             "classlabels_int64s:ints, classlabels_strings:strings"},
             .infer = infer_classifier});
  table.add({.domain = "ai.onnx.ml",
             .name = "TreeEnsembleRegressor",
             .versions = {1, 3, 5},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:float32",
                           .types = "T: float32 float64 int64 int32",
                           .attributes =
                               ONNXRUN_NODES_BY_ID "aggregate_function:string, n_targets:int, target_ids:ints, "
                                                   "target_nodeids:ints, target_treeids:ints, target_weights:floats, "
                                                   "target_weights_as_tensor:tensor"},
             .infer = infer_regressor});
}

#undef ONNXRUN_NODES_BY_ID

}  // namespace onnxrun::ops
