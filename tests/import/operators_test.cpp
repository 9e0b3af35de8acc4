// Every operator of the real table meets nodes with too few inputs, of odd types and ranks, at each of its versions.
#include <gtest/gtest.h>

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
          survives(*op, version, value_info("x", dtype, dims), inputs, 1, bodies);
        survives(*op, version, value_info("x", dtype, dims), 3, 1, empty_bodies);
        survives(*op, version, value_info("x", dtype, dims), 2, 3, numbers);
        survives(*op, version, value_info("x", dtype, dims), 1, 0, {});
      }
    }
  }
}

}  // namespace
}  // namespace onnxrun::import::test
