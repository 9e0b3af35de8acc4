// Building small models in memory, and sessions for them, for tests of planning and running.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "ir/op.h"
#include "run/session.h"

namespace onnxrun::testing {

const ir::OpTable& operators();
std::shared_ptr<const plan::ProviderSet> cpu_only();
// "late" before "cpu"; `settings` of the late provider, e.g. {"fail_at=3"}.
std::shared_ptr<const plan::ProviderSet> late_first(std::vector<std::string> settings = {});

class GraphBuilder {
 public:
  explicit GraphBuilder(ir::Graph& graph) : graph_(graph) {}

  ir::Graph& graph() { return graph_; }
  ir::ValueId input(const char* name, base::DType dtype, ir::Shape shape);
  ir::ValueId constant(base::Tensor tensor) { return graph_.add_constant(std::move(tensor)); }
  ir::ValueId ints(std::vector<int64_t> values);
  // Adds and infers a node; its first output. `name` of the output, "" for a fresh one.
  ir::ValueId add(const char* op, std::vector<ir::ValueId> inputs, std::string name = {},
                  ir::Attributes attributes = {});
  std::vector<ir::ValueId> add_many(const char* op, std::vector<ir::ValueId> inputs, size_t outputs,
                                    ir::Attributes attributes = {}, std::vector<ir::Body> bodies = {});

 private:
  ir::Graph& graph_;
};

// A model with its builder.
struct SmallModel {
  std::shared_ptr<ir::Model> model = std::make_shared<ir::Model>();
  GraphBuilder g;
  SmallModel() : g(*(model->graph = std::make_unique<ir::Graph>())) {}

  void output(ir::ValueId value) { model->graph->add_output(value); }
  std::unique_ptr<run::Session> session(std::shared_ptr<const plan::ProviderSet> providers = cpu_only(),
                                        base::Limits limits = {}, int streams = 1, int threads = 1);
};

base::Tensor filled(base::Dims dims, float first, float step = 0.0f);

using Named = std::vector<std::pair<std::string, base::Value>>;
// Runs and returns the outputs in the model's order.
std::vector<base::Value> run_with(run::Session& session, Named inputs, run::Observer* observer = nullptr);

std::vector<float> floats_of(const base::Value& value);

}  // namespace onnxrun::testing
