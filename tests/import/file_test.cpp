// Files: foreign formats, checking, writing and reading back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "import/export.h"
#include "import/files.h"

namespace onnxrun::ops {
void define_all(ir::OpTable& table);
}

namespace onnxrun::import::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Files, WhatIsNoFile) {
  EXPECT_THAT(load_error("absent.onnx"), AllOf(HasSubstr("absent.onnx"), HasSubstr("No such file")));
  write("empty.onnx", "");
  EXPECT_THAT(load_error("empty.onnx"), HasSubstr("empty"));
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(load_error("pipe"), HasSubstr("no regular file"));
}

TEST_F(Files, BeyondTwoGiB) {
  write("big.onnx", "\x08\x08");
  fs::resize_file(path("big.onnx"), (uintmax_t{2} << 30) + 1);
  EXPECT_THAT(load_error("big.onnx"), AllOf(HasSubstr("2147483649 bytes"), HasSubstr("external data")));
}

TEST_F(Files, ForeignFormats) {
  const auto error = [&](const std::string& bytes) {
    write("f.onnx", bytes);
    return load_error("f.onnx");
  };
  EXPECT_THAT(error(std::string("PK\3\4\0\0\0\0", 8) + "archive/data.pkl"), HasSubstr("torch.onnx.export"));
  EXPECT_THAT(error(std::string("\x80\x02}q\0", 5)), HasSubstr("pickle"));
  EXPECT_THAT(error("GGUF\3"), HasSubstr("GGUF"));
  EXPECT_THAT(error(std::string("\x1c\0\0\0TFL3", 8)), HasSubstr("tf2onnx"));
  EXPECT_THAT(error(std::string("\x1c\0\0\0ORTM", 8)), HasSubstr(".ort"));
  EXPECT_THAT(error(std::string("\x08\0\0\0\0\0\0\0{\"a\":{}}", 16)), HasSubstr("safetensors"));
  EXPECT_THAT(error("\x89HDF\r\n\x1a\n..."), HasSubstr("Keras"));
  EXPECT_THAT(error("\x1f\x8b\x08..."), HasSubstr("gunzip"));
  EXPECT_THAT(error("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("git lfs pull"));
  EXPECT_THAT(error("{\"irVersion\": 8}"), HasSubstr("JSON"));
  EXPECT_THAT(error("<!DOCTYPE html><html>"), HasSubstr("web page"));
  EXPECT_THAT(error("ir_version: 8\ngraph {}"), HasSubstr("text form"));
  EXPECT_THAT(error("\x93NUMPY\x01"), HasSubstr("NumPy"));
  EXPECT_THAT(error("\x89PNG\r\n\x1a\n"), HasSubstr("picture"));
  fs::create_directory(root_ / "model" / "saved");
  write("saved/saved_model.pb", "x");
  EXPECT_THAT(load_error("saved"), AllOf(HasSubstr("SavedModel"), HasSubstr("tf2onnx")));
}

TEST_F(Files, CheckFindsAllProblems) {
  GraphParts parts{.nodes = {node("Nope", {"x"}, {"a"}, {}, "one"), node("Relu", {"missing"}, {"b"}, {}, "two"),
                             node("Add", {"a", "b"}, {"y"}, {}, "three")},
                   .inputs = {value_info("x", 1, {4, 2})},
                   .outputs = {value_info("y", 1, {4, 2}), value_info("z")}};
  write("bad.onnx", model(graph(parts)));
  const std::vector<Problem> problems = check_file(path("bad.onnx"), tiny_options());
  const auto is = [](Severity severity, const char* node, const char* what) {
    return AllOf(Field(&Problem::severity, severity), Field(&Problem::node, HasSubstr(node)),
                 Field(&Problem::what, HasSubstr(what)));
  };
  EXPECT_THAT(problems, Contains(is(Severity::kError, "'one'", "'Nope'")));
  EXPECT_THAT(problems, Contains(is(Severity::kError, "'two'", "'missing'")));
  EXPECT_THAT(problems, Contains(is(Severity::kError, "'z'", "made by no node")));
  EXPECT_THAT(problems, Contains(is(Severity::kWarning, "'x'", "batch size 4")));
  EXPECT_THAT(problems, Contains(is(Severity::kWarning, "opset_import", "'local'")));
  // Which opset would do cannot be said of operators that are not known.
  EXPECT_THAT(problems, Not(Contains(is(Severity::kWarning, "opset_import", "would do"))));
  parts = {.nodes = {node("Add", {"x", "x"}, {"y"}, {}, "sum")},
           .inputs = {value_info("x", 1, {4, 2})},
           .outputs = {value_info("y", 1, {4, 2})}};
  write("good.onnx", model(graph(parts)));
  EXPECT_THAT(check_file(path("good.onnx"), tiny_options()),
              Contains(is(Severity::kWarning, "opset_import", "opset 14 would do")));
  EXPECT_THAT(problems, Not(Contains(is(Severity::kError, "'three'", ""))));
  EXPECT_EQ(check_file(path("absent.onnx"), tiny_options()).size(), 1u);
  for (const Problem& problem : problems) EXPECT_FALSE(problem.expected.empty() || problem.fix.empty()) << problem.what;
}

TEST_F(Files, CheckOfACycleNamesNothingElse) {
  write("cycle.onnx",
        model(graph({.nodes = {node("Relu", {"b"}, {"a"}, {}, "one"), node("Relu", {"a"}, {"b"}, {}, "two"),
                               node("Add", {"a", "x"}, {"y"}, {}, "three")},
                     .inputs = {value_info("x", 1, {"n", 2})},
                     .outputs = {value_info("y", 1, {"n", 2})}})));
  std::vector<Problem> errors = check_file(path("cycle.onnx"), tiny_options());
  std::erase_if(errors, [](const Problem& problem) { return problem.severity != Severity::kError; });
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THAT(errors[0].what, HasSubstr("form a cycle"));
}

std::string twice_model() {
  const FunctionParts twice{.name = "Leak",
                            .inputs = {"p"},
                            .outputs = {"q"},
                            .attributes = {"slope"},
                            .defaults = {},
                            .nodes = {node("LeakyRelu", {"p"}, {"r"}, {reference_attribute("alpha", 1, "slope")}),
                                      node("Relu", {"r"}, {"q"})}};
  std::string slope;
  Writer w(slope);
  w.add_string(1, "slope");
  w.add_float(2, 0.25f);
  w.add_int32(20, 1);
  const std::string body = graph({.nodes = {node("Add", {"a", "w"}, {"r"})}, .outputs = {value_info("r")}}, "then");
  const std::string other = graph({.nodes = {node("Relu", {"a"}, {"r"})}, .outputs = {value_info("r")}}, "else");
  GraphParts parts{
      .nodes = {node("Leak", {"x"}, {"a"}, {slope}, "first", "local"),
                node("Leak", {"a"}, {"b"}, {}, "second", "local"),
                node("If", {"c"}, {"d"},
                     {message_attribute("then_branch", 5, 6, body), message_attribute("else_branch", 5, 6, other)}),
                node("Add", {"b", "d"}, {"y"})},
      .inputs = {value_info("x", 1, {"n"}), value_info("c", 9, {})},
      .outputs = {value_info("y", 1, {"n"})},
      .initializers = {float_tensor("w", {2}, {1, 2})}};
  return model(graph(parts), 9, {function(twice)});
}

TEST_F(Files, FunctionsAreInlined) {
  const ir::Model m = load(twice_model());
  const ir::Graph& g = *m.graph;
  ASSERT_EQ(g.node_count(), 6u);
  EXPECT_EQ(g.node(0).attributes.get_float("alpha", -1), 0.25f);
  EXPECT_FALSE(g.node(2).attributes.has("alpha"));
  EXPECT_EQ(g.value(g.node(1).outputs[0]).name, "a");
  EXPECT_EQ(g.value(g.node(3).outputs[0]).name, "b");
}

TEST_F(Files, RoundTrip) {
  const ir::Model first = load(twice_model());
  const std::string bytes = export_bytes(first, tiny_export());
  const ir::Model second = load(bytes);
  EXPECT_EQ(second.ir_version, 8);
  EXPECT_EQ(second.opset_imports.at(""), 18);
  EXPECT_EQ(second.graph->node_count(), first.graph->node_count());
  EXPECT_EQ(second.graph->value(second.graph->inputs()[0]).fact.to_string(), "float32[n]");
  EXPECT_EQ(second.graph->value(second.graph->outputs()[0]).name, "y");
  EXPECT_EQ(second.graph->node(0).attributes.get_float("alpha", -1), 0.25f);
  EXPECT_THAT(second.graph->value(second.graph->find_value("w")).fact.constant.span<float>(), ElementsAre(1, 2));
  EXPECT_EQ(export_bytes(second, tiny_export()), bytes);
  ExportOptions newest = tiny_export();
  newest.opset = 28;
  EXPECT_EQ(load(export_bytes(first, newest)).ir_version, 14);
  ExportOptions old = tiny_export();
  old.opset = 15;
  EXPECT_EQ(load(export_bytes(first, old)).opset_imports.at(""), 15);
  first.graph->node(0).attributes.set("lifted", int64_t{1});
  try {
    export_bytes(first, old);
    ADD_FAILURE() << "written without an exact form";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("(LeakyRelu) has no exact form at opset 15: it is marked; the lowest opset in "
                                        "which the whole model has one is 16"));
  }
}

// Each output of a body that is a value around it is written as a copy, and each copy has a name of its own.
TEST_F(Files, CopiesOfOneValueAreNamedInLinearTime) {
  constexpr size_t kOutputs = 30'000;
  const auto add_if = [](ir::Graph& graph, const ir::ValueId condition, const ir::ValueId x, size_t outputs) {
    ir::Node node;
    node.op = tiny_table().find("", "If");
    node.inputs = {condition};
    for (const char* branch : {"then_branch", "else_branch"}) {
      auto body = std::make_unique<ir::Graph>(&graph);
      const ir::ValueId inner = body->capture(x, "x");
      for (size_t i = 0; i < outputs; ++i) body->add_output(inner);
      node.bodies.push_back({branch, std::move(body)});
    }
    for (size_t i = 0; i < outputs; ++i)
      node.outputs.push_back(graph.add_value(fmt::format("y{}", i), graph.value(x).fact));
    graph.add_output(node.outputs[0]);
    graph.add_node(std::move(node));
  };
  ir::Model model;
  model.opset_imports[""] = 18;
  model.graph = std::make_unique<ir::Graph>();
  const ir::ValueId condition = model.graph->add_input("c", ir::Fact::tensor(base::DType::kBool, ir::Shape{}));
  const ir::ValueId x = model.graph->add_input("x", ir::Fact::tensor(base::DType::kFloat32, ir::Shape{ir::Dim(1)}));
  add_if(*model.graph, condition, x, kOutputs);
  const ir::Model back = load(export_bytes(model, tiny_export()));
  const ir::Graph& body = *back.graph->node(0).bodies[0].graph;
  ASSERT_EQ(body.outputs().size(), kOutputs);
  std::set<std::string> names;
  for (const ir::ValueId output : body.outputs()) names.insert(body.value(output).name);
  EXPECT_EQ(names.size(), kOutputs);
}

TEST_F(Files, WritesExternalData) {
  const ir::Model m = load(twice_model());
  ExportOptions options = tiny_export();
  options.external_data = true;
  options.external_min_bytes = 1;
  export_file(m, path("out.onnx"), options);
  EXPECT_EQ(fs::file_size(path("out.onnx.data")), 8u);
  const ir::Model back = import_file(path("out.onnx"), tiny_options());
  EXPECT_THAT(back.graph->value(back.graph->find_value("w")).fact.constant.span<float>(), ElementsAre(1, 2));
  // Over its own file, while that is mapped.
  export_file(back, path("out.onnx"), tiny_export());
  EXPECT_EQ(import_file(path("out.onnx"), tiny_options()).graph->node_count(), 6u);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(root_ / "model")) files += entry.is_regular_file();
  EXPECT_EQ(files, 2);
}

TEST_F(Files, NotesAndMetadataComeBack) {
  ir::Model m = load(twice_model());
  ir::Graph& g = *m.graph;
  m.metadata["author"] = "us";
  g.metadata["graph"] = "1";
  g.doc = "a graph";
  g.node(0).metadata["scope"] = "block";
  g.node(0).doc = "first";
  g.notes[g.inputs()[0]] = {"an input", {{"unit", "m"}}};
  g.notes[g.find_value("w")] = {"weights", {{"source", "trained"}}};
  m.quantization_annotations["w"]["SCALE_TENSOR"] = "w_scale";
  const ir::Model back = load(export_bytes(m, tiny_export()));
  const ir::Graph& b = *back.graph;
  EXPECT_EQ(back.ir_version, 10) << "the first with metadata of nodes";
  EXPECT_EQ(back.metadata.at("author"), "us");
  EXPECT_EQ(b.metadata.at("graph"), "1");
  EXPECT_EQ(b.doc, "a graph");
  EXPECT_EQ(b.node(0).metadata.at("scope"), "block");
  EXPECT_EQ(b.node(0).doc, "first");
  EXPECT_EQ(b.notes.at(b.inputs()[0]).doc, "an input");
  EXPECT_EQ(b.notes.at(b.inputs()[0]).metadata.at("unit"), "m");
  EXPECT_EQ(b.notes.at(b.find_value("w")).doc, "weights");
  EXPECT_EQ(b.notes.at(b.find_value("w")).metadata.at("source"), "trained");
  EXPECT_EQ(back.quantization_annotations.at("w").at("SCALE_TENSOR"), "w_scale");
  EXPECT_EQ(export_bytes(back, tiny_export()), export_bytes(m, tiny_export()));
}

TEST_F(Files, FailedWritesLeaveNothing) {
  const ir::Model m = load(twice_model());
  EXPECT_THROW(export_file(m, path("no/such/folder.onnx"), tiny_export()), Error);
  fs::create_directory(path("taken.onnx"));
  EXPECT_THROW(export_file(m, path("taken.onnx"), tiny_export()), Error);
  int entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(root_ / "model")) ++entries;
  EXPECT_EQ(entries, 1);
}

// Runs onnx.checker, where ONNXRUN_PEERS_PYTHON names a Python that has it.
TEST_F(Files, OnnxCheckerAcceptsExports) {
  const char* python = std::getenv("ONNXRUN_PEERS_PYTHON");
  if (!python) GTEST_SKIP() << "ONNXRUN_PEERS_PYTHON is not set";
  const ir::Model functions = load(twice_model());
  export_file(functions, path("a.onnx"), tiny_export());
  ExportOptions options = tiny_export();
  options.opset = 28;
  options.external_data = true;
  options.external_min_bytes = 1;
  export_file(functions, path("b.onnx"), options);
  ir::OpTable all;
  ops::define_all(all);
  ImportOptions with_all;
  with_all.table = &all;
  ExportOptions from_all;
  from_all.table = &all;
  export_file(
      import_file((fs::path(ONNXRUN_TEST_DATA).parent_path().parent_path() / "examples/digits/digits.onnx").string(),
                  with_all),
      path("c.onnx"), from_all);
  for (const char* name : {"a.onnx", "b.onnx", "c.onnx"}) {
    const std::string command =
        fmt::format("'{}' -c \"import onnx, sys; onnx.checker.check_model(sys.argv[1], full_check=True)\" '{}'", python,
                    path(name));
    EXPECT_EQ(std::system(command.c_str()), 0) << name;
  }
}

}  // namespace
}  // namespace onnxrun::import::test
