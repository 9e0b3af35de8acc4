// Lists of values, weights and steps.
#include <algorithm>
#include <cmath>

#include "api/cost.h"
#include "api/doubles.h"
#include "api/inspect.h"
#include "ir/op.h"

namespace onnxrun::api {
namespace {

bool fully_known(const ir::Fact& fact) {
  if (fact.kind == ir::TypeKind::kUnknown) return false;
  if (!fact.is_tensor()) return true;
  return fact.dtype != ir::DType::kNone && fact.shape &&
         std::none_of(fact.shape->begin(), fact.shape->end(), [](const ir::Dim& dim) { return dim.is_unknown(); });
}

// Where a body is: its own node, and as much before it as a report can say with each of its values.
std::string path_of_body(const std::string& around, const std::string& node, const std::string& body) {
  constexpr size_t kMost = 1000;
  std::string path = clipped(node) + "." + clipped(body);
  if (around.empty()) return path;
  if (around.size() + path.size() <= kMost) return around + "/" + path;
  return ".../" + path;
}

void list_values(const ir::Graph& graph, const std::string& where, Json& list, int64_t& known) {
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    const ir::Value& value = graph.value(id);
    if (value.removed || value.outer != ir::kNone) continue;
    const bool is_known = fully_known(value.fact);
    known += is_known;
    const char* role = value.is_input                ? "input"
                       : value.producer == ir::kNone ? "initializer"
                       : graph.is_output(id)         ? "output"
                                                     : "intermediate";
    list.push_back(
        {{"name", value.name}, {"type", clipped_type(value.fact.to_string())}, {"role", role}, {"known", is_known}});
    if (!where.empty()) list.back()["graph"] = where;
  }
  for (size_t i = 0; i < graph.node_capacity(); ++i) {
    const auto id = static_cast<ir::NodeId>(i);
    if (!graph.has_node(id)) continue;
    for (const ir::Body& body : graph.node(id).bodies)
      list_values(*body.graph, path_of_body(where, graph.node(id).describe(graph), body.name), list, known);
  }
}

void list_weights(const ir::Graph& graph, Json& list) {
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
    const base::Tensor& tensor = value.fact.constant;
    if (value.removed || value.producer != ir::kNone || !tensor || value.outer != ir::kNone) continue;
    list.push_back({{"name", value.name},
                    {"dtype", base::dtype_name(tensor.dtype())},
                    {"shape", tensor.dims()},
                    {"bytes", tensor.bytes()}});
    if (tensor.dtype() == base::DType::kString || base::is_complex(tensor.dtype()) || tensor.count() == 0) continue;
    double low = INFINITY, high = -INFINITY, sum = 0;
    each_double(tensor, [&](std::span<const double> numbers) {
      for (const double number : numbers) {
        low = std::min(low, number);
        high = std::max(high, number);
        sum += number;
      }
    });
    list.back()["min"] = low;
    list.back()["max"] = high;
    list.back()["mean"] = sum / static_cast<double>(tensor.count());
  }
  for (size_t i = 0; i < graph.node_capacity(); ++i)
    if (graph.has_node(static_cast<ir::NodeId>(i)))
      for (const ir::Body& body : graph.node(static_cast<ir::NodeId>(i)).bodies) list_weights(*body.graph, list);
}

void list_steps(const plan::Program& program, const std::string& where, Json& list) {
  for (const plan::Step& step : program.steps()) {
    Json entry{{"step", program.describe(step)}};
    if (!where.empty()) entry["graph"] = where;
    switch (step.kind) {
      case plan::StepKind::kKernel: entry["kind"] = "kernel"; break;
      case plan::StepKind::kView: entry["kind"] = "view"; break;
      case plan::StepKind::kStructural: entry["kind"] = "structural"; break;
      case plan::StepKind::kCopy: entry["kind"] = "copy"; break;
    }
    if (step.node != ir::kNone) {
      const ir::Node& node = program.graph().node(step.node);
      entry["name"] = node.name;
      entry["op"] = node.op->full_name();
      entry["origin"] = node.origin;
    }
    if (step.kind == plan::StepKind::kKernel) {
      entry["provider"] = program.providers().at(step.provider).name;
      Json kernels = Json::array();
      for (const plan::Candidate& candidate : step.candidates) kernels.push_back(candidate.kernel->name);
      entry["kernels"] = std::move(kernels);
    }
    entry["declined"] = step.declined;
    list.push_back(std::move(entry));
    for (const plan::BodyProgram& body : step.bodies)
      list_steps(*body.program, path_of_body(where, program.describe(step), body.name), list);
  }
}

}  // namespace

Json values_json(const ir::Graph& graph, Json& known) {
  Json list = Json::array();
  int64_t count = 0;
  list_values(graph, {}, list, count);
  known = Json{{"values", count}, {"of", list.size()}};
  return list;
}

Json weights_json(const ir::Graph& graph) {
  Json list = Json::array();
  list_weights(graph, list);
  return list;
}

Json steps_json(const plan::Program& program) {
  Json list = Json::array();
  list_steps(program, {}, list);
  return list;
}

}  // namespace onnxrun::api
