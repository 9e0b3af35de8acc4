// The modes, over a graph and its bodies.
#include "quantise/quantise.h"

#include "base/error.h"
#include "optimize/reading.h"
#include "quantise/forms.h"

namespace onnxrun::quantise {

using base::Code;

const std::vector<std::string>& preparing_passes() {
  static const auto& passes = *new std::vector<std::string>{"eliminate-dead",
                                                            "eliminate-identity",
                                                            "inline-if",
                                                            "eliminate-no-op",
                                                            "fold-constants",
                                                            "merge-transposes",
                                                            "fold-pads",
                                                            "fold-scale-into-weights",
                                                            "share-duplicate-initializers",
                                                            "share-common-subexpressions",
                                                            "eliminate-unused-initializers"};
  return passes;
}

const std::vector<std::string>& finishing_passes() {
  static const auto& passes =
      *new std::vector<std::string>{"eliminate-dead", "eliminate-no-op", "merge-casts", "share-common-subexpressions",
                                    "eliminate-unused-initializers"};
  return passes;
}

void refuse_quantised(const ir::Graph& graph) {
  for (size_t i = 0; i < graph.node_capacity(); ++i) {
    if (!graph.has_node(static_cast<ir::NodeId>(i))) continue;
    const ir::Node& node = graph.node(static_cast<ir::NodeId>(i));
    const std::string_view op = node.op->name;
    for (const std::string_view sign :
         {"Quantize", "QLinear", "Integer", "MatMulNBits", "MatMulBnb4", "BlockQuantized", "QGemm", "QAttention"})
      if (op.find(sign) != std::string_view::npos && op != "BitShift")
        base::fail(Code::kUnsupported,
                   "the model is quantised already: it has {}; quantise the "
                   "float32 model that it was made from",
                   node.describe(graph));
    for (const ir::Body& body : node.bodies) refuse_quantised(*body.graph);
  }
}

void quantise(Work& work) {
  switch (work.settings.mode) {
    case Mode::kWeights: quantise_weights(work); break;
    case Mode::kDynamic: quantise_dynamic(work); break;
    case Mode::kStatic: quantise_static(work); break;
    case Mode::kFloat: narrow_floats(work); return;
  }
  if (work.settings.mode == Mode::kStatic) return;
  for (size_t i = 0; i < work.graph.node_capacity(); ++i) {
    if (!work.graph.has_node(static_cast<ir::NodeId>(i))) continue;
    for (ir::Body& body : work.graph.node(static_cast<ir::NodeId>(i)).bodies) {
      Work inner{*body.graph, work.table, work.settings, work.observed, work.skipped, work.notes, {}, {}};
      quantise(inner);
    }
    // A body may read a weight of the graph around it no more.
    work.graph.refresh_captures(static_cast<ir::NodeId>(i));
  }
}

Wanted wanted_of(const ir::Graph& graph, const Settings& settings) {
  Wanted result;
  const auto name = [&](ir::ValueId value) { return graph.value(value).name; };
  for (size_t i = 0; i < graph.node_capacity(); ++i) {
    if (!graph.has_node(static_cast<ir::NodeId>(i))) continue;
    const ir::Node& node = graph.node(static_cast<ir::NodeId>(i));
    const bool product = optimize::is(node, "MatMul") || optimize::is(node, "Gemm"),
               convolution = optimize::is(node, "Conv") && is_pointwise(graph, node);
    if (settings.mode == Mode::kWeights && (product || convolution) &&
        optimize::constant(graph, node.inputs[1]) != nullptr) {
      const int64_t axis = product ? -1 : 1;
      if (settings.rounding == Rounding::kAware) result.channels[name(node.inputs[0])] = axis;
      if (settings.rounding == Rounding::kCompensated) result.pairs[name(node.inputs[0])] = axis;
    }
    // For biases that make up for mean errors.
    if ((settings.mode == Mode::kDynamic || settings.mode == Mode::kStatic) && settings.correct_bias &&
        (optimize::is(node, "Conv") || (product && settings.mode == Mode::kStatic)))
      result.channels[name(node.inputs[0])] = product ? -1 : 1;
    if (settings.mode != Mode::kStatic && settings.mode != Mode::kFloat) continue;
    for (const auto* list : {&node.inputs, &node.outputs})
      for (const ir::ValueId value : *list)
        if (value != ir::kNone && graph.value(value).fact.dtype == base::DType::kFloat32 &&
            !graph.value(value).fact.constant)
          result.ranges.insert(name(value));
  }
  return result;
}

}  // namespace onnxrun::quantise
