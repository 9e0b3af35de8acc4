// Moving ranges from activations to weights.
#include "quantise/smooth.h"

#include <algorithm>
#include <cmath>

#include "optimize/reading.h"
#include "quantise/forms.h"

namespace onnxrun::quantise {

using base::Tensor;
using ir::ValueId;

namespace {

struct Reader {
  ir::NodeId node;
  Product product;
};

// The greatest magnitude of the weights at each place of the summed axis, over all readers.
std::vector<float> largest_weights(const Work& work, const std::vector<Reader>& readers, size_t places) {
  std::vector<float> result(places, 0);
  for (const Reader& reader : readers) {
    const Tensor& weight = *optimize::constant(work.graph, reader.product.weight);
    const float* from = weight.data<float>();
    const auto other = static_cast<size_t>(weight.count()) / places;
    for (size_t k = 0; k < places; ++k)
      for (size_t n = 0; n < other; ++n)
        result[k] = std::max(result[k], std::abs(from[reader.product.turned ? n * places + k : k * other + n]));
  }
  return result;
}

Tensor scaled(const Tensor& tensor, const std::vector<float>& scales, bool last) {
  Tensor result = tensor.clone();
  float* to = result.mutable_data<float>();
  const size_t places = scales.size(), other = static_cast<size_t>(tensor.count()) / places;
  for (size_t k = 0; k < places; ++k)
    for (size_t n = 0; n < other; ++n) to[last ? n * places + k : k * other + n] *= scales[k];
  return result;
}

// A LayerNormalization over the last axis whose only readers are the products, with constants to take the scales in.
const ir::Node* foldable(const Work& work, ValueId value, size_t readers, size_t places) {
  const ir::Node* node = optimize::made_by(work.graph, value, "LayerNormalization");
  if (node == nullptr || work.graph.is_output(value) || work.graph.value(value).consumers.size() != readers)
    return nullptr;
  for (const size_t i : {1, 2}) {
    if (i == 2 && optimize::input(*node, i) == ir::kNone) continue;
    const Tensor* known = optimize::float_constant(work.graph, optimize::input(*node, i));
    if (known == nullptr || known->rank() == 0 || known->count() != static_cast<int64_t>(places) ||
        known->dims().back() != known->count())
      return nullptr;
  }
  return node;
}

void apply(Work& work, ValueId value, const std::vector<Reader>& readers, const std::vector<float>& scales) {
  std::vector<float> inverse;
  for (const float scale : scales) inverse.push_back(1 / scale);
  const ir::Node* normalization = foldable(work, value, readers.size(), scales.size());
  std::vector<std::pair<size_t, ValueId>> parameters;
  ValueId factors = ir::kNone;
  const std::string stem = work.graph.value(value).name + "/smooth";
  if (normalization != nullptr) {
    for (const size_t i : {size_t{1}, size_t{2}})
      if (const ValueId own = optimize::input(*normalization, i); own != ir::kNone)
        parameters.emplace_back(i, work.graph.add_constant(scaled(*optimize::constant(work.graph, own), inverse, true),
                                                           work.graph.fresh_name(stem)));
  } else {
    factors = work.graph.add_constant(Tensor::vector<float>(inverse), work.graph.fresh_name(stem));
  }
  std::vector<ValueId> weights;
  for (const Reader& reader : readers) {
    const Tensor& weight = *optimize::constant(work.graph, reader.product.weight);
    weights.push_back(work.graph.add_constant(scaled(weight, scales, reader.product.turned),
                                              work.graph.fresh_name(work.graph.value(reader.product.weight).name)));
  }
  ir::Patch patch(work.graph, "scales from a value into weights");
  const ValueId smoothed = normalization != nullptr ? value : patch.emit(work.op("Mul"), {value, factors});
  for (const auto& [i, parameter] : parameters) patch.set_input(normalization->id, i, parameter);
  for (size_t i = 0; i < readers.size(); ++i) {
    if (smoothed != value) patch.set_input(readers[i].node, 0, smoothed);
    patch.set_input(readers[i].node, 1, weights[i]);
  }
  work.apply(std::move(patch));
}

}  // namespace

Wanted wanted_for_smoothing(const ir::Graph& graph) {
  Wanted result;
  for (size_t i = 0; i < graph.node_capacity(); ++i) {
    if (!graph.has_node(static_cast<ir::NodeId>(i))) continue;
    const ir::Node& node = graph.node(static_cast<ir::NodeId>(i));
    if ((optimize::is(node, "MatMul") || optimize::is(node, "Gemm")) &&
        optimize::constant(graph, node.inputs[1]) != nullptr)
      result.channels[graph.value(node.inputs[0]).name] = -1;
  }
  return result;
}

size_t smooth(Work& work, double strength) {
  std::map<ValueId, std::vector<Reader>> values;
  for (const ir::NodeId id : work.graph.topological_order()) {
    Product product;
    const ir::Node& node = work.graph.node(id);
    if (is_product(work, node, product) && is_chosen(work, node)) values[product.value].push_back({id, product});
  }
  size_t count = 0;
  for (const auto& [value, readers] : values) {
    const ChannelSums* seen = work.observed.sums(work.graph.value(value).name);
    if (seen == nullptr) continue;
    const size_t places = seen->largest.size();
    const bool fits = std::ranges::all_of(readers, [&](const Reader& reader) {
      const Tensor& weight = *optimize::constant(work.graph, reader.product.weight);
      return weight.dims()[reader.product.turned ? 1 : 0] == static_cast<int64_t>(places);
    });
    if (!fits) continue;
    const std::vector<float> weights = largest_weights(work, readers, places);
    std::vector<float> scales(places, 1.0f);
    for (size_t k = 0; k < places; ++k) {
      const double scale = std::pow(seen->largest[k], strength) / std::pow(weights[k], 1 - strength);
      // Places of zeros only keep what they are.
      if (std::isfinite(scale) && scale > 0) scales[k] = static_cast<float>(std::clamp(scale, 1e-4, 1e4));
    }
    apply(work, value, readers, scales);
    ++count;
  }
  return count;
}

}  // namespace onnxrun::quantise
