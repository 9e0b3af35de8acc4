// Computes nodes between Transposes that undo each other on the untransposed values: elementwise ones, Concats, reductions that keep their axes, and Softmax. What
// sums may do so in another order then, and is left to a pass of level 2.
#include <algorithm>
#include <unordered_map>

#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

constexpr size_t kMaxRegion = 32;  // nodes, and Transposes above them

// Operators that do the same along other axes once those of their inputs are exchanged.
enum class Along : uint8_t { kNone, kElements, kConcat, kAttribute, kReduction };

Along along(const Graph& graph, const Node& node, bool sums) {
  const std::string_view name = node.op->name;
  if (is_elementwise(node)) return Along::kElements;
  if (*node.op->domain != '\0') return Along::kNone;
  if (name == "Concat") return Along::kConcat;
  if (sums && (name == "Softmax" || name == "LogSoftmax")) return Along::kAttribute;
  const bool orders = name == "ReduceMax" || name == "ReduceMin";
  if (!orders && !(sums && name.starts_with("Reduce"))) return Along::kNone;
  const auto axes = integers(graph, input(node, 1));
  return axes && !axes->empty() && node.attributes.get_int("keepdims", 1) != 0 ? Along::kReduction : Along::kNone;
}

// The nodes above a Transpose down to the Transposes that it undoes.
class Region {
 public:
  Region(const Graph& graph, std::vector<int64_t> permutation, bool sums)
      : graph_(graph), permutation_(std::move(permutation)), sums_(sums) {}

  // Whether `value` transposed needs no Transpose.
  bool reach(ValueId value) {
    if (std::ranges::find(leaves_, value) != leaves_.end()) return true;
    const ir::Fact& fact = graph_.value(value).fact;
    const auto rank = static_cast<int64_t>(permutation_.size());
    if (fact.constant && fact.rank() >= 0 && fact.rank() <= rank) return true;
    if (has_one_element(graph_, value) && fact.rank() <= rank) return true;
    if (fact.rank() != rank) return false;
    const Node* node = producer(graph_, value);
    if (node == nullptr) return false;
    if (is(*node, "Transpose")) {
      if (!undone(*node) || leaves_.size() == kMaxRegion) return false;
      leaves_.push_back(value);
      return true;
    }
    const Along kind = along(graph_, *node, sums_);
    if (kind == Along::kNone || !read_once(graph_, value) || nodes_.size() == kMaxRegion) return false;
    nodes_.push_back(node);  // before those above it, so that their number bounds the depth
    const size_t moved = kind == Along::kReduction ? 1 : node->inputs.size();
    for (size_t i = 0; i < moved; ++i)
      if (node->inputs[i] != ir::kNone && !reach(node->inputs[i])) return false;
    return true;
  }

  bool has_transposes() const { return !leaves_.empty() && !nodes_.empty(); }

  // What `value` transposed is, of values that reach() took.
  ValueId transposed(ir::Patch& patch, const Operators& table, ValueId value) {
    if (const auto found = done_.find(value); found != done_.end()) return found->second;
    return done_[value] = make(patch, table, value);
  }

  // Removes what the result no longer needs.
  void remove(ir::Patch& patch) const {
    for (const Node* node : nodes_) patch.remove(node->id);
    for (const ValueId leaf : leaves_)
      if (std::ranges::all_of(graph_.value(leaf).consumers, [&](ir::NodeId reader) { return in_region(reader); }) &&
          !graph_.is_output(leaf))
        patch.remove(graph_.value(leaf).producer);
  }

 private:
  bool undone(const Node& node) const {
    const auto first = ops::attributes::permutation(node.attributes, static_cast<int64_t>(permutation_.size()));
    for (size_t d = 0; d < first.size(); ++d)
      if (first[static_cast<size_t>(permutation_[d])] != static_cast<int64_t>(d)) return false;
    return true;
  }

  bool in_region(ir::NodeId id) const {
    return std::ranges::any_of(nodes_, [&](const Node* node) { return node->id == id; });
  }

  ValueId make(ir::Patch& patch, const Operators& table, ValueId value) {
    const ir::Fact& fact = graph_.value(value).fact;
    if (std::ranges::find(leaves_, value) != leaves_.end()) return producer(graph_, value)->inputs[0];
    if (has_one_element(graph_, value)) return value;
    if (fact.constant) {
      base::Dims dims = fact.constant.dims();
      dims.insert(dims.begin(), permutation_.size() - dims.size(), 1);
      const ValueId wide = patch.constant(fact.constant.reshaped(std::move(dims)), graph_.value(value).name);
      return patch.emit(table.find("", "Transpose"), {wide}, {{"perm", permutation_}});
    }
    const Node& node = *producer(graph_, value);
    const Along kind = along(graph_, node, sums_);
    std::vector<ValueId> inputs;
    for (const ValueId in : node.inputs) {
      if (kind == Along::kReduction && !inputs.empty()) break;
      inputs.push_back(in == ir::kNone ? in : transposed(patch, table, in));
    }
    ir::Attributes attributes = node.attributes;
    if (kind == Along::kReduction) {
      std::vector<int64_t> axes = *integers(graph_, node.inputs[1]);
      for (int64_t& axis : axes) axis = moved(axis);
      inputs.push_back(patch.constant(base::Tensor::vector<int64_t>(axes), "axes"));
    } else if (kind != Along::kElements) {
      attributes.set("axis", moved(node.attributes.get_int("axis", -1)));
    }
    return patch.emit(node.op, std::move(inputs), std::move(attributes), node.name);
  }

  // Where an axis of an untransposed value lies once it is transposed.
  int64_t moved(int64_t axis) const {
    if (axis < 0) axis += static_cast<int64_t>(permutation_.size());
    return std::ranges::find(permutation_, axis) - permutation_.begin();
  }

  const Graph& graph_;
  std::vector<int64_t> permutation_;
  bool sums_;
  std::vector<ValueId> leaves_;     // of Transposes
  std::vector<const Node*> nodes_;  // between them
  std::unordered_map<ValueId, ValueId> done_;
};

MatchResult match(const PassContext& context, ir::NodeId id, bool sums) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (!is(node, "Transpose")) return MatchResult::none("no Transpose");
  const int64_t rank = graph.value(node.inputs[0]).fact.rank();
  if (rank < 0) return MatchResult::none("unknown rank");
  Region region(graph, ops::attributes::permutation(node.attributes, rank), sums);
  if (!region.reach(node.inputs[0]) || !region.has_transposes())
    return MatchResult::none("not of nodes that need no order of axes, of what it undoes");
  ir::Patch patch(graph, "compute untransposed");
  patch.replace(node.outputs[0], region.transposed(patch, context.table, node.inputs[0]));
  patch.remove(id);
  region.remove(patch);
  return patch;
}

}  // namespace

MatchResult match_cancel_transposes(const PassContext& context, ir::NodeId id) { return match(context, id, false); }
MatchResult match_cancel_transposes_around_sums(const PassContext& context, ir::NodeId id) {
  return match(context, id, true);
}

}  // namespace onnxrun::optimize
