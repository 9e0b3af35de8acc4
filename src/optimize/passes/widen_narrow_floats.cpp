// Computes regions of float16 and bfloat16 operators around products with constant weights in float32, where a provider's kernels would convert in each
// operator: Casts at the borders, no rounding inside. Weights of products stay as they are stored.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "ir/infer.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::DType;
using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::ValueId;

// What an operator costs where its values are narrow.
enum class Kind {
  kNone,      // it is not widened
  kComputes,  // it converts what it reads and writes
  kMoves,     // it copies bytes, of which narrow values have fewer
  kViews,     // nothing
  kWidens,    // a Cast to float32, which disappears
};

Kind kind_of(const Node& node) {
  static constexpr std::string_view kComputing[] = {"Abs",
                                                    "Add",
                                                    "Attention",
                                                    "Clip",
                                                    "Cos",
                                                    "Div",
                                                    "Elu",
                                                    "Erf",
                                                    "Exp",
                                                    "Gelu",
                                                    "HardSwish",
                                                    "LeakyRelu",
                                                    "Log",
                                                    "LogSoftmax",
                                                    "MatMul",
                                                    "Max",
                                                    "Min",
                                                    "Mish",
                                                    "Mul",
                                                    "Neg",
                                                    "Pow",
                                                    "Reciprocal",
                                                    "ReduceMax",
                                                    "ReduceMean",
                                                    "Relu",
                                                    "Sigmoid",
                                                    "Sin",
                                                    "Softmax",
                                                    "Softplus",
                                                    "Sqrt",
                                                    "Sub",
                                                    "Swish",
                                                    "Tanh",
                                                    "HardSigmoid",
                                                    "LayerNormalization",
                                                    "RMSNormalization",
                                                    "RotaryEmbedding"};
  static constexpr std::string_view kMoving[] = {"Concat", "Expand", "Slice", "Split", "Transpose", "Where"};
  static constexpr std::string_view kViewing[] = {"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"};
  if (*node.op->domain != '\0') return Kind::kNone;
  const std::string_view name = node.op->name;
  if (name == "Attention" && node.attributes.get_int("softmax_precision", 1) != 1) return Kind::kNone;
  if (name == "Cast") return Kind::kWidens;
  if (std::ranges::find(kComputing, name) != std::end(kComputing)) return Kind::kComputes;
  if (std::ranges::find(kMoving, name) != std::end(kMoving)) return Kind::kMoves;
  return std::ranges::find(kViewing, name) != std::end(kViewing) ? Kind::kViews : Kind::kNone;
}

class Widening {
 public:
  explicit Widening(const PassContext& context)
      : context_(context),
        graph_(context.graph),
        wide_product_(context.table.find("onnxrun", "WideMatMul")),
        cast_(context.table.find("", "Cast")),
        patch_(graph_, "widen narrow floats") {}

  // Whether there is a region.
  bool find() {
    if (context_.capabilities == nullptr || wide_product_ == nullptr) return false;
    const std::vector<NodeId> order = graph_.topological_order();
    for (const NodeId id : order)
      if (widens(graph_.node(id))) flip(id);
    for (const std::set<NodeId>& region : regions()) {
      const bool multiplies = std::ranges::any_of(region, [&](NodeId id) { return has_weights(graph_.node(id)); });
      if (multiplies) shrink(region);
      else
        for (const NodeId id : region) take_back(id);
    }
    for (const std::set<NodeId>& region : regions())
      if (std::ranges::none_of(region, [&](NodeId id) { return has_weights(graph_.node(id)); }))
        for (const NodeId id : region) take_back(id);
    for (const NodeId id : order)
      if (wide_.contains(id)) nodes_.push_back(id);
    return !nodes_.empty();
  }

  ir::Patch run() {
    for (const NodeId id : nodes_) add(graph_.node(id));
    for (const NodeId id : nodes_) {
      const Node& node = graph_.node(id);
      for (const ValueId out : node.outputs) {
        if (out == ir::kNone || !read_outside(out)) continue;
        if (kind_of(node) == Kind::kWidens)
          patch_.replace(out, patch_.emit(context_.table.find("", "Identity"), {as_wide_.at(out)}));
        else patch_.replace(out, patch_.emit(cast_, {as_wide_.at(out)}, {{"to", static_cast<int64_t>(type(out))}}));
      }
      patch_.remove(id);
    }
    return std::move(patch_);
  }

 private:
  DType type(ValueId id) const { return graph_.value(id).fact.dtype; }
  bool narrow(ValueId id) const { return id != ir::kNone && is_narrow_float(type(id)); }

  bool has_weights(const Node& node) const {
    return is(node, "MatMul") && constant(graph_, node.inputs[1]) != nullptr && narrow(node.inputs[0]);
  }

  // Whether `node` has a form in float32 that a provider takes.
  bool widens(const Node& node) {
    const Kind kind = kind_of(node);
    if (kind == Kind::kNone || !node.bodies.empty()) return false;
    if (kind == Kind::kWidens)
      return narrow(node.inputs[0]) && graph_.value(node.inputs[0]).fact.shape &&
             type(node.outputs[0]) == DType::kFloat32;
    const auto is_narrow = [&](ValueId id) { return narrow(id); };
    const auto is_known = [&](ValueId id) { return id == ir::kNone || graph_.value(id).fact.shape; };
    if (!std::ranges::any_of(node.outputs, is_narrow) || !std::ranges::all_of(node.outputs, is_known)) return false;
    Graph scratch;
    Node asked = form(node);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == ir::kNone) continue;
      const ir::Fact& fact = graph_.value(node.inputs[i]).fact;
      if (!fact.is_tensor() || !fact.shape) return false;
      const bool stored = i == 1 && has_weights(node);
      if (fact.constant && !stored && narrow(node.inputs[i]) && 2 * fact.constant.bytes() > kMostConstantBytes)
        return false;
      ir::Fact widened = fact;
      if (!stored && narrow(node.inputs[i])) {
        widened = ir::Fact::tensor(DType::kFloat32, *fact.shape);
        if (fact.constant) widened = ir::Fact::of(as_float(fact.constant));
      }
      asked.inputs[i] = scratch.add_value("", std::move(widened));
    }
    std::vector<const ir::Fact*> facts;
    for (const ValueId id : asked.inputs) facts.push_back(id == ir::kNone ? nullptr : &scratch.value(id).fact);
    const std::vector<ir::Fact> results = ir::infer_node(scratch, asked, facts);
    for (size_t i = 0; i < node.outputs.size(); ++i)
      asked.outputs[i] = node.outputs[i] == ir::kNone ? ir::kNone : scratch.add_value("", results[i]);
    return context_.capabilities->accepts(scratch, asked);
  }

  // The node in float32, of the inputs and outputs it has.
  Node form(const Node& node) const {
    Node result;
    result.op = has_weights(node) ? wide_product_ : node.op;
    result.name = node.name;
    result.attributes = node.attributes;
    result.inputs = node.inputs;
    result.outputs = node.outputs;
    return result;
  }

  // The nodes that are widened, by the values between them.
  std::vector<std::set<NodeId>> regions() const {
    std::vector<std::set<NodeId>> result;
    std::set<NodeId> left = wide_;
    while (!left.empty()) {
      std::set<NodeId>& region = result.emplace_back();
      std::vector<NodeId> open{*left.begin()};
      while (!open.empty()) {
        const NodeId id = open.back();
        open.pop_back();
        if (left.erase(id) == 0) continue;
        region.insert(id);
        for (const ValueId in : graph_.node(id).inputs)
          if (narrow(in) && graph_.value(in).producer != ir::kNone) open.push_back(graph_.value(in).producer);
        for (const ValueId out : graph_.node(id).outputs)
          if (narrow(out))
            open.insert(open.end(), graph_.value(out).consumers.begin(), graph_.value(out).consumers.end());
      }
    }
    return result;
  }

  // Takes nodes back while fewer bytes are converted or moved then.
  void shrink(const std::set<NodeId>& region) {
    bool changed = true;
    for (int round = 0; changed && round < kMostRounds; ++round) {
      changed = false;
      for (const NodeId id : region) {
        const double before = cost_around(id);
        flip(id);
        if (cost_around(id) < before) changed = true;
        else flip(id);
      }
    }
  }
  void flip(NodeId id) {
    if (!take_back(id)) {
      wide_.insert(id);
      for (const ValueId in : graph_.node(id).inputs)
        if (in != ir::kNone) ++wide_reads_[in];
    }
  }
  // Whether it was widened.
  bool take_back(NodeId id) {
    if (wide_.erase(id) == 0) return false;
    for (const ValueId in : graph_.node(id).inputs)
      if (in != ir::kNone) --wide_reads_[in];
    return true;
  }

  double bytes(ValueId id) const {
    constexpr int64_t kGuessedDim = 32;
    double result = 2;
    for (const ir::Dim& dim : *graph_.value(id).fact.shape) {
      const ir::Dim known = dim.substitute([](std::string_view) { return ir::Dim(kGuessedDim); });
      result *= static_cast<double>(known.is_constant() ? known.value() : kGuessedDim);
    }
    return result;
  }
  bool counts(ValueId id) const { return narrow(id) && !graph_.value(id).fact.constant; }

  // Of converting a value between nodes; a Cast of each costs as much as a node.
  double value_cost(ValueId id) const {
    constexpr double kCastBytes = 2048;
    const ir::Value& value = graph_.value(id);
    const bool made_wide = value.producer != ir::kNone && wide_.contains(value.producer);
    const auto found = wide_reads_.find(id);
    const size_t wide = found == wide_reads_.end() ? 0 : found->second;
    const bool converted = made_wide ? value.output_uses > 0 || wide < value.consumers.size() : wide > 0;
    return converted ? 3 * bytes(id) + kCastBytes : 0;
  }

  double node_cost(const Node& node) const {
    const bool wide = wide_.contains(node.id);
    const Kind kind = kind_of(node);
    const double each = kind == Kind::kViews ? 0 : kind == Kind::kMoves ? (wide ? 2 : 1) : (wide ? 0 : 3);
    double result = 0;
    for (const auto* values : {&node.inputs, &node.outputs})
      for (const ValueId id : *values)
        if (id != ir::kNone && counts(id)) result += each * bytes(id);
    return result;
  }

  double cost_around(NodeId id) const {
    const Node& node = graph_.node(id);
    double result = node_cost(node);
    for (const auto* values : {&node.inputs, &node.outputs})
      for (const ValueId value : *values)
        if (value != ir::kNone && counts(value)) result += value_cost(value);
    return result;
  }

  void add(const Node& node) {
    if (kind_of(node) == Kind::kWidens) {
      as_wide_[node.outputs[0]] = wide(node.inputs[0]);
      return;
    }
    Node result = form(node);
    result.origin = node.origin;
    for (size_t i = 0; i < result.inputs.size(); ++i)
      if (!(i == 1 && has_weights(node))) result.inputs[i] = wide(result.inputs[i]);
    for (ValueId& out : result.outputs)
      if (out != ir::kNone) out = as_wide_[out] = patch_.value(graph_.value(out).name);
    patch_.add(std::move(result));
  }

  // What new nodes read for `id`.
  ValueId wide(ValueId id) {
    if (id == ir::kNone) return id;
    if (const auto found = as_wide_.find(id); found != as_wide_.end()) return found->second;
    if (!narrow(id)) return id;
    const base::Tensor* known = constant(graph_, id);
    const ValueId result = known != nullptr ? patch_.constant(as_float(*known), graph_.value(id).name)
                                            : patch_.emit(cast_, {id}, {{"to", static_cast<int64_t>(DType::kFloat32)}});
    return as_wide_[id] = result;
  }

  bool read_outside(ValueId id) const {
    const ir::Value& value = graph_.value(id);
    return value.output_uses > 0 ||
           std::ranges::any_of(value.consumers, [&](NodeId reader) { return !wide_.contains(reader); });
  }

  static constexpr size_t kMostConstantBytes = size_t{16} << 20;
  // So often all nodes of a region are looked at again after some were taken back: most settle in a few times, but chains may take one for each node.
  static constexpr int kMostRounds = 64;

  const PassContext& context_;
  const Graph& graph_;
  const ir::OpDef *wide_product_, *cast_;
  ir::Patch patch_;
  std::set<NodeId> wide_;
  std::unordered_map<ValueId, size_t> wide_reads_;  // how often nodes of `wide_` read a value
  std::vector<NodeId> nodes_;
  std::map<ValueId, ValueId> as_wide_;
};

}  // namespace

MatchResult match_widen_narrow_floats(const PassContext& context) {
  Widening widening(context);
  if (!widening.find()) return MatchResult::none("no products of narrow floats that are computed in float32");
  return widening.run();
}

}  // namespace onnxrun::optimize
