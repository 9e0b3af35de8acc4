// Inference of the elementwise operators on symbolic shapes and shape arithmetic, their refusals, and the lifts of
// their oldest forms.
#include <gmock/gmock.h>

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {

void define_all(ir::OpTable& table);

namespace {

using ir::Attributes;
using ir::Dim;
using ir::DType;
using ir::Fact;
using ir::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

const ir::OpTable& table() {
  static const ir::OpTable& instance = [&]() -> ir::OpTable& {
    static ir::OpTable made;
    define_all(made);
    return made;
  }();
  return instance;
}

Fact infer(std::string_view op, std::vector<Fact> inputs, Attributes attributes = {}) {
  ir::Graph graph;
  ir::Node node;
  node.op = table().find("", op);
  node.attributes = std::move(attributes);
  std::vector<const Fact*> facts;
  for (size_t i = 0; i < inputs.size(); ++i) {
    node.inputs.push_back(graph.add_input("input" + std::to_string(i), inputs[i]));
    facts.push_back(inputs[i].kind == ir::TypeKind::kUnknown ? nullptr : &inputs[i]);
  }
  node.outputs.push_back(graph.add_value("output"));
  return ir::infer_node(graph, node, facts).front();
}

std::string message(std::string_view op, std::vector<Fact> inputs, Attributes attributes = {}) {
  try {
    infer(op, std::move(inputs), std::move(attributes));
  } catch (const base::Error& error) {
    return error.message();
  }
  return "no error";
}

const Dim kN = Dim::symbol("n");

Fact ints(std::vector<Dim> elements) {
  Fact fact = Fact::tensor(DType::kInt64, {Dim(static_cast<int64_t>(elements.size()))});
  fact.elements = std::move(elements);
  return fact;
}
std::string elements(const Fact& fact) { return fact.elements ? ir::to_string(*fact.elements) : "none"; }

TEST(ElementwiseInference, BroadcastsSymbols) {
  const Fact a = Fact::tensor(DType::kFloat32, {kN, Dim(1), Dim(3)}),
             b = Fact::tensor(DType::kFloat32, {Dim(4), Dim(3)});
  EXPECT_EQ(infer("Add", {a, b}).to_string(), "float32[n,4,3]");
  EXPECT_EQ(infer("Less", {a, b}).to_string(), "bool[n,4,3]");
  EXPECT_EQ(infer("Max", {a, b, Fact::tensor(DType::kFloat32, {})}).to_string(), "float32[n,4,3]");
  EXPECT_EQ(infer("Add", {a, Fact::tensor(DType::kFloat32)}).shape, std::nullopt);
  // One of the two may be 1.
  EXPECT_TRUE(
      infer("Mul", {a, Fact::tensor(DType::kFloat32, {Dim::symbol("m"), Dim(1), Dim(1)})}).shape->front().is_unknown());
  EXPECT_EQ(infer("Where", {Fact::tensor(DType::kBool, {Dim(1), kN}), a, b}).to_string(), "float32[n,4,3]");
}

TEST(ElementwiseInference, CarriesShapeArithmetic) {
  const Fact shape = ints({kN, Dim(6), Dim()}), two = ints({Dim(2)});
  EXPECT_EQ(elements(infer("Mul", {shape, two})), "[2*n,12,?]");
  EXPECT_EQ(elements(infer("Div", {infer("Mul", {shape, two}), two})), "[n,6,?]");
  EXPECT_EQ(elements(infer("Sub", {infer("Add", {shape, two}), shape})), "[2,2,?]");
  EXPECT_EQ(elements(infer("Neg", {two})), "[-2]");
  EXPECT_EQ(elements(infer("Cast", {shape}, {{"to", int64_t{6}}})), "[n,6,?]");
  EXPECT_EQ(elements(infer("Div", {ints({Dim(-7), Dim(7)}), two})), "[-3,3]");
  const auto least = ints({Dim(INT64_MIN)});
  EXPECT_EQ(elements(infer("Div", {ints({Dim(7), Dim(-7), Dim(INT64_MIN)}), least})), "[0,0,1]");
  EXPECT_EQ(elements(infer("Mod", {ints({Dim(7), Dim(-7), Dim(0)}), least})), "[-9223372036854775801,-7,0]");
  EXPECT_EQ(elements(infer("Mod", {ints({Dim(-7), Dim(7)}), ints({Dim(3)})})), "[2,1]");
  EXPECT_EQ(elements(infer("Div", {shape, ints({Dim(0)})})), "[?,?,?]");
  EXPECT_EQ(elements(infer("Mul", {ints({Dim(INT64_MAX)}), two})), "[?]");
  // torch's dynamic reshape: where(equal(shape, -1), ones, shape).
  const Fact equal = infer("Equal", {ints({kN, Dim(-1), Dim(5)}), ints({Dim(-1)})});
  EXPECT_EQ(elements(equal), "[0,1,0]");
  EXPECT_EQ(elements(infer("Where", {equal, ints({Dim(1), Dim(1), Dim(1)}), ints({kN, Dim(-1), Dim(5)})})), "[n,1,5]");
  EXPECT_EQ(elements(infer("And", {equal, infer("Not", {equal})})), "[0,0,0]");
  const Fact constant = infer("Add", {ints({Dim(1)}), two});
  EXPECT_THAT(constant.constant.as_int64(), ElementsAre(3));
}

TEST(ElementwiseInference, NamesWhatDoesNotFit) {
  const auto f = [](ir::Shape shape) { return Fact::tensor(DType::kFloat32, std::move(shape)); };
  EXPECT_THAT(message("Add", {f({Dim(2), Dim(3)}), f({Dim(4)})}), HasSubstr("[2,3] and [4] do not broadcast"));
  EXPECT_THAT(message("PRelu", {f({Dim(3)}), f({Dim(2), Dim(3)})}), HasSubstr("'slope' of shape [2,3]"));
  EXPECT_THAT(message("SwiGLU", {f({Dim(3)}), f({Dim(1)})}), HasSubstr("one shape"));
  EXPECT_THAT(message("Clip", {f({Dim(3)}), f({Dim(2)})}), HasSubstr("'min'"));
  EXPECT_THAT(message("Cast", {f({})}, {{"to", int64_t{99}}}), HasSubstr("99"));
  EXPECT_THAT(message("Cast", {f({})}, {{"to", int64_t{14}}}), HasSubstr("complex64"));
  EXPECT_THAT(message("BitCast", {f({})}, {{"to", int64_t{7}}}), HasSubstr("as many bits"));
  EXPECT_THAT(message("Gelu", {f({})}, {{"approximate", std::string("sigmoid")}}), HasSubstr("'none' or 'tanh'"));
  EXPECT_THAT(message("BitShift", {ints({Dim(1)}), ints({Dim(1)})}, {{"direction", std::string("UP")}}),
              HasSubstr("UP"));
  EXPECT_THAT(message("Mod", {f({}), f({})}, {{"fmod", int64_t{2}}}), HasSubstr("'fmod'"));
}

// A graph with one node of an old version, lifted.
struct Lifted {
  Lifted(std::string_view op, int since, std::vector<Fact> inputs, Attributes attributes, size_t outputs = 1) {
    ir::Node node;
    node.op = table().find("", op);
    node.attributes = std::move(attributes);
    for (size_t i = 0; i < inputs.size(); ++i)
      node.inputs.push_back(graph.add_input("input" + std::to_string(i), inputs[i]));
    for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(graph.add_value("output" + std::to_string(i)));
    const ir::OpDef& def = *node.op;
    ir::Expansion e(graph, table(), std::move(node));
    def.lift(e, since);
    for (const ir::NodeId id : graph.topological_order()) {
      text += text.empty() ? "" : " ";
      text += graph.node(id).op->name;
      check_signature(table(), graph, graph.node(id));
    }
  }
  const Fact& output(size_t i = 0) const { return graph.value(graph.find_value("output" + std::to_string(i))).fact; }

  ir::Graph graph;
  std::string text;  // the operators, in order
};

Fact floats(std::vector<int64_t> dims) { return Fact::tensor(DType::kFloat32, ir::make_shape(dims)); }

TEST(ElementwiseLift, PlacesLimitedBroadcastByItsAxis) {
  for (const int since : {1, 6}) {
    const Lifted middle("Add", since, {floats({2, 3, 4, 5}), floats({3, 4})},
                        {{"axis", int64_t{1}}, {"broadcast", int64_t{1}}});
    EXPECT_EQ(middle.text, "Unsqueeze Add");
    EXPECT_EQ(middle.output().to_string(), "float32[2,3,4,5]");
    const Lifted negative("Mul", since, {floats({2, 3, 4}), floats({3})},
                          {{"axis", int64_t{-2}}, {"broadcast", int64_t{1}}});
    EXPECT_EQ(negative.text, "Unsqueeze Mul");
  }
  EXPECT_EQ(Lifted("Pow", 1, {floats({2, 3}), floats({3})}, {{"axis", int64_t{1}}, {"broadcast", int64_t{1}}}).text,
            "Pow");
  EXPECT_EQ(Lifted("Sub", 1, {floats({2}), floats({2})}, {{"consumed_inputs", std::vector<int64_t>{0, 0}}}).text,
            "Sub");
  const Fact flags = Fact::tensor(DType::kBool, {Dim(2), Dim(3)}), column = Fact::tensor(DType::kBool, {Dim(2)});
  EXPECT_EQ(Lifted("And", 1, {flags, column}, {{"axis", int64_t{0}}, {"broadcast", int64_t{1}}}).text, "Unsqueeze And");
  EXPECT_THROW(Lifted("Add", 6, {floats({2}), floats({2})}, {{"axis", int64_t{1}}, {"broadcast", int64_t{1}}}),
               base::Error);
}

TEST(ElementwiseLift, GivesSlopesTheChannelAxis) {
  const Lifted channels("PRelu", 6, {floats({2, 3, 4, 5}), floats({3})}, {});
  EXPECT_EQ(channels.text, "Unsqueeze PRelu");
  EXPECT_EQ(channels.output().to_string(), "float32[2,3,4,5]");
  EXPECT_EQ(Lifted("PRelu", 6, {floats({2, 3, 4, 5}), floats({1})}, {}).text, "PRelu");
  EXPECT_EQ(Lifted("PRelu", 7, {floats({2, 3, 3}), floats({3})}, {}).text, "PRelu");
}

TEST(ElementwiseLift, TurnsAttributesToInputs) {
  const Lifted clip("Clip", 6, {floats({2})}, {{"min", -1.0f}, {"max", 6.0f}});
  const ir::Node& node = clip.graph.node(clip.graph.topological_order().front());
  ASSERT_EQ(node.inputs.size(), 3u);
  EXPECT_EQ(*clip.graph.value(node.inputs[2]).fact.constant.data<float>(), 6.0f);
  EXPECT_EQ(Lifted("Clip", 6, {Fact::tensor(DType::kFloat16, {Dim(2)})}, {{"max", 6.0f}}).text, "Clip");
}

TEST(ElementwiseLift, ReadsTypesByName) {
  const Lifted cast("Cast", 1, {floats({2})}, {{"to", std::string("INT64")}});
  EXPECT_EQ(cast.output().to_string(), "int64[2]");
  EXPECT_EQ(Lifted("Cast", 1, {floats({2})}, {{"to", std::string("FLOAT")}}).output().dtype, DType::kFloat32);
  EXPECT_THROW(Lifted("Cast", 1, {floats({2})}, {{"to", std::string("NUMBER")}}), base::Error);
}

TEST(ElementwiseLift, MakesOldDropoutTheIdentity) {
  const Lifted typed("Dropout", 7, {floats({2})}, {{"ratio", 0.3f}}, 2);
  EXPECT_EQ(typed.output(1).to_string(), "float32[2]");
  const Lifted boolean("Dropout", 10, {floats({2})}, {{"ratio", 0.3f}}, 2);
  EXPECT_EQ(boolean.text, "Dropout");
  EXPECT_EQ(boolean.output(1).to_string(), "bool[2]");
}

TEST(ElementwiseLift, KeepsOldDefaultsOfSelu) {
  const Lifted selu("Selu", 1, {floats({2})}, {});
  const ir::Node& node = selu.graph.node(selu.graph.topological_order().front());
  EXPECT_EQ(node.attributes.get_float("alpha", 0), 1.6732f);
  EXPECT_EQ(node.attributes.get_float("gamma", 0), 1.0507f);
}

}  // namespace
}  // namespace onnxrun::ops
