// What makes a model larger: nodes put between others, copies, bodies around nodes, functions, and a second model behind the first.
#include <array>
#include <map>

#include "fuzz/model_mutation.h"

namespace onnxrun::fuzz {
namespace {

using proto::AttributeProto;
using proto::GraphProto;
using proto::NodeProto;

constexpr int kMostNodes = 40;

// Puts `node` at `index`; nodes behind it move on.
void put(GraphProto& graph, int index, NodeProto node) {
  *graph.add_node() = std::move(node);
  for (int i = graph.node_size() - 1; i > index; --i) graph.mutable_node()->SwapElements(i, i - 1);
}

// A new node on a value that is there; who read the value reads the result.
void insert(Subject& s, GraphProto& graph) {
  static constexpr std::array<const char*, 36> kUnary = {"Relu",
                                                         "Neg",
                                                         "Identity",
                                                         "Transpose",
                                                         "Shape",
                                                         "Size",
                                                         "Softmax",
                                                         "ReduceSum",
                                                         "ReduceMax",
                                                         "Sigmoid",
                                                         "Tanh",
                                                         "Exp",
                                                         "Sqrt",
                                                         "Abs",
                                                         "Cast",
                                                         "Flatten",
                                                         "Squeeze",
                                                         "NonZero",
                                                         "Unique",
                                                         "Floor",
                                                         "Round",
                                                         "Not",
                                                         "Erf",
                                                         "ArgMax",
                                                         "Gelu",
                                                         "IsNaN",
                                                         "Sign",
                                                         "Dropout",
                                                         "Hardmax",
                                                         "LogSoftmax",
                                                         "ReduceMean",
                                                         "GlobalAveragePool",
                                                         "Trilu",
                                                         "Det",
                                                         "SequenceConstruct",
                                                         "Optional"};
  static constexpr std::array<const char*, 26> kBinary = {
      "Add",      "Mul",    "Sub",   "Div",       "MatMul",  "Pow",  "Concat", "Gather", "Where",
      "Reshape",  "Expand", "Tile",  "Equal",     "Greater", "Max",  "Min",    "Slice",  "Pad",
      "GatherND", "Mod",    "PRelu", "Unsqueeze", "OneHot",  "TopK", "Conv",   "CumSum"};
  const auto index = static_cast<int>(s.random.below(static_cast<size_t>(graph.node_size()) + 1));
  const auto names = s.names_before(graph, index);
  if (names.empty()) return;
  const std::string from = s.random.pick(names);
  NodeProto node;
  node.add_input(from);
  node.add_output(s.fresh_name());
  if (s.random.chance(50)) {
    node.set_op_type(s.random.pick(kUnary));
  } else {
    node.set_op_type(s.random.pick(kBinary));
    for (size_t i = 0, more = 1 + s.random.below(2); i < more; ++i) node.add_input(s.random.pick(names));
  }
  const std::string to = node.output(0);
  put(graph, index, std::move(node));
  if (s.random.chance(70)) {
    for (int i = index + 1; i < graph.node_size(); ++i)
      for (std::string& input : *graph.mutable_node(i)->mutable_input())
        if (input == from && s.random.chance(60)) input = to;
  } else {
    graph.add_output()->set_name(to);
  }
}

// A node once more, its results taken by nobody or by the model.
void copy(Subject& s, GraphProto& graph) {
  if (graph.node_size() == 0) return;
  const auto index = static_cast<int>(s.random.below(static_cast<size_t>(graph.node_size())));
  NodeProto node = graph.node(index);
  for (std::string& output : *node.mutable_output())
    if (!output.empty()) output = s.fresh_name();
  if (node.output_size() > 0 && s.random.chance(70)) graph.add_output()->set_name(node.output(0));
  put(graph, index + 1, std::move(node));
}

// A node becomes an If whose branches are that node, or a Loop that runs it some times, on captured values.
void wrap(Subject& s, GraphProto& graph) {
  if (graph.node_size() == 0) return;
  const auto index = static_cast<int>(s.random.below(static_cast<size_t>(graph.node_size())));
  NodeProto inner = graph.node(index), outer;
  if (inner.output_size() != 1) return;
  const std::string result = inner.output(0), made = s.fresh_name(), flag = s.fresh_name(), count = s.fresh_name();
  inner.set_output(0, made);
  GraphProto body;
  body.set_name("body");
  auto& yes = *graph.add_initializer();
  yes.set_name(flag);
  yes.set_data_type(proto::TensorProto::BOOL);
  yes.set_raw_data(std::string(1, static_cast<char>(s.random.below(2))));
  if (s.random.chance(50)) {
    *body.add_node() = inner;
    body.add_output()->set_name(made);
    outer.set_op_type("If");
    outer.add_input(flag);
    for (const char* branch : {"then_branch", "else_branch"}) {
      AttributeProto& attribute = *outer.add_attribute();
      attribute.set_name(branch);
      attribute.set_type(AttributeProto::GRAPH);
      *attribute.mutable_g() = body;
    }
  } else {
    auto& trips = *graph.add_initializer();
    trips.set_name(count);
    trips.set_data_type(proto::TensorProto::INT64);
    trips.add_int64_data(s.random.between(0, 3));
    const std::string going = s.fresh_name();
    const auto port = [&](const std::string& name, int type) {
      auto& info = *body.add_input();
      info.set_name(name);
      info.mutable_type()->mutable_tensor_type()->set_elem_type(type);
      info.mutable_type()->mutable_tensor_type()->mutable_shape();
    };
    port(s.fresh_name() + "i", proto::TensorProto::INT64);
    port(going, proto::TensorProto::BOOL);
    NodeProto& keep = *body.add_node();
    keep.set_op_type("Identity");
    keep.add_input(going);
    keep.add_output(going + "k");
    *body.add_node() = inner;
    body.add_output()->set_name(going + "k");
    body.add_output()->set_name(made);
    outer.set_op_type("Loop");
    outer.add_input(count);
    outer.add_input(s.random.chance(50) ? flag : "");
    AttributeProto& attribute = *outer.add_attribute();
    attribute.set_name("body");
    attribute.set_type(AttributeProto::GRAPH);
    *attribute.mutable_g() = body;
  }
  outer.add_output(result);
  *graph.mutable_node(index) = outer;
}

// A node becomes a call of a function that holds it.
void outline(Subject& s, GraphProto& graph) {
  if (graph.node_size() == 0) return;
  const auto index = static_cast<int>(s.random.below(static_cast<size_t>(graph.node_size())));
  NodeProto& node = *graph.mutable_node(index);
  auto& function = *s.model.add_functions();
  function.set_name(s.fresh_name());
  function.set_domain("local");
  *function.mutable_opset_import() = s.model.opset_import();
  NodeProto inner = node;
  for (int i = 0; i < node.input_size(); ++i) {
    if (node.input(i).empty()) continue;
    inner.set_input(i, "in" + std::to_string(i));
    function.add_input(inner.input(i));
  }
  for (int i = 0; i < node.output_size(); ++i) {
    inner.set_output(i, "out" + std::to_string(i));
    function.add_output(inner.output(i));
  }
  *function.add_node() = inner;
  NodeProto call;
  call.set_op_type(function.name());
  call.set_domain("local");
  for (const std::string& input : node.input())
    if (!input.empty()) call.add_input(input);
  *call.mutable_output() = node.output();
  node = call;
  for (const auto& import : s.model.opset_import())
    if (import.domain() == "local") return;
  auto& import = *s.model.add_opset_import();
  import.set_domain("local");
  import.set_version(1);
}

void rename(GraphProto& graph, const std::string& prefix) {
  const auto rename_one = [&](std::string& name) {
    if (!name.empty()) name = prefix + name;
  };
  for (auto& port : *graph.mutable_input()) rename_one(*port.mutable_name());
  for (auto& port : *graph.mutable_output()) rename_one(*port.mutable_name());
  for (auto& port : *graph.mutable_value_info()) rename_one(*port.mutable_name());
  for (auto& tensor : *graph.mutable_initializer()) rename_one(*tensor.mutable_name());
  for (NodeProto& node : *graph.mutable_node()) {
    for (std::string& name : *node.mutable_input()) rename_one(name);
    for (std::string& name : *node.mutable_output()) rename_one(name);
    for (AttributeProto& attribute : *node.mutable_attribute())
      if (attribute.has_g()) rename(*attribute.mutable_g(), prefix);
  }
}

}  // namespace

void grow(Subject& s) {
  const auto graphs = s.graphs();
  GraphProto& graph = *s.random.pick(graphs);
  if (graph.node_size() > kMostNodes) return graph.mutable_node()->DeleteSubrange(0, 1);
  switch (s.random.below(8)) {
    case 0: copy(s, graph); break;
    case 1: wrap(s, graph); break;
    case 2:
      if (s.model.functions_size() < 3) outline(s, graph);
      break;
    default: insert(s, graph);
  }
}

void join(proto::ModelProto& model, const proto::ModelProto& other, Random& random) {
  GraphProto& graph = *model.mutable_graph();
  GraphProto behind = other.graph();
  if (graph.node_size() + behind.node_size() > kMostNodes || other.functions_size() > 0) return;
  rename(behind, "g" + std::to_string(random.below(1000)) + "_");
  std::vector<std::string> there;
  for (const auto& port : graph.output()) there.push_back(port.name());
  std::map<std::string, std::string> taken;
  for (const auto& port : behind.input())
    if (!there.empty() && random.chance(60)) taken[port.name()] = random.pick(there);
    else *graph.add_input() = port;
  for (NodeProto& node : *behind.mutable_node()) {
    for (std::string& name : *node.mutable_input())
      if (const auto found = taken.find(name); found != taken.end()) name = found->second;
    *graph.add_node() = node;
  }
  for (const auto& tensor : behind.initializer())
    if (!taken.count(tensor.name())) *graph.add_initializer() = tensor;
  for (const auto& port : behind.output()) *graph.add_output() = port;
  for (const auto& import : other.opset_import()) {
    bool known = false;
    for (const auto& have : model.opset_import()) known |= have.domain() == import.domain();
    if (!known) *model.add_opset_import() = import;
  }
}

}  // namespace onnxrun::fuzz
