// Expansion: nodes that replace a node, their names, origins and facts.
#include "ir/expansion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "ir/small_ops.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace onnxrun::ir {
namespace {

using testing::add;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::small_ops;

class ExpansionTest : public ::testing::Test {
 protected:
  Expansion start(const char* op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    y_ = add(graph_, op, std::move(inputs), {"y"}, "it");
    Node node = graph_.take_node(graph_.value(y_).producer);
    node.attributes = std::move(attributes);
    node.origin = {"original"};
    return Expansion(graph_, small_ops(), std::move(node));
  }
  Graph graph_;
  ValueId x_ = graph_.add_input("x", Fact::tensor(DType::kFloat32, {Dim::symbol("n"), Dim(3)}));
  ValueId y_ = kNone;
};

TEST_F(ExpansionTest, EmitsInferredNodes) {
  Expansion e = start("Fails", {x_});
  const ValueId relu = e.emit("Relu", {e.input(0), kNone});
  EXPECT_EQ(e.fact(relu).to_string(), "float32[n,3]");
  EXPECT_EQ(graph_.value(relu).name, "y/Relu");
  e.finish("Identity", {relu});
  EXPECT_EQ(graph_.value(y_).fact.to_string(), "float32[n,3]");
  ASSERT_EQ(e.added().size(), 2u);
  EXPECT_EQ(graph_.node(e.added()[0]).name, "it/Relu");
  EXPECT_EQ(graph_.node(e.added()[0]).inputs.size(), 1u) << "absent inputs at the end are left out";
  EXPECT_EQ(graph_.node(e.added()[1]).name, "it");
  for (NodeId id : e.added()) EXPECT_THAT(graph_.node(id).origin, ElementsAre("original"));
  verify(graph_);
}

TEST_F(ExpansionTest, KeepsTheNodeWithChanges) {
  Expansion e =
      start("Reshape", {x_}, {{"shape", std::vector<int64_t>{3, -1}}, {"consumed_inputs", std::vector<int64_t>{0}}});
  e.ints_to_input("shape", 1);
  e.drop({"consumed_inputs", "absent"});
  e.keep();
  const Node& node = graph_.node(e.added().front());
  EXPECT_TRUE(node.attributes.list().empty());
  EXPECT_EQ(graph_.value(node.inputs[1]).fact.to_string(), "int64[2] = {3,-1}");
  EXPECT_TRUE(e.has_output(0));
  check_signature(small_ops(), graph_, node);
  verify(graph_);
}

TEST_F(ExpansionTest, MovesScalarsToInputs) {
  Expansion e = start("Pack", {}, {{"k", int64_t{5}}});
  e.int_to_input("k", 2);
  e.int_to_input("absent", 0);
  EXPECT_FALSE(e.has_input(0));
  EXPECT_EQ(e.fact(e.input(2)).to_string(), "int64[] = {5}");
}

TEST_F(ExpansionTest, BindsOutputsByIdentity) {
  Expansion e = start("Fails", {x_});
  e.bind(0, x_);
  e.bind(1, x_);
  ASSERT_EQ(e.added().size(), 1u);
  EXPECT_THAT(to_text(graph_), HasSubstr("y: float32[n,3] = Identity(x)"));
  EXPECT_EQ(graph_.find_value("y"), y_);
  verify(graph_);
}

TEST_F(ExpansionTest, NamesUnknownOperators) {
  Expansion e = start("Fails", {x_});
  try {
    e.emit("Nowhere", {x_}, {}, "com.microsoft");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInternal);
    EXPECT_THAT(error.what(),
                ::testing::AllOf(HasSubstr("'Nowhere'"), HasSubstr("'com.microsoft'"), HasSubstr("node 'it' (Fails)")));
  }
}

// Inference may rely on what the signature demands, so a malformed node must not reach it.
TEST_F(ExpansionTest, ChecksTheSignatureBeforeItInfers) {
  const auto refused = [](const std::function<void()>& add_node, const char* text) {
    try {
      add_node();
      ADD_FAILURE() << "expected: " << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kInvalidModel);
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
  };
  Expansion e = start("Fails", {x_, x_});
  refused([&] { e.keep(); }, "Fails takes 1 inputs, got 2");
  refused([&] { e.emit("Relu", {}); }, "Relu takes 1 inputs, got 0");
  refused(
      [&] {
        e.emit("Reshape", {x_, e.int64s({-1})}, {{"allowzero", 1.0f}});
      },
      "'allowzero' of Reshape must be of kind int, got float");
}

TEST_F(ExpansionTest, EmitsSeveralOutputs) {
  Expansion e = start("Fails", {x_});
  const std::vector<ValueId> halves = e.emit_many("Split", {x_}, 2);
  EXPECT_EQ(halves.size(), 2u);
  EXPECT_EQ(e.fact(halves[1]).to_string(), "float32[floor((n)/(2))]");
  EXPECT_NE(graph_.value(halves[0]).name, graph_.value(halves[1]).name);
}

}  // namespace
}  // namespace onnxrun::ir
