// Growing a region over all nodes that have a blocked form, then taking back those that cost more than they save.
#include "optimize/blocked_region.h"

#include <algorithm>
#include <set>

#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::ValueId;

// The size that an unknown dim is taken for; it only weighs values against each other.
constexpr int64_t kGuessedDim = 32;
// What one more node costs, in bytes moved.
constexpr double kNodeBytes = 2048;
// What a convolution of quantised or narrow values outside blocks takes in times of bringing its values there and back.
constexpr double kSlowTimes = 3;

double bytes(const ir::Fact& fact) {
  double result = widened_type(fact.dtype) == ir::DType::kFloat32 ? sizeof(float) : 1;
  for (const ir::Dim& dim : *fact.shape) {
    const ir::Dim known = dim.substitute([](std::string_view) { return ir::Dim(kGuessedDim); });
    result *= static_cast<double>(known.is_constant() ? known.value() : kGuessedDim);
  }
  return result;
}

class Growing {
 public:
  Growing(const PassContext& context, int64_t block) : context_(context), graph_(context.graph) {
    region_.block = block;
  }

  BlockedRegion run(NodeId seed) {
    if (!flood(seed)) return {};
    for (const NodeId id : graph_.topological_order())
      if (region_.has(id)) region_.nodes.push_back(id);
    drop_refused();
    if (!choose()) return {};
    return std::move(region_);
  }

 private:
  // Adds all nodes that have a blocked form and are linked to `seed` by values that would be blocked; false when one is a Conv before it.
  bool flood(NodeId seed) {
    std::vector<NodeId> open{seed};
    std::set<NodeId> seen{seed};
    const auto visit = [&](NodeId id) {
      if (id != ir::kNone && seen.insert(id).second) open.push_back(id);
    };
    while (!open.empty()) {
      const NodeId id = open.back();
      open.pop_back();
      const Node& node = graph_.node(id);
      auto form = blocked_form(context_, node, region_.block);
      if (!form) continue;
      if (id < seed && convolves(node)) return false;
      for (const NodeId reader : graph_.value(output(id)).consumers) visit(reader);
      for (const BlockedOperand& operand : form->operands) {
        if (!operand.blocked) continue;
        const ir::Value& value = graph_.value(operand.value);
        visit(value.producer);
        for (const NodeId reader : value.consumers) visit(reader);
      }
      region_.forms.emplace(id, std::move(*form));
    }
    return region_.has(seed);
  }

  // Drops nodes that no provider takes, and those that would make something of the lanes beyond the last channel.
  void drop_refused() {
    std::set<ValueId> unit;
    std::erase_if(region_.nodes, [&](NodeId id) {
      const Node& node = graph_.node(id);
      BlockedForm& form = region_.forms.at(id);
      bool kept = accepted(context_, node, form, region_.block);
      if (!kept && is(node, "Conv")) {
        form = *blocked_form(context_, node, region_.block, true);
        kept = accepted(context_, node, form, region_.block);
      }
      if (kept && (*graph_.value(output(id)).fact.shape)[1].value() % region_.block != 0) {
        const bool any = std::any_of(form.operands.begin(), form.operands.end(),
                                     [&](const BlockedOperand& o) { return o.blocked && unit.contains(o.value); });
        const auto lanes = lanes_after(graph_, node, form, any);
        kept = lanes.has_value();
        if (lanes == Lanes::kUnit) unit.insert(output(id));
      }
      if (!kept) region_.forms.erase(id);
      return !kept;
    });
  }

  // Takes nodes back while that moves fewer bytes, one by one and then all that are linked; false when none is left.
  bool choose() {
    for (const NodeId id : region_.nodes) blocked_.insert(id);
    for (bool changed = true; changed;) {
      changed = false;
      for (const NodeId id : region_.nodes) {
        const double before = cost_around(id);
        flip(id);
        if (cost_around(id) < before) changed = true;
        else flip(id);
      }
    }
    for (const std::set<NodeId>& linked : linked_blocked()) {
      const double before = whole_cost();
      for (const NodeId id : linked) flip(id);
      if (whole_cost() > before)
        for (const NodeId id : linked) flip(id);
    }
    std::erase_if(region_.nodes, [&](NodeId id) { return !blocked_.contains(id); });
    std::erase_if(region_.forms, [&](const auto& entry) { return !blocked_.contains(entry.first); });
    return !blocked_.empty();
  }

  // The blocked nodes, by what values that stay in blocks link.
  std::vector<std::set<NodeId>> linked_blocked() const {
    std::vector<std::set<NodeId>> result;
    std::set<NodeId> left = blocked_;
    while (!left.empty()) {
      std::set<NodeId> linked;
      std::vector<NodeId> open{*left.begin()};
      while (!open.empty()) {
        const NodeId id = open.back();
        open.pop_back();
        if (left.erase(id) == 0) continue;
        linked.insert(id);
        add_linked(output(id), open);
        for (const BlockedOperand& operand : region_.forms.at(id).operands)
          if (operand.blocked) add_linked(operand.value, open);
      }
      result.push_back(std::move(linked));
    }
    return result;
  }
  void add_linked(ValueId value, std::vector<NodeId>& to) const {
    const NodeId maker = graph_.value(value).producer;
    if (maker != ir::kNone && blocked_.contains(maker)) to.push_back(maker);
    for (const NodeId reader : graph_.value(value).consumers)
      if (takes_blocked(reader, value)) to.push_back(reader);
  }

  void flip(NodeId id) {
    if (blocked_.erase(id) == 0) blocked_.insert(id);
  }

  ValueId output(NodeId id) const {
    const Node& node = graph_.node(id);
    return *std::find_if(node.outputs.begin(), node.outputs.end(), [](ValueId v) { return v != ir::kNone; });
  }

  bool takes_blocked(NodeId id, ValueId value) const {
    if (!blocked_.contains(id)) return false;
    const auto& operands = region_.forms.at(id).operands;
    return std::any_of(operands.begin(), operands.end(),
                       [&](const BlockedOperand& o) { return o.blocked && o.value == value; });
  }

  // Of moving a value between the forms.
  double value_cost(ValueId id) const {
    const ir::Value& value = graph_.value(id);
    if (value.fact.constant) return 0;
    const bool made_blocked = value.producer != ir::kNone && blocked_.contains(value.producer);
    bool moved = made_blocked && value.output_uses > 0;
    for (const NodeId reader : value.consumers) moved |= takes_blocked(reader, id) != made_blocked;
    return moved ? bytes(value.fact) + kNodeBytes : 0;
  }

  // Of what a node moves itself: a plain convolution brings its values into blocks and back; an elementwise node after a blocked one
  // becomes part of it.
  double node_cost(NodeId id) const {
    const Node& node = graph_.node(id);
    const BlockedForm& form = region_.forms.at(id);
    const double made = bytes(graph_.value(output(id)).fact);
    if (convolves(node)) {
      if (blocked_.contains(id)) return 0;
      const double moved = made + (form.operands[0].blocked ? bytes(graph_.value(node.inputs[0]).fact) : 0);
      const bool slow = graph_.value(output(id)).fact.dtype != ir::DType::kFloat32;
      return slow ? kSlowTimes * (moved + kNodeBytes) : moved;
    }
    if (is(node, "Concat") || form.op->domain == std::string_view("onnxrun")) return 0;
    if (is(node, "QuantizeLinear") || is(node, "DequantizeLinear")) return made;
    for (const ValueId in : node.inputs) {
      const Node* maker = in == ir::kNone ? nullptr : producer(graph_, in);
      if (maker != nullptr && convolves(*maker) && blocked_.contains(maker->id) && blocked_.contains(id) &&
          read_once(graph_, in))
        return 0;
    }
    return made;
  }

  double cost_around(NodeId id) const {
    double result = node_cost(id) + value_cost(output(id));
    for (const BlockedOperand& operand : region_.forms.at(id).operands)
      if (operand.blocked) result += value_cost(operand.value);
    for (const NodeId reader : graph_.value(output(id)).consumers)
      if (region_.has(reader)) result += node_cost(reader);
    return result;
  }

  double whole_cost() const {
    double result = 0;
    std::set<ValueId> values;
    for (const NodeId id : region_.nodes) {
      result += node_cost(id);
      values.insert(output(id));
      for (const BlockedOperand& operand : region_.forms.at(id).operands)
        if (operand.blocked) values.insert(operand.value);
    }
    for (const ValueId value : values) result += value_cost(value);
    return result;
  }

  const PassContext& context_;
  const Graph& graph_;
  BlockedRegion region_;
  std::set<NodeId> blocked_;
};

}  // namespace

BlockedRegion find_blocked_region(const PassContext& context, NodeId seed) {
  if (context.capabilities == nullptr || !convolves(context.graph.node(seed))) return {};
  for (const int64_t block : {16, 8})
    if (moves_blocks(context, block)) {
      if (BlockedRegion region = Growing(context, block).run(seed); !region.nodes.empty()) return region;
    }
  return {};
}

}  // namespace onnxrun::optimize
