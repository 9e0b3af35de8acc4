// Makes one EmbedLayerNormalization of the sum of rows that words, positions and segments choose from tables, and its normalization.
#include <algorithm>

#include "optimize/algebra.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

// Rows of a table: by ids of the words' shape, or the first ones in their order.
struct Rows {
  ValueId table = ir::kNone, ids = ir::kNone;  // ids kNone: 0, 1, ...
  base::Tensor known;                          // instead of a table
};

bool is_index(ir::DType type) { return type == ir::DType::kInt32 || type == ir::DType::kInt64; }

// Whether `value`, of rank 1, or of rank 2 with one row, is 0, 1, 2, ...
bool counts_up(const Graph& graph, ValueId value, int depth = 16) {
  if (const auto known = integers(graph, value)) {
    for (size_t i = 0; i < known->size(); ++i)
      if ((*known)[i] != static_cast<int64_t>(i)) return false;
    return true;
  }
  const Node* node = producer(graph, value);
  if (node == nullptr || depth == 0) return false;
  if (is(*node, "Unsqueeze") || is(*node, "Cast")) return counts_up(graph, node->inputs[0], depth - 1);
  if (is(*node, "Range")) return number(graph, node->inputs[0]) == 0.0 && number(graph, node->inputs[2]) == 1.0;
  if (!is(*node, "Slice")) return false;
  const auto starts = integers(graph, node->inputs[1]), axes = integers(graph, input(*node, 3));
  const auto steps = input(*node, 4) == ir::kNone ? std::vector<int64_t>{1} : integers(graph, node->inputs[4]);
  const int64_t rank = graph.value(value).fact.rank();
  return starts == std::vector<int64_t>{0} && steps == std::vector<int64_t>{1} && axes && axes->size() == 1 &&
         (axes->front() == -1 || axes->front() == rank - 1) && counts_up(graph, node->inputs[0], depth - 1);
}

// What of `sum`, [batch, length, size], the term is; table and known unset where it is none of these.
Rows rows_of(const Graph& graph, ValueId term, const ir::Shape& sum) {
  const ir::Shape shape = graph.value(term).fact.shape.value_or(ir::Shape());
  if (const base::Tensor* known = float_constant(graph, term)) {
    const bool fits = known->count() > 0 && (shape.size() == 2 || (shape.size() == 3 && shape[0] == ir::Dim(1))) &&
                      shape[shape.size() - 2] == sum[1] && shape.back() == sum[2];
    if (!fits) return {};
    return {ir::kNone, ir::kNone, known->reshaped({sum[1].value(), sum[2].value()})};
  }
  const Node* gather = made_by(graph, term, "Gather");
  if (gather == nullptr || !read_once(graph, term) || gather->attributes.get_int("axis", 0) != 0) return {};
  const ir::Fact &table = graph.value(gather->inputs[0]).fact, &ids = graph.value(gather->inputs[1]).fact;
  if (float_constant(graph, gather->inputs[0]) == nullptr || table.rank() != 2 || table.shape->back() != sum[2] ||
      !is_index(ids.dtype) || !ids.shape)
    return {};
  if (ids.rank() == 2 && (*ids.shape)[0] == sum[0] && (*ids.shape)[1] == sum[1])
    return {gather->inputs[0], gather->inputs[1], {}};
  const bool one_row = ids.rank() == 1 || (ids.rank() == 2 && (*ids.shape)[0] == ir::Dim(1));
  if (!one_row) return {};
  // Positions cut from a table of them are as many as there are words, or the sum fails.
  const int64_t most = ir::range_of(ids.shape->back()).high;
  const bool as_many = ids.shape->back() == sum[1] || (most > 1 && ids.shape->back() == ir::min(sum[1], ir::Dim(most)));
  if (as_many && counts_up(graph, gather->inputs[1])) return {gather->inputs[0], ir::kNone, {}};
  return {};
}

bool is_row(const Graph& graph, ValueId value, const ir::Dim& length) {
  const base::Tensor* tensor = float_constant(graph, value);
  return tensor != nullptr && tensor->rank() == 1 && length == ir::Dim(tensor->count());
}

}  // namespace

MatchResult match_fuse_embeddings(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& norm = graph.node(id);
  if (!is(norm, "LayerNormalization") || norm.outputs.size() != 1 || context.capabilities == nullptr)
    return MatchResult::none("no LayerNormalization");
  const ir::Fact& fact = graph.value(norm.inputs[0]).fact;
  const int64_t axis = norm.attributes.get_int("axis", -1);
  if (fact.dtype != ir::DType::kFloat32 || fact.rank() != 3 || (axis != -1 && axis != 2) ||
      !is_row(graph, norm.inputs[1], fact.shape->back()) || input(norm, 2) == ir::kNone ||
      !is_row(graph, norm.inputs[2], fact.shape->back()))
    return MatchResult::none("not of rows in float32");
  const Sum total = sum(graph, norm.inputs[0]);
  if (total.number != 0 || total.terms.size() < 2 || total.terms.size() > 3) return MatchResult::none("no sum of rows");
  std::vector<Rows> chosen;
  Rows positions;
  for (const ValueId term : total.terms) {
    Rows rows = rows_of(graph, term, *fact.shape);
    if (rows.table == ir::kNone && !rows.known) return MatchResult::none("a term is no row of a table");
    if (rows.ids != ir::kNone) {
      chosen.push_back(std::move(rows));
    } else {
      if (positions.table != ir::kNone || positions.known) return MatchResult::none("two terms go by position");
      positions = std::move(rows);
    }
  }
  // The largest table is that of words.
  std::ranges::stable_sort(chosen, std::greater(),
                           [&](const Rows& rows) { return constant(graph, rows.table)->count(); });
  if (chosen.empty()) return MatchResult::none("no term goes by words");
  if (positions.table == ir::kNone && !positions.known) {
    if (chosen.size() < 2) return MatchResult::none("no term goes by position");
    positions = chosen[1];
    chosen.erase(chosen.begin() + 1);
  }
  const ir::DType type = graph.value(chosen[0].ids).fact.dtype;
  for (const ValueId ids : {positions.ids, chosen.back().ids})
    if (ids != ir::kNone && graph.value(ids).fact.dtype != type) return MatchResult::none("ids of several types");
  ir::Patch patch(graph, "fuse embeddings");
  Node fused;
  fused.op = context.table.find("com.microsoft", "EmbedLayerNormalization");
  const bool segments = chosen.size() == 2;
  fused.inputs = {chosen[0].ids,   segments ? chosen[1].ids : ir::kNone,   chosen[0].table,
                  positions.table, segments ? chosen[1].table : ir::kNone, norm.inputs[1],
                  norm.inputs[2]};
  if (positions.ids != ir::kNone) fused.inputs.insert(fused.inputs.end(), {ir::kNone, positions.ids});
  if (positions.known) fused.inputs[3] = norm.inputs[1];  // of its type, to ask with
  fused.outputs = {norm.outputs[0]};
  fused.attributes.set("epsilon", norm.attributes.get_float("epsilon", 1e-5f));
  if (!context.capabilities->accepts(graph, fused)) return MatchResult::none("no kernel takes it");
  if (positions.known) fused.inputs[3] = patch.constant(positions.known, "positions");
  const bool hands_out = !read_once(graph, norm.inputs[0]);
  const ValueId y = patch.value(), sums = hands_out ? patch.value() : ir::kNone;
  fused.name = norm.name;
  fused.outputs = {y};
  if (hands_out) fused.outputs = {y, ir::kNone, sums};
  patch.replace(norm.outputs[0], y);
  if (hands_out) patch.replace(norm.inputs[0], sums);
  patch.add(std::move(fused));
  patch.remove(id);
  for (const ir::NodeId node : total.nodes) patch.remove(node);
  return patch;
}

}  // namespace onnxrun::optimize
