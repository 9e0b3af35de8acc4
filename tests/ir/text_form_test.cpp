// The text form printed whole and read back.
#include <gmock/gmock.h>

#include <bit>
#include <limits>
#include <tuple>

#include "ir/parse.h"
#include "ir/small_ops.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace onnxrun::ir {
namespace {

using ::testing::HasSubstr;
using testing::small_ops;

Model parse(std::string_view text) { return parse_model(text, small_ops()); }

// A model around statements, with the input x: float32[n,3] and the output y.
std::string around(std::string_view statements) {
  return fmt::format("onnxrun text 1\nopset ai.onnx 17\ngraph main(x: float32[n,3]) -> (y) {{\n{}\n}}\n", statements);
}

std::string refusal(std::string_view text, const ParseOptions& options = {}) {
  try {
    parse_model(text, small_ops(), options);
  } catch (const base::Error& error) {
    return error.what();
  }
  return "it was accepted";
}

// Prints, reads, prints again.
void expect_fixpoint(const Model& model) {
  const std::string text = to_text(model);
  const Model back = parse(text);
  verify(*back.graph);
  EXPECT_EQ(to_text(back), text);
}

TEST(TextForm, ReadsNodesTypesAndNames) {
  const Model model = parse(around("a: float32[n,3] = Relu(x)  # node 'first one'\n y = Add(a, a)"));
  const Graph& graph = *model.graph;
  EXPECT_EQ(model.opset_imports.at(""), 17);
  EXPECT_EQ(graph.name, "main");
  ASSERT_EQ(graph.node_count(), 2u);
  EXPECT_EQ(graph.node(0).name, "first one");
  EXPECT_EQ(graph.value(graph.outputs()[0]).fact.to_string(), "float32[n,3]");
  expect_fixpoint(model);
}

TEST(TextForm, KeepsAllThatAModelSays) {
  const Model model = parse(R"(onnxrun text 1
ir_version 9
opset ai.onnx 17
opset com.example 3
producer 'maker' '1.2'
domain 'd'
model_version 4
doc 'two\x0alines'
metadata 'key' = 'it\'s'
quantization x 'SCALE_TENSOR' = 's'
graph 'a b'(x: float32['odd name',?], d: int64[2] = {1, 2}) -> (y, x) {
  doc 'of the graph'
  metadata 'g' = '1'
  note 'x' doc 'an input'
  note 'y' 'k' = 'v'
  y: float32['odd name',?] = Clip(x, _, x)  # node 'n'  # doc 'why'  # metadata 'a' = 'b'
}
)");
  EXPECT_EQ(model.ir_version, 9);
  EXPECT_EQ(model.doc, "two\nlines");
  EXPECT_EQ(model.metadata.at("key"), "it's");
  EXPECT_EQ(model.quantization_annotations.at("x").at("SCALE_TENSOR"), "s");
  ASSERT_EQ(model.input_defaults.size(), 1u);
  EXPECT_EQ(model.input_defaults.begin()->second.as_int64(), (std::vector<int64_t>{1, 2}));
  const Graph& graph = *model.graph;
  EXPECT_EQ(graph.notes.at(graph.find_value("y")).metadata.at("k"), "v");
  EXPECT_EQ(graph.node(0).doc, "why");
  EXPECT_EQ(graph.node(0).metadata.at("a"), "b");
  EXPECT_EQ(graph.node(0).inputs[1], kNone);
  expect_fixpoint(model);
}

TEST(TextForm, ReadsBodiesAndCaptures) {
  const Model model = parse(around(R"(k = Relu(x)
  y = Run(x)
    body:
      graph inner(state: float32[n,3]) -> (result) {
        outer captures 'k'
        sum = Add(state, outer)
        result = Add(sum, x)  # captured without saying so
      })"));
  const Graph& body = *model.graph->node(1).body("body");
  EXPECT_EQ(body.captures().size(), 2u);
  EXPECT_EQ(model.graph->value(model.graph->find_value("k")).consumers.size(), 1u);
  expect_fixpoint(model);
}

TEST(TextForm, EveryTypeKeepsItsBits) {
  for (int number = 1; number <= 26; ++number) {
    if (!base::is_dtype(number)) continue;
    const auto dtype = static_cast<DType>(number);
    SCOPED_TRACE(base::dtype_name(dtype));
    Model model;
    model.graph = std::make_unique<Graph>();
    Tensor tensor(dtype, {256});
    if (dtype == DType::kString) {
      for (int i = 0; i < 256; ++i) tensor.mutable_data<std::string>()[i] = std::string(2, static_cast<char>(i));
    } else {
      auto* bytes = static_cast<uint8_t*>(tensor.mutable_raw());
      for (size_t i = 0; i < tensor.bytes(); ++i)
        bytes[i] = static_cast<uint8_t>(dtype == DType::kBool ? i % 2 : i * 197 + i / 256);
    }
    const ValueId c = model.graph->add_constant(tensor, "c");
    model.graph->add_output(c);
    const Model back = parse(to_text(model));
    const Tensor& read = back.graph->value(back.graph->find_value("c")).fact.constant;
    ASSERT_EQ(read.dtype(), dtype);
    ASSERT_EQ(read.bytes(), tensor.bytes());
    if (dtype == DType::kString) EXPECT_TRUE(std::ranges::equal(read.span<std::string>(), tensor.span<std::string>()));
    else EXPECT_EQ(std::memcmp(read.raw(), tensor.raw(), tensor.bytes()), 0);
  }
}

TEST(TextForm, FloatsKeepTheirBits) {
  const float payload = std::bit_cast<float>(0x7fc00123u);
  const float limit = std::numeric_limits<float>::infinity();
  Model model;
  model.graph = std::make_unique<Graph>();
  const Tensor tensor = Tensor::vector<float>({0.0f, -0.0f, limit, -limit, NAN, payload, 1e-45f, 0.1f});
  model.graph->add_output(model.graph->add_constant(tensor, "c"));
  const std::string text = to_text(model);
  EXPECT_THAT(text, HasSubstr("{0, -0, inf, -inf, nan, 0x7fc00123, 1e-45, 0.1}"));
  const Model back = parse(text);
  EXPECT_EQ(std::memcmp(back.graph->value(0).fact.constant.raw(), tensor.raw(), tensor.bytes()), 0);
}

TEST(TextForm, NamesOfAnyBytes) {
  for (const char* name : {"a b", "a:0", "::", "a,b", "it's", "\x01", "_", "1", "graph", "doc", "note", "metadata", "é",
                           "a#b", "x=1", "none", "\\"}) {
    SCOPED_TRACE(name);
    Model model;
    model.graph = std::make_unique<Graph>();
    model.graph->name = name;
    const ValueId x =
        model.graph->add_input(std::string(name) + "x", Fact::tensor(DType::kFloat32, {Dim::symbol(name)}));
    model.graph->add_output(testing::add(*model.graph, "Relu", {x}, {name}, name));
    model.graph->notes[x].metadata[name] = name;
    model.metadata[name] = name;
    const Model back = parse(to_text(model));
    EXPECT_NE(back.graph->find_value(name), kNone);
    expect_fixpoint(back);
  }
}

TEST(TextForm, SaysWhereItIsWrong) {
  EXPECT_THAT(refusal(""), HasSubstr("line 1, column 1: expected 'onnxrun text 1'"));
  EXPECT_THAT(refusal(around("y = Rely(x)")), HasSubstr("line 4, column 5"));
  EXPECT_THAT(refusal(around("y = Rely(x)")), HasSubstr("'Rely'; similar: Relu"));
  EXPECT_THAT(refusal(around("y = Relu(z)")), HasSubstr("'z' is read and nothing before makes it"));
  EXPECT_THAT(refusal(around("y = Relu(x")), HasSubstr("expected ',', found '}'"));
  EXPECT_THAT(refusal(around("y = Relu(x)\n  y = Relu(x)")), HasSubstr("'y' is there already"));
  EXPECT_THAT(refusal(around("y: int64[n,3] = Relu(x)")),
              HasSubstr("'y' is declared as int64[n,3] but is float32[n,3]"));
  EXPECT_THAT(refusal(around("c: int8[2] = {1, 200}\ny = Relu(x)")),
              HasSubstr("line 4, column 18: '200' is no number that fits"));
  EXPECT_THAT(refusal(around("c: int8[3] = {1, 2}\ny = Relu(x)")), HasSubstr("expected ',', found '}'"));
  EXPECT_THAT(refusal(around("c: float32[9] = {1, ...}\ny = Relu(x)")), HasSubstr("--whole"));
  EXPECT_THAT(refusal(around("c: float32[n] = {1}\ny = Relu(x)")), HasSubstr("a shape of numbers"));
  EXPECT_THAT(refusal(around("y = Concat(x)")), HasSubstr("axis"));
  EXPECT_THAT(refusal(around("y = Concat(x, axis='a')")), HasSubstr("column 20: expected a number"));
  EXPECT_THAT(refusal(around("y = Concat(x, axis=1, axis=1)")), HasSubstr("given twice"));
  EXPECT_THAT(refusal(around("y = Relu('x)")), HasSubstr("column 10: the quotation is not closed"));
  EXPECT_THAT(refusal(around("y = Relu('\\q')")), HasSubstr("none of"));
  EXPECT_THAT(refusal(around("y captures 'x'")), HasSubstr("only a body"));
  EXPECT_THAT(refusal(around("'' = Relu(x)")), HasSubstr("line 4, column 1: a name is not empty"));
  EXPECT_THAT(refusal(around("'\\xff' = Relu(x)")), HasSubstr("no UTF-8"));
  EXPECT_THAT(refusal(around("y\xff = Relu(x)")), HasSubstr("no UTF-8"));
}

TEST(TextForm, ShapesThatContradictGiveWay) {
  const Model model = parse(around("y: float32[5,4] = Relu(x)"));
  EXPECT_EQ(model.graph->value(model.graph->outputs()[0]).fact.to_string(), "float32[n,3]");
  ASSERT_EQ(model.warnings.size(), 1u);
  EXPECT_THAT(model.warnings[0], HasSubstr("'y' is declared with shape [5,4] but has shape [n,3]"));
}

TEST(TextForm, HostileTextIsRefused) {
  EXPECT_THAT(refusal(around("c: float32[1000000000000] = {1}\ny = Relu(x)")), HasSubstr("cut off"));
  EXPECT_THAT(refusal(around("c: float32[4000000000,4000000000,4000000000] = {1}")), HasSubstr("too many"));
  EXPECT_THAT(refusal(around("c: float32[0,4000000000,4000000000,4000000000] = {}")), Not(HasSubstr("accepted")));
  std::string deep = "y = Relu(x)";
  std::string types = "c: ", lists;
  for (int i = 0; i < 100000; ++i) types += "sequence(";
  EXPECT_THAT(refusal(around(types)), HasSubstr("nested deeper"));
  std::string bodies;
  for (int i = 0; i < 200; ++i) bodies += "y = Run(x) body: graph g(s: float32[1]) -> (y) { ";
  EXPECT_THAT(refusal(around(bodies)), HasSubstr("nested deeper"));
  std::string rank = "c: float32[1";
  for (int i = 0; i < 100; ++i) rank += ",1";
  EXPECT_THAT(refusal(around(rank + "] = {1}")), HasSubstr("at most"));
  ParseOptions tight;
  tight.budget = std::make_shared<base::Budget>(16 << 20);
  std::string many = "y = Relu(x)";
  for (int i = 0; i < 200000; ++i) many += fmt::format("\na{} = Relu(x)", i);
  EXPECT_THROW(parse_model(around(many), small_ops(), tight), base::Error);
  EXPECT_EQ(tight.budget->used(), 0);
  for (const auto& [begin, element, end] :
       {std::tuple("y = Relu(x, names=[''", ",''", "])"),
        std::tuple("y = Relu(x, tensors=[float32[0]{}", ",float32[0]{}", "])"), std::tuple("_", ",_", " = Relu(x)")}) {
    std::string list = begin;
    for (int i = 0; i < 1'000'000; ++i) list += element;
    EXPECT_THAT(refusal(around(list + end), tight), HasSubstr("limit of 16777216 bytes")) << begin;
    EXPECT_EQ(tight.budget->used(), 0);
  }
  tight.limits.max_nodes = 10;
  tight.budget = nullptr;
  EXPECT_THROW(parse_model(around(many), small_ops(), tight), base::Error);
}

TEST(TextForm, AnyCutOrChangedTextIsReadOrRefused) {
  const std::string text = around(R"(k: float16[2] = {1, 0x7e01}
  s: string[1] = {'a\x00'}
  i: int4[3] = {-8, 7, 0}
  a, _ = Split(x)  # node 'split'
  y = Run(x)
    body:
      graph inner(state: float32[n,3]) -> (result) {
        outer captures 'x'
        result = Add(state, outer)
      })");
  parse(text);
  for (size_t size = 0; size < text.size() - 1; ++size) EXPECT_THROW(parse(text.substr(0, size)), base::Error) << size;
  for (size_t at = 0; at < text.size(); ++at)
    for (const char c : {'\'', '(', '}', '0', '\0', '\xff', ' ', '\n', '-', '?', '#'}) {
      std::string changed = text;
      changed[at] = c;
      try {
        verify(*parse(changed).graph);
      } catch (const base::Error& error) {
        EXPECT_NE(error.code(), base::Code::kInternal) << error.what();
      }
    }
}

TEST(TextForm, NamedDimensionsCanBeFixed) {
  ParseOptions options;
  options.dims = {{"n", 8}};
  std::set<std::string, std::less<>> symbols;
  options.symbols = &symbols;
  const Model model = parse_model(around("y: float32[n,3] = Relu(x)"), small_ops(), options);
  EXPECT_EQ(model.graph->value(model.graph->outputs()[0]).fact.to_string(), "float32[8,3]");
  EXPECT_TRUE(symbols.contains("n"));
}

TEST(TextForm, StatementsJoinAGraph) {
  Model model = parse(around("y = Relu(x)"));
  parse_into(*model.graph, "w: float32[2] = {1, 2}\nz = Add(y, w)", small_ops());
  verify(*model.graph);
  EXPECT_EQ(model.graph->node_count(), 2u);
  EXPECT_THROW(parse_into(*model.graph, "y = Relu(x)", small_ops()), base::Error);
}

}  // namespace
}  // namespace onnxrun::ir
