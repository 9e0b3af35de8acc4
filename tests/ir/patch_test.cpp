// Patches: what applying does, what is refused, and that a refused patch leaves the graph as it was.
#include "ir/patch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ir/apply_moved.h"
#include "ir/infer.h"
#include "ir/small_ops.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace onnxrun::ir {
namespace {

using testing::add;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::small_ops;

const OpDef* op(const char* name) { return small_ops().find("", name); }

// x -> first (Relu) -> a -> second (Add with constant c) -> y, the output.
class PatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    graph_.node(0).origin = {"first"};
    graph_.node(1).origin = {"second"};
    graph_.add_output(y_);
    infer_graph(graph_);
  }
  std::string refused(Patch patch) {
    const std::string before = to_text(graph_);
    try {
      apply(graph_, std::move(patch));
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kInternal);
      EXPECT_THAT(error.what(), HasSubstr("patch 'test'"));
      EXPECT_EQ(to_text(graph_), before);
      verify(graph_);
      return error.message();
    }
    return "applied";
  }
  Graph graph_;
  ValueId x_ = graph_.add_input("x", Fact::tensor(DType::kFloat32, {Dim(2)}));
  ValueId c_ = graph_.add_constant(Tensor::vector<float>({1, 2}), "c");
  ValueId a_ = add(graph_, "Relu", {x_}, {"a"}, "first");
  ValueId y_ = add(graph_, "Add", {a_, c_}, {"y"}, "second");
};

TEST_F(PatchTest, FusesTwoNodesAndKeepsTheOutputsName) {
  Patch patch(graph_, "fuse");
  const ValueId c = patch.constant(Tensor::vector<float>({3, 4}), "c2");
  patch.replace(y_, patch.emit(op("Sum"), {x_, c}));
  patch.remove(0);
  patch.remove(1);
  EXPECT_EQ(patch.to_string(graph_), "fuse: node 'first' (Relu), node 'second' (Add) -> Sum");
  const std::vector<NodeId> added = apply(graph_, std::move(patch));
  verify(graph_);
  EXPECT_EQ(to_text(graph_),
            "graph (x: float32[2]) -> (y) {\n  c2: float32[2] = {3, 4}\n  y: float32[2] = Sum(x, c2)\n}\n");
  ASSERT_EQ(added.size(), 1u);
  EXPECT_THAT(graph_.node(added[0]).origin, ElementsAre("first", "second"));
}

TEST_F(PatchTest, PassesAValueThrough) {
  Patch patch(graph_, "drop");
  patch.replace(a_, x_);
  patch.remove(0);
  apply(graph_, std::move(patch));
  verify(graph_);
  EXPECT_EQ(graph_.node_count(), 1u);
  EXPECT_EQ(graph_.node(1).inputs[0], x_);
}

TEST_F(PatchTest, InsertsAfterAValue) {
  Patch patch(graph_, "insert");
  patch.replace(a_, patch.emit(op("Relu"), {a_}));
  apply(graph_, std::move(patch));
  verify(graph_);
  EXPECT_EQ(graph_.node_count(), 3u);
  EXPECT_EQ(graph_.topological_order(), (std::vector<NodeId>{0, 2, 1}));
}

TEST_F(PatchTest, EditsOneInput) {
  Patch patch(graph_, "rewire");
  patch.set_input(1, 0, x_);
  patch.remove(0);
  apply(graph_, std::move(patch));
  verify(graph_);
  EXPECT_EQ(graph_.node_count(), 1u);
}

TEST_F(PatchTest, FoldsTheOutput) {
  Patch patch(graph_, "fold");
  patch.replace(y_, patch.constant(Tensor::vector<float>({0, 0})));
  patch.remove(1);
  patch.remove(0);
  apply(graph_, std::move(patch));
  verify(graph_);
  EXPECT_EQ(graph_.node_count(), 0u);
  EXPECT_EQ(graph_.value(graph_.outputs()[0]).name, "y");
}

TEST_F(PatchTest, RefusesContradictingFacts) {
  Patch shape(graph_, "test");
  shape.replace(y_, shape.constant(Tensor::vector<float>({0, 0, 0})));
  shape.remove(1);
  EXPECT_THAT(refused(std::move(shape)), HasSubstr("float32[3]"));
  Patch type(graph_, "test");
  type.replace(a_, type.constant(Tensor::vector<int64_t>({0, 0})));
  type.remove(0);
  EXPECT_THAT(refused(std::move(type)), HasSubstr("int64[2]"));
}

TEST_F(PatchTest, RefusesWhatWouldBreakTheGraph) {
  Patch used(graph_, "test");
  used.remove(0);
  EXPECT_THAT(refused(std::move(used)), HasSubstr("'a' is still used"));
  Patch reads_removed(graph_, "test");
  reads_removed.replace(a_, reads_removed.emit(op("Relu"), {a_}));
  reads_removed.remove(0);
  EXPECT_THAT(refused(std::move(reads_removed)), HasSubstr("'a' is still used"));
  Patch absent(graph_, "test");
  absent.remove(9);
  EXPECT_THAT(refused(std::move(absent)), HasSubstr("does not exist"));
  Patch output(graph_, "test");
  output.replace(y_, x_);
  output.remove(1);
  EXPECT_THAT(refused(std::move(output)), HasSubstr("the output 'y' cannot be replaced by 'x'"));
  EXPECT_FALSE(can_replace(graph_, y_, x_));
  EXPECT_TRUE(can_replace(graph_, y_, a_));
  Patch twice(graph_, "test");
  twice.replace(a_, x_);
  twice.replace(a_, c_);
  EXPECT_THAT(refused(std::move(twice)), HasSubstr("replaced twice"));
}

TEST_F(PatchTest, RefusesAnOlderState) {
  Patch patch(graph_, "test");
  patch.replace(a_, x_);
  graph_.add_value("more");
  EXPECT_THAT(refused(std::move(patch)), HasSubstr("older state"));
}

TEST_F(PatchTest, TakesBackNodesThatCannotBeInferred) {
  Patch patch(graph_, "test");
  patch.replace(a_, patch.emit(op("Fails"), {patch.emit(op("Relu"), {x_})}));
  patch.remove(0);
  EXPECT_THAT(refused(std::move(patch)), HasSubstr("it always fails"));
}

TEST_F(PatchTest, WhatIsMovedMayNotFit) {
  const std::string before = to_text(graph_);
  Patch fails(graph_, "test");
  fails.replace(a_, fails.emit(op("Fails"), {x_}));
  fails.remove(0);
  EXPECT_FALSE(apply_moved(graph_, std::move(fails)));
  Patch type(graph_, "test");
  type.replace(a_, type.constant(Tensor::vector<int64_t>({0, 0})));
  type.remove(0);
  EXPECT_FALSE(apply_moved(graph_, std::move(type)));
  EXPECT_EQ(to_text(graph_), before);
  verify(graph_);
  Patch wrong(graph_, "test");
  wrong.remove(0);
  EXPECT_THROW(apply_moved(graph_, std::move(wrong)), base::Error) << "a defect of the pass is none of the model";
  Patch fits(graph_, "test");
  fits.replace(a_, x_);
  fits.remove(0);
  EXPECT_TRUE(apply_moved(graph_, std::move(fits)));
  EXPECT_EQ(graph_.node_count(), 1u);
}

}  // namespace
}  // namespace onnxrun::ir
