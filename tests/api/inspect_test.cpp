// Parts of the report that tools read: the graph's structure and the optimizer's changes.
#include <gtest/gtest.h>
#include <onnxrun/onnxrun.hpp>

namespace {

onnxrun::Model model() {
  return onnxrun::Model::from_text(R"(onnxrun text 1
opset ai.onnx 17
graph main(yes: bool[], x: float32[n,2]) -> (y) {
  w: float32[2,3] = {1, 2, 3, 4, 5, 6}
  p = MatMul(x, w)  # node 'product'
  i = Identity(p)
  y = If(yes)
    then_branch:
      graph then() -> (t) {
        t = Softmax(i, axis=-1)
      }
    else_branch:
      graph else() -> (e) {
        e = Neg(i)
      }
}
)");
}

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Inspecting, TellsTheStructure) {
  const std::string report = model().inspect(ONNXRUN_INSPECT_GRAPH);
  for (
      const char* part :
      {R"("inputs":["yes","x"],"outputs":["y"],"captures":[])",
       R"({"name":"w","bytes":24,"text":"{1, 2, 3, 4, 5, 6}"})", R"("p":"float32[n,3]")",
       R"("op":"MatMul","name":"product","doc":"","inputs":["x","w"],"captured":[],"outputs":["p"],"attributes":{},"operations":"12*n")",
       R"("captured":["i","i"],"outputs":["y"])", R"({"name":"then_branch","graph":{"name":"then")",
       R"("captures":[{"name":"i","outer":"i"}])", R"("attributes":{"axis":"-1"})"})
    EXPECT_HAS(report, part);
  EXPECT_EQ(model().inspect().find("structure"), std::string::npos);
}

TEST(Inspecting, CountsTheOperationsOfProductsOfFloat8) {
  const std::string model =
      "onnxrun text 1\nir_version 10\nopset ai.onnx 19\nopset com.microsoft 1\n"
      "graph main(a: float8e4m3fn[k,5], b: float8e4m3fn[k,7]) -> (y) {\n"
      "  y = com.microsoft.GemmFloat8(a, b, transA=1, dtype=1)\n}\n";
  EXPECT_HAS(onnxrun::Model::from_text(model).inspect(ONNXRUN_INSPECT_GRAPH), R"("operations":"70*k")");
}

TEST(Inspecting, ListsWhatABuildNeeds) {
  const onnxrun::Options options{{"record_operators", "1"}};
  const std::string model =
      "onnxrun text 1\nopset ai.onnx 17\ngraph main(x: float32[n,2]) -> (y) {\n  w: float32[2,3] = {1, 2, 3, 4, 5, 6}\n"
      "  p = MatMul(x, w)\n  i = Identity(p)\n  y = Softplus(i)\n}\n";
  const std::string report = onnxrun::Model::from_text(model, options).inspect(ONNXRUN_INSPECT_BUILD, options);
  for (const char* line : {"operator MatMul", "operator Softplus", "definition onnx/matmul", "kernel onnx/matmul",
                           "pass eliminate-identity"})
    EXPECT_HAS(report, std::string("\"") + line + "\"");
  EXPECT_EQ(report.find("operator LSTM"), std::string::npos) << report;
  EXPECT_EQ(report.find("kernel onnx/lstm"), std::string::npos) << report;
  try {
    onnxrun::Model::from_text(model).inspect(ONNXRUN_INSPECT_BUILD);
    FAIL() << "taken without the option";
  } catch (const onnxrun::Error& error) {
    EXPECT_HAS(std::string(error.what()), "record_operators");
  }
}

TEST(Inspecting, ListsTheChangesOfTheOptimizer) {
  const std::string all = model().inspect(ONNXRUN_INSPECT_PATCHES);
  EXPECT_HAS(all, R"("patches":[{"pass":")");
  EXPECT_HAS(all, "(Identity)");
  const std::string none = model().inspect(ONNXRUN_INSPECT_PATCHES, onnxrun::Options{{"level", "0"}});
  EXPECT_HAS(none, R"("patches":[])");
}

}  // namespace
