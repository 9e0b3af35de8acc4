// Models of very many parts: what is read of them grows with their size, not with its square, and ends when it must.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/survey.h"
#include "wire_model.h"

namespace onnxrun::import::test {
namespace {

using ::testing::HasSubstr;

std::string unknown_operators(int count) {
  GraphParts parts{.inputs = {value_info("x")}, .outputs = {value_info("y0")}};
  for (int i = 0; i < count; ++i)
    parts.nodes.push_back(node("Unknown" + std::to_string(i), {"x"}, {"y" + std::to_string(i)}, {}, {}, "local"));
  return model(graph(parts));
}

// Compared each with all before it, they take minutes.
TEST(Large, UnknownOperatorsAreCountedInTime) {
  const std::string bytes = unknown_operators(200000);
  ImportOptions options = tiny_options();
  options.deadline = base::Deadline::after(20);
  const Survey survey = survey_bytes(bytes_of(bytes), options);
  ASSERT_EQ(survey.unknown.size(), 200000u);
  EXPECT_EQ(survey.unknown[7].op, "Unknown7");
  EXPECT_EQ(survey.unknown[7].nodes, 1);
}

TEST(Large, SameUnknownOperatorsAreCountedTogether) {
  GraphParts parts{.inputs = {value_info("x")}, .outputs = {value_info("a")}};
  for (const char* op : {"One", "Two", "One"}) parts.nodes.push_back(node(op, {"x"}, {}, {}, {}, "local"));
  const Survey survey = survey_bytes(bytes_of(model(graph(parts))), tiny_options());
  ASSERT_EQ(survey.unknown.size(), 2u);
  EXPECT_EQ(survey.unknown[0].nodes, 2);
  EXPECT_EQ(survey.unknown[1].nodes, 1);
}

TEST(Large, ChecksAndSurveysEndAtTheDeadline) {
  const std::string bytes = unknown_operators(1000);
  ImportOptions options = tiny_options();
  options.deadline = base::Deadline::after(1e-9);
  const std::vector<Problem> problems = check_bytes(bytes_of(bytes), options, "test");
  ASSERT_FALSE(problems.empty());
  EXPECT_LT(problems.size(), 300u);
  EXPECT_THAT(problems.back().what, HasSubstr("within the time given"));
  EXPECT_THAT(problems.back().fix, HasSubstr("timeout"));
  EXPECT_THROW(survey_bytes(bytes_of(bytes), options), Error);
}

// Looked for each among all before it, they take minutes.
TEST(Large, FarMoreAttributesThanTheOperatorHasAreRefused) {
  std::vector<std::string> attributes;
  for (int i = 0; i < 150000; ++i) attributes.push_back(number_attribute("more" + std::to_string(i), 2, 3, 7));
  const GraphParts parts{.nodes = {node("LeakyRelu", {"x"}, {"y"}, attributes)},
                         .inputs = {value_info("x")},
                         .outputs = {value_info("y")}};
  EXPECT_THAT(error_of(model(graph(parts))),
              HasSubstr("LeakyRelu takes 2 attributes at most, got 150000, among them 'more0'"));
}

}  // namespace
}  // namespace onnxrun::import::test
