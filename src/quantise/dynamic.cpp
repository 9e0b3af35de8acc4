// Mode dynamic: products of matrices in 8 bits, where what is multiplied gets its scale and zero point in each run.
#include "optimize/reading.h"
#include "quantise/forms.h"
#include "quantise/quantise.h"

namespace onnxrun::quantise {

using base::DType;
using base::Tensor;
using ir::ValueId;

namespace {

// A value in codes, with scale and zero point, made once for all products that read it.
std::vector<ValueId> quantised_value(Work& work, ir::Patch& patch, ValueId value) {
  auto& made = work.made[{value, "dynamic"}];
  if (!made.empty()) return made;
  return patch.emit_many(work.op("DynamicQuantizeLinear"), {value}, 3);
}

void quantise_product(Work& work, ir::NodeId id, const Product& product) {
  const ir::Node& node = work.graph.node(id);
  const Settings& s = work.settings;
  const Tensor weight = *optimize::constant(work.graph, product.weight);
  auto& made = work.made[{product.weight, product.turned ? "rows" : "columns"}];
  double error = 0;
  if (made.empty()) {
    const Coded coded = encode(matrix_of(product, weight), s, 0, Codes::kOfType, {}, !s.per_channel);
    error = coded.error;
    Tensors tensors = to_tensors(coded, s.type, true);
    if (!s.per_channel) {
      // One scale, as one number.
      Tensor scale = Tensor::scalar<float>(coded.grids.empty() ? 1.0f : coded.grids[0].scale);
      tensors.scales = scale;
      if (tensors.zeros) tensors.zeros = Tensor::scalar<uint8_t>(static_cast<uint8_t>(coded.grids[0].zero));
    }
    made = add_codes(work, product.weight, tensors.codes, tensors.scales, tensors.zeros);
  }
  ir::Patch patch(work.graph, "a product in 8 bits");
  const std::vector<ValueId> x = quantised_value(work, patch, product.value);
  std::vector<ValueId> inputs = {x[0], made[0], x[2]};
  if (made.size() > 2) inputs.push_back(made[2]);
  const ValueId sums = patch.emit(work.op("MatMulInteger"), std::move(inputs), {}, node.name);
  const ValueId numbers = patch.emit(work.op("Cast"), {sums}, {{"to", static_cast<int64_t>(DType::kFloat32)}});
  const ValueId result = patch.emit(work.op("Mul"), {numbers, patch.emit(work.op("Mul"), {x[1], made[1]})});
  replace_product(work, id, product, std::move(patch), result, "MatMulInteger", made, error);
  work.made[{product.value, "dynamic"}] = x;
}

}  // namespace

void quantise_dynamic(Work& work) {
  for (const ir::NodeId id : work.graph.topological_order()) {
    const ir::Node& node = work.graph.node(id);
    Product product;
    const bool is_conv = optimize::is(node, "Conv"), is_gather = optimize::is(node, "Gather");
    if (is_conv || is_gather) {
      if (optimize::constant(work.graph, node.inputs[is_conv ? 1 : 0]) == nullptr || !is_chosen(work, node)) continue;
      if (is_conv) dequantise_input(work, id, 1, 0);
      else if (work.graph.value(node.inputs[0]).fact.dtype == DType::kFloat32) quantise_gather(work, id);
    } else if (is_product(work, node, product) && is_chosen(work, node)) {
      quantise_product(work, id, product);
    }
  }
}

}  // namespace onnxrun::quantise
