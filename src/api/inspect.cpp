// The report on a model.
#include <map>
#include <set>

#include "api/assemble.h"
#include "api/build_list.h"
#include "api/cost.h"
#include "api/custom_ops.h"
#include "api/digest.h"
#include "api/functions.h"
#include "api/inspect.h"
#include "api/json.h"
#include "api/status.h"
#include "ir/op.h"
#include "ir/text.h"
#include "optimize/pipeline.h"

namespace onnxrun::api {
namespace {

Json ports_json(const Ports& ports) {
  Json list = Json::array();
  for (size_t i = 0; i < ports.size(); ++i) {
    const onnxrun_port& port = ports.at(i, "port");
    Json dims = Json::array();
    for (int32_t d = 0; d < port.rank; ++d) {
      if (port.symbols[d]) dims.push_back(port.symbols[d]);
      else dims.push_back(port.dims[d]);
    }
    list.push_back({{"name", port.name}, {"type", port.type}, {"has_default", port.has_default != 0}});
    if (port.rank >= 0) list.back()["dims"] = std::move(dims);
  }
  return list;
}

struct OpCost {
  int64_t nodes = 0;
  int64_t unknown = 0;  // nodes left out of the sums
  ir::Dim operations = 0, bytes = 0;
};

// Leaves an addend out that is not known; whether it was added.
bool accumulate(ir::Dim& sum, const ir::Dim& part) {
  try {
    const ir::Dim next = sum + part;
    if (next.is_unknown()) return false;
    sum = next;
    return true;
  } catch (const base::Error&) {
    return false;
  }
}

struct Totals {
  int64_t nodes = 0, unknown = 0, parameters = 0, parameter_bytes = 0;
  ir::Dim operations = 0;
  std::map<std::string, OpCost> by_op;
};

void count_graph(const ir::Graph& graph, Totals& totals) {
  for (size_t id = 0; id < graph.value_count(); ++id) {
    const ir::Value& value = graph.value(static_cast<ir::ValueId>(id));
    if (value.removed || value.producer != ir::kNone || !value.fact.constant || value.outer != ir::kNone) continue;
    totals.parameters += value.fact.constant.count();
    totals.parameter_bytes += static_cast<int64_t>(value.fact.constant.bytes());
  }
  for (size_t id = 0; id < graph.node_capacity(); ++id) {
    if (!graph.has_node(static_cast<ir::NodeId>(id))) continue;
    const ir::Node& node = graph.node(static_cast<ir::NodeId>(id));
    OpCost& cost = totals.by_op[node.op->full_name()];
    ++cost.nodes;
    ++totals.nodes;
    const ir::Dim operations = node_operations(graph, node);
    bool known = accumulate(cost.operations, operations);
    known = accumulate(cost.bytes, node_bytes(graph, node)) && known;
    known = accumulate(totals.operations, operations) && known;
    cost.unknown += !known;
    totals.unknown += !known;
    for (const ir::Body& body : node.bodies) count_graph(*body.graph, totals);
  }
}

Json ops_json(const Totals& totals) {
  Json list = Json::array();
  for (const auto& [name, cost] : totals.by_op)
    list.push_back({{"op", name},
                    {"nodes", cost.nodes},
                    {"unknown_nodes", cost.unknown},
                    {"operations", count_json(cost.operations)},
                    {"bytes", count_json(cost.bytes)}});
  return list;
}

Json aliases_of(const optimize::Pass& pass) {
  Json names = Json::array();
  for (const optimize::Alias& alias : optimize::aliases())
    for (const std::string_view name : alias.passes)
      if (name == pass.name) names.push_back(alias.name);
  return names;
}

Json passes_json(const std::vector<optimize::PassReport>& reports) {
  Json list = Json::array();
  for (const optimize::Pass& pass : optimize::pipeline()) {
    list.push_back({{"name", pass.name},
                    {"level", static_cast<int>(pass.level)},
                    {"description", pass.description},
                    {"aliases", aliases_of(pass)},
                    {"patches", 0},
                    {"seconds", 0.0}});
    for (const optimize::PassReport& report : reports) {
      if (report.name != pass.name) continue;
      list.back()["patches"] = report.patches;
      list.back()["seconds"] = report.seconds;
    }
  }
  return list;
}

Json printed_json(const std::vector<optimize::PrintedGraph>& printed) {
  Json list = Json::array();
  for (const optimize::PrintedGraph& each : printed)
    list.push_back({{"pass", each.pass}, {"round", each.round}, {"patches", each.patches}, {"text", each.text}});
  return list;
}

std::set<std::string> symbols_of(const ir::Graph& graph) {
  std::set<std::string> symbols;
  for (const ir::ValueId id : graph.inputs())
    if (const auto& shape = graph.value(id).fact.shape)
      for (const ir::Dim& dim : *shape) dim.visit_symbols([&](std::string_view name) { symbols.emplace(name); });
  return symbols;
}

Json summary(const onnxrun_model& handle, const Totals& totals) {
  const ir::Model& model = *handle.model;
  Json opsets = Json::object();
  for (const auto& [domain, version] : model.opset_imports)
    add_member(opsets, domain.empty() ? "ai.onnx" : domain, version);
  return {{"version", 1},
          {"path", model.path},
          {"external_files", model.external_files},
          {"producer", model.producer_name},
          {"producer_version", model.producer_version},
          {"ir_version", model.ir_version},
          {"model_version", model.model_version},
          {"domain", model.domain},
          {"doc", model.doc},
          {"metadata", model.metadata},
          {"opsets", std::move(opsets)},
          {"graph", model.graph->name},
          {"graph_doc", model.graph->doc},
          {"inputs", ports_json(handle.inputs)},
          {"outputs", ports_json(handle.outputs)},
          {"nodes", totals.nodes},
          {"unknown_nodes", totals.unknown},
          {"parameters", totals.parameters},
          {"parameter_bytes", totals.parameter_bytes},
          {"operations", count_json(totals.operations)},
          {"memory",
           {{"weights", totals.parameter_bytes},
            {"activations", peak_bytes(*model.graph, 1)},
            {"symbols_taken_as_1", symbols_of(*model.graph)}}},
          {"warnings", model.warnings}};
}

}  // namespace

Json count_json(const ir::Dim& count) { return count.is_constant() ? Json(count.value()) : Json(count.to_string()); }

onnxrun_status* model_inspect(const onnxrun_model* model, const onnxrun_options* options, uint32_t parts,
                              onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    const ir::Model& inner = *need(model, "model").model;
    const onnxrun_options settings = options_for(*model, options);
    constexpr uint32_t kAll = ONNXRUN_INSPECT_OPS | ONNXRUN_INSPECT_SHAPES | ONNXRUN_INSPECT_WEIGHTS |
                              ONNXRUN_INSPECT_EXPLAIN | ONNXRUN_INSPECT_DIGESTS | ONNXRUN_INSPECT_PASSES |
                              ONNXRUN_INSPECT_TEXT | ONNXRUN_INSPECT_PATCHES | ONNXRUN_INSPECT_GRAPH |
                              ONNXRUN_INSPECT_BUILD;
    if ((parts & ~kAll) != 0) fail(Code::kInvalidArgument, "{} asks for parts of the report that do not exist", parts);
    Totals totals;
    count_graph(*inner.graph, totals);
    Json report = summary(*model, totals);
    if (parts & ONNXRUN_INSPECT_OPS) report["ops"] = ops_json(totals);
    if (parts & ONNXRUN_INSPECT_SHAPES) report["values"] = values_json(*inner.graph, report["known"]);
    if (parts & ONNXRUN_INSPECT_WEIGHTS) report["weights"] = weights_json(*inner.graph);
    if (parts & (ONNXRUN_INSPECT_EXPLAIN | ONNXRUN_INSPECT_PASSES)) {
      const std::shared_ptr<Session> session = make_session(inner, settings);
      if (parts & ONNXRUN_INSPECT_EXPLAIN) report["steps"] = steps_json(session->session.program());
      if (parts & ONNXRUN_INSPECT_PASSES) {
        report["passes"] = passes_json(session->optimization().passes);
        report["printed"] = printed_json(session->optimization().printed);
        report["rounds"] = session->optimization().rounds;
        report["settled"] = session->optimization().settled;
        report["optimised_nodes"] = session->session.program().graph().node_count();
      }
    }
    if (parts & ONNXRUN_INSPECT_BUILD) {
      if (!settings.ops || !settings.ops->records())
        fail(Code::kInvalidArgument,
             "the model was not read with the option record_operators, so what its build needs is not known");
      const std::shared_ptr<Session> session = make_session(inner, settings);
      report["build"] = build_list(settings.ops->recorded(), session->optimization(),
                                   settings.precision != ONNXRUN_PRECISION_HIGHEST);
    }
    if (parts & ONNXRUN_INSPECT_PATCHES) {
      Json list = Json::array();
      for (const optimize::PatchNote& note : patches_of(inner, settings))
        list.push_back({{"pass", note.pass}, {"change", note.change}});
      report["patches"] = std::move(list);
    }
    if (parts & ONNXRUN_INSPECT_GRAPH) report["structure"] = graph_json(*inner.graph);
    if (parts & ONNXRUN_INSPECT_TEXT) report["text"] = ir::to_text(*inner.graph);
    if (parts & ONNXRUN_INSPECT_DIGESTS) {
      if (!inner.path.empty()) report["sha256"] = file_digest(inner.path);
      report["digest"] = content_digest(inner);
    }
    *out = make_blob(report);
  });
}

}  // namespace onnxrun::api
