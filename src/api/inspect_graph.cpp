// The graph as JSON.
#include "api/cost.h"
#include "api/inspect.h"
#include "ir/op.h"
#include "ir/text.h"

namespace onnxrun::api {
namespace {

Json names_json(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  Json list = Json::array();
  for (const ir::ValueId id : ids) {
    if (id == ir::kNone) list.push_back(nullptr);
    else list.push_back(graph.value(id).name);
  }
  return list;
}

Json node_json(const ir::Graph& graph, const ir::Node& node) {
  Json attributes = Json::object(), bodies = Json::array(), captured = Json::array();
  for (const ir::Attribute& attribute : node.attributes.list())
    add_member(attributes, attribute.name, ir::to_text(attribute.value));
  for (const ir::Body& body : node.bodies) {
    bodies.push_back({{"name", body.name}, {"graph", graph_json(*body.graph)}});
    for (const ir::ValueId inner : body.graph->captures())
      captured.push_back(graph.value(body.graph->value(inner).outer).name);
  }
  return {{"op", node.op->full_name()},
          {"name", node.name},
          {"doc", node.doc},
          {"inputs", names_json(graph, node.inputs)},
          {"captured", std::move(captured)},
          {"outputs", names_json(graph, node.outputs)},
          {"attributes", std::move(attributes)},
          {"operations", count_json(node_operations(graph, node))},
          {"bytes", count_json(node_bytes(graph, node))},
          {"bodies", std::move(bodies)}};
}

}  // namespace

Json graph_json(const ir::Graph& graph) {
  Json types = Json::object(), constants = Json::array(), captures = Json::array(), nodes = Json::array();
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
    if (value.removed) continue;
    add_member(types, value.name, clipped_type(ir::type_text(value.fact)));
    if (value.outer != ir::kNone)
      captures.push_back({{"name", value.name}, {"outer", graph.parent()->value(value.outer).name}});
    else if (value.fact.constant && value.producer == ir::kNone && !value.is_input)
      constants.push_back(
          {{"name", value.name}, {"bytes", value.fact.constant.bytes()}, {"text", ir::to_text(value.fact.constant)}});
  }
  for (const ir::NodeId id : graph.topological_order()) nodes.push_back(node_json(graph, graph.node(id)));
  return {{"name", graph.name},
          {"inputs", names_json(graph, graph.inputs())},
          {"outputs", names_json(graph, graph.outputs())},
          {"captures", std::move(captures)},
          {"constants", std::move(constants)},
          {"types", std::move(types)},
          {"nodes", std::move(nodes)}};
}

}  // namespace onnxrun::api
