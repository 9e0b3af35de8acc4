// Makes one DynamicQuantizeMatMul of a DynamicQuantizeLinear and the only product that reads what it makes.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_fuse_dynamic_quantization(const PassContext& context, ir::NodeId id) {
  constexpr const char* kDomain = "com.microsoft";
  const ir::Graph& graph = context.graph;
  const ir::Node& product = graph.node(id);
  if (!is(product, "MatMulIntegerToFloat", kDomain)) return MatchResult::none("no product with scales");
  const ir::Node* quantize = made_by(graph, product.inputs[0], "DynamicQuantizeLinear");
  if (quantize == nullptr || quantize->outputs.size() != 3) return MatchResult::none("not quantised when it runs");
  const size_t places[] = {0, 2, 4};  // the value, its scale, its zero point
  for (size_t i = 0; i < 3; ++i)
    if (quantize->outputs[i] == ir::kNone || input(product, places[i]) != quantize->outputs[i] ||
        !read_once(graph, quantize->outputs[i]))
      return MatchResult::none("what it is quantised to is read elsewhere");
  ir::Node fused;
  fused.op = context.table.find(kDomain, "DynamicQuantizeMatMul");
  fused.inputs = {quantize->inputs[0], product.inputs[1], product.inputs[3], input(product, 5), input(product, 6)};
  fused.outputs = product.outputs;
  if (context.capabilities == nullptr || !context.capabilities->accepts(graph, fused))
    return MatchResult::none("no kernel takes it");
  ir::Patch patch(graph, "fuse dynamic quantisation");
  patch.replace(product.outputs[0], patch.emit(fused.op, fused.inputs, {}, product.name));
  patch.remove(id);
  patch.remove(quantize->id);
  return patch;
}

}  // namespace onnxrun::optimize
