// Makes one Elementwise of operators on float32, float16 or bfloat16 that compute each element of one shape from those of others: results between them need
// no memory, and no rounding.
#include <algorithm>
#include <limits>

#include "ops/attributes/activation.h"
#include "ops/attributes/elementwise_steps.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;
using ops::attributes::ElementwiseOperator;

struct Step {
  const ElementwiseOperator* op = nullptr;
  float alpha = 0, beta = 0;
};

// How a node is a step; no operator where it is none.
Step step_of(const Graph& graph, const Node& node) {
  const std::string_view name = node.op->name;
  if (*node.op->domain != '\0' || node.outputs.size() != 1) return {};
  const ElementwiseOperator* op = ops::attributes::find_elementwise_operator(
      name == "Gelu" && ops::gelu_by_tanh(node.attributes) ? std::string_view("GeluTanh") : name);
  if (op == nullptr) return {};
  Step result{op, 0, 0};
  if (name == "Clip") {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (size_t i = 1; i <= 2; ++i) {
      const auto limit = number(graph, input(node, i));
      if (input(node, i) != ir::kNone && !limit) return {};
      (i == 1 ? result.alpha : result.beta) = limit ? static_cast<float>(*limit) : i == 1 ? -kInfinity : kInfinity;
    }
  } else {
    if (node.inputs.size() != static_cast<size_t>(op->operands)) return {};
    const ops::ActivationAttributes read = ops::read_activation(name, node.attributes);
    result.alpha = read.alpha;
    result.beta = read.beta;
  }
  const ir::DType type = graph.value(node.outputs[0]).fact.dtype;
  for (int k = 0; k < op->operands; ++k)
    if (graph.value(node.inputs[static_cast<size_t>(k)]).fact.dtype != type) return {};
  return widened_type(type) == ir::DType::kFloat32 ? result : Step{};
}

class Region {
 public:
  Region(const Graph& graph, const Node& root) : graph_(graph), fact_(graph.value(root.outputs[0]).fact) { add(root); }

  // Takes in what makes values that only nodes of the region read, as long as there is room.
  void grow() {
    for (bool grown = true; grown && nodes_.size() < ops::attributes::kMaxElementwiseSteps;) {
      grown = false;
      for (const ValueId value : inputs())
        if (const Node* node = producer(graph_, value); node != nullptr && may_join(*node)) {
          add(*node);
          if (inputs().size() <= ops::attributes::kMaxElementwiseInputs) {
            grown = true;
            break;
          }
          nodes_.pop_back();
        }
    }
  }

  const std::vector<const Node*>& nodes() const { return nodes_; }  // the root first, makers after all their readers

  // Values that the region reads and does not make.
  std::vector<ValueId> inputs() const {
    std::vector<ValueId> result;
    for (const Node* node : nodes_)
      for (const ValueId in : operands(*node))
        if (std::ranges::find(result, in) == result.end() && !makes(in)) result.push_back(in);
    return result;
  }

  Node fused(const Operators& table) const {
    Node result;
    result.op = table.find("onnxrun", "Elementwise");
    result.name = nodes_.front()->name;
    result.inputs = inputs();
    std::vector<ValueId> values = result.inputs;
    std::vector<std::string> operators;
    std::vector<int64_t> places;
    std::vector<float> numbers;
    for (size_t i = nodes_.size(); i-- > 0;) {
      const Step step = step_of(graph_, *nodes_[i]);
      operators.emplace_back(step.op->name);
      for (size_t k = 0; k < 2; ++k) {
        const std::vector<ValueId> own = operands(*nodes_[i]);
        places.push_back(k < own.size() ? std::ranges::find(values, own[k]) - values.begin() : 0);
      }
      numbers.insert(numbers.end(), {step.alpha, step.beta});
      values.push_back(nodes_[i]->outputs[0]);
    }
    result.attributes = {{"numbers", numbers}, {"operands", places}, {"operators", operators}};
    return result;
  }

 private:
  std::vector<ValueId> operands(const Node& node) const {
    const auto count = static_cast<std::ptrdiff_t>(step_of(graph_, node).op->operands);
    return {node.inputs.begin(), node.inputs.begin() + count};
  }
  bool makes(ValueId value) const {
    return std::ranges::any_of(nodes_, [&](const Node* node) { return node->outputs[0] == value; });
  }
  void add(const Node& node) { nodes_.push_back(&node); }

  bool may_join(const Node& node) const {
    if (step_of(graph_, node).op == nullptr || !same_type_and_shape(graph_.value(node.outputs[0]).fact, fact_))
      return false;
    const ir::Value& value = graph_.value(node.outputs[0]);
    return !graph_.is_output(node.outputs[0]) && std::ranges::all_of(value.consumers, [&](ir::NodeId reader) {
      return std::ranges::any_of(nodes_, [&](const Node* own) { return own->id == reader; });
    });
  }

  const Graph& graph_;
  const ir::Fact& fact_;
  std::vector<const Node*> nodes_;
};

}  // namespace

MatchResult match_fuse_elementwise(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& root = graph.node(id);
  if (step_of(graph, root).op == nullptr || context.capabilities == nullptr ||
      constant(graph, root.outputs[0]) != nullptr)
    return MatchResult::none("no elementwise operator on floats");
  Region region(graph, root);
  region.grow();
  if (region.nodes().size() < 2) return MatchResult::none("alone");
  Node fused = region.fused(context.table);
  fused.outputs = root.outputs;
  if (!context.capabilities->accepts(graph, fused)) return MatchResult::none("no kernel takes it");
  ir::Patch patch(graph, "fuse elementwise operators");
  patch.replace(root.outputs[0], patch.emit(fused.op, fused.inputs, fused.attributes, fused.name));
  for (const Node* node : region.nodes()) patch.remove(node->id);
  return patch;
}

}  // namespace onnxrun::optimize
