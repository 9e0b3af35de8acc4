// Every operator of the real table meets nodes with too few inputs, of odd types and ranks, at each of its versions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "ir/op.h"
#include "wire_model.h"

namespace onnxrun::ops {
void define_all(ir::OpTable& table);
}

namespace onnxrun::import::test {
namespace {

const ir::OpTable& all_operators() {
  static const std::unique_ptr<const ir::OpTable> table = [] {
    auto t = std::make_unique<ir::OpTable>();
    ops::define_all(*t);
    return t;
  }();
  return *table;
}

// Loads a model of one node; whatever is wrong with it must come as an error of the model.
void survives(const ir::OpDef& op, int version, const std::string& input, size_t inputs, size_t outputs,
              const std::vector<std::string>& attributes) {
  std::vector<std::string> names;
  for (size_t i = 0; i < outputs; ++i) names.push_back("y" + std::to_string(i));
  GraphParts parts{.nodes = {node(op.name, std::vector<std::string>(inputs, "x"), names, attributes, "n", op.domain)},
                   .inputs = {input}};
  for (const std::string& name : names) parts.outputs.push_back(value_info_of(name, ""));
  const std::string bytes = model(graph(parts), 14, {}, {opset(op.domain, version)});
  ImportOptions options;
  options.table = &all_operators();
  options.limits.max_run_bytes = 1 << 20;
  try {
    load(bytes, options);
  } catch (const Error& e) {
    EXPECT_NE(e.code(), Code::kInternal) << op.full_name() << "-" << version << " with " << inputs
                                         << " inputs: " << e.what();
  }
}

TEST(Operators, SurviveOddNodes) {
  ASSERT_GT(all_operators().all().size(), 100u);
  const std::string body = graph({.nodes = {node("Identity", {"x"}, {"b"})}, .outputs = {value_info("b")}}, "body");
  const std::string empty_body = graph({}, "empty");
  const std::vector<std::pair<int, std::vector<Dim>>> kinds = {
      {1, {}},
      {1, {int64_t{2}, int64_t{3}}},
      {7, {int64_t{0}}},
      {9, {}},
      {1, {int64_t{1}, int64_t{2}, int64_t{3}, int64_t{4}, "n"}}};
  for (const ir::OpDef* op : all_operators().all()) {
    for (const int version : op->versions) {
      std::vector<std::string> bodies, empty_bodies, numbers;
      for (const ir::AttributeSpec& attribute : all_operators().signature(*op).attributes) {
        if (attribute.kind == "graph") {
          bodies.push_back(message_attribute(attribute.name, 5, 6, body));
          empty_bodies.push_back(message_attribute(attribute.name, 5, 6, empty_body));
        }
        if (attribute.kind == "int") numbers.push_back(number_attribute(attribute.name, 2, 3, -9));
        if (attribute.kind == "ints") numbers.push_back(number_attribute(attribute.name, 7, 8, -9));
      }
      for (const auto& [dtype, dims] : kinds) {
        for (size_t inputs = 0; inputs <= 6; ++inputs)
          for (const size_t outputs : {1, 3, 5})
            survives(*op, version, value_info("x", dtype, dims), inputs, outputs, bodies);
        survives(*op, version, value_info("x", dtype, dims), 3, 1, empty_bodies);
        survives(*op, version, value_info("x", dtype, dims), 2, 3, numbers);
        survives(*op, version, value_info("x", dtype, dims), 1, 0, {});
      }
    }
  }
}

ir::Model load_one(const std::string& node, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs, int64_t version) {
  GraphParts parts{.nodes = {node}, .inputs = inputs};
  for (const std::string& name : outputs) parts.outputs.push_back(value_info_of(name, ""));
  ImportOptions options;
  options.table = &all_operators();
  return load(model(graph(parts), 10, {}, {opset("", version)}), options);
}

TEST(Operators, HaveTheirRequiredOutputsWhateverAFileNames) {
  const auto outputs = [](const ir::Model& model) {
    const std::vector<ir::ValueId>& ids = model.graph->node(model.graph->topological_order().front()).outputs;
    EXPECT_EQ(std::count(ids.begin(), ids.end(), ir::kNone), 0);
    return ids.size();
  };
  const std::string image = value_info("x", 1, {1, 1, 4, 4}), vector = value_info("x", 1, {6});
  std::string window;
  Writer attribute(window);
  attribute.add_string(1, "kernel_shape");
  for (int axis = 0; axis < 2; ++axis) attribute.add_int64(8, 2);
  attribute.add_int32(20, 7);
  EXPECT_EQ(outputs(load_one(node("MaxPool", {"x"}, {"", "i"}, {window}), {image}, {"i"}, 12)), 2u);
  EXPECT_EQ(outputs(load_one(node("MaxPool", {"x"}, {"y", ""}, {window}), {image}, {"y"}, 12)), 1u);
  EXPECT_EQ(outputs(load_one(node("DynamicQuantizeLinear", {"x"}, {"y"}), {vector}, {"y"}, 11)), 3u);
  // How many there are says how Split cuts.
  EXPECT_EQ(outputs(load_one(node("Split", {"x"}, {"a", "", ""}), {vector}, {"a"}, 13)), 3u);
  EXPECT_THROW(load_one(node("Split", {"x"}, {"", ""}), {vector}, {}, 13), Error);
}

TEST(Operators, LiftsGetTheTypesOfTheirVersion) {
  const auto refusal = [](const std::string& op, int type, int64_t version) -> std::string {
    try {
      load_one(node(op, {"x", "s"}, {"y"}), {value_info("x", 1, {1, 1, 2, 2}), value_info("s", type, {4})}, {"y"},
               version);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal("Upsample", 3, 9),
              ::testing::HasSubstr("input 1 'scales' of Upsample must be float32, got int8"));
  EXPECT_THAT(refusal("Resize", 11, 10),
              ::testing::HasSubstr("input 1 'scales' of Resize must be float32, got float64"));
  EXPECT_EQ(refusal("Resize", 1, 10), "");
}

}  // namespace
}  // namespace onnxrun::import::test
