// Editing of models and their text form, through the C++ interface.
#include <gtest/gtest.h>
#include <onnxrun/onnxrun.hpp>

namespace {

using onnxrun::Editor;
using onnxrun::Model;
using onnxrun::Tensor;

// y = Relu((x - b) @ w), beside it the sum of d; a Dropout and a Cast on the way.
constexpr const char* kText = R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph main(x: float32[n,2]) -> (y, s) {
  w: float32[2,2] = {1, 2, 3, 4}
  b: float32[2] = {1, 1}
  d = Sub(x, b)  # node 'shift'
  k = Dropout(d)  # node 'drop'
  p = MatMul(k, w)  # node 'product'
  y = Relu(p)  # node 'act'
  s = ReduceSum(d, keepdims=0)  # node 'total'
}
)";

// Chooses y = x + x or y = x - b.
constexpr const char* kBranches = R"(onnxrun text 1
opset ai.onnx 17
graph main(yes: bool[], x: float32[n]) -> (y) {
  b = Neg(x)
  y = If(yes)  # node 'choice'
    then_branch:
      graph then() -> (t) {
        i = Identity(x)
        t = Add(i, x)
      }
    else_branch:
      graph else() -> (e) {
        e = Sub(x, b)
      }
}
)";

Model model(const char* text = kText) { return Model::from_text(text); }

std::vector<float> run(const Model& model, const std::vector<float>& x, const char* output = "y", bool yes = true) {
  const onnxrun::Session session(model);
  onnxrun::NamedValues inputs;
  for (const onnxrun::Port& port : session.inputs()) {
    if (port.name == "yes") inputs.emplace_back("yes", Tensor::scalar(yes));
    else if (port.dims.size() == 2)
      inputs.emplace_back(port.name, Tensor::from<float>({static_cast<int64_t>(x.size() / 2), 2}, x));
    else inputs.emplace_back(port.name, Tensor::from<float>({static_cast<int64_t>(x.size())}, x));
  }
  const Tensor result = session.run(inputs).at(output);
  const auto span = result.span<float>();
  return {span.begin(), span.end()};
}

std::vector<std::string> names(const std::vector<onnxrun::Port>& ports) {
  std::vector<std::string> result;
  for (const onnxrun::Port& port : ports) result.push_back(port.name);
  return result;
}

template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const onnxrun::Error& error) {
    return error.what();
  }
  return "it was accepted";
}

#define EXPECT_SAYS(call, part)                                               \
  do {                                                                        \
    const std::string said_ = refusal([&] { call; });                         \
    EXPECT_NE(said_.find(part), std::string::npos) << #call << ": " << said_; \
  } while (0)

using Names = std::vector<std::string>;
using Floats = std::vector<float>;

TEST(Editing, WithoutChangeGivesTheSameModel) {
  const Model before = model();
  Editor editor(before);
  EXPECT_EQ(editor.finish().to_text(), before.to_text());
  EXPECT_EQ(run(before, {2, 2}), (Floats{4, 6}));
}

TEST(Editing, RenamesValuesAndNodes) {
  Editor editor(model());
  editor.rename_value("y", "result").rename_value("w", "weights").rename_value("x", "image");
  editor.rename_node(editor.select("MatMul").at(0), "fc");
  const Model after = editor.finish();
  EXPECT_EQ(names(after.inputs()), (Names{"image"}));
  EXPECT_EQ(names(after.outputs()), (Names{"result", "s"}));
  EXPECT_NE(after.to_text().find("MatMul(k, weights)  # node 'fc'"), std::string::npos) << after.to_text();
  EXPECT_EQ(run(after, {2, 2}, "result"), (Floats{4, 6}));
  EXPECT_SAYS(editor.rename_value("nothing", "z"), "no value 'nothing'");
  EXPECT_SAYS(editor.rename_value("k", "d"), "taken");
  EXPECT_SAYS(editor.rename_value("k", ""), "nothing");
}

TEST(Editing, ExtractsBetweenValues) {
  Editor editor(model());
  editor.extract({"d"}, {"p"});
  const Model part = editor.finish();
  EXPECT_EQ(names(part.inputs()), (Names{"d"}));
  EXPECT_EQ(part.inputs()[0].type, "float32[n,2]");
  EXPECT_EQ(names(part.outputs()), (Names{"p"}));
  EXPECT_EQ(run(part, {1, 1}, "p"), (Floats{4, 6}));

  Editor cut(model());
  cut.extract({}, {"k"});
  EXPECT_EQ(run(cut.finish(), {2, 3}, "k"), (Floats{1, 2}));
  EXPECT_EQ(cut.select().size(), 2u);

  Editor wrong(model());
  EXPECT_SAYS(wrong.extract({"k"}, {"s"}), "no output needs the input 'k'");
  EXPECT_SAYS(wrong.extract({"k"}, {"y", "s"}), "need the input 'x'");
  EXPECT_SAYS(wrong.extract({"k", "k"}, {"y"}), "twice");
  EXPECT_SAYS(wrong.extract({}, {"z"}), "no value 'z'");
  EXPECT_EQ(wrong.finish().to_text(), model().to_text());
}

TEST(Editing, RemovesAndAddsOutputs) {
  Editor editor(model());
  editor.remove_output("y").add_output("d");
  const Model after = editor.finish();
  EXPECT_EQ(names(after.outputs()), (Names{"s", "d"}));
  EXPECT_EQ(editor.select().size(), 2u);
  EXPECT_SAYS(editor.add_output("d"), "already");
  EXPECT_SAYS(editor.remove_output("b"), "no output");
  editor.remove_output("d");
  EXPECT_SAYS(editor.remove_output("s"), "only output");
}

TEST(Editing, MakesValuesInputs) {
  Editor editor(model());
  editor.add_input("d").add_input("w");
  EXPECT_EQ(names(editor.finish().inputs()), (Names{"x", "d", "w"}));
  EXPECT_EQ(editor.select("Sub").size(), 1u) << "what made it stays";
  editor.extract({}, {});
  const Model after = editor.finish();
  EXPECT_EQ(names(after.inputs()), (Names{"d", "w"}));
  EXPECT_EQ(after.inputs()[1].type, "float32[2,2]");
  EXPECT_SAYS(editor.add_input("d"), "already");
  // Read in bodies, and in place of a node that was removed.
  Editor branches(model(kBranches));
  branches.add_input("b").extract({}, {});
  EXPECT_EQ(names(branches.finish().inputs()), (Names{"yes", "x", "b"}));
  Editor removed(model());
  removed.remove(removed.select("Dropout").at(0)).add_input("k");
  EXPECT_EQ(names(removed.finish().inputs()), (Names{"x", "k"}));
}

TEST(Editing, BypassesWhatChangesNoType) {
  Editor editor(model());
  for (const Editor::Node node : editor.select("Dropout")) editor.bypass(node);
  EXPECT_TRUE(editor.select("Dropout").empty());
  EXPECT_EQ(run(editor.finish(), {2, 2}), (Floats{4, 6}));
  // An output of the model keeps its name.
  editor.bypass(editor.select("Relu").at(0));
  EXPECT_EQ(run(editor.finish(), {0, 0}), (Floats{-4, -6}));
  EXPECT_SAYS(editor.bypass(editor.select("ReduceSum").at(0)), "'s' is float32[] and no input has that type");
  EXPECT_SAYS(editor.bypass(editor.select("ReduceSum").at(0)), "'d' float32[n,2]");
  EXPECT_SAYS(editor.bypass(12345678901), "no node");
}

TEST(Editing, ReplacesNodes) {
  Editor editor(model());
  editor.remove(editor.select("*", "act").at(0));
  EXPECT_SAYS(editor.finish(),
              "'y' is wanted by the model's outputs and nothing makes it, since node 'act' (Relu) was removed");
  editor.insert("zero: float32[] = 0\n y = Sub(zero, p)  # node 'negative'");
  EXPECT_EQ(run(editor.finish(), {2, 2}), (Floats{-4, -6}));
  EXPECT_SAYS(editor.insert("y = Neg(p)"), "line 1, column");
  EXPECT_SAYS(editor.insert("q = Neg(nowhere)"), "'nowhere'");
  EXPECT_EQ(run(editor.finish(), {2, 2}), (Floats{-4, -6}));
}

TEST(Editing, ChangesInputsOfNodes) {
  Editor editor(model());
  editor.set_node_input(editor.select("Relu").at(0), 0, "d");
  EXPECT_EQ(run(editor.finish(), {2, 3}), (Floats{1, 2}));
  editor.replace_uses("k", "x");
  EXPECT_SAYS(editor.set_node_input(editor.select("Relu").at(0), 1, "x"), "no input 1");
  editor.set_node_input(editor.select("Relu").at(0), 0, "y");
  EXPECT_SAYS(editor.finish(), "cycle");
}

TEST(Editing, ChangesShapesAndTypesOfInputs) {
  Editor editor(model());
  editor.set_input_shape("x", {"4", "2"});
  EXPECT_EQ(editor.finish().outputs()[0].type, "float32[4,2]");
  editor.set_input_shape("x", {"batch", "2"});
  EXPECT_EQ(editor.finish().outputs()[0].type, "float32[batch,2]");
  editor.set_input_type("x", ONNXRUN_DTYPE_FLOAT64);
  EXPECT_SAYS(editor.finish(), "float64");
  EXPECT_SAYS(editor.set_input_shape("w", {"2"}), "there are: 'x'");
  EXPECT_SAYS(editor.set_input_shape("x", {"-2"}), "no size");
  editor.set_input_type("x", ONNXRUN_DTYPE_FLOAT32).set_input_shape("x", {"4", "3"});
  EXPECT_SAYS(editor.finish(), "3");
}

TEST(Editing, KeepsRanksThatOnlyTheFileKnew) {
  const Model source = Model::from_text(R"(onnxrun text 1
opset ai.onnx 18
graph main(x: float32[n,2], axes: int64[?]) -> (y) {
  y: float32[?,?] = ReduceSum(x, axes, keepdims=0)
})");
  Editor editor(source);
  editor.rename_value("y", "z");
  EXPECT_EQ(editor.finish().outputs()[0].type, "float32[?,?]");
  editor.set_input_shape("x", {"n", "2", "2"});
  EXPECT_FALSE(editor.finish().outputs()[0].rank_known);
}

TEST(Editing, ChangesConstants) {
  Editor editor(model());
  editor.set_constant("b", Tensor::from<float>({2}, {0, 0}));
  EXPECT_EQ(run(editor.finish(), {1, 1}), (Floats{4, 6}));
  editor.set_constant("c", Tensor::from<float>({2}, {9, 9}));
  editor.set_node_input(editor.select("Sub").at(0), 1, "c");
  EXPECT_EQ(run(editor.finish(), {10, 10}), (Floats{4, 6}));
  EXPECT_EQ(editor.constant("c").span<float>()[0], 9);
  EXPECT_SAYS(editor.constant("p"), "no constant");
  EXPECT_SAYS(editor.set_constant("p", Tensor::scalar(1.0f)), "made by a node");
  EXPECT_EQ(model().to_text(), Model::from_text(kText).to_text());
}

TEST(Editing, StripsWeights) {
  Editor editor(model());
  EXPECT_EQ(editor.strip_weights(1000), 0u);
  EXPECT_EQ(editor.strip_weights(16), 1u);
  EXPECT_EQ(run(editor.finish(), {2, 2}), (Floats{0, 0}));
  EXPECT_EQ(editor.finish().to_text().find("{1, 2, 3, 4}"), std::string::npos);
}

TEST(Editing, SetsMetadata) {
  Editor editor(model());
  editor.set_metadata("author", "us");
  EXPECT_EQ(editor.finish().metadata("author"), "us");
  editor.set_metadata("author", std::nullopt);
  EXPECT_EQ(editor.finish().metadata("author"), "");
  EXPECT_SAYS(editor.set_metadata("author", std::nullopt), "no metadata 'author'");
}

TEST(Editing, MergesModels) {
  const Model second = Model::from_text(R"(onnxrun text 1
opset ai.onnx 19
graph second(y: float32[m,2], scale: float32[]) -> (z) {
  p = Mul(y, scale)
  z = Neg(p)
})");
  Editor editor(model());
  EXPECT_SAYS(editor.merge(second, {}), "both models have a value 'y'");
  EXPECT_SAYS(editor.merge(second, {{"d", "y"}}), "no output or input 'd'; there are: 'y', 's', 'x'");
  EXPECT_SAYS(editor.merge(second, {{"y", "z"}}), "no input 'z'");
  EXPECT_SAYS(editor.merge(model(kBranches), {{"y", "yes"}}), "wants bool");
  editor.merge(second, {{"y", "y"}});
  const Model both = editor.finish();
  EXPECT_EQ(names(both.inputs()), (Names{"x", "scale"}));
  EXPECT_EQ(names(both.outputs()), (Names{"s", "z"}));
  EXPECT_EQ(both.outputs()[1].type, "float32[n,2]");
  const Tensor z = onnxrun::Session(both)
                       .run({{"x", Tensor::from<float>({1, 2}, {2, 2})}, {"scale", Tensor::scalar(10.0f)}})
                       .at("z");
  EXPECT_EQ(z.span<float>()[1], -60);

  // An input that both read.
  Editor shared(model());
  shared.merge(second, {{"y", "y"}, {"x", "scale"}});
  EXPECT_EQ(names(shared.finish().inputs()), (Names{"x"}));
  Editor twice(model());
  twice.merge(model(), {{"x", "x"}}, "b/");
  EXPECT_EQ(names(twice.finish().inputs()), (Names{"x"}));
  EXPECT_EQ(names(twice.finish().outputs()), (Names{"y", "s", "b/y", "b/s"}));

  Editor beside(model());
  beside.merge(model(kBranches), {}, "b/");
  EXPECT_EQ(names(beside.finish().outputs()), (Names{"y", "s", "b/y"}));
  EXPECT_EQ(beside.select("If").size(), 1u);
}

TEST(Editing, ReachesIntoBodies) {
  Editor editor(model(kBranches));
  EXPECT_EQ(editor.select().size(), 5u);
  editor.bypass(editor.select("Identity").at(0));
  EXPECT_EQ(run(editor.finish(), {1, 2}), (Floats{2, 4}));
  editor.set_node_input(editor.select("Add").at(0), 1, "b");
  EXPECT_EQ(run(editor.finish(), {1, 2}), (Floats{0, 0}));
  EXPECT_SAYS(editor.remove(editor.select("Sub").at(0)), "in a body");
  // What bodies capture is needed.
  editor.extract({"yes", "x", "b"}, {"y"});
  EXPECT_EQ(names(editor.finish().inputs()), (Names{"yes", "x", "b"}));
  EXPECT_EQ(run(editor.finish(), {1, 2}), (Floats{2, 4}));
}

TEST(Editing, DescribesNodes) {
  Editor editor(model());
  const std::string text = editor.node(editor.select("ReduceSum").at(0));
  for (const char* part : {R"("op":"ReduceSum")", R"("name":"total")", R"("in_body":false)", R"("keepdims":"0")",
                           R"({"name":"d","type":"float32[n,2]"})"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
  EXPECT_EQ(editor.select("*", "?ct").size(), 1u);
  EXPECT_EQ(editor.select("Re*").size(), 2u);
  EXPECT_EQ(editor.select("ai.onnx.ml.*").size(), 0u);
}

TEST(TextForm, ComesAndGoesThroughTheInterface) {
  const std::string text = model().to_text();
  EXPECT_EQ(Model::from_text(text).to_text(), text);
  EXPECT_EQ(Model(std::as_bytes(std::span(text))).to_text(), text);
  EXPECT_SAYS(Model::from_text("graph"), "does not begin with");
  onnxrun::Options options{{"dim.n", "7"}};
  EXPECT_EQ(Model::from_text(text, options).outputs()[0].type, "float32[7,2]");
  EXPECT_SAYS(Model::from_text(text, onnxrun::Options{{"dim.q", "7"}}), "no dimension named 'q'; it has n");
}

}  // namespace
