// One-node models for tests of single operators.
#include "ops/run_op.h"

#include <gmock/gmock.h>
#include <onnxrun/provider.hpp>

#include "ir/expansion.h"
#include "plan/provider_set.h"
#include "run/session.h"

namespace onnxrun::cpu {
void register_all(provider::KernelTable& table);
}
namespace onnxrun::ops {

void define_all(ir::OpTable& table);

namespace {

std::shared_ptr<const plan::ProviderSet> cpu_only() {
  static const auto set = [] {
    static provider::KernelTable table;
    cpu::register_all(table);
    auto provider = std::make_shared<onnxrun_provider>();
    provider->abi_version = ONNXRUN_PROVIDER_ABI_VERSION;
    provider->abi_revision = ONNXRUN_PROVIDER_ABI_REVISION;
    provider->name = "cpu";
    provider->kernels = table.kernels().data();
    provider->kernel_count = table.kernels().size();
    return std::make_shared<const plan::ProviderSet>(std::vector<plan::ProviderPtr>{provider}, provider);
  }();
  return set;
}

const ir::OpDef& definition(const std::string& domain, const std::string& op) {
  const ir::OpDef* def = all_operators().find(domain, op);
  if (def == nullptr) base::fail(base::Code::kInvalidArgument, "no operator {}", op);
  return *def;
}

}  // namespace

const ir::OpTable& all_operators() {
  static const auto table = [] {
    auto made = std::make_unique<ir::OpTable>();
    define_all(*made);
    return made;
  }();
  return *table;
}

std::vector<base::Value> run_op_values(const OpCase& test) {
  const ir::OpDef& def = definition(test.domain, test.op);
  auto model = std::make_shared<ir::Model>();
  model->graph = std::make_unique<ir::Graph>();
  ir::Graph& graph = *model->graph;
  ir::Node node;
  node.op = &def;
  node.name = "test";
  node.attributes = test.attributes;
  run::RunRequest request;
  for (size_t i = 0; i < test.inputs.size(); ++i) {
    const base::Tensor& input = test.inputs[i];
    const std::string name = "input" + std::to_string(i);
    if (!input) {
      node.inputs.push_back(ir::kNone);
    } else if (i < test.constant.size() && test.constant[i]) {
      node.inputs.push_back(graph.add_constant(input, name));
    } else {
      node.inputs.push_back(graph.add_input(name, ir::Fact::tensor(input.dtype(), ir::make_shape(input.dims()))));
      request.inputs.emplace_back(name, input);
    }
  }
  for (size_t i = 0; i < test.maps.size(); ++i) {
    const std::string name = "map" + std::to_string(i);
    const base::Map& map = test.maps[i].map();
    node.inputs.push_back(graph.add_input(name, ir::Fact::map(map.key, ir::Fact::tensor(map.value, ir::Shape{}))));
    request.inputs.emplace_back(name, test.maps[i]);
  }
  for (size_t i = 0; i < test.outputs; ++i) node.outputs.push_back(graph.add_value("output" + std::to_string(i)));
  const std::vector<ir::ValueId> outputs = node.outputs;
  ir::Expansion expansion(graph, all_operators(), std::move(node));
  if (test.decomposed) {
    if (def.decompose == nullptr || !def.decompose(expansion))
      base::fail(base::Code::kUnsupported, "no decomposition of {}", test.op);
  } else if (def.lift != nullptr) def.lift(expansion, test.since != 0 ? test.since : def.versions.back());
  else expansion.keep();
  for (ir::ValueId output : outputs) graph.add_output(output);
  ir::infer_graph(graph);

  run::SessionOptions options;
  options.providers = cpu_only();
  options.table = &all_operators();
  options.threads = 2;
  options.budget = std::make_shared<base::Budget>(int64_t{1} << 30);
  run::Session session(model, options);
  session.run(request);
  std::vector<base::Value> results;
  for (auto& [name, value] : request.outputs) results.push_back(std::move(value));
  return results;
}

void expect_refused(const OpCase& test, const char* words) {
  try {
    run_op(test);
    ADD_FAILURE() << "not refused: " << words;
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(words));
  }
}

std::vector<base::Tensor> run_op(const OpCase& test) {
  std::vector<base::Tensor> results;
  for (const base::Value& value : run_op_values(test)) results.push_back(value.tensor());
  return results;
}

std::vector<ir::Fact> infer_op(const std::string& op, std::vector<ir::Fact> inputs, ir::Attributes attributes,
                               size_t outputs) {
  ir::Graph graph;
  ir::Node node;
  node.op = &definition("", op);
  node.attributes = std::move(attributes);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool present = inputs[i].kind != ir::TypeKind::kUnknown;
    node.inputs.push_back(present ? graph.add_input("input" + std::to_string(i), inputs[i]) : ir::kNone);
  }
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(graph.add_value("output" + std::to_string(i)));
  const ir::NodeId id = graph.add_node(std::move(node));
  std::vector<const ir::Fact*> facts;
  for (ir::ValueId input : graph.node(id).inputs)
    facts.push_back(input == ir::kNone ? nullptr : &graph.value(input).fact);
  return ir::infer_node(graph, graph.node(id), std::move(facts));
}

}  // namespace onnxrun::ops
