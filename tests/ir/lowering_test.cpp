// Lowering: inputs moved to attributes, refusals, nodes written as they are.
#include "ir/lowering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/small_ops.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace onnxrun::ir {
namespace {

using testing::add;
using testing::small_ops;

class LoweringTest : public ::testing::Test {
 protected:
  Lowering start(std::vector<ValueId> inputs, Attributes attributes = {}) {
    y_ = add(graph_, "Reshape", std::move(inputs), {"y"}, "it");
    graph_.value(y_).fact = Fact::tensor(DType::kFloat32, {Dim(6)});
    Node node = graph_.take_node(graph_.value(y_).producer);
    node.attributes = std::move(attributes);
    return Lowering(graph_, small_ops(), std::move(node));
  }
  Graph graph_;
  ValueId x_ = graph_.add_input("x", Fact::tensor(DType::kFloat32, {Dim(2), Dim(3)}));
  ValueId shape_ = graph_.add_constant(Tensor::vector<int64_t>({6}), "shape");
  ValueId wanted_ = graph_.add_input("wanted", Fact::tensor(DType::kInt64, {Dim(1)}));
  ValueId y_ = kNone;
};

TEST_F(LoweringTest, MovesAConstantInputToAnAttribute) {
  Lowering l = start({x_, shape_});
  l.input_to_ints(1, "shape");
  l.keep();
  ASSERT_FALSE(l.refused());
  const Node& node = graph_.node(l.added().front());
  EXPECT_TRUE(l.is_written(node.id));
  EXPECT_EQ(node.inputs, std::vector<ValueId>{x_});
  EXPECT_EQ(node.attributes.get_ints("shape"), std::vector<int64_t>{6});
  EXPECT_EQ(graph_.value(y_).fact.to_string(), "float32[6]") << "kept, not inferred";
  verify(graph_);
}

TEST_F(LoweringTest, RefusesWhatIsNotKnown) {
  Lowering l = start({x_, wanted_});
  l.input_to_ints(1, "shape");
  l.refuse("a second reason");
  l.keep();
  EXPECT_EQ(l.refusal(), "its input 'shape' is not a constant");
  EXPECT_TRUE(l.added().empty());
}

TEST_F(LoweringTest, DropsAttributesThatSayWhatHoldsAnyway) {
  Lowering l =
      start({x_, shape_},
            {{"a", int64_t{0}}, {"b", std::string("none")}, {"c", std::vector<int64_t>{1, 1}}, {"d", int64_t{2}}});
  l.drop_int("a", 0);
  l.drop_string("b", "none");
  l.drop_ints("c", 1);
  l.drop_int("absent", 7);
  EXPECT_FALSE(l.refused());
  EXPECT_EQ(l.attributes().list().size(), 1u);
  l.drop_int("d", 0);
  EXPECT_EQ(l.refusal(), "its attribute 'd' is 2");
}

TEST_F(LoweringTest, KeepsAsideForNodesThatFollow) {
  Lowering l = start({x_, shape_});
  const ValueId aside = l.keep_aside(Fact::tensor(DType::kFloat32, {Dim(6)}));
  l.finish("Relu", {aside});
  EXPECT_EQ(graph_.value(aside).producer, l.added()[0]);
  EXPECT_EQ(graph_.value(y_).producer, l.added()[1]);
  EXPECT_FALSE(l.is_written(l.added()[1]));
  verify(graph_);
}

}  // namespace
}  // namespace onnxrun::ir
