// Puts the iterations of a small Loop whose number is known one after the other.
#include <algorithm>

#include "ops/loop_body.h"
#include "optimize/inlining.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;
using ir::Graph;
using ir::Node;
using ir::ValueId;

constexpr int64_t kMaxAdded = 256;      // nodes that one Loop becomes
constexpr int64_t kMaxNodes = 1 << 14;  // of the graph after that

bool has_random(const Graph& graph) {
  for (size_t id = 0; id < graph.node_capacity(); ++id) {
    if (!graph.has_node(static_cast<ir::NodeId>(id))) continue;
    const Node& node = graph.node(static_cast<ir::NodeId>(id));
    if (node.op->flags & ir::kRandom) return true;
    if (std::ranges::any_of(node.bodies, [](const ir::Body& body) { return has_random(*body.graph); })) return true;
  }
  return false;
}

// Bytes of an attribute that a copy of its node takes; tensors are shared.
int64_t copied_bytes(const ir::AttributeValue& value) {
  size_t bytes = 0;
  if (const auto* text = std::get_if<std::string>(&value)) bytes = text->size();
  if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) bytes = ints->size() * sizeof(int64_t);
  if (const auto* floats = std::get_if<std::vector<float>>(&value)) bytes = floats->size() * sizeof(float);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value))
    for (const std::string& text : *texts) bytes += sizeof text + text.size();
  return static_cast<int64_t>(bytes);
}

int64_t copied_bytes(const Graph& graph) {
  int64_t bytes = 0;
  for (size_t id = 0; id < graph.node_capacity(); ++id) {
    if (!graph.has_node(static_cast<ir::NodeId>(id))) continue;
    const Node& node = graph.node(static_cast<ir::NodeId>(id));
    for (const ir::Attribute& attribute : node.attributes.list()) bytes += copied_bytes(attribute.value);
    for (const ir::Body& body : node.bodies) bytes += copied_bytes(*body.graph);
  }
  return bytes;
}

// How often the body runs, if that is known.
std::optional<int64_t> trip_count(const Graph& graph, const Node& node, const Graph& body) {
  const ValueId started = input(node, 1);
  if (started != ir::kNone) {
    const Tensor* condition = constant(graph, started);
    if (condition == nullptr || condition->dtype() != base::DType::kBool || condition->count() != 1)
      return std::nullopt;
    if (!*condition->data<bool>()) return 0;
    if (!ops::never_breaks(body)) return std::nullopt;
  }
  const auto count = integers(graph, input(node, 0));
  if (!count || count->size() != 1) return std::nullopt;
  return std::max<int64_t>(count->front(), 0);
}

// An empty scan of a known shape, else kNone.
ValueId empty_scan(ir::Patch& patch, const ir::Fact& fact) {
  const auto dims = fact.dims();
  if (!fact.is_tensor() || !dims || fact.dtype == base::DType::kNone || base::element_count(*dims) != 0)
    return ir::kNone;
  return patch.constant(Tensor(fact.dtype, *dims));
}

}  // namespace

MatchResult match_unroll_loop(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (!is(node, "Loop")) return MatchResult::none("no Loop");
  const Graph* body = node.body("body");
  const size_t states = node.inputs.size() < 2 ? 0 : node.inputs.size() - 2;
  if (body == nullptr || body->inputs().size() != states + 2 || body->outputs().size() != node.outputs.size() + 1 ||
      node.outputs.size() < states)
    return MatchResult::none("the body does not fit");
  if (std::find(node.inputs.begin() + static_cast<ptrdiff_t>(std::min<size_t>(2, node.inputs.size())),
                node.inputs.end(), ir::kNone) != node.inputs.end())
    return MatchResult::none("a state is absent");
  const auto trips = trip_count(graph, node, *body);
  if (!trips) return MatchResult::none("the trip count is not known");
  // A scan adds an Unsqueeze for each iteration.
  const auto each = count_nodes(*body) + static_cast<int64_t>(node.outputs.size() - states);
  if (*trips > kMaxAdded / std::max<int64_t>(each, 1)) return MatchResult::none("too many nodes");
  if (static_cast<int64_t>(graph.node_count()) + *trips * each > kMaxNodes) return MatchResult::none("a large graph");
  if (copied_bytes(*body) > context.max_folded_bytes / std::max<int64_t>(*trips, 1))
    return MatchResult::none("attributes too large to have many times");
  if (has_random(*body)) return MatchResult::none("the body draws random numbers");

  ir::Patch patch(graph, "unroll a Loop");
  std::vector<ValueId> inputs{ir::kNone, patch.constant(Tensor::scalar(true))};
  for (size_t k = 0; k < states; ++k) inputs.push_back(node.inputs[k + 2]);
  std::vector<std::vector<ValueId>> scans(node.outputs.size() - states);
  for (int64_t i = 0; i < *trips; ++i) {
    inputs[0] = patch.constant(Tensor::scalar(i));
    const std::vector<ValueId> outputs = inline_body(patch, *body, inputs);
    std::copy_n(outputs.begin() + 1, states, inputs.begin() + 2);
    for (size_t k = 0; k < scans.size(); ++k)
      if (node.outputs[states + k] != ir::kNone)
        scans[k].push_back(patch.emit(context.table.find("", "Unsqueeze"),
                                      {outputs[1 + states + k], patch.constant(Tensor::vector<int64_t>({0}))}));
  }
  std::vector<ValueId> results(inputs.begin() + 2, inputs.end());
  for (size_t k = 0; k < scans.size(); ++k) {
    const ValueId output = node.outputs[states + k];
    if (output == ir::kNone) results.push_back(ir::kNone);
    else if (scans[k].empty()) results.push_back(empty_scan(patch, graph.value(output).fact));
    else results.push_back(patch.emit(context.table.find("", "Concat"), scans[k], {{"axis", int64_t{0}}}));
    if (output != ir::kNone && results.back() == ir::kNone)
      return MatchResult::none("the shape of an empty scan is not known");
  }
  replace_node(context, patch, node, results);
  return patch;
}

}  // namespace onnxrun::optimize
