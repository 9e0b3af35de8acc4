// Mode weights: constants in codes of 8 or 4 bits, beside arithmetic of float32.
#include "optimize/reading.h"
#include "quantise/forms.h"
#include "quantise/quantise.h"

namespace onnxrun::quantise {

using base::Tensor;
using ir::ValueId;

namespace {

void quantise_product(Work& work, ir::NodeId id, const Product& product) {
  const ir::Node& node = work.graph.node(id);
  const Settings& s = work.settings;
  const Tensor weight = *optimize::constant(work.graph, product.weight);
  auto& made = work.made[{product.weight, product.turned ? "blocks of rows" : "blocks of columns"}];
  const int64_t length = weight.dims()[product.turned ? 1 : 0], rows = weight.dims()[product.turned ? 0 : 1];
  double error = 0;
  if (made.empty()) {
    const Coded coded =
        coded_weights(work, matrix_of(product, weight), product.value, s.block_size(), Codes::kUnsigned);
    error = coded.error;
    const PackedBlocks packed = pack_blocks(coded, s.bits());
    made = add_codes(work, product.weight, packed.codes, packed.scales, packed.zeros);
  }
  ir::Patch patch(work.graph, "weights in blocks of codes");
  std::vector<ValueId> inputs = {product.value};
  inputs.insert(inputs.end(), made.begin(), made.end());
  const ValueId result =
      patch.emit(work.op("MatMulNBits", kMicrosoft), std::move(inputs),
                 {{"K", length}, {"N", rows}, {"bits", int64_t{s.bits()}}, {"block_size", s.block_size()}}, node.name);
  replace_product(work, id, product, std::move(patch), result, "MatMulNBits", made, error);
}

}  // namespace

void quantise_weights(Work& work) {
  const bool blocks = work.settings.block_size() > 0 && !work.settings.standard;
  for (const ir::NodeId id : work.graph.topological_order()) {
    const ir::Node& node = work.graph.node(id);
    Product product;
    const bool is_conv = optimize::is(node, "Conv"), is_gather = optimize::is(node, "Gather");
    if (is_conv || is_gather) {
      const size_t place = is_conv ? 1 : 0;
      if (optimize::constant(work.graph, node.inputs[place]) == nullptr || !is_chosen(work, node)) continue;
      if (is_conv) dequantise_input(work, id, 1, 0);
      // Rows of integers and the like are chosen too; they are none of ours.
      else if (work.graph.value(node.inputs[0]).fact.dtype == base::DType::kFloat32) quantise_gather(work, id);
    } else if (is_product(work, node, product) && is_chosen(work, node)) {
      if (blocks) quantise_product(work, id, product);
      else dequantise_input(work, id, 1, product.turned ? 0 : 1);
    }
  }
}

}  // namespace onnxrun::quantise
