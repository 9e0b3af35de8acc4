// Takes a shape from an input of the graph whose axes have the same sizes: that of a value that nobody reads else is not computed then, and that of one that one
// other node reads does not keep it from being fused.
#include <algorithm>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Node;
using ir::ValueId;

enum class Use : uint8_t { kShape, kScores, kOther };

// What a value is for: nodes that ask for its shape only, or those and one that multiplied heads may be fused with.
Use use_of(const Graph& graph, ValueId value) {
  const Node* maker = producer(graph, value);
  if (maker == nullptr || graph.is_output(value)) return Use::kOther;
  size_t others = 0;
  for (const ir::NodeId reader : graph.value(value).consumers) others += !is(graph.node(reader), "Shape");
  const bool multiplies = is(*maker, "MatMul") || is(*maker, "Mul") || is(*maker, "Div");
  if (others == 1 && multiplies && graph.value(value).fact.rank() == 4) return Use::kScores;
  return others == 0 ? Use::kShape : Use::kOther;
}

// The first input of the graph one of whose axes has each size that is no number; kNone.
ValueId input_of(const Graph& graph, const std::vector<Dim>& sizes) {
  const auto has = [&](ValueId input, const Dim& size) {
    const ir::Fact& fact = graph.value(input).fact;
    return size.is_constant() ||
           (fact.is_tensor() && fact.shape && std::ranges::find(*fact.shape, size) != fact.shape->end());
  };
  for (const ValueId input : graph.inputs())
    if (std::ranges::all_of(sizes, [&](const Dim& size) { return has(input, size); })) return input;
  return ir::kNone;
}

}  // namespace

MatchResult match_shape_from_input(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& shape = graph.node(id);
  if (!is(shape, "Shape")) return MatchResult::none("no Shape");
  const Use use = use_of(graph, shape.inputs[0]);
  if (use == Use::kOther) return MatchResult::none("what it reads is read elsewhere");
  const auto& sizes = graph.value(shape.outputs[0]).fact.elements;
  if (!sizes || std::ranges::any_of(*sizes, &Dim::is_unknown)) return MatchResult::none("a size is not known");
  const ValueId input = input_of(graph, *sizes);
  if (input == ir::kNone) return MatchResult::none("no input of the graph has its sizes");
  ir::Patch patch(graph, "take a shape from an input");
  const ir::Shape& from = *graph.value(input).fact.shape;
  std::vector<int64_t> numbers, places;
  for (const Dim& size : *sizes) {
    const auto axis = std::ranges::find(from, size);
    places.push_back(axis - from.begin());
    if (!size.is_constant()) continue;
    places.back() = static_cast<int64_t>(from.size() + numbers.size());
    numbers.push_back(size.value());
  }
  if (use == Use::kShape && !numbers.empty()) return MatchResult::none("more nodes would ask for it than make it");
  ValueId all = patch.emit(shape.op, {input});
  if (!numbers.empty())
    all = patch.emit(context.table.find("", "Concat"),
                     {all, patch.constant(base::Tensor::vector<int64_t>(numbers), "sizes")}, {{"axis", int64_t{0}}});
  patch.replace(shape.outputs[0],
                patch.emit(context.table.find("", "Gather"),
                           {all, patch.constant(base::Tensor::vector<int64_t>(places), "places")}, {}, shape.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
