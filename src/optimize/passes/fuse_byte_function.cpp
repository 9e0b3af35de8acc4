// What is computed of each element of one 8-bit value alone, through float32 or not, and ends in 8 bits has 256 results: they are computed now and looked up.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <string_view>

#include "base/error.h"
#include "ir/infer.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using base::DType;
using base::Tensor;
using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::ValueId;

constexpr size_t kMostNodes = 32;

bool is_byte(const Graph& graph, ValueId id) {
  const ir::Fact& fact = graph.value(id).fact;
  return fact.is_tensor() && (fact.dtype == DType::kInt8 || fact.dtype == DType::kUint8);
}

// Whether each element of the node's output depends on one element of each input that is no single number.
bool maps_elements(const Node& node) {
  static constexpr std::string_view kOnnx[] = {"Abs",
                                               "Add",
                                               "Ceil",
                                               "Clip",
                                               "DequantizeLinear",
                                               "Div",
                                               "Elu",
                                               "Erf",
                                               "Exp",
                                               "Floor",
                                               "Gelu",
                                               "HardSigmoid",
                                               "HardSwish",
                                               "LeakyRelu",
                                               "Log",
                                               "Max",
                                               "Min",
                                               "Mish",
                                               "Mul",
                                               "Neg",
                                               "Pow",
                                               "QuantizeLinear",
                                               "Reciprocal",
                                               "Relu",
                                               "Round",
                                               "Selu",
                                               "Sigmoid",
                                               "Softplus",
                                               "Softsign",
                                               "Sqrt",
                                               "Sub",
                                               "Sum",
                                               "Swish",
                                               "Tanh"};
  static constexpr std::string_view kMicrosoft[] = {"QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu"};
  const auto listed = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), node.op->name) != std::end(names);
  };
  if (node.outputs.size() != 1 || !node.bodies.empty()) return false;
  const std::string_view domain = node.op->domain;
  return domain.empty()              ? listed(kOnnx)
         : domain == "com.microsoft" ? listed(kMicrosoft)
                                     : is(node, "ByteTable", "onnxrun");
}

// A constant that all elements share: of one element, or a table.
bool is_shared(const Graph& graph, const Node& node, size_t i) {
  const Tensor* known = node.inputs[i] == ir::kNone ? nullptr : constant(graph, node.inputs[i]);
  return known != nullptr && (known->count() == 1 || (i == 1 && is(node, "ByteTable", "onnxrun")));
}

class ByteFunction {
 public:
  ByteFunction(const PassContext& context, const Node& last) : context_(context), graph_(context.graph), last_(last) {}

  // Follows the inputs back until all that is left is one 8-bit value.
  bool find() {
    if (!take(last_)) return false;
    while (!found()) {
      if (nodes_.size() == kMostNodes) return false;
      const auto latest =
          std::max_element(open_.begin(), open_.end(), [&](ValueId a, ValueId b) { return place(a) < place(b); });
      const ValueId value = *latest;
      const Node* maker = producer(graph_, value);
      if (maker == nullptr || !has_shape(value) || !maps_elements(*maker)) return false;
      open_.erase(latest);
      if (!take(*maker)) return false;
    }
    return true;
  }
  ValueId source() const { return open_.front(); }

  // The results for all bytes; empty where one cannot be computed now.
  Tensor table() const {
    std::map<ValueId, Tensor> values;
    Tensor bytes(graph_.value(source()).fact.dtype, {256});
    std::iota(static_cast<uint8_t*>(bytes.mutable_raw()), static_cast<uint8_t*>(bytes.mutable_raw()) + 256, uint8_t{0});
    values[source()] = bytes;
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
      Tensor result;
      try {
        result = compute(**node, values);
      } catch (const base::Error&) {  // of a byte that the model may never meet, such as a divisor of 0
        return {};
      }
      if (!result || result.dims() != base::Dims{256}) return {};
      values[(*node)->outputs[0]] = std::move(result);
    }
    return values.at(last_.outputs[0]);
  }

 private:
  bool found() const {
    return open_.size() == 1 && is_byte(graph_, open_.front()) && has_shape(open_.front()) &&
           made_by(graph_, open_.front(), "ByteTable", "onnxrun") == nullptr;
  }
  // What is computed of a value and of single numbers has its shape where it has its rank.
  bool has_shape(ValueId value) const {
    const int64_t rank = graph_.value(last_.outputs[0]).fact.rank();
    return rank >= 0 && graph_.value(value).fact.rank() == rank;
  }
  int64_t place(ValueId value) const {
    const NodeId maker = graph_.value(value).producer;
    return maker == ir::kNone ? -1 : order_of(maker);
  }
  int64_t order_of(NodeId id) const {
    if (order_.empty()) {
      int64_t at = 0;
      for (const NodeId node : graph_.topological_order()) order_[node] = at++;
    }
    return order_.at(id);
  }
  bool take(const Node& node) {
    nodes_.push_back(&node);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId value = node.inputs[i];
      if (value == ir::kNone || is_shared(graph_, node, i)) continue;
      if (graph_.value(value).fact.constant) return false;
      if (std::find(open_.begin(), open_.end(), value) == open_.end()) open_.push_back(value);
    }
    return !open_.empty();
  }

  Tensor compute(const Node& node, const std::map<ValueId, Tensor>& values) const {
    Node own;
    own.op = node.op;
    own.attributes = node.attributes;
    for (const char* of_axes : {"axis", "block_size"})
      if (!is(node, "ByteTable", "onnxrun")) own.attributes.erase(of_axes);
    own.inputs = node.inputs;
    own.outputs = node.outputs;
    std::vector<Tensor> held;
    std::vector<ir::Fact> facts;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      Tensor value;
      if (id != ir::kNone) {
        const auto made = values.find(id);
        value = made != values.end() ? made->second : *constant(graph_, id);
        if (made == values.end() && value.count() == 1) value = value.reshaped({});
      }
      held.push_back(value);
      facts.push_back(value ? ir::Fact::of(value) : ir::Fact());
    }
    std::vector<const Tensor*> inputs;
    std::vector<const ir::Fact*> known;
    for (size_t i = 0; i < held.size(); ++i) {
      inputs.push_back(held[i] ? &held[i] : nullptr);
      known.push_back(held[i] ? &facts[i] : nullptr);
    }
    const auto results = context_.evaluator->evaluate(own, inputs, ir::infer_node(graph_, own, known));
    return results ? results->front() : Tensor();
  }

  const PassContext& context_;
  const Graph& graph_;
  const Node& last_;
  std::vector<const Node*> nodes_;  // each before those that it reads
  std::vector<ValueId> open_;
  mutable std::map<NodeId, int64_t> order_;
};

}  // namespace

MatchResult match_fuse_byte_function(const PassContext& context, NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (!maps_elements(node) || !is_byte(graph, node.outputs[0])) return MatchResult::none("gives no 8-bit elements");
  const ir::OpDef* lookup = context.table.find("onnxrun", "ByteTable");
  if (context.evaluator == nullptr || lookup == nullptr) return MatchResult::none("nothing can be computed now");
  ByteFunction function(context, node);
  if (!function.find()) return MatchResult::none("depends on more than one 8-bit value");
  if (is(node, "ByteTable", "onnxrun") && function.source() == node.inputs[0])
    return MatchResult::none("is a table already");
  Tensor table = function.table();
  if (!table) return MatchResult::none("cannot be computed now");
  ir::Patch patch(graph, "fuse a function of one byte");
  patch.replace(node.outputs[0],
                patch.emit(lookup, {function.source(), patch.constant(std::move(table), "table")}, {}, node.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
