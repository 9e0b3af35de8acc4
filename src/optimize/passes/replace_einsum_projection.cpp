// Makes a MatMul between Reshapes of an Einsum that multiplies the last axes of one operand with the first of another, as heads are projected: "abc,cde->abde".
#include <algorithm>

#include "base/checked.h"
#include "ops/attributes/einsum.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using Labels = std::vector<int>;

bool is_join(const Labels& whole, const Labels& first, const Labels& second) {
  return whole.size() == first.size() + second.size() &&
         std::ranges::equal(first, std::span(whole).first(first.size())) &&
         std::ranges::equal(second, std::span(whole).last(second.size()));
}

bool has_repeats(Labels labels) {
  std::ranges::sort(labels);
  return std::ranges::adjacent_find(labels) != labels.end();
}

}  // namespace

MatchResult match_replace_einsum_projection(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& node = graph.node(id);
  if (!is(node, "Einsum") || node.inputs.size() != 2 || !base::is_float(graph.value(node.outputs[0]).fact.dtype))
    return MatchResult::none("no Einsum of two");
  const ir::Fact &x = graph.value(node.inputs[0]).fact, &w = graph.value(node.inputs[1]).fact;
  const auto dims = w.dims();
  if (x.rank() < 1 || !dims || base::element_count(*dims) == 0)
    return MatchResult::none("a dim of the weights is open");
  const ops::EinsumTerms terms =
      ops::parse_einsum(node.attributes.get_string("equation"), std::vector{x.rank(), w.rank()});
  const Labels &a = terms.inputs[0], &b = terms.inputs[1], &y = terms.output;
  Labels rows, sums, columns;
  for (const int label : a) (std::ranges::find(b, label) == b.end() ? rows : sums).push_back(label);
  for (const int label : b)
    if (std::ranges::find(a, label) == a.end()) columns.push_back(label);
  if (has_repeats(a) || has_repeats(b) || sums.empty() || columns.empty() ||
      (sums.size() == 1 && columns.size() == 1) || !is_join(a, rows, sums) || !is_join(b, sums, columns) ||
      !is_join(y, rows, columns))
    return MatchResult::none("no projection of the last axes");
  std::vector<int64_t> flat(rows.size(), 0), wide(rows.size(), 0);
  int64_t depth = 1, width = 1;
  for (size_t i = 0; i < dims->size(); ++i) {
    // A dim of 1 stands for any.
    if (i < sums.size() && (*x.shape)[rows.size() + i] != ir::Dim((*dims)[i]))
      return MatchResult::none("dims that may broadcast");
    int64_t& size = i < sums.size() ? depth : width;
    size = base::checked_mul(size, (*dims)[i]);
    if (i >= sums.size()) wide.push_back((*dims)[i]);
  }
  flat.push_back(depth);
  ir::Patch patch(graph, "make a MatMul of an Einsum");
  const auto reshaped = [&](ir::ValueId value, const std::vector<int64_t>& shape) {
    return patch.emit(context.table.find("", "Reshape"),
                      {value, patch.constant(base::Tensor::vector<int64_t>(shape), "shape")});
  };
  const ir::ValueId left = sums.size() == 1 ? node.inputs[0] : reshaped(node.inputs[0], flat);
  const ir::ValueId product =
      patch.emit(context.table.find("", "MatMul"), {left, reshaped(node.inputs[1], {depth, width})}, {}, node.name);
  patch.replace(node.outputs[0], columns.size() == 1 ? product : reshaped(product, wide));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize
