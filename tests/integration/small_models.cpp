// Graphs, providers and runs of small models.
#include "integration/small_models.h"

#include "api/provider_library.h"
#include "base/error.h"
#include "cpu/provider.h"
#include "ir/infer.h"

namespace onnxrun::ops {
void define_all(ir::OpTable& table);
}

namespace onnxrun::testing {

const ir::OpTable& operators() {
  static const auto table = [] {
    auto made = std::make_unique<ir::OpTable>();
    ops::define_all(*made);
    return made;
  }();
  return *table;
}

std::shared_ptr<const plan::ProviderSet> cpu_only() {
  static const auto set =
      std::make_shared<const plan::ProviderSet>(std::vector<plan::ProviderPtr>{cpu::provider()}, cpu::provider());
  return set;
}

std::shared_ptr<const plan::ProviderSet> late_first(std::vector<std::string> settings) {
  std::vector<const char*> texts;
  for (const std::string& setting : settings) texts.push_back(setting.c_str());
  const auto late =
      api::load_provider_library(ONNXRUN_BINARY_DIR "/lib/liblate_provider.so", texts.data(), texts.size());
  return std::make_shared<const plan::ProviderSet>(std::vector<plan::ProviderPtr>{late, cpu::provider()},
                                                   cpu::provider());
}

ir::ValueId GraphBuilder::input(const char* name, base::DType dtype, ir::Shape shape) {
  return graph_.add_input(name, ir::Fact::tensor(dtype, std::move(shape)));
}

ir::ValueId GraphBuilder::ints(std::vector<int64_t> values) {
  return constant(base::Tensor::vector<int64_t>(std::span<const int64_t>(values)));
}

ir::ValueId GraphBuilder::add(const char* op, std::vector<ir::ValueId> inputs, std::string name,
                              ir::Attributes attributes) {
  const ir::ValueId output = add_many(op, std::move(inputs), 1, std::move(attributes)).front();
  if (!name.empty()) graph_.rename_value(output, std::move(name));
  return output;
}

std::vector<ir::ValueId> GraphBuilder::add_many(const char* op, std::vector<ir::ValueId> inputs, size_t outputs,
                                                ir::Attributes attributes, std::vector<ir::Body> bodies) {
  ir::Node node;
  node.op = operators().find("", op);
  if (node.op == nullptr) base::fail(base::Code::kInternal, "no operator {}", op);
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  node.bodies = std::move(bodies);
  for (size_t k = 0; k < outputs; ++k) node.outputs.push_back(graph_.add_value(""));
  const std::vector<ir::ValueId> results = node.outputs;
  ir::infer_in_place(graph_, graph_.add_node(std::move(node)));
  return results;
}

std::unique_ptr<run::Session> SmallModel::session(std::shared_ptr<const plan::ProviderSet> providers,
                                                  base::Limits limits, int streams, int threads) {
  run::SessionOptions options;
  options.table = &operators();
  options.threads = threads;
  options.streams = streams;
  options.limits = limits;
  options.providers = std::move(providers);
  return std::make_unique<run::Session>(model, options);
}

base::Tensor filled(base::Dims dims, float first, float step) {
  base::Tensor tensor(base::DType::kFloat32, std::move(dims));
  for (int64_t i = 0; i < tensor.count(); ++i) tensor.mutable_data<float>()[i] = first + static_cast<float>(i) * step;
  return tensor;
}

std::vector<base::Value> run_with(run::Session& session, Named inputs, run::Observer* observer) {
  run::RunRequest request;
  request.inputs = std::move(inputs);
  request.observer = observer;
  session.run(request);
  std::vector<base::Value> outputs;
  for (auto& [name, value] : request.outputs) outputs.push_back(std::move(value));
  return outputs;
}

std::vector<float> floats_of(const base::Value& value) {
  const auto span = value.tensor().span<float>();
  return {span.begin(), span.end()};
}

}  // namespace onnxrun::testing
