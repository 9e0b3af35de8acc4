// The parts of a model that can be changed, and changes to nodes and ports.
#include "fuzz/model_mutation.h"

#include <algorithm>

#include "ops/table.h"

namespace onnxrun::fuzz {
namespace {

using proto::GraphProto;
using proto::NodeProto;
using proto::TypeProto;

template <class Owner, class Found>
void collect_graphs(Owner& graph, Found& found) {
  found.push_back(&graph);
  for (NodeProto& node : *graph.mutable_node())
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) collect_graphs(*attribute.mutable_g(), found);
      for (GraphProto& body : *attribute.mutable_graphs()) collect_graphs(body, found);
    }
}

// An operator like the node's: of the same domain, often one with as many inputs.
std::string other_operator(const NodeProto& node, Random& random) {
  const std::vector<const ir::OpDef*> all = operators().all();
  for (int attempt = 0; attempt < 40; ++attempt) {
    const ir::OpDef& op = *random.pick(all);
    const ir::Signature& signature = operators().signature(op);
    const auto inputs = static_cast<size_t>(node.input_size());
    if (op.domain != node.domain() || op.domain == std::string("onnxrun")) continue;
    if (attempt < 30 && (inputs < signature.min_inputs || inputs > signature.max_inputs)) continue;
    return op.name;
  }
  return node.op_type();
}

void change_edges(Subject& s, GraphProto& graph, int index) {
  NodeProto& node = *graph.mutable_node(index);
  if (node.input_size() == 0) return;
  std::string& input = *node.mutable_input(static_cast<int>(s.random.below(static_cast<size_t>(node.input_size()))));
  switch (s.random.below(7)) {
    case 0: input.clear(); break;
    case 1: node.mutable_input()->RemoveLast(); break;
    case 2: std::swap(input, *node.mutable_input(0)); break;
    case 3: node.add_input(std::string(input)); break;
    default:
      if (const auto names = s.names_before(graph, index); !names.empty()) input = s.random.pick(names);
  }
}

void change_outputs(Subject& s, NodeProto& node) {
  if (node.output_size() == 0) return;
  switch (s.random.below(4)) {
    case 0:
      node.mutable_output(static_cast<int>(s.random.below(static_cast<size_t>(node.output_size()))))->clear();
      break;
    case 1: node.mutable_output()->RemoveLast(); break;
    case 2: *node.mutable_output(0) = node.output(node.output_size() - 1); break;
    default: node.add_output(s.fresh_name());
  }
}

void change_shape(Subject& s, proto::TensorShapeProto& shape) {
  auto& dims = *shape.mutable_dim();
  const auto dim = [&] { return dims.Mutable(static_cast<int>(s.random.below(static_cast<size_t>(dims.size())))); };
  switch (s.random.below(5)) {
    case 0:
      for (auto& each : dims) each.Clear();
      break;
    case 1: dims.Add()->set_dim_value(s.random.between(0, 3)); break;
    case 2:
      if (!dims.empty()) dims.RemoveLast();
      break;
    case 3:
      if (!dims.empty()) dim()->set_dim_param(s.random.chance(50) ? "n" : "m");
      break;
    default:
      if (!dims.empty()) dim()->set_dim_value(s.random.chance(80) ? s.random.between(0, 7) : s.random.integer());
  }
}

void change_type(Subject& s, TypeProto& type) {
  switch (s.random.below(8)) {
    case 0:
    case 1: type.mutable_tensor_type()->set_elem_type(static_cast<int>(s.random.between(1, 29))); break;
    case 2: type.mutable_tensor_type()->clear_shape(); break;
    case 3: {
      const TypeProto inner = type;
      if (s.random.chance(50)) *type.mutable_sequence_type()->mutable_elem_type() = inner;
      else *type.mutable_optional_type()->mutable_elem_type() = inner;
      break;
    }
    default:
      if (type.has_tensor_type()) change_shape(s, *type.mutable_tensor_type()->mutable_shape());
  }
}

// An input becomes a constant, or a constant an input.
void change_source(Subject& s) {
  GraphProto& graph = *s.model.mutable_graph();
  if (s.random.chance(50) && graph.initializer_size() > 0) {
    const auto index = static_cast<int>(s.random.below(static_cast<size_t>(graph.initializer_size())));
    const proto::TensorProto tensor = graph.initializer(index);
    graph.mutable_initializer()->DeleteSubrange(index, 1);
    auto& port = *graph.add_input();
    port.set_name(tensor.name());
    port.mutable_type()->mutable_tensor_type()->set_elem_type(tensor.data_type());
    auto& shape = *port.mutable_type()->mutable_tensor_type()->mutable_shape();
    for (const int64_t dim : tensor.dims()) shape.add_dim()->set_dim_value(dim);
    return;
  }
  if (graph.input_size() == 0) return;
  const auto index = static_cast<int>(s.random.below(static_cast<size_t>(graph.input_size())));
  const proto::ValueInfoProto port = graph.input(index);
  if (!port.type().has_tensor_type()) return;
  auto& tensor = *graph.add_initializer();
  tensor.set_name(port.name());
  tensor.set_data_type(port.type().tensor_type().elem_type());
  for (const auto& dim : port.type().tensor_type().shape().dim())
    tensor.add_dims(dim.has_dim_value() ? dim.dim_value() : s.random.between(0, 3));
  constexpr int64_t kMost = 4096;
  const int64_t count = element_count(tensor, kMost);
  if (tensor.data_type() == proto::TensorProto::STRING)
    for (int64_t i = 0; i < count; ++i) tensor.add_string_data("a");
  else if (count > 0) tensor.set_raw_data(std::string(static_cast<size_t>(count) * 16, '\1'));
  if (s.random.chance(80)) graph.mutable_input()->DeleteSubrange(index, 1);
}

}  // namespace

const ir::OpTable& operators() {
  static const auto table = [] {
    auto made = std::make_unique<ir::OpTable>();
    ops::define_all(*made);
    return made;
  }();
  return *table;
}

std::vector<GraphProto*> Subject::graphs() {
  std::vector<GraphProto*> found;
  collect_graphs(*model.mutable_graph(), found);
  return found;
}

std::vector<NodeProto*> Subject::nodes() {
  std::vector<NodeProto*> found;
  for (GraphProto* graph : graphs())
    for (NodeProto& node : *graph->mutable_node()) found.push_back(&node);
  for (auto& function : *model.mutable_functions())
    for (NodeProto& node : *function.mutable_node()) found.push_back(&node);
  return found;
}

NodeProto* Subject::node() {
  const auto all = nodes();
  return all.empty() ? nullptr : random.pick(all);
}

std::vector<proto::TensorProto*> Subject::tensors() {
  std::vector<proto::TensorProto*> found;
  for (GraphProto* graph : graphs())
    for (auto& tensor : *graph->mutable_initializer()) found.push_back(&tensor);
  for (NodeProto* node : nodes())
    for (auto& attribute : *node->mutable_attribute()) {
      if (attribute.has_t()) found.push_back(attribute.mutable_t());
      for (auto& tensor : *attribute.mutable_tensors()) found.push_back(&tensor);
    }
  return found;
}

std::vector<std::string> Subject::names_before(const GraphProto& graph, int index) {
  std::vector<std::string> names;
  for (const auto& port : graph.input()) names.push_back(port.name());
  for (const auto& tensor : graph.initializer()) names.push_back(tensor.name());
  for (int i = 0; i < index; ++i)
    for (const std::string& name : graph.node(i).output())
      if (!name.empty()) names.push_back(name);
  if (&graph != &model.graph())  // what bodies may capture
    for (const auto& port : model.graph().input()) names.push_back(port.name());
  return names;
}

std::string Subject::fresh_name() { return "f" + std::to_string(random.below(1000000)); }

void change_node(Subject& s) {
  const auto graphs = s.graphs();
  GraphProto& graph = *s.random.pick(graphs);
  if (graph.node_size() == 0) return;
  const auto index = static_cast<int>(s.random.below(static_cast<size_t>(graph.node_size())));
  NodeProto& node = *graph.mutable_node(index);
  switch (s.random.below(8)) {
    case 0:
    case 1: node.set_op_type(other_operator(node, s.random)); break;
    case 2: change_outputs(s, node); break;
    case 3: graph.mutable_node()->SwapElements(index, 0); break;
    case 4: graph.mutable_node()->DeleteSubrange(index, 1); break;
    default: change_edges(s, graph, index);
  }
}

void change_port(Subject& s) {
  GraphProto& graph = *s.model.mutable_graph();
  if (s.random.chance(30)) return change_source(s);
  if (s.random.chance(20) && graph.node_size() > 0) {  // what the model gives
    const NodeProto& node = graph.node(static_cast<int>(s.random.below(static_cast<size_t>(graph.node_size()))));
    if (node.output_size() > 0) graph.add_output()->set_name(node.output(0));
    if (graph.output_size() > 3) graph.mutable_output()->DeleteSubrange(0, 1);
    return;
  }
  std::vector<proto::ValueInfoProto*> ports;
  for (GraphProto* each : s.graphs()) {
    for (auto& port : *each->mutable_input()) ports.push_back(&port);
    for (auto& port : *each->mutable_output()) ports.push_back(&port);
    for (auto& port : *each->mutable_value_info()) ports.push_back(&port);
  }
  if (!ports.empty()) change_type(s, *s.random.pick(ports)->mutable_type());
}

void mutate(proto::ModelProto& model, Random& random) {
  Subject subject(model, random);
  const auto changes = 1 + random.below(4);
  for (size_t i = 0; i < changes; ++i) {
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2: change_node(subject); break;
      case 3:
      case 4:
      case 5:
      case 6: change_attribute(subject); break;
      case 7:
      case 8:
      case 9: change_tensor(subject); break;
      case 10:
      case 11: change_port(subject); break;
      case 12:
      case 13: grow(subject); break;
      case 14: model.set_model_version(static_cast<int64_t>(random.below(1 << 16))); break;
      default:
        if (model.opset_import_size() > 0)
          model.mutable_opset_import(0)->set_version(random.chance(70) ? random.between(13, 25)
                                                                       : random.between(1, 30));
    }
  }
}

}  // namespace onnxrun::fuzz
