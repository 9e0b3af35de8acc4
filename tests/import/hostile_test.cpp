// Broken and malicious model files: every one gets an error that names the thing, none gets memory or time it did not bring.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "wire_model.h"

namespace onnxrun::import::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

GraphParts relu() {
  return {.nodes = {node("Relu", {"x"}, {"y"})}, .inputs = {value_info("x")}, .outputs = {value_info("y")}};
}

std::string branch(const std::string& outer, const std::string& inner) {
  return graph({.nodes = {node("Relu", {outer}, {inner})}, .outputs = {value_info(inner)}}, "body");
}

std::string if_node(const std::string& then_graph, const std::string& else_graph, const std::string& out) {
  return node("If", {"c"}, {out},
              {message_attribute("then_branch", 5, 6, then_graph), message_attribute("else_branch", 5, 6, else_graph)});
}

// A model with one of everything the reader knows.
std::string rich_model() {
  GraphParts parts = relu();
  parts.inputs.push_back(value_info("c", 9, {}));
  parts.initializers = {float_tensor("w", {2}, {1, 2})};
  parts.nodes = {node("Add", {"x", "w"}, {"s"}, {}, "sum"), if_node(branch("s", "a"), branch("x", "b"), "t"),
                 node("Twice", {"t"}, {"u"}, {number_attribute("k", 2, 3, 7)}, "call", "local"),
                 node("Constant", {}, {"k"}, {message_attribute("value", 4, 5, float_tensor("", {2}, {3, 4}))}),
                 node("Concat", {"u", "k"}, {"y"}, {number_attribute("axis", 2, 3, 0)})};
  parts.value_infos = {value_info("s", 1, {"n"})};
  const FunctionParts twice{.name = "Twice",
                            .inputs = {"p"},
                            .outputs = {"q"},
                            .defaults = {number_attribute("k", 2, 3, 1)},
                            .nodes = {node("Relu", {"p"}, {"r"}), node("Relu", {"r"}, {"q"})}};
  return model(graph(parts), 10, {function(twice)});
}

TEST(Hostile, RichModelIsValid) { EXPECT_EQ(error_of(rich_model()), ""); }

TEST(Hostile, TruncatedAtEveryByte) {
  const std::string whole = rich_model();
  int failed = 0;
  for (size_t n = 0; n < whole.size(); ++n) {
    // In memory of exactly that size, so that a read beyond the end is seen by AddressSanitizer.
    const std::vector<std::byte> exact(bytes_of(whole).begin(), bytes_of(whole).begin() + static_cast<ptrdiff_t>(n));
    try {
      import_bytes(exact, nullptr, tiny_options());
    } catch (const Error& e) {
      EXPECT_NE(e.code(), Code::kInternal) << e.what();
      ++failed;
    }
  }
  EXPECT_GT(failed, static_cast<int>(whole.size() * 9 / 10));
}

TEST(Hostile, FlippedBits) {
  const std::string whole = rich_model();
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    try {
      load(damaged);
    } catch (const Error& e) {
      EXPECT_NE(e.code(), Code::kInternal) << bit << ": " << e.what();
    }
  }
}

TEST(Hostile, RandomBytesAndOverwrites) {
  std::mt19937 random(7);
  const std::string whole = rich_model();
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = whole;
    for (int n = 0; n < 4; ++n) damaged[random() % damaged.size()] = static_cast<char>(random());
    try {
      load(damaged);
    } catch (const Error& e) {
      EXPECT_NE(e.code(), Code::kInternal) << e.what();
    }
  }
}

TEST(Hostile, NoModel) {
  EXPECT_THAT(error_of(""), HasSubstr("empty"));
  EXPECT_THAT(error_of(std::string("\x08\x08", 2)), HasSubstr("no graph"));
  EXPECT_THAT(error_of(std::string(100, '\xff')), HasSubstr("byte"));
}

TEST(Hostile, LengthsBeyondThirtyTwoBits) {
  // Field 7 with a length of 2^32 + 2: a reader that keeps 32 bits takes it for 2.
  EXPECT_THAT(error_of(std::string("\x08\x08\x3a\x82\x80\x80\x80\x10\x12\x00", 10)),
              HasSubstr("claims 4294967298 bytes"));
}

TEST(Hostile, NamesMustBeUtf8) {
  GraphParts parts = relu();
  parts.nodes = {node("Relu", {"x"}, {"y"}, {}, "\xff\xfe")};
  EXPECT_THAT(error_of(model(graph(parts))), AllOf(HasSubstr("UTF-8"), HasSubstr("NodeProto")));
  parts.nodes = {node("Relu", {"x"}, {"y"}, {}, "größe \xf0\x9f\x98\x80")};
  EXPECT_EQ(error_of(model(graph(parts))), "");
}

TEST(Hostile, WireTypes) {
  std::string bytes;
  Writer w(bytes);
  w.add_int64(1, 8);
  w.add_fixed32(7, 5);
  EXPECT_THAT(
      error_of(bytes),
      HasSubstr(
          "field 7 is stored as 4 fixed bytes where a length and bytes belongs: the file is damaged or no ONNX file"));
}

TEST(Hostile, GraphTwice) {
  std::string bytes = model(graph(relu()));
  Writer(bytes).add_message(7, graph(relu()));
  EXPECT_THAT(error_of(bytes), HasSubstr("present twice"));
}

TEST(Hostile, Cycle) {
  GraphParts parts = relu();
  parts.nodes = {node("Add", {"x", "b"}, {"a"}, {}, "first"), node("Relu", {"a"}, {"b"}, {}, "second"),
                 node("Relu", {"a"}, {"y"}, {}, "third")};
  EXPECT_THAT(error_of(model(graph(parts))), AllOf(HasSubstr("cycle"), HasSubstr("'first'"), HasSubstr("'second'"),
                                                   ::testing::Not(HasSubstr("'third'"))));
  parts.nodes = {node("Add", {"x", "y"}, {"y"}, {}, "self")};
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("cycle: node 'self' (Add) needs node 'self' (Add)"));
}

TEST(Hostile, CycleThroughABody) {
  GraphParts parts = relu();
  parts.inputs.push_back(value_info("c", 9, {}));
  parts.nodes = {if_node(branch("y", "a"), branch("x", "b"), "t"), node("Relu", {"t"}, {"y"})};
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("cycle"));
}

TEST(Hostile, NamesDefinedTwice) {
  GraphParts parts = relu();
  parts.nodes.push_back(node("Relu", {"x"}, {"y"}));
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("'y' is defined twice"));
  parts = relu();
  parts.nodes = {node("Relu", {"x"}, {"x"})};
  EXPECT_NE(error_of(model(graph(parts))), "");
  parts = relu();
  parts.initializers = {float_tensor("w", {1}, {1}), float_tensor("w", {1}, {1})};
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("initializer 'w' is defined twice"));
  parts = relu();
  parts.inputs.push_back(value_info("x"));
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("'x' is listed twice"));
  parts = relu();
  parts.outputs.push_back(value_info("y"));
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("'y' is listed twice"));
}

TEST(Hostile, BodyInputThatIsAnInitializer) {
  GraphParts parts = relu();
  parts.inputs.push_back(value_info("c", 9, {}));
  const std::string bad = graph({.nodes = {node("Relu", {"p"}, {"a"})},
                                 .inputs = {value_info("p")},
                                 .outputs = {value_info("a")},
                                 .initializers = {float_tensor("p", {2}, {1, 2})}});
  parts.nodes = {if_node(bad, branch("x", "b"), "y")};
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("also an initializer"));
}

TEST(Hostile, DanglingNames) {
  GraphParts parts = relu();
  parts.nodes = {node("Relu", {"nowhere"}, {"y"}, {}, "r")};
  EXPECT_THAT(error_of(model(graph(parts))), AllOf(HasSubstr("'nowhere'"), HasSubstr("node 'r' (Relu)")));
  parts = relu();
  parts.outputs = {value_info("z")};
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("'z' is made by no node"));
}

TEST(Hostile, UnknownOperatorsAndVersions) {
  GraphParts parts = relu();
  parts.nodes = {node("Relo", {"x"}, {"y"})};
  EXPECT_THAT(error_of(model(graph(parts))), AllOf(HasSubstr("'Relo'"), HasSubstr("similar: "), HasSubstr("Relu")));
  parts.nodes = {node("Relu", {"x"}, {"y"}, {}, {}, "com.nobody")};
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("'com.nobody' is used but no version of it is imported"));
  EXPECT_THAT(error_of(model(graph(relu()), 8, {}, {opset("", 9999)})),
              HasSubstr("opset 9999 of 'ai.onnx' is newer than the newest this build knows (28)"));
  EXPECT_THAT(error_of(model(graph(relu()), 8, {}, {opset("", 0)})), HasSubstr("does not exist"));
  parts.nodes = {node("Concat", {"x"}, {"y"}, {number_attribute("axis", 2, 3, 0)})};
  EXPECT_THAT(error_of(model(graph(parts), 8, {}, {opset("", 3)})), HasSubstr("exists only from opset 4 on"));
  EXPECT_THAT(error_of(model(graph(relu()), 15)), HasSubstr("IR version is 15"));
  EXPECT_THAT(error_of(model(graph(relu()), 0)), HasSubstr("IR version is 0"));
}

TEST(Hostile, SignatureAndAttributes) {
  GraphParts parts = relu();
  parts.nodes = {node("Concat", {"x"}, {"y"}, {}, "cat")};
  EXPECT_THAT(error_of(model(graph(parts))), AllOf(HasSubstr("'axis'"), HasSubstr("required"), HasSubstr("'cat'")));
  parts.nodes = {node("Concat", {"x"}, {"y"}, {message_attribute("axis", 3, 4, "zero")})};
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("must be of kind int"));
  parts.nodes = {node("Concat", {"x"}, {"y"}, {number_attribute("axis", 2, 3, 0), number_attribute("axis", 2, 3, 0)})};
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("'axis' twice"));
  parts.nodes = {node("Add", {"x", ""}, {"y"})};
  EXPECT_NE(error_of(model(graph(parts))), "");
  parts.nodes = {node("Concat", {"x"}, {"y"}, {number_attribute("axis", 1, 3, 0)})};
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("holds a value of type"));
}

TEST(Hostile, DeclaredOutputTypeIsWrong) {
  GraphParts parts = relu();
  parts.outputs = {value_info("y", 7, {2})};
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("declared as int64[2] but is float32[2]"));
  parts.outputs = {value_info("y", 1, {5})};
  const ir::Model m = load(model(graph(parts)));
  EXPECT_EQ(m.warnings.size(), 1u);
  EXPECT_EQ(m.graph->value(m.graph->outputs()[0]).fact.to_string(), "float32[2]");
}

std::string nested_ifs(int depth) {
  std::string body = branch("x", "v0");
  for (int i = 1; i <= depth; ++i) {
    const std::string out = "v" + std::to_string(i);
    body = graph({.nodes = {if_node(body, branch("x", "e" + std::to_string(i)), out)}, .outputs = {value_info(out)}});
  }
  GraphParts parts{.nodes = {if_node(body, branch("x", "e"), "y")},
                   .inputs = {value_info("c", 9, {}), value_info("x")},
                   .outputs = {value_info("y")}};
  return model(graph(parts));
}

TEST(Hostile, Nesting) {
  EXPECT_EQ(error_of(nested_ifs(20)), "");
  EXPECT_EQ(error_of(nested_ifs(90)), "");
  EXPECT_THAT(error_of(nested_ifs(1000)), HasSubstr("nested"));
}

TEST(Hostile, TypesNestedDeep) {
  std::string type = tensor_type(1, {2});
  for (int i = 0; i < 2000; ++i) {
    std::string sequence, outer;
    Writer(sequence).add_message(1, type);
    Writer(outer).add_message(4, sequence);
    type = outer;
  }
  GraphParts parts = relu();
  parts.inputs.push_back(value_info_of("s", type));
  EXPECT_THAT(error_of(model(graph(parts))), HasSubstr("has a type nested"));
}

TEST(Hostile, RecursiveFunctions) {
  GraphParts parts = relu();
  parts.nodes = {node("F", {"x"}, {"y"}, {}, {}, "local")};
  const auto calls = [](const std::string& from, const std::string& to) {
    return function(
        {.name = from, .inputs = {"p"}, .outputs = {"q"}, .nodes = {node(to, {"p"}, {"q"}, {}, {}, "local")}});
  };
  EXPECT_THAT(error_of(model(graph(parts), 8, {calls("F", "F")})), HasSubstr("calls itself"));
  EXPECT_THAT(error_of(model(graph(parts), 8, {calls("F", "G"), calls("G", "F")})), HasSubstr("calls itself"));
  EXPECT_THAT(error_of(model(graph(parts), 8, {calls("F", "G"), calls("F", "G")})), HasSubstr("defined twice"));
}

TEST(Hostile, FunctionChainsAndExplosions) {
  const auto chain = [](int length, int copies) {
    std::vector<std::string> functions;
    for (int i = 0; i < length; ++i) {
      FunctionParts f{.name = "F" + std::to_string(i), .inputs = {"p"}, .outputs = {"q"}};
      for (int n = 0; n < copies; ++n) {
        const std::string op = i + 1 < length ? "F" + std::to_string(i + 1) : "Relu";
        f.nodes.push_back(node(op, {n == 0 ? "p" : "t" + std::to_string(n)},
                               {n + 1 == copies ? "q" : "t" + std::to_string(n + 1)}, {}, {},
                               i + 1 < length ? "local" : ""));
      }
      functions.push_back(function(f));
    }
    GraphParts parts = relu();
    parts.nodes = {node("F0", {"x"}, {"y"}, {}, {}, "local")};
    return model(graph(parts), 8, functions);
  };
  EXPECT_EQ(load(chain(20, 1)).graph->node_count(), 1u);
  EXPECT_EQ(load(chain(10, 2)).graph->node_count(), 1024u);
  EXPECT_THAT(error_of(chain(3000, 1)), HasSubstr("deep"));
  EXPECT_THAT(error_of(chain(30, 2)), HasSubstr("limit of 4000000 (option max_nodes"));
}

TEST(Hostile, ManyInputsAndLongNames) {
  GraphParts parts = relu();
  parts.nodes = {node("Concat", std::vector<std::string>(200'000, "x"), {"y"}, {number_attribute("axis", 2, 3, 0)})};
  EXPECT_EQ(error_of(model(graph(parts))), "");
  const std::string name(10'000'000, 'n');
  parts = relu();
  parts.nodes = {node("Relu", {"x"}, {name}), node("Relu", {name}, {"y"})};
  EXPECT_EQ(error_of(model(graph(parts))), "");
  parts.nodes = {node("Relu", {name}, {"y"}, {}, name)};
  EXPECT_LT(error_of(model(graph(parts))).size(), 2000u);
}

TEST(Hostile, NodesBeyondTheLimit) {
  ImportOptions options = tiny_options();
  options.limits.max_nodes = 3;
  GraphParts parts = relu();
  for (int i = 0; i < 5; ++i) parts.nodes.push_back(node("Relu", {"x"}, {"r" + std::to_string(i)}));
  EXPECT_THAT(error_of(model(graph(parts)), options), HasSubstr("limit of 3 (option max_nodes"));
}

}  // namespace
}  // namespace onnxrun::import::test
