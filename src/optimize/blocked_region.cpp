// Growing a region over all nodes that have a blocked form, then taking back those that cost more than they save.
#include "optimize/blocked_region.h"

#include <algorithm>
#include <set>
#include <unordered_set>

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
// So often all nodes are looked at again after some were taken back: most settle in a few times, but chains may take one for each node.
constexpr int kMostRounds = 64;
// What a convolution of quantised or narrow values outside blocks takes in times of bringing its values there and back.
constexpr double kSlowTimes = 3;
// The same of float32 values with so many products to each of them: it brings them there itself, but blocks have faster kernels.
constexpr double kHeavyTimes = 1.1, kHeavyProducts = 256;

double size_of(const ir::Dim& dim) {
  const ir::Dim known = dim.substitute([](std::string_view) { return ir::Dim(kGuessedDim); });
  return static_cast<double>(known.is_constant() ? known.value() : kGuessedDim);
}

double bytes(const ir::Fact& fact) {
  double result = widened_type(fact.dtype) == ir::DType::kFloat32 ? sizeof(float) : 1;
  for (const ir::Dim& dim : *fact.shape) result *= size_of(dim);
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
    find_takers();
    if (!choose()) return {};
    return std::move(region_);
  }

 private:
  // Of a value: the nodes of the region that would read it in blocks, how many of them are blocked, and whether anyone else reads it. Counted as
  // nodes are flipped, for many nodes may read one value.
  struct Takers {
    std::vector<NodeId> nodes;
    size_t blocked = 0;
    bool others = false;
  };

  // Adds all nodes that have a blocked form and are linked to `seed` by values that would be blocked; false when one is a Conv before it.
  bool flood(NodeId seed) {
    std::vector<NodeId> open{seed};
    std::unordered_set<NodeId> seen{seed};
    std::unordered_set<ValueId> values;
    // False where `id` is such a Conv.
    const auto visit = [&](NodeId id) {
      if (id == ir::kNone || !seen.insert(id).second) return true;
      open.push_back(id);
      const Node& node = graph_.node(id);
      return id >= seed || !convolves(node) || !blocked_form(context_, node, region_.block);
    };
    const auto visit_all = [&](ValueId id) {
      if (!values.insert(id).second) return true;
      const ir::Value& value = graph_.value(id);
      return visit(value.producer) && std::all_of(value.consumers.begin(), value.consumers.end(), visit);
    };
    while (!open.empty()) {
      const NodeId id = open.back();
      open.pop_back();
      auto form = blocked_form(context_, graph_.node(id), region_.block);
      if (!form) continue;
      if (!visit_all(output(id))) return false;
      for (const BlockedOperand& operand : form->operands)
        if (operand.blocked && !visit_all(operand.value)) return false;
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

  void find_takers() {
    for (const NodeId id : region_.nodes) {
      takers_.try_emplace(output(id));
      for (const BlockedOperand& operand : region_.forms.at(id).operands) {
        if (!operand.blocked) continue;
        std::vector<NodeId>& nodes = takers_[operand.value].nodes;
        if (nodes.empty() || nodes.back() != id) nodes.push_back(id);
      }
    }
    for (auto& [value, takers] : takers_) {
      const std::unordered_set<NodeId> nodes(takers.nodes.begin(), takers.nodes.end());
      const std::vector<NodeId>& readers = graph_.value(value).consumers;
      takers.others = !std::all_of(readers.begin(), readers.end(), [&](NodeId id) { return nodes.contains(id); });
    }
  }

  // Takes nodes back while that moves fewer bytes, one by one and then all that are linked; false when none is left.
  bool choose() {
    for (const NodeId id : region_.nodes) flip(id);
    bool changed = true;
    for (int round = 0; changed && round < kMostRounds; ++round) {
      changed = false;
      for (const NodeId id : region_.nodes) {
        const double before = cost_around(id);
        flip(id);
        if (cost_around(id) < before) changed = true;
        else flip(id);
      }
    }
    for (const std::set<NodeId>& linked : linked_blocked()) {
      const double before = cost_around(linked);
      for (const NodeId id : linked) flip(id);
      if (cost_around(linked) > before)
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
    std::unordered_set<ValueId> values;
    while (!left.empty()) {
      std::set<NodeId> linked;
      std::vector<NodeId> open{*left.begin()};
      const auto add = [&](ValueId value) {
        if (!values.insert(value).second) return;
        const NodeId maker = graph_.value(value).producer;
        if (maker != ir::kNone) open.push_back(maker);
        const std::vector<NodeId>& takers = takers_.at(value).nodes;
        open.insert(open.end(), takers.begin(), takers.end());
      };
      while (!open.empty()) {
        const NodeId id = open.back();
        open.pop_back();
        if (left.erase(id) == 0) continue;
        linked.insert(id);
        add(output(id));
        for (const BlockedOperand& operand : region_.forms.at(id).operands)
          if (operand.blocked) add(operand.value);
      }
      result.push_back(std::move(linked));
    }
    return result;
  }

  void flip(NodeId id) {
    const bool taken_back = blocked_.erase(id) != 0;
    if (!taken_back) blocked_.insert(id);
    std::unordered_set<ValueId> values;
    for (const BlockedOperand& operand : region_.forms.at(id).operands)
      if (operand.blocked && values.insert(operand.value).second) {
        size_t& blocked = takers_.at(operand.value).blocked;
        taken_back ? --blocked : ++blocked;
      }
  }

  ValueId output(NodeId id) const {
    const Node& node = graph_.node(id);
    return *std::find_if(node.outputs.begin(), node.outputs.end(), [](ValueId v) { return v != ir::kNone; });
  }

  // Of moving a value between the forms.
  double value_cost(ValueId id) const {
    const ir::Value& value = graph_.value(id);
    if (value.fact.constant) return 0;
    const Takers& takers = takers_.at(id);
    const bool made_blocked = value.producer != ir::kNone && blocked_.contains(value.producer);
    const bool moved = made_blocked ? value.output_uses > 0 || takers.others || takers.blocked < takers.nodes.size()
                                    : takers.blocked > 0;
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
      if (slow) return kSlowTimes * (moved + kNodeBytes);
      return made * products_of_result(node) >= kHeavyProducts * moved ? kHeavyTimes * moved : moved;
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

  // Products that a result of a convolution adds up.
  double products_of_result(const Node& node) const {
    const auto& shape = graph_.value(node.inputs[1]).fact.shape;
    if (!shape) return 0;
    double result = 1;
    for (size_t d = 1; d < shape->size(); ++d) result *= size_of((*shape)[d]);
    return result;
  }

  double cost_around(NodeId id) const {
    double result = node_cost(id) + value_cost(output(id));
    for (const BlockedOperand& operand : region_.forms.at(id).operands)
      if (operand.blocked) result += value_cost(operand.value);
    for (const NodeId reader : graph_.value(output(id)).consumers)
      if (region_.has(reader)) result += node_cost(reader);
    return result;
  }

  double cost_around(const std::set<NodeId>& nodes) const {
    double result = 0;
    std::set<NodeId> near = nodes;
    std::set<ValueId> values;
    for (const NodeId id : nodes) {
      values.insert(output(id));
      for (const BlockedOperand& operand : region_.forms.at(id).operands)
        if (operand.blocked) values.insert(operand.value);
      for (const NodeId reader : graph_.value(output(id)).consumers)
        if (region_.has(reader)) near.insert(reader);
    }
    for (const NodeId id : near) result += node_cost(id);
    for (const ValueId value : values) result += value_cost(value);
    return result;
  }

  const PassContext& context_;
  const Graph& graph_;
  BlockedRegion region_;
  std::set<NodeId> blocked_;
  std::unordered_map<ValueId, Takers> takers_;  // of what nodes of the region write, or would read in blocks
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
