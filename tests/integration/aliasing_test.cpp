// Random graphs of elementwise, shape and joining operators: views and shared memory must never show in a result. The oracle runs each node on its own, with
// memory of its own.
#include <gtest/gtest.h>

#include <random>

#include "integration/small_models.h"
#include "plan/kernel_evaluator.h"

namespace onnxrun::testing {
namespace {

using base::Tensor;
using base::Value;
using ir::ValueId;

constexpr int kGraphs = 300;

class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : random_(seed) {
    for (const char* name : {"x", "y"})
      values_.push_back(small_.g.input(name, base::DType::kFloat32, {ir::Dim(4), ir::Dim(6)}));
    values_.push_back(small_.g.constant(filled({4, 6}, 0.5f, 0.25f)));
    const int nodes = 4 + pick(14);
    for (int n = 0; n < nodes; ++n) add_node();
    // Some outputs are inner values that others read, some twice, some inputs.
    const int outputs = 1 + pick(4);
    for (int k = 0; k < outputs; ++k) small_.output(k == 0 ? values_.back() : any());
  }

  ir::Graph& graph() { return *small_.model->graph; }
  SmallModel& model() { return small_; }

  // Every node of the graph alone.
  std::vector<Tensor> expected(const Tensor& x, const Tensor& y) {
    plan::KernelEvaluator evaluator(cpu_only(), nullptr);
    std::vector<Tensor> known(graph().value_count());
    known[static_cast<size_t>(graph().inputs()[0])] = x;
    known[static_cast<size_t>(graph().inputs()[1])] = y;
    for (size_t v = 0; v < known.size(); ++v)
      if (const Tensor& constant = graph().value(static_cast<ValueId>(v)).fact.constant) known[v] = constant;
    for (ir::NodeId id : graph().topological_order()) {
      const ir::Node& node = graph().node(id);
      std::vector<const Tensor*> inputs;
      std::vector<ir::Fact> facts;
      for (ValueId in : node.inputs) inputs.push_back(&known[static_cast<size_t>(in)]);
      for (ValueId out : node.outputs) facts.push_back(graph().value(out).fact);
      auto results = evaluator.evaluate(node, inputs, facts);
      if (!results) throw std::runtime_error("no kernel for " + node.describe(graph()));
      for (size_t k = 0; k < node.outputs.size(); ++k) known[static_cast<size_t>(node.outputs[k])] = (*results)[k];
    }
    std::vector<Tensor> outputs;
    for (ValueId out : graph().outputs()) outputs.push_back(known[static_cast<size_t>(out)]);
    return outputs;
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  // Recent values more often, so that chains form.
  ValueId any() {
    const int size = static_cast<int>(values_.size());
    return values_[static_cast<size_t>(size - 1 - (pick(2) ? pick(std::min(size, 3)) : pick(size)))];
  }
  int64_t rows(ValueId value) { return graph().value(value).fact.shape->front().value(); }

  void add_node() {
    static const char* const kUnary[] = {"Neg", "Abs", "Relu", "Sigmoid", "Identity"};
    static const char* const kBinary[] = {"Add", "Sub", "Mul", "Max"};
    static const std::vector<int64_t> kShapes[] = {{4, 6}, {6, 4}, {2, 12}, {24, 1}, {3, 8}};
    GraphBuilder& g = small_.g;
    const ValueId a = any();
    switch (pick(7)) {
      case 0:
      case 1: values_.push_back(g.add(kUnary[pick(5)], {a})); break;
      case 2: {
        const ValueId b = any();
        if (rows(a) == rows(b)) values_.push_back(g.add(kBinary[pick(4)], {a, b}));
        break;
      }
      case 3: values_.push_back(g.add("Reshape", {a, g.ints(kShapes[pick(5)])})); break;
      case 4: values_.push_back(g.add("Transpose", {a}, {}, {{"perm", std::vector<int64_t>{1, 0}}})); break;
      case 5: {
        const ValueId b = any();
        if (rows(a) != rows(b)) break;
        const ValueId joined = g.add("Concat", {a, b}, {}, {{"axis", int64_t{0}}});
        const auto halves = g.add_many("Split", {joined, g.ints({rows(a), rows(b)})}, 2, {{"axis", int64_t{0}}});
        values_.push_back(halves[static_cast<size_t>(pick(2))]);
        break;
      }
      default: values_.push_back(g.add("Flatten", {g.add("Unsqueeze", {a, g.ints({0})})}, {}, {{"axis", int64_t{2}}}));
    }
  }

  std::mt19937 random_;
  SmallModel small_;
  std::vector<ValueId> values_;
};

void expect_equal(const std::vector<Tensor>& expected, const std::vector<Value>& actual, unsigned seed,
                  const char* when) {
  ASSERT_EQ(expected.size(), actual.size());
  for (size_t k = 0; k < expected.size(); ++k) {
    ASSERT_EQ(expected[k].dims(), actual[k].tensor().dims()) << "graph " << seed << ", output " << k;
    EXPECT_EQ(floats_of(expected[k]), floats_of(actual[k])) << "graph " << seed << ", output " << k << ", " << when;
  }
}

void run_graphs(const std::shared_ptr<const plan::ProviderSet>& providers, int graphs) {
  for (unsigned seed = 0; seed < static_cast<unsigned>(graphs); ++seed) {
    RandomGraph graph(seed);
    const Tensor x1 = filled({4, 6}, -3.0f, 0.3f), y1 = filled({4, 6}, 2.0f, -0.2f);
    const Tensor x2 = filled({4, 6}, 5.0f, -0.7f), y2 = filled({4, 6}, -1.0f, 0.4f);
    const auto first = graph.expected(x1, y1), second = graph.expected(x2, y2);
    const auto session = graph.model().session(providers);
    expect_equal(first, run_with(*session, {{"x", x1}, {"y", y1}}), seed, "first run");
    expect_equal(second, run_with(*session, {{"x", x2}, {"y", y2}}), seed, "second run");
    // Into memory that the inputs lie in as well.
    run::RunRequest request;
    Tensor x = x1.clone();
    request.inputs = {{"x", x}, {"y", y1}};
    const std::string name = graph.graph().value(graph.graph().outputs()[0]).name;
    if (first[0].dims() != x.dims()) continue;
    request.outputs = {{name, x}};
    session->run(request);
    EXPECT_EQ(floats_of(first[0]), floats_of(x)) << "graph " << seed << ", output in the memory of input x";
  }
}

TEST(Aliasing, NeverShows) { run_graphs(cpu_only(), kGraphs); }

TEST(Aliasing, NeverShowsOnADevice) { run_graphs(late_first(), kGraphs / 4); }

}  // namespace
}  // namespace onnxrun::testing
