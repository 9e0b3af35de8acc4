// Makes one SkipLayerNormalization, or SkipSimplifiedLayerNormalization, of a sum of two values (and a constant row) and the normalization of its rows; others
// read the sum as an output of it.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

bool is_row(const Graph& graph, ValueId value, const ir::Dim& length) {
  const ir::Fact& fact = graph.value(value).fact;
  return fact.dtype == ir::DType::kFloat32 && fact.rank() == 1 && fact.shape->front() == length;
}

struct Addends {
  ValueId x = ir::kNone, skip = ir::kNone, bias = ir::kNone;
  const Node* inner = nullptr;  // adds the bias
};

Addends addends_of(const Graph& graph, const Node& add) {
  const ir::Fact& sum = graph.value(add.outputs[0]).fact;
  const auto fits = [&](ValueId value) { return same_type_and_shape(graph.value(value).fact, sum); };
  if (add.inputs[0] == add.inputs[1] || !fits(add.inputs[0]) || !fits(add.inputs[1])) return {};
  Addends result{add.inputs[0], add.inputs[1], ir::kNone, nullptr};
  for (size_t k = 0; k < 2; ++k) {
    const Node* inner = made_by(graph, add.inputs[k], "Add");
    if (inner == nullptr || !read_once(graph, add.inputs[k])) continue;
    for (size_t j = 0; j < 2; ++j)
      if (constant(graph, inner->inputs[j]) != nullptr && is_row(graph, inner->inputs[j], sum.shape->back()) &&
          fits(inner->inputs[1 - j]))
        return {inner->inputs[1 - j], add.inputs[1 - k], inner->inputs[j], inner};
  }
  return result;
}

}  // namespace

MatchResult match_fuse_skip_normalization(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& norm = graph.node(id);
  const bool centred = is(norm, "LayerNormalization");
  if (!centred && !is(norm, "RMSNormalization")) return MatchResult::none("no normalization of rows");
  const Node* add = made_by(graph, norm.inputs[0], "Add");
  if (add == nullptr || norm.outputs.size() != 1 || context.capabilities == nullptr)
    return MatchResult::none("not of a sum");
  const ir::Fact& sum = graph.value(add->outputs[0]).fact;
  const int64_t axis = norm.attributes.get_int("axis", -1);
  // Two or three axes are what other runtimes take.
  if (sum.dtype != ir::DType::kFloat32 || sum.rank() < 2 || sum.rank() > 3 || !sum.shape->back().is_constant() ||
      (axis != -1 && axis != sum.rank() - 1))
    return MatchResult::none("not along the last of two or three axes of float32");
  const bool shifts = centred && input(norm, 2) != ir::kNone;
  if (!is_row(graph, norm.inputs[1], sum.shape->back()) ||
      (shifts && !is_row(graph, norm.inputs[2], sum.shape->back())))
    return MatchResult::none("its parameters are no rows");
  const Addends addends = addends_of(graph, *add);
  if (addends.x == ir::kNone) return MatchResult::none("the sum broadcasts");
  Node fused;
  fused.op =
      context.table.find("com.microsoft", centred ? "SkipLayerNormalization" : "SkipSimplifiedLayerNormalization");
  fused.inputs = {addends.x, addends.skip, norm.inputs[1]};
  if (centred && (shifts || addends.bias != ir::kNone)) fused.inputs.push_back(shifts ? norm.inputs[2] : ir::kNone);
  if (addends.bias != ir::kNone) fused.inputs.push_back(addends.bias);
  fused.attributes.set("epsilon", norm.attributes.get_float("epsilon", 1e-5f));
  const bool hands_out = !read_once(graph, add->outputs[0]);
  const ir::NodeId summing[] = {add->id};
  if (hands_out && depends_on(graph, {norm.inputs[1], input(norm, 2)}, summing))
    return MatchResult::none("its parameters are computed from the sum");
  fused.outputs = {norm.outputs[0]};
  if (hands_out) fused.outputs = {norm.outputs[0], ir::kNone, ir::kNone, add->outputs[0]};
  if (!context.capabilities->accepts(graph, fused)) return MatchResult::none("no kernel takes it");
  ir::Patch patch(graph, "fuse a sum and its normalization");
  const ValueId y = patch.value(), total = hands_out ? patch.value() : ir::kNone;
  patch.replace(norm.outputs[0], y);
  if (hands_out) patch.replace(add->outputs[0], total);
  fused.name = norm.name;
  fused.outputs = {y};
  if (hands_out) fused.outputs = {y, ir::kNone, ir::kNone, total};
  patch.add(std::move(fused));
  patch.remove(id);
  patch.remove(add->id);
  if (addends.inner != nullptr) patch.remove(addends.inner->id);
  return patch;
}

}  // namespace onnxrun::optimize
