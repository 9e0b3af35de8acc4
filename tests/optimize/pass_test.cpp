// Building, rewriting and computing the graphs of pass tests.
#include "optimize/pass_test.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "cpu/provider.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ops/table.h"
#include "optimize/driver.h"
#include "optimize/reading.h"
#include "plan/expand.h"
#include "plan/kernel_evaluator.h"
#include "plan/provider_capabilities.h"

namespace onnxrun::optimize {

using base::Tensor;

namespace {

// What fusions may round, relative to a value, in graphs as small as these.
constexpr double kFused = 2e-4;

const ir::OpTable& table() {
  static const ir::OpTable& table = *[] {
    auto* built = new ir::OpTable;
    ops::define_all(*built);
    return built;
  }();
  return table;
}

std::shared_ptr<const plan::ProviderSet> providers() {
  static const auto& providers = *new auto(
      std::make_shared<const plan::ProviderSet>(std::vector<plan::ProviderPtr>{cpu::provider()}, cpu::provider()));
  return providers;
}

plan::KernelEvaluator& evaluator() {
  static auto& evaluator = *new plan::KernelEvaluator(providers(), nullptr);
  return evaluator;
}

plan::ProviderCapabilities& cpu_capabilities() {
  static auto& capabilities = *new plan::ProviderCapabilities(providers());
  return capabilities;
}

OptimizeOptions options_for(std::vector<std::string> passes, ir::Capabilities* capabilities = nullptr) {
  OptimizeOptions options;
  options.table = &table();
  options.evaluator = &evaluator();
  options.capabilities = capabilities != nullptr ? capabilities : &cpu_capabilities();
  options.only = std::move(passes);
  return options;
}

Tensor drawn(base::Dims dims, float low, float high, uint32_t seed) {
  Tensor tensor(base::DType::kFloat32, std::move(dims));
  std::mt19937 random(seed);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] = low + (high - low) * static_cast<float>(random()) / 4294967296.0f;
  return tensor;
}

}  // namespace

ir::ValueId PassTest::input(const std::string& name, ir::Shape shape) {
  base::Dims dims;
  for (const ir::Dim& dim : shape) dims.push_back(dim.is_constant() ? dim.value() : 3);
  const ir::ValueId id = graph_.add_input(name, ir::Fact::tensor(ir::DType::kFloat32, std::move(shape)));
  fed_[id] = drawn(std::move(dims), -4, 4, seed_++);
  return id;
}

ir::ValueId PassTest::weights(base::Dims dims, float size) {
  return constant(drawn(std::move(dims), 0.5f * size, 1.5f * size, seed_++));
}

ir::ValueId PassTest::op(const std::string& type, std::vector<ir::ValueId> inputs, ir::Attributes attributes,
                         const std::string& domain) {
  ir::Node node;
  node.op = table().find(domain, type);
  EXPECT_NE(node.op, nullptr) << type;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  node.outputs = {graph_.add_value("")};
  const ir::ValueId result = node.outputs[0];
  ir::infer_in_place(graph_, graph_.add_node(std::move(node)));
  return result;
}

std::vector<ir::ValueId> PassTest::op_many(const std::string& type, std::vector<ir::ValueId> inputs, size_t outputs,
                                           ir::Attributes attributes) {
  ir::Node node;
  node.op = table().find("", type);
  EXPECT_NE(node.op, nullptr) << type;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(graph_.add_value(""));
  const std::vector<ir::ValueId> results = node.outputs;
  ir::infer_in_place(graph_, graph_.add_node(std::move(node)));
  return results;
}

std::string PassTest::nodes() const {
  std::string text;
  for (const ir::NodeId id : graph_.topological_order())
    text += (text.empty() ? "" : " ") + std::string(graph_.node(id).op->name);
  return text;
}

std::vector<Tensor> PassTest::compute(const ir::Graph& original) const {
  // What only a device runs as it is becomes what it stands for.
  const std::unique_ptr<ir::Graph> copy = original.clone();
  for (const ir::NodeId id : copy->topological_order())
    if (copy->node(id).op->decompose != nullptr && !cpu_capabilities().accepts(*copy, copy->node(id)))
      plan::expand(*copy, table(), id);
  const ir::Graph& graph = *copy;
  std::map<ir::ValueId, Tensor> values = fed_;
  const auto value = [&](ir::ValueId id) -> const Tensor& {
    const Tensor& known = graph.value(id).fact.constant;
    return known ? known : values.at(id);
  };
  for (const ir::NodeId id : graph.topological_order()) {
    const ir::Node& node = graph.node(id);
    std::vector<const Tensor*> inputs;
    std::vector<ir::Fact> facts;
    std::vector<const ir::Fact*> known;
    for (const ir::ValueId in : node.inputs) facts.push_back(in == ir::kNone ? ir::Fact() : ir::Fact::of(value(in)));
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      inputs.push_back(node.inputs[i] == ir::kNone ? nullptr : &value(node.inputs[i]));
      known.push_back(node.inputs[i] == ir::kNone ? nullptr : &facts[i]);
    }
    auto results = evaluator().evaluate(node, inputs, ir::infer_node(graph, node, known));
    EXPECT_TRUE(results.has_value()) << node.op->name;
    for (size_t k = 0; results && k < node.outputs.size(); ++k)
      if (node.outputs[k] != ir::kNone) values[node.outputs[k]] = std::move((*results)[k]);
  }
  std::vector<Tensor> outputs;
  for (const ir::ValueId id : graph.outputs()) outputs.push_back(value(id));
  return outputs;
}

namespace {

// Fails where `after` is further from `before` than `tolerance` + `tolerance` * |before|; other types than float32 must be equal.
void expect_near(const Tensor& before, const Tensor& after, double tolerance, const ir::Graph& graph) {
  ASSERT_EQ(before.dtype(), after.dtype());
  ASSERT_EQ(before.dims(), after.dims());
  if (before.dtype() != base::DType::kFloat32) {
    EXPECT_EQ(std::memcmp(before.raw(), after.raw(), before.bytes()), 0) << ir::to_text(graph);
    return;
  }
  for (int64_t i = 0; i < before.count(); ++i) {
    const double a = static_cast<double>(before.data<float>()[i]), b = static_cast<double>(after.data<float>()[i]);
    if (std::isnan(a) && std::isnan(b)) continue;
    ASSERT_TRUE(a == b || std::fabs(a - b) <= tolerance + tolerance * std::fabs(a))
        << a << " became " << b << " at element " << i << "\n"
        << ir::to_text(graph);
  }
}

}  // namespace

void PassTest::keeps_at_each_level(double tolerance) const {
  const std::vector<Tensor> before = compute(graph_);
  for (const ir::NodeId id : graph_.topological_order()) {
    const ir::Node& node = graph_.node(id);
    if ((node.op->flags & ir::kRandom) != 0 || (is(node, "Dropout") && optimize::input(node, 2) != ir::kNone)) return;
  }
  for (const int level : {kBasic, kExtended, kLayout, kAll}) {
    SCOPED_TRACE("at level " + std::to_string(level));
    const std::unique_ptr<ir::Graph> graph = graph_.clone();
    OptimizeOptions options = options_for({});
    options.level = level;
    optimize(*graph, options);
    ir::verify(*graph);
    const std::vector<Tensor> after = compute(*graph);
    ASSERT_EQ(before.size(), after.size());
    for (size_t k = 0; k < before.size(); ++k)
      expect_near(before[k], after[k], level == kBasic ? 0 : std::max(tolerance, kFused), *graph);
  }
}

void PassTest::rewrites(const std::string& pass, const std::string& expected, double tolerance) {
  keeps_at_each_level(tolerance);
  const std::vector<Tensor> before = compute(graph_);
  std::vector<std::string> facts;
  for (const ir::ValueId id : graph_.outputs())
    facts.push_back(graph_.value(id).name + ": " + graph_.value(id).fact.to_string());
  optimize(graph_, options_for({pass, "eliminate-dead"}, capabilities_));
  ir::verify(graph_);
  EXPECT_EQ(nodes(), expected) << ir::to_text(graph_);
  const std::vector<Tensor> after = compute(graph_);
  ASSERT_EQ(before.size(), after.size());
  for (size_t k = 0; k < before.size(); ++k) {
    const ir::ValueId id = graph_.outputs()[k];
    EXPECT_EQ(graph_.value(id).name + ": " + graph_.value(id).fact.to_string(), facts[k]);
    expect_near(before[k], after[k], tolerance, graph_);
  }
}

void PassTest::leaves(const std::string& pass, double tolerance) {
  keeps_at_each_level(tolerance);
  const std::string before = ir::to_text(graph_);
  optimize(graph_, options_for({pass}, capabilities_));
  EXPECT_EQ(ir::to_text(graph_), before);
}

}  // namespace onnxrun::optimize
