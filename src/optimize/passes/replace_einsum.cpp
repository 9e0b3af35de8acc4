// Makes a MatMul, with Transposes where letters stand in another order, of an Einsum of two operands that is one.
#include <algorithm>

#include "ops/attributes/einsum.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::ValueId;
using Labels = std::vector<int>;

bool has(const Labels& labels, int label) { return std::ranges::find(labels, label) != labels.end(); }

bool has_repeats(Labels labels) {
  std::ranges::sort(labels);
  return std::ranges::adjacent_find(labels) != labels.end();
}

// Which axis of `from` each of `to` is.
std::vector<int64_t> order(const Labels& from, const Labels& to) {
  std::vector<int64_t> permutation;
  for (const int label : to) permutation.push_back(std::ranges::find(from, label) - from.begin());
  return permutation;
}

}  // namespace

MatchResult match_replace_einsum(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  if (!is(node, "Einsum") || node.inputs.size() != 2) return MatchResult::none("no Einsum of two");
  if (!base::is_float(graph.value(node.outputs[0]).fact.dtype)) return MatchResult::none("not of floats");
  std::vector<int64_t> ranks;
  for (const ValueId in : node.inputs) ranks.push_back(graph.value(in).fact.rank());
  if (std::ranges::min(ranks) < 0) return MatchResult::none("unknown rank");
  const ops::EinsumTerms terms = ops::parse_einsum(node.attributes.get_string("equation"), ranks);
  const Labels &a = terms.inputs[0], &b = terms.inputs[1], &y = terms.output;
  if (has_repeats(a) || has_repeats(b) || has_repeats(y)) return MatchResult::none("a diagonal");
  // Letters of both and the result, of one and the result, and of both alone.
  Labels batch, rows, columns, sums;
  for (const int label : a) {
    if (has(b, label)) (has(y, label) ? batch : sums).push_back(label);
    else if (has(y, label)) rows.push_back(label);
    else return MatchResult::none("a sum of one operand");
  }
  for (const int label : b)
    if (!has(a, label)) {
      if (!has(y, label)) return MatchResult::none("a sum of one operand");
      columns.push_back(label);
    }
  if (sums.size() != 1 || rows.size() != 1 || columns.size() != 1) return MatchResult::none("no product of matrices");
  // A dim of 1 stands for any: Einsum broadcasts it where the other's letter is larger.
  for (const int label : a)
    if (has(b, label)) {
      const auto dim = [&](size_t k, const Labels& labels) {
        return (*graph.value(node.inputs[k])
                     .fact.shape)[static_cast<size_t>(std::ranges::find(labels, label) - labels.begin())];
      };
      if (!(dim(0, a) == dim(1, b))) return MatchResult::none("dims that may broadcast");
    }
  Labels leading;
  for (const int label : y)
    if (has(batch, label)) leading.push_back(label);
  if (leading.size() != batch.size()) return MatchResult::none("no product of matrices");
  const auto with = [&](int first, int second) {
    Labels all = leading;
    all.insert(all.end(), {first, second});
    return all;
  };
  ir::Patch patch(graph, "make a MatMul of an Einsum");
  const auto arranged = [&](ValueId value, const Labels& from, const Labels& to) {
    if (from == to) return value;
    return patch.emit(context.table.find("", "Transpose"), {value}, {{"perm", order(from, to)}});
  };
  // [.., rows, columns] or, where the result has them so, [.., columns, rows] with the operands exchanged.
  const bool exchanged = y == with(columns[0], rows[0]);
  const ValueId left = exchanged ? arranged(node.inputs[1], b, with(columns[0], sums[0]))
                                 : arranged(node.inputs[0], a, with(rows[0], sums[0]));
  const ValueId right = exchanged ? arranged(node.inputs[0], a, with(sums[0], rows[0]))
                                  : arranged(node.inputs[1], b, with(sums[0], columns[0]));
  const ValueId product = patch.emit(context.table.find("", "MatMul"), {left, right}, {}, node.name);
  const Labels have = exchanged ? with(columns[0], rows[0]) : with(rows[0], columns[0]);
  patch.replace(node.outputs[0], arranged(product, have, y));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
