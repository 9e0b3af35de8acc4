// Mode weights: constants in codes of 8 or 4 bits, beside arithmetic of float32.
#include <algorithm>
#include <map>

#include "optimize/reading.h"
#include "quantise/forms.h"
#include "quantise/quantise.h"

namespace onnxrun::quantise {

using base::Tensor;
using ir::ValueId;

namespace {

constexpr int64_t kSmallPart = 32;

// The smallest weights of convolutions and products that together are less than such a part of all: in 8 bits they take little more room, and they are often the first
// or the last, where errors cost most.
std::set<ValueId> small_weights(const ir::Graph& graph) {
  std::map<ValueId, int64_t> counts;
  int64_t total = 0;
  for (const ir::NodeId id : graph.topological_order()) {
    const ir::Node& node = graph.node(id);
    const bool rows = optimize::is(node, "Gather");
    if (!rows && !optimize::is(node, "Conv") && !optimize::is(node, "MatMul") && !optimize::is(node, "Gemm")) continue;
    const ValueId value = node.inputs[rows ? 0 : 1];
    const Tensor* weight = optimize::constant(graph, value);
    if (weight == nullptr || weight->dtype() != base::DType::kFloat32) continue;
    if (counts.try_emplace(value, rows ? 0 : weight->count()).second) total += weight->count();
  }
  std::vector<std::pair<int64_t, ValueId>> by_size;
  for (const auto& [value, count] : counts)
    if (count > 0) by_size.emplace_back(count, value);
  std::ranges::sort(by_size);
  std::set<ValueId> result;
  int64_t sum = 0;
  for (const auto& [count, value] : by_size) {
    sum += count;
    if (sum > total / kSmallPart) break;
    result.insert(value);
  }
  return result;
}

void quantise_product(Work& work, ir::NodeId id, const Product& product) {
  const ir::Node& node = work.graph.node(id);
  const Tensor weight = *optimize::constant(work.graph, product.weight);
  auto& made = work.made[{product.weight, product.turned ? "blocks of rows" : "blocks of columns"}];
  const int64_t length = weight.dims()[product.turned ? 1 : 0], rows = weight.dims()[product.turned ? 0 : 1];
  const Settings s = settings_of(work, product.weight, length);
  double error = 0;
  if (made.empty()) {
    const Coded coded =
        coded_weights(work, s, matrix_of(product, weight), product.value, s.block_size(), Codes::kUnsigned);
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
  work.small = small_weights(work.graph);
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
