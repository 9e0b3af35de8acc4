// Lets an Attention read and write heads side by side, [batch, length, heads * size] as products make and read them, where they are only split and transposed
// for it. Keys and values that others read in heads become the Attention's own outputs.
#include <algorithm>

#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

const Node* exchanged(const Graph& graph, ValueId value) {
  const Node* node = made_by(graph, value, "Transpose");
  if (node == nullptr || graph.value(value).fact.rank() != 4) return nullptr;
  return ops::attributes::permutation(node->attributes, 4) == std::vector<int64_t>{0, 2, 1, 3} ? node : nullptr;
}

struct Merged {
  ValueId value = ir::kNone;  // [batch, length, heads * size]
  int64_t heads = 0;
  const Node* rotation = nullptr;  // between the Transpose and the Attention
};

// What [batch, heads, length, size] was before it was split and transposed.
Merged merged(const Graph& graph, ValueId value) {
  Merged result;
  result.rotation = made_by(graph, value, "RotaryEmbedding");
  const Node* transpose = exchanged(graph, result.rotation != nullptr ? result.rotation->inputs[0] : value);
  const Node* split = transpose != nullptr ? made_by(graph, transpose->inputs[0], "Reshape") : nullptr;
  if (split == nullptr) return result;
  const auto &from = graph.value(split->inputs[0]).fact.shape, &to = graph.value(split->outputs[0]).fact.shape;
  if (!from || !to || from->size() != 3 || to->size() != 4 || (*from)[0] != (*to)[0] || (*from)[1] != (*to)[1] ||
      !(*to)[2].is_constant() || !(*to)[3].is_constant() || (*to)[2].value() < 1 || (*from)[2] != (*to)[2] * (*to)[3])
    return result;
  result.value = split->inputs[0];
  result.heads = (*to)[2].value();
  return result;
}

// Whether a Reshape of [batch, length, heads, size] says the same of [batch, length, heads * size].
bool may_read_merged(const Graph& graph, const Node& reshape) {
  const ir::Fact& shape = graph.value(reshape.inputs[1]).fact;
  const std::vector<ir::Dim> elements = shape.elements.value_or(std::vector<ir::Dim>());
  if (!shape.elements) return false;
  if (reshape.attributes.get_int("allowzero", 0) != 0) return true;
  // A zero would copy a dim that is another one then.
  return std::ranges::none_of(std::span(elements).subspan(std::min<size_t>(2, elements.size())),
                              [](const ir::Dim& dim) { return dim.is_unknown() || ir::range_of(dim).holds(0); });
}

// The Reshape that reads a result whose heads a Transpose puts side by side; null.
const Node* merging(const Graph& graph, ValueId y, const Node*& transpose) {
  transpose = only_reader(graph, y);
  if (transpose == nullptr || exchanged(graph, transpose->outputs[0]) != transpose) return nullptr;
  const Node* reshape = only_reader(graph, transpose->outputs[0]);
  return reshape != nullptr && is(*reshape, "Reshape") ? reshape : nullptr;
}

// Whether what it makes is [batch, length, heads * size].
bool merges(const Graph& graph, const Node& reshape, ValueId y) {
  const auto &heads = graph.value(y).fact.shape, &flat = graph.value(reshape.outputs[0]).fact.shape;
  return heads && flat && heads->size() == 4 && flat->size() == 3 && (*flat)[0] == (*heads)[0] &&
         (*flat)[1] == (*heads)[2] && (*flat)[2] == (*heads)[1] * (*heads)[3];
}

ValueId rotated(ir::Patch& patch, const Merged& heads) {
  if (heads.rotation == nullptr) return heads.value;
  std::vector<ValueId> inputs = heads.rotation->inputs;
  inputs[0] = heads.value;
  ir::Attributes attributes = heads.rotation->attributes;
  attributes.set("num_heads", heads.heads);
  return patch.emit(heads.rotation->op, std::move(inputs), std::move(attributes), heads.rotation->name);
}

}  // namespace

MatchResult match_merge_heads(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& attention = graph.node(id);
  if (!is(attention, "Attention") || attention.outputs.size() > 3) return MatchResult::none("no Attention");
  const Node* transpose = nullptr;
  const Node* last = merging(graph, attention.outputs[0], transpose);
  if (last == nullptr) return MatchResult::none("its heads are not merged");
  const bool merged_last = merges(graph, *last, attention.outputs[0]);
  if (!merged_last && !may_read_merged(graph, *last)) return MatchResult::none("its heads may not be merged");
  Merged parts[3];
  for (size_t i = 0; i < 3; ++i) {
    parts[i] = merged(graph, attention.inputs[i]);
    if (parts[i].value == ir::kNone) return MatchResult::none("its inputs are not split into heads");
  }
  if (parts[1].heads != parts[2].heads || parts[2].rotation != nullptr)
    return MatchResult::none("other values than keys");
  if (parts[0].rotation != nullptr && !read_once(graph, attention.inputs[0]))
    return MatchResult::none("turned queries are read elsewhere");
  const ValueId k = attention.inputs[1], v = attention.inputs[2];
  const bool hands_out = !read_once(graph, k) || !read_once(graph, v);
  if (hands_out) {
    if (attention.outputs.size() != 1 || input(attention, 4) != ir::kNone || input(attention, 6) != ir::kNone || k == v)
      return MatchResult::none("its keys or values are read elsewhere");
    const ir::NodeId makers[] = {producer(graph, k)->id, producer(graph, v)->id};
    std::vector<ValueId> inputs{attention.inputs[0], parts[1].value, parts[2].value, input(attention, 3)};
    if (const Node* rotation = parts[1].rotation)
      inputs.insert(inputs.end(), rotation->inputs.begin() + 1, rotation->inputs.end());
    if (depends_on(graph, inputs, makers)) return MatchResult::none("its keys or values are read before it");
  }
  ir::Patch patch(graph, "read heads side by side");
  std::vector<ValueId> inputs = attention.inputs;
  for (size_t i = 0; i < 3; ++i) inputs[i] = rotated(patch, parts[i]);
  ir::Attributes attributes = attention.attributes;
  attributes.set("q_num_heads", parts[0].heads);
  attributes.set("kv_num_heads", parts[1].heads);
  const std::vector<ValueId> results = patch.emit_many(
      attention.op, std::move(inputs), hands_out ? 3 : attention.outputs.size(), std::move(attributes), attention.name);
  if (merged_last) {
    patch.replace(last->outputs[0], results[0]);
  } else {
    patch.replace(last->outputs[0], patch.emit(last->op, {results[0], last->inputs[1]}, last->attributes, last->name));
  }
  for (size_t i = 1; i < attention.outputs.size(); ++i)
    if (attention.outputs[i] != ir::kNone) patch.replace(attention.outputs[i], results[i]);
  if (hands_out) {
    patch.replace(k, results[1]);
    patch.replace(v, results[2]);
    patch.remove(producer(graph, k)->id);
    patch.remove(producer(graph, v)->id);
  }
  patch.remove(id);
  patch.remove(transpose->id);
  patch.remove(last->id);
  return patch;
}

}  // namespace onnxrun::optimize
