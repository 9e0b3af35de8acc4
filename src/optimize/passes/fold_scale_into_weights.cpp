// Takes a BatchNormalization, or a Mul or Add of channel constants, after a Conv, ConvTranspose, Gemm or MatMul into constant weights and bias.
#include <algorithm>

#include "optimize/channel_affine.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using base::Tensor;
using ir::Graph;
using ir::Node;
using ir::ValueId;

// What is multiplied with: where the output channels lie in the weights, and of the output.
struct Product {
  int64_t channels = 0, channel_axis = 1;
  int64_t outer = 1,
          inner =
              1;  // weights are [outer, channels, inner]; of ConvTranspose [groups, inputs, channels / groups, inner]
  bool transposed_convolution = false, multiplies = false;
  int64_t groups = 1;
};

bool describe(const Graph& graph, const Node& node, const Tensor& w, Product& out) {
  if (w.count() == 0) return false;
  const auto dim = [&](int64_t d) { return w.dims()[static_cast<size_t>(d)]; };
  if (is(node, "Conv")) {
    out.channels = dim(0);
    out.inner = w.count() / out.channels;
    return true;
  }
  if (is(node, "ConvTranspose")) {
    out.groups = node.attributes.get_int("group", 1);
    if (out.groups < 1 || out.groups > INT32_MAX || dim(1) > INT32_MAX) return false;
    out.transposed_convolution = true;
    out.channels = dim(1) * out.groups;
    out.inner = w.count() / (dim(0) * dim(1));
    out.outer = dim(0);
    return true;
  }
  if (w.rank() != 2) return false;
  const bool transposed = is(node, "Gemm") && node.attributes.get_int("transB", 0) != 0;
  out.multiplies = is(node, "MatMul");
  out.channels = dim(transposed ? 0 : 1);
  out.outer = transposed ? 1 : dim(0);
  out.inner = transposed ? dim(1) : 1;
  out.channel_axis = graph.value(node.outputs[0]).fact.rank() - 1;
  return out.channel_axis >= 0;
}

Tensor scaled(const Tensor& w, const Product& p, const std::vector<float>& scale) {
  Tensor result = w.clone();
  float* to = result.mutable_data<float>();
  if (p.transposed_convolution) {
    const int64_t each = p.channels / p.groups, rows = p.outer / p.groups;
    for (int64_t i = 0; i < p.outer; ++i)
      for (int64_t m = 0; m < each; ++m)
        for (int64_t k = 0; k < p.inner; ++k)
          to[(i * each + m) * p.inner + k] *= scale[static_cast<size_t>(i / rows * each + m)];
    return result;
  }
  for (int64_t o = 0; o < p.outer; ++o)
    for (int64_t c = 0; c < p.channels; ++c)
      for (int64_t k = 0; k < p.inner; ++k) to[(o * p.channels + c) * p.inner + k] *= scale[static_cast<size_t>(c)];
  return result;
}

}  // namespace

MatchResult match_fold_scale_into_weights(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  const bool gemm = is(node, "Gemm");
  if (!gemm && !is(node, "Conv") && !is(node, "ConvTranspose") && !is(node, "MatMul"))
    return MatchResult::none("no weights");
  const Tensor* w = float_constant(graph, node.inputs[1]);
  if (w == nullptr || constant(graph, node.inputs[0]) != nullptr)
    return MatchResult::none("its weights are not constant");
  if (w->bytes() > static_cast<size_t>(context.max_folded_bytes) * 4)
    return MatchResult::none("its weights are too large to copy");
  if (gemm && (node.attributes.get_float("alpha", 1) != 1 || node.attributes.get_float("beta", 1) != 1))
    return MatchResult::none("Gemm with factors");
  Product product;
  if (!describe(graph, node, *w, product)) return MatchResult::none("weights of this shape");
  const ValueId y = node.outputs[0];
  const int64_t rank = graph.value(y).fact.rank();
  if (rank < 2) return MatchResult::none("unknown rank");
  const Node* reader = only_reader(graph, y);
  if (reader == nullptr) return MatchResult::none("not read once");
  ChannelAffine affine;
  if (reader->inputs[0] == y && product.channel_axis == 1)
    affine = batch_normalization_affine(graph, *reader, product.channels);
  if (!affine) affine = arithmetic_affine(graph, *reader, y, product.channels, product.channel_axis, rank);
  if (!affine) return MatchResult::none("no channel constants follow");
  const bool shifts = std::any_of(affine.shift.begin(), affine.shift.end(), [](float v) { return v != 0; });
  if (product.multiplies && shifts) return MatchResult::none("MatMul has no bias");
  const Tensor* bias = nullptr;
  if (input(node, 2) != ir::kNone) {
    bias = float_constant(graph, node.inputs[2]);
    if (bias == nullptr || bias->rank() != 1 || bias->count() != product.channels)
      return MatchResult::none("its bias is not constant");
  }
  ir::Patch patch(graph, "fold into weights");
  std::vector<ValueId> inputs = node.inputs;
  if (std::any_of(affine.scale.begin(), affine.scale.end(), [](float v) { return v != 1; })) {
    Tensor weights = scaled(*w, product, affine.scale);
    if (!is_finite(weights)) return MatchResult::none("its weights would not be finite");
    inputs[1] = patch.constant(std::move(weights), graph.value(node.inputs[1]).name);
  }
  if (bias != nullptr || shifts) {
    Tensor sum(base::DType::kFloat32, {product.channels});
    for (size_t c = 0; c < affine.shift.size(); ++c)
      sum.mutable_data<float>()[c] =
          affine.shift[c] + (bias != nullptr ? bias->data<float>()[c] * affine.scale[c] : 0.0f);
    if (!is_finite(sum)) return MatchResult::none("its bias would not be finite");
    inputs.resize(3, ir::kNone);
    inputs[2] = patch.constant(std::move(sum), "bias");
  }
  patch.replace(reader->outputs[0], patch.emit(node.op, std::move(inputs), node.attributes, node.name));
  patch.remove(id);
  patch.remove(reader->id);
  return patch;
}

}  // namespace onnxrun::optimize
