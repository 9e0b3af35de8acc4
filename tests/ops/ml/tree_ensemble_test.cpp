// Trees: what a file may not say, and corners of comparison. compare.py holds whole forests against ONNX Runtime and NumPy.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Tensor;
using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;

const float kNan = std::numeric_limits<float>::quiet_NaN();
const float kInf = std::numeric_limits<float>::infinity();

// One branch on feature 0 and two leaves, 1 where it holds and 2 where not.
ir::Attributes stump(const std::string& mode = "BRANCH_LEQ", float threshold = 0.5f, int64_t missing = 0) {
  return {{"nodes_treeids", Ints{0, 0, 0}},
          {"nodes_nodeids", Ints{0, 1, 2}},
          {"nodes_featureids", Ints{0, 0, 0}},
          {"nodes_modes", Strings{mode, "LEAF", "LEAF"}},
          {"nodes_values", Floats{threshold, 0, 0}},
          {"nodes_truenodeids", Ints{1, 0, 0}},
          {"nodes_falsenodeids", Ints{2, 0, 0}},
          {"nodes_missing_value_tracks_true", Ints{missing, 0, 0}},
          {"target_treeids", Ints{0, 0}},
          {"target_nodeids", Ints{1, 2}},
          {"target_ids", Ints{0, 0}},
          {"target_weights", Floats{1, 2}},
          {"n_targets", int64_t{1}}};
}

OpCase regressor(ir::Attributes attributes, Tensor x = tensor<float>({0, 1}, {2, 1})) {
  return {.op = "TreeEnsembleRegressor",
          .domain = "ai.onnx.ml",
          .attributes = std::move(attributes),
          .inputs = {std::move(x)}};
}

ir::Attributes with(ir::Attributes attributes, std::string_view name, ir::AttributeValue value) {
  attributes.set(name, std::move(value));
  return attributes;
}

Floats run(const ir::Attributes& attributes, Floats x) {
  const auto rows = static_cast<int64_t>(x.size());
  return values<float>(run_op(regressor(attributes, tensor<float>(std::move(x), {rows, 1})))[0]);
}

void expect_failure(const OpCase& test, const std::string& text) {
  try {
    run_op(test);
    ADD_FAILURE() << "ran; expected: " << text;
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

TEST(Trees, EveryModeAtItsThreshold) {
  const Floats x = {-kInf, 0, 0.5f, std::nextafter(0.5f, 1.0f), kInf, kNan};
  EXPECT_EQ(run(stump("BRANCH_LEQ"), x), (Floats{1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(run(stump("BRANCH_LT"), x), (Floats{1, 1, 2, 2, 2, 2}));
  EXPECT_EQ(run(stump("BRANCH_GTE"), x), (Floats{2, 2, 1, 1, 1, 2}));
  EXPECT_EQ(run(stump("BRANCH_GT"), x), (Floats{2, 2, 2, 1, 1, 2}));
  EXPECT_EQ(run(stump("BRANCH_EQ"), x), (Floats{2, 2, 1, 2, 2, 2}));
  EXPECT_EQ(run(stump("BRANCH_NEQ"), x), (Floats{1, 1, 2, 1, 1, 2}));
}

TEST(Trees, MissingValuesFollowTheirFlag) {
  for (const char* mode : {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"}) {
    EXPECT_EQ(run(stump(mode, 0.5f, 1), {kNan}), Floats{1}) << mode;
    EXPECT_EQ(run(stump(mode, 0.5f, 0), {kNan}), Floats{2}) << mode;
    EXPECT_EQ(run(stump(mode, kNan, 1), {kNan}), Floats{1}) << mode;
    EXPECT_EQ(run(stump(mode, kNan, 0), {kNan}), Floats{2}) << mode;
  }
}

TEST(Trees, ThresholdsAtTheEnds) {
  const Floats x = {-kInf, -1, 1, kInf};
  EXPECT_EQ(run(stump("BRANCH_LEQ", kInf), x), (Floats{1, 1, 1, 1}));
  EXPECT_EQ(run(stump("BRANCH_LT", kInf), x), (Floats{1, 1, 1, 2}));
  EXPECT_EQ(run(stump("BRANCH_LT", -kInf), x), (Floats{2, 2, 2, 2}));
  EXPECT_EQ(run(stump("BRANCH_GTE", -kInf), x), (Floats{1, 1, 1, 1}));
  EXPECT_EQ(run(stump("BRANCH_GT", -kInf), x), (Floats{2, 1, 1, 1}));
  // No number compares with NaN, and all differ from it.
  for (const char* mode : {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ"})
    EXPECT_EQ(run(stump(mode, kNan), x), (Floats{2, 2, 2, 2})) << mode;
  EXPECT_EQ(run(stump("BRANCH_NEQ", kNan), x), (Floats{1, 1, 1, 1}));
  // -0 is 0, and denormals are exact although they are flushed elsewhere.
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(run(stump("BRANCH_LT", 0), {-0.0f, 0, -tiny, tiny}), (Floats{2, 2, 1, 2}));
  EXPECT_EQ(run(stump("BRANCH_EQ", -0.0f), {-0.0f, 0, -tiny, tiny}), (Floats{1, 1, 2, 2}));
}

TEST(Trees, WideInputsCompareAsFloat64) {
  const ir::Attributes attributes = stump("BRANCH_LEQ", 0.1f);
  const double above = static_cast<double>(0.1f) + 1e-12;
  EXPECT_EQ(values<float>(run_op(regressor(attributes, tensor<double>({static_cast<double>(0.1f), above}, {2, 1})))[0]),
            (Floats{1, 2}));
  ir::Attributes wide = stump();
  wide.erase("nodes_values");
  wide.set("nodes_values_as_tensor", tensor<double>({0.1, 0, 0}, {3}));
  EXPECT_EQ(values<float>(run_op(regressor(wide, tensor<float>({0.1f, 0.09f}, {2, 1})))[0]),
            (Floats{2, 1}));  // 0.1f is above 0.1
}

TEST(Trees, ATreeOfOneLeafAndNone) {
  ir::Attributes leaf = stump();
  for (const char* name :
       {"nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids"})
    leaf.set(name, Ints{0});
  leaf.set("nodes_modes", Strings{"LEAF"});
  leaf.set("nodes_values", Floats{0});
  leaf.erase("nodes_missing_value_tracks_true");
  for (const char* name : {"target_treeids", "target_nodeids", "target_ids"}) leaf.set(name, Ints{0});
  leaf.set("target_weights", Floats{7});
  EXPECT_EQ(run(leaf, {1, kNan}), (Floats{7, 7}));
  EXPECT_EQ(run({{"n_targets", int64_t{1}}, {"base_values", Floats{3}}}, {1, 2}), (Floats{3, 3}));
}

TEST(Trees, FilesThatFormNoTrees) {
  expect_failure(regressor(with(stump(), "nodes_truenodeids", Ints{0, 0, 0})), "no root");
  // Nodes 1 and 2 are each other's children.
  ir::Attributes cycle = stump();
  cycle.set("nodes_modes", Strings{"BRANCH_LEQ", "BRANCH_LEQ", "BRANCH_LEQ"});
  cycle.set("nodes_truenodeids", Ints{1, 2, 1});
  cycle.set("nodes_falsenodeids", Ints{2, 2, 1});
  expect_failure(regressor(cycle), "reached twice");
  expect_failure(regressor(with(stump(), "nodes_truenodeids", Ints{9, 0, 0})), "tree 0 has no node 9");
  expect_failure(regressor(with(stump(), "nodes_falsenodeids", Ints{-1, 0, 0})), "has no node -1");
  expect_failure(regressor(with(stump(), "nodes_nodeids", Ints{0, 1, 1})), "the node id 1 twice");
  expect_failure(regressor(with(stump(), "nodes_modes", Strings{"BRANCH_LIKE", "LEAF", "LEAF"})), "BRANCH_LIKE");
  // Both children may be one leaf.
  EXPECT_EQ(run(with(stump(), "nodes_falsenodeids", Ints{1, 0, 0}), {0, 1}), (Floats{1, 1}));
}

TEST(Trees, FilesWithWrongNumbers) {
  expect_failure(regressor(with(stump(), "nodes_featureids", Ints{1, 0, 0})), "feature 1, but 'X' has 1 columns");
  expect_failure(regressor(with(stump(), "nodes_featureids", Ints{-1, 0, 0})), "feature -1");
  expect_failure(regressor(with(stump(), "nodes_featureids", Ints{int64_t{1} << 40, 0, 0})), "feature");
  expect_failure(regressor(with(stump(), "target_ids", Ints{0, 1})), "'target_ids' has 1");
  expect_failure(regressor(with(stump(), "target_ids", Ints{-1, 0})), "'target_ids' has -1");
  expect_failure(regressor(with(stump(), "target_nodeids", Ints{1, 5})), "tree 0 has no node 5");
  expect_failure(regressor(with(stump(), "target_treeids", Ints{1, 0})), "tree 1 has no node");
  for (const char* name : {"nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_truenodeids",
                           "nodes_falsenodeids", "nodes_missing_value_tracks_true"})
    expect_failure(regressor(with(stump(), name, Ints{0, 1})), name);
  expect_failure(regressor(with(stump(), "nodes_values", Floats{0})), "'nodes_values' has 1 elements");
  expect_failure(regressor(with(stump(), "target_weights", Floats{0})), "'target_weights' has 1 elements");
  expect_failure(regressor(with(stump(), "target_nodeids", Ints{1})), "'target_nodeids' has 1 elements");
  expect_failure(regressor(with(stump(), "n_targets", int64_t{0})), "'n_targets' is 0");
  expect_failure(regressor(with(stump(), "base_values", Floats{1, 2})), "'base_values' has 2 elements");
  expect_failure(regressor(with(stump(), "aggregate_function", std::string("MEDIAN"))), "MEDIAN");
  expect_failure(regressor(with(stump(), "post_transform", std::string("SQUARE"))), "SQUARE");
  expect_failure(regressor(with(stump(), "nodes_values_as_tensor", tensor<double>({0, 0, 0}, {3}))), "both given");
  expect_failure(regressor(stump(), tensor<float>({0}, {1, 1, 1})), "[N,F]");
}

// One branch of TreeEnsemble and two leaves.
ir::Attributes positions(uint8_t mode = 0) {
  return {{"tree_roots", Ints{0}},
          {"nodes_featureids", Ints{0}},
          {"nodes_modes", tensor<uint8_t>({mode}, {1})},
          {"nodes_splits", tensor<float>({0.5f}, {1})},
          {"nodes_truenodeids", Ints{0}},
          {"nodes_trueleafs", Ints{1}},
          {"nodes_falsenodeids", Ints{1}},
          {"nodes_falseleafs", Ints{1}},
          {"leaf_targetids", Ints{0, 0}},
          {"leaf_weights", tensor<float>({1, 2}, {2})},
          {"n_targets", int64_t{1}}};
}

OpCase ensemble(ir::Attributes attributes) {
  return {.op = "TreeEnsemble",
          .domain = "ai.onnx.ml",
          .attributes = std::move(attributes),
          .inputs = {tensor<float>({0, 1, 3}, {3, 1})}};
}

TEST(Trees, ByPosition) {
  EXPECT_EQ(values<float>(run_op(ensemble(positions()))[0]), (Floats{1, 2, 2}));
  // A set without the NaN behind it, and one that is empty.
  const ir::Attributes members = with(positions(6), "membership_values", tensor<float>({3, 0}, {2}));
  EXPECT_EQ(values<float>(run_op(ensemble(members))[0]), (Floats{1, 2, 1}));
  EXPECT_EQ(values<float>(run_op(ensemble(with(positions(6), "membership_values", tensor<float>({kNan}, {1}))))[0]),
            (Floats{2, 2, 2}));
}

TEST(Trees, PositionsThatAreNone) {
  expect_failure(ensemble(with(positions(), "tree_roots", Ints{1})), "the root of a tree is node 1 of 1");
  expect_failure(ensemble(with(positions(), "tree_roots", Ints{-1})), "-1");
  expect_failure(ensemble(with(positions(), "tree_roots", Ints{0, 0})), "reached twice");
  expect_failure(ensemble(with(positions(), "nodes_trueleafs", Ints{0})), "reached twice");  // its own child
  expect_failure(ensemble(with(positions(), "nodes_truenodeids", Ints{2})), "leaf 2 of 2");
  expect_failure(ensemble(with(positions(), "nodes_truenodeids", Ints{-3})), "the child -3");
  expect_failure(ensemble(with(positions(), "leaf_targetids", Ints{0, 1})), "target or class 1 of 1");
  expect_failure(ensemble(with(positions(), "leaf_targetids", Ints{0})), "'leaf_weights' has 2 elements");
  expect_failure(ensemble(with(positions(), "nodes_modes", tensor<uint8_t>({7}, {1}))), "'nodes_modes' has 7");
  expect_failure(ensemble(with(positions(), "nodes_modes", tensor<int64_t>({0}, {1}))), "uint8");
  expect_failure(ensemble(with(positions(), "nodes_splits", tensor<double>({0}, {1}))),
                 "'nodes_splits' must have the type of 'X'");
  expect_failure(ensemble(positions(6)), "'membership_values' has no set");
  expect_failure(ensemble(with(positions(), "aggregate_function", int64_t{4})), "'aggregate_function' is 4");
  expect_failure(ensemble(with(positions(), "post_transform", int64_t{5})), "'post_transform' is 5");
}

TEST(Trees, ResultsDoNotDependOnTheBatch) {
  // 300 trees, each a stump on one of 7 features.
  constexpr int64_t kTrees = 300, kRows = 75, kFeatures = 7;
  Ints trees, ids, features, on_true, on_false, leaf_trees, leaf_ids, targets;
  Strings modes;
  Floats thresholds, weights;
  for (int64_t t = 0; t < kTrees; ++t)
    for (int64_t n = 0; n < 3; ++n) {
      trees.push_back(t);
      ids.push_back(n);
      features.push_back(t % kFeatures);
      modes.emplace_back(n == 0 ? "BRANCH_LT" : "LEAF");
      thresholds.push_back(static_cast<float>(t % 11) / 11);
      on_true.push_back(1);
      on_false.push_back(2);
      if (n == 0) continue;
      leaf_trees.push_back(t);
      leaf_ids.push_back(n);
      targets.push_back(t % 2);
      weights.push_back(static_cast<float>(t * n) * 0.37f);
    }
  const ir::Attributes attributes = {
      {"nodes_treeids", trees},         {"nodes_nodeids", ids},         {"nodes_featureids", features},
      {"nodes_modes", modes},           {"nodes_values", thresholds},   {"nodes_truenodeids", on_true},
      {"nodes_falsenodeids", on_false}, {"target_treeids", leaf_trees}, {"target_nodeids", leaf_ids},
      {"target_ids", targets},          {"target_weights", weights},    {"n_targets", int64_t{2}}};
  Floats x(kRows * kFeatures);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7919 % 1000) / 1000;
  const Floats all = values<float>(run_op(regressor(attributes, tensor<float>(x, {kRows, kFeatures})))[0]);
  for (int64_t row = 0; row < kRows; ++row) {
    double sums[2] = {};
    for (int64_t t = 0; t < kTrees; ++t)
      sums[t % 2] += static_cast<double>(weights[static_cast<size_t>(
          2 * t +
          (x[static_cast<size_t>(row * kFeatures + t % kFeatures)] < thresholds[static_cast<size_t>(3 * t)] ? 0 : 1))]);
    const Floats one(x.begin() + row * kFeatures, x.begin() + (row + 1) * kFeatures);
    const Floats alone = values<float>(run_op(regressor(attributes, tensor<float>(one, {1, kFeatures})))[0]);
    for (size_t k = 0; k < 2; ++k) {
      EXPECT_EQ(alone[k], all[static_cast<size_t>(row) * 2 + k]);
      EXPECT_FLOAT_EQ(alone[k], static_cast<float>(sums[k]));
    }
  }
}

}  // namespace
}  // namespace onnxrun::ops
