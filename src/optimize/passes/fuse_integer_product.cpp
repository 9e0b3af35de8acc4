// MatMulInteger, a Cast to float32 and the Mul by its scales, as dynamic quantisation writes them, become MatMulIntegerToFloat; so does an Add of
// a bias after it. Both compute the same roundings in the same order.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::ValueId;

constexpr const char* kDomain = "com.microsoft";

// A scalar, or a vector of as many elements as the product has columns.
bool is_column_scale(const PassContext& context, ValueId scale, ValueId product) {
  const ir::Fact &fact = context.graph.value(scale).fact, &sums = context.graph.value(product).fact;
  if (fact.dtype != ir::DType::kFloat32 || !fact.shape) return false;
  if (fact.shape->empty()) return true;
  if (fact.shape->size() != 1 || !sums.shape || sums.shape->empty()) return false;
  const ir::Dim &count = (*fact.shape)[0], &columns = sums.shape->back();
  return count.is_constant() && (count.value() == 1 || (columns.is_constant() && columns.value() == count.value()));
}

// One element that adds no axis to the product.
bool is_number(const ir::Graph& graph, ValueId scale, ValueId product) {
  const int64_t rank = graph.value(scale).fact.rank();
  return has_one_element(graph, scale) && (rank == 0 || rank <= graph.value(product).fact.rank());
}

MatchResult match_scaled(const PassContext& context, const ir::Node& mul) {
  const ir::Graph& graph = context.graph;
  for (size_t i : {0, 1}) {
    const ir::Node* cast = made_by(graph, mul.inputs[i], "Cast");
    if (cast == nullptr || !read_once(graph, mul.inputs[i]) ||
        cast->attributes.get_int("to", 0) != static_cast<int64_t>(ir::DType::kFloat32))
      continue;
    const ValueId sums = cast->inputs[0], scale = mul.inputs[1 - i];
    const ir::Node* product = made_by(graph, sums, "MatMulInteger");
    if (product == nullptr || !read_once(graph, sums)) continue;
    if (const ValueId zero = input(*product, 2); zero != ir::kNone && !has_one_element(graph, zero))
      return MatchResult::none("a zero point for each row");
    if (const ValueId zero = input(*product, 3); zero != ir::kNone && graph.value(zero).fact.rank() != 0 &&
                                                 graph.value(zero).fact.rank() != 1 && !has_one_element(graph, zero))
      return MatchResult::none("a zero point for each column of each matrix");
    ir::Patch patch(graph, "fuse MatMulInteger and its scales");
    ValueId left = ir::kNone, right = scale;
    if (const ir::Node* factors = made_by(graph, scale, "Mul"))
      for (size_t k : {0, 1})
        if (left == ir::kNone && is_number(graph, factors->inputs[k], sums) &&
            is_column_scale(context, factors->inputs[1 - k], sums)) {
          left = factors->inputs[k];
          right = factors->inputs[1 - k];
        }
    if (!is_column_scale(context, right, sums)) return MatchResult::none("a scale of another shape");
    if (left == ir::kNone) left = patch.constant(base::Tensor::scalar<float>(1), "one");
    const ValueId y =
        patch.emit(context.table.find(kDomain, "MatMulIntegerToFloat"),
                   {product->inputs[0], product->inputs[1], left, right, input(*product, 2), input(*product, 3)}, {},
                   product->name);
    patch.replace(mul.outputs[0], y);
    patch.remove(product->id);
    patch.remove(cast->id);
    patch.remove(mul.id);
    return patch;
  }
  return MatchResult::none("no scaled MatMulInteger");
}

MatchResult match_bias(const PassContext& context, const ir::Node& add) {
  const ir::Graph& graph = context.graph;
  for (size_t i : {0, 1}) {
    const ir::Node* product = made_by(graph, add.inputs[i], "MatMulIntegerToFloat", kDomain);
    if (product == nullptr || !read_once(graph, add.inputs[i]) || input(*product, 6) != ir::kNone) continue;
    const ir::Fact &bias = graph.value(add.inputs[1 - i]).fact, &sums = graph.value(add.inputs[i]).fact;
    if (!bias.constant || bias.rank() != 1 || !sums.shape || sums.shape->empty() ||
        (*bias.shape)[0] != sums.shape->back())
      return MatchResult::none("not a bias of the columns");
    std::vector<ValueId> inputs = product->inputs;
    inputs.resize(6, ir::kNone);
    inputs.push_back(add.inputs[1 - i]);
    ir::Patch patch(graph, "fuse the bias of MatMulIntegerToFloat");
    patch.replace(add.outputs[0], patch.emit(product->op, std::move(inputs), {}, product->name));
    patch.remove(product->id);
    patch.remove(add.id);
    return patch;
  }
  return MatchResult::none("no bias of MatMulIntegerToFloat");
}

}  // namespace

MatchResult match_fuse_integer_product(const PassContext& context, ir::NodeId id) {
  const ir::Node& node = context.graph.node(id);
  if (!is(node, "Mul") && !is(node, "Add")) return MatchResult::none("neither Mul nor Add");
  if (context.table.find(kDomain, "MatMulIntegerToFloat") == nullptr) return MatchResult::none("no such operator");
  return is(node, "Mul") ? match_scaled(context, node) : match_bias(context, node);
}

}  // namespace onnxrun::optimize
