// ai.onnx.ml beside trees: what a file or an input may not say, and maps. compare.py holds the results against ONNX Runtime and NumPy.
#include <gtest/gtest.h>

#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::DType;
using base::Tensor;
using base::Value;
using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;

OpCase make(const std::string& op, ir::Attributes attributes, std::vector<Tensor> inputs) {
  return {.op = op, .domain = "ai.onnx.ml", .attributes = std::move(attributes), .inputs = std::move(inputs)};
}

void expect_failure(const OpCase& test, const std::string& text) {
  try {
    run_op_values(test);
    ADD_FAILURE() << "ran; expected: " << text;
  } catch (const base::Error& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

Tensor matrix() { return tensor<float>({1, 2, 3, 4, 5, 6}, {2, 3}); }

Value map_of(Tensor keys, Tensor values) {
  auto map = std::make_shared<base::Map>();
  map->key = keys.dtype();
  map->value = values.dtype();
  map->keys = std::move(keys);
  map->values = std::move(values);
  return Value(std::shared_ptr<const base::Map>(std::move(map)));
}

TEST(MlHostile, Indices) {
  expect_failure(make("ArrayFeatureExtractor", {}, {matrix(), int64s({-10})}), "index -10 is out of range for axis 1");
  expect_failure(make("ArrayFeatureExtractor", {}, {matrix(), int64s({3})}), "index 3");
  expect_failure(make("ArrayFeatureExtractor", {}, {Tensor::scalar(1.0f), int64s({0})}), "one dimension or more");
  EXPECT_EQ(values<float>(run_op(make("ArrayFeatureExtractor", {}, {matrix(), int64s({-1})}))[0]), (Floats{3, 6}));
}

TEST(MlHostile, Lengths) {
  expect_failure(make("LinearClassifier", {{"coefficients", Floats{1}}, {"classlabels_ints", Ints{1, 2}}}, {matrix()}),
                 "'coefficients' has 1 elements for 3 features");
  expect_failure(make("Scaler", {{"scale", Floats{1, 2}}}, {matrix()}), "'scale' has 2 elements");
  expect_failure(make("Scaler", {}, {Tensor::scalar(1.0f)}), "one dimension or more");
  expect_failure(make("Imputer", {{"imputed_value_floats", Floats{1, 2}}}, {matrix()}),
                 "'imputed_value_floats' has 2 elements");
  expect_failure(make("Imputer", {{"imputed_value_int64s", Ints{1}}}, {matrix()}),
                 "'imputed_value_floats' must be given");
  expect_failure(make("Imputer", {{"imputed_value_int64s", Ints{int64_t{1} << 40}}}, {tensor<int32_t>({1}, {1})}),
                 "no int32 can hold");
  expect_failure(make("FeatureVectorizer", {{"inputdimensions", Ints{3}}}, {matrix(), matrix()}),
                 "1 elements for 2 inputs");
  expect_failure(make("FeatureVectorizer", {{"inputdimensions", Ints{-1}}}, {matrix()}), "has -1");
  expect_failure(
      make("FeatureVectorizer", {{"inputdimensions", Ints{3, 3}}}, {matrix(), tensor<float>({1, 2, 3}, {1, 3})}),
      "numbers of rows");
  expect_failure(
      make("LinearClassifier",
           {{"coefficients", Floats{1, 2}}, {"intercepts", Floats{0}}, {"classlabels_ints", Ints{0, 1}}}, {matrix()}),
      "'coefficients' has 2 elements");
  expect_failure(
      make("LinearClassifier",
           {{"coefficients", Floats(9)}, {"intercepts", Floats(3)}, {"classlabels_ints", Ints{0, 1}}}, {matrix()}),
      "2 labels for 3 rows");
  expect_failure(make("LinearClassifier", {{"coefficients", Floats(3)}}, {matrix()}),
                 "exactly one of 'classlabels_ints' and 'classlabels_strings'");
  expect_failure(make("LinearRegressor", {{"coefficients", Floats(6)}, {"targets", int64_t{0}}}, {matrix()}),
                 "'targets' is 0");
  expect_failure(make("LinearRegressor",
                      {{"coefficients", Floats(6)}, {"targets", int64_t{2}}, {"intercepts", Floats(3)}}, {matrix()}),
                 "'intercepts' has 3 elements");
  expect_failure(make("Normalizer", {{"norm", std::string("L3")}}, {matrix()}), "L3");
}

TEST(MlHostile, Labels) {
  expect_failure(make("LabelEncoder", {{"keys_int64s", Ints{1}}, {"values_int64s", Ints{1, 2}}}, {int64s({1})}),
                 "'keys_int64s' has 1 elements, 'values_int64s' has 2");
  expect_failure(make("LabelEncoder", {{"keys_int64s", Ints{1}}}, {int64s({1})}), "one of 'values_strings'");
  expect_failure(
      make("LabelEncoder", {{"keys_int64s", Ints{1}}, {"keys_floats", Floats{1}}, {"values_int64s", Ints{1}}},
           {int64s({1})}),
      "both given");
  expect_failure(make("LabelEncoder", {{"keys_int64s", Ints{1}}, {"values_int64s", Ints{1}}}, {floats({1})}),
                 "must have the type of 'keys_int64s'");
  expect_failure(
      make("LabelEncoder", {{"keys_int64s", Ints{1}}, {"values_int64s", Ints{1}}, {"default_tensor", floats({1})}},
           {int64s({1})}),
      "'default_tensor'");
  expect_failure(make("LabelEncoder", {{"keys_tensor", matrix()}, {"values_int64s", Ints{1}}}, {floats({1})}),
                 "must be a vector");
  expect_failure(make("CategoryMapper", {{"cats_int64s", Ints{1}}}, {int64s({1})}), "'cats_strings' has 0");
  expect_failure(make("OneHotEncoder", {{"cats_int64s", Ints{1}}, {"zeros", int64_t{0}}}, {int64s({1, 2})}),
                 "element 1 of 'X' is in no category");
  expect_failure(make("OneHotEncoder", {{"cats_strings", Strings{"a"}}}, {int64s({1})}), "the categories are strings");
  // An empty list of keys is a table without any.
  EXPECT_EQ(values<int64_t>(run_op(make("LabelEncoder", {{"keys_strings", Strings{}}, {"values_int64s", Ints{}}},
                                        {tensor<std::string>({"a"}, {1})}))[0]),
            Ints{-1});
}

TEST(MlHostile, SupportVectors) {
  const ir::Attributes good = {{"classlabels_ints", Ints{0, 1}},
                               {"vectors_per_class", Ints{1, 1}},
                               {"support_vectors", Floats(6)},
                               {"coefficients", Floats(2)},
                               {"rho", Floats(1)}};
  const auto with = [&](const char* name, ir::AttributeValue value) {
    ir::Attributes attributes = good;
    attributes.set(name, std::move(value));
    return OpCase{
        .op = "SVMClassifier", .domain = "ai.onnx.ml", .attributes = attributes, .inputs = {matrix()}, .outputs = 2};
  };
  EXPECT_EQ(run_op(with("rho", Floats{0.5f})).size(), 2u);
  expect_failure(with("vectors_per_class", Ints{1, -1}), "'vectors_per_class' has -1");
  expect_failure(with("vectors_per_class", Ints{INT64_MAX, 1}), "overflow");
  expect_failure(with("vectors_per_class", Ints{int64_t{1} << 40, 1}), "'coefficients' has 2 elements");
  expect_failure(with("vectors_per_class", Ints{2}), "'vectors_per_class' has 1 elements");
  expect_failure(with("support_vectors", Floats(5)), "'support_vectors' has 5 elements");
  expect_failure(with("coefficients", Floats(3)), "'coefficients' has 3 elements");
  expect_failure(with("rho", Floats()), "'rho' has 0 elements");
  expect_failure(with("prob_a", Floats(1)), "'prob_a' has 1 elements, 'prob_b' has 0");
  expect_failure(with("kernel_type", std::string("CUBIC")), "CUBIC");
  expect_failure(with("kernel_params", Floats(2)), "'kernel_params' has 2 elements");
  expect_failure(make("SVMRegressor", {{"n_supports", int64_t{-1}}, {"rho", Floats(1)}}, {matrix()}),
                 "'n_supports' is -1");
  expect_failure(
      make(
          "SVMRegressor",
          {{"n_supports", int64_t{2}}, {"coefficients", Floats(2)}, {"support_vectors", Floats(4)}, {"rho", Floats(1)}},
          {matrix()}),
      "'support_vectors' has 4 elements");
  expect_failure(make("SVMRegressor", {{"coefficients", Floats(3)}}, {matrix()}), "'rho' must have an element");
}

TEST(Maps, ZipMapSortsItsKeys) {
  const std::vector<Value> result =
      run_op_values(make("ZipMap", {{"classlabels_strings", Strings{"c", "a", "b"}}}, {matrix()}));
  const auto& rows = result[0].sequence().elements;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(values<std::string>(rows[0].map().keys), (Strings{"a", "b", "c"}));
  EXPECT_EQ(values<float>(rows[0].map().values), (Floats{2, 3, 1}));
  EXPECT_EQ(values<float>(rows[1].map().values), (Floats{5, 6, 4}));
  expect_failure(make("ZipMap", {{"classlabels_strings", Strings{"c", "a"}}}, {matrix()}), "2 keys for the columns");
  expect_failure(make("ZipMap", {}, {matrix()}), "exactly one of");
}

TEST(Maps, DictVectorizerAndCastMap) {
  const auto run = [](const std::string& op, ir::Attributes attributes, Value map) {
    return OpCase{.op = op, .domain = "ai.onnx.ml", .attributes = std::move(attributes), .maps = {std::move(map)}};
  };
  const Value ages = map_of(tensor<std::string>({"a", "b"}, {2}), tensor<double>({1.5, 2.5}, {2}));
  const Tensor vector = run_op(run("DictVectorizer", {{"string_vocabulary", Strings{"b", "x", "a"}}}, ages))[0];
  EXPECT_EQ(vector.dims(), (base::Dims{1, 3}));
  EXPECT_EQ(values<double>(vector), (std::vector<double>{2.5, 0, 1.5}));
  expect_failure(run("DictVectorizer", {{"int64_vocabulary", Ints{1}}}, ages), "the vocabulary holds integers");

  const Value sparse = map_of(int64s({1, 4}), floats({-2.5f, 3}));
  EXPECT_EQ(values<float>(run_op(run("CastMap", {}, sparse))[0]), (Floats{-2.5f, 3}));
  const ir::Attributes form = {
      {"map_form", std::string("SPARSE")}, {"max_map", int64_t{5}}, {"cast_to", std::string("TO_INT64")}};
  EXPECT_EQ(values<int64_t>(run_op(run("CastMap", form, sparse))[0]), (Ints{0, -2, 0, 0, 3}));
  expect_failure(run("CastMap", {{"map_form", std::string("SPARSE")}, {"max_map", int64_t{4}}}, sparse),
                 "from 0 to 3, got 1 to 4");
  expect_failure(run("CastMap", {{"map_form", std::string("SPARSE")}, {"max_map", int64_t{0}}}, sparse),
                 "'max_map' is 0");
  expect_failure(run("CastMap", {{"map_form", std::string("SPARSE")}, {"max_map", int64_t{1} << 60}}, sparse), "");
  expect_failure(run("CastMap", {{"cast_to", std::string("TO_BOOL")}}, sparse), "TO_BOOL");
  expect_failure(run("CastMap", {}, map_of(int64s({1}), tensor<double>({1}, {1}))), "must be float32 or string");
}

}  // namespace
}  // namespace onnxrun::ops
