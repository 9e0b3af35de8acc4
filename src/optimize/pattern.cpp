// Questions about the neighbourhood of a node.
#include "optimize/pattern.h"

#include <cstring>

#include "ir/op.h"

namespace onnxrun::optimize {

bool is_op(const ir::Node& node, std::string_view op, std::string_view domain) {
  return op == node.op->name && domain == node.op->domain;
}

const ir::Node* made_by(const ir::Graph& graph, ir::ValueId value, std::string_view op, std::string_view domain) {
  if (value == ir::kNone || graph.value(value).producer == ir::kNone) return nullptr;
  const ir::Node& node = graph.node(graph.value(value).producer);
  return is_op(node, op, domain) ? &node : nullptr;
}

bool read_once(const ir::Graph& graph, ir::ValueId value) {
  return graph.value(value).consumers.size() == 1 && !graph.is_output(value);
}

ir::ValueId input_of(const ir::Node& node, size_t i) { return i < node.inputs.size() ? node.inputs[i] : ir::kNone; }

bool has_one_element(const ir::Graph& graph, ir::ValueId value) {
  const auto dims = graph.value(value).fact.dims();
  return dims && base::element_count(*dims) == 1;
}

bool same_constant(const ir::Graph& graph, ir::ValueId a, ir::ValueId b) {
  if (a == b) return true;
  if (a == ir::kNone || b == ir::kNone) return false;
  const base::Tensor &x = graph.value(a).fact.constant, &y = graph.value(b).fact.constant;
  return x && y && x.dtype() == y.dtype() && x.count() == y.count() && std::memcmp(x.raw(), y.raw(), x.bytes()) == 0;
}

}  // namespace onnxrun::optimize
