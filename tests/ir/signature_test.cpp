// Operator signatures: reading their text, the table, and checking nodes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ir/op.h"
#include "ir/small_ops.h"

namespace onnxrun::ir {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::small_ops;

TEST(Signature, ReadsAllForms) {
  const Signature s = parse_signature({"X:T, shape?:int64, rest*~:any", "Y:T, others**:S",
                                       "T: floats int4 | S: string seq", "axis:int, pads:ints!, body:graph"},
                                      "Op");
  ASSERT_EQ(s.inputs.size(), 3u);
  EXPECT_TRUE(s.inputs[1].optional);
  EXPECT_TRUE(s.inputs[2].variadic && s.inputs[2].heterogeneous && !s.inputs[2].may_be_empty);
  EXPECT_TRUE(s.outputs[1].may_be_empty);
  EXPECT_EQ(s.min_inputs, 3u);
  EXPECT_EQ(s.max_inputs, SIZE_MAX);
  EXPECT_THAT(s.types.at("T"),
              ElementsAre(DType::kFloat32, DType::kFloat16, DType::kFloat64, DType::kBfloat16, DType::kInt4));
  EXPECT_EQ(s.outputs[1].accepts, (uint64_t{1} << 8) | kAcceptsSequence);
  EXPECT_TRUE(s.attribute("pads")->required);
  EXPECT_EQ(s.attribute("pads")->kind, "ints");
  EXPECT_EQ(s.attribute("nothing"), nullptr);
  EXPECT_EQ(parse_signature({"", "", "", ""}, "Op").max_inputs, 0u);
}

TEST(Signature, RefusesMalformedText) {
  for (const OpSignature& text :
       {OpSignature{"X", "", "", ""}, OpSignature{"X:T", "", "", ""}, OpSignature{"X*:all, Y:all", "", "", ""},
        OpSignature{"", "", "T: float31", ""}, OpSignature{"", "", "", "a:integer"},
        OpSignature{"", "", "", "a:int, a:int"}, OpSignature{"X!:all", "", "", ""}, OpSignature{":all", "", "", ""}})
    EXPECT_THROW(parse_signature(text, "Op"), base::Error);
}

TEST(OpTable, FindsAndSuggests) {
  const OpTable& table = small_ops();
  ASSERT_NE(table.find("ai.onnx", "Relu"), nullptr);
  EXPECT_EQ(table.find("", "Relu"), table.find("ai.onnx", "Relu"));
  EXPECT_EQ(table.find("com.microsoft", "Relu"), nullptr);
  EXPECT_THAT(table.similar("", "relu"), ElementsAre("Relu"));
  EXPECT_THAT(table.similar("com.microsoft", "Relu"), ElementsAre("Relu"));
  EXPECT_THAT(table.similar("", "Convolution"), ElementsAre());
  const OpDef* relu = table.find("", "Relu");
  EXPECT_EQ(relu->version_at(6), 1);
  EXPECT_EQ(relu->version_at(7), 7);
  EXPECT_EQ(relu->version_at(28), 7);
  EXPECT_EQ(relu->version_at(0), 0);
}

TEST(OpTable, RefusesDuplicatesAndHalfDefinitions) {
  OpTable table;
  OpDef def;
  def.name = "Op";
  def.versions = {1};
  EXPECT_THROW(table.add(def), base::Error);
  def.infer = [](InferContext&) {};
  table.add(def);
  EXPECT_THROW(table.add(def), base::Error);
  def.name = "Other";
  def.versions = {7, 6};
  EXPECT_THROW(table.add(def), base::Error);
}

class CheckSignature : public ::testing::Test {
 protected:
  ValueId value(Fact fact) { return graph_.add_value("", std::move(fact)); }
  std::string check(const char* op, std::vector<ValueId> inputs, Attributes attributes = {}, size_t outputs = 1) {
    Node node;
    node.name = "it";
    node.op = small_ops().find("", op);
    node.inputs = std::move(inputs);
    node.attributes = std::move(attributes);
    for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(value({}));
    try {
      check_signature(small_ops(), graph_, node);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kInvalidModel);
      EXPECT_THAT(error.what(), HasSubstr("node 'it'"));
      return error.message();
    }
    return "ok";
  }
  Graph graph_;
  ValueId floats_ = value(Fact::tensor(DType::kFloat32, {Dim(2), Dim(3)}));
  ValueId ints_ = value(Fact::tensor(DType::kInt64, {Dim(2)}));
  ValueId unknown_ = value({});
};

TEST_F(CheckSignature, AcceptsWhatFits) {
  EXPECT_EQ(check("Reshape", {floats_, ints_}), "ok");
  EXPECT_EQ(check("Reshape", {unknown_, ints_}), "ok");
  EXPECT_EQ(check("Clip", {floats_, kNone, floats_}), "ok");
  EXPECT_EQ(check("Clip", {floats_, kNone, kNone}), "ok");
  EXPECT_EQ(check("Sum", {}), "ok");
  EXPECT_EQ(check("Pack", {ints_, floats_, ints_}), "ok");
  EXPECT_EQ(check("Identity", {value(Fact::sequence(Fact()))}), "ok");
}

TEST_F(CheckSignature, NamesTheInputAndWhatWasExpected) {
  EXPECT_EQ(check("Reshape", {floats_, floats_}), "input 1 'shape' of Reshape must be int64, got float32[2,3]");
  EXPECT_THAT(check("Relu", {ints_}), HasSubstr("must be float32, int32, float16, float64 or bfloat16, got int64[2]"));
  EXPECT_THAT(check("Add", {floats_, ints_}),
              AllOf(HasSubstr("input 1 'B' of Add"), HasSubstr("input 0 'A'"), HasSubstr("int64[2]")));
  EXPECT_THAT(check("Identity", {value(Fact::map(DType::kInt64, Fact()))}),
              HasSubstr("a sequence or an optional, got map"));
}

TEST_F(CheckSignature, CountsInputsAndOutputs) {
  EXPECT_EQ(check("Reshape", {floats_}), "Reshape takes 2 inputs, got 1");
  EXPECT_EQ(check("Clip", {floats_, floats_, floats_, floats_}), "Clip takes 1 to 3 inputs, got 4");
  EXPECT_EQ(check("Concat", {}, {{"axis", int64_t{0}}}), "Concat takes 1 or more inputs, got 0");
  EXPECT_EQ(check("Reshape", {kNone, ints_}), "input 0 'data' of Reshape is required but absent");
  EXPECT_EQ(check("Relu", {floats_}, {}, 2), "Relu has 1 outputs at most, got 2");
}

TEST_F(CheckSignature, ChecksAttributes) {
  EXPECT_EQ(check("Shape", {floats_}, {{"begin", int64_t{0}}}), "Shape has no attribute 'begin' (known: start, end)");
  EXPECT_EQ(check("Relu", {floats_}, {{"alpha", 1.0f}}), "Relu has no attribute 'alpha' (known: none)");
  EXPECT_EQ(check("Shape", {floats_}, {{"start", 1.0f}}), "attribute 'start' of Shape must be of kind int, got float");
  EXPECT_EQ(check("Concat", {floats_}), "attribute 'axis' of Concat is required but absent");
  EXPECT_EQ(check("Run", {floats_}), "attribute 'body' of Run is required but absent");
}

}  // namespace
}  // namespace onnxrun::ir
