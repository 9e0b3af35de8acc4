// Weights taken out: what is left has the model's structure and runs, on zeros.
#include "edit/editor.h"

namespace onnxrun::edit {

namespace {

size_t strip(ir::Graph& graph, const ir::OpTable& table, int64_t min_bytes) {
  size_t count = 0;
  const size_t values = graph.value_count();
  for (size_t i = 0; i < values; ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    const ir::Value& value = graph.value(id);
    const ir::Tensor tensor = value.fact.constant;
    if (value.removed || !tensor || value.producer != ir::kNone || value.is_input || value.outer != ir::kNone) continue;
    if (!base::is_float(tensor.dtype()) || static_cast<int64_t>(tensor.bytes()) < min_bytes || value.consumers.empty())
      continue;
    if (base::dtype_bits(tensor.dtype()) < 8) continue;
    ir::Tensor zero(tensor.dtype(), {1});
    std::fill_n(static_cast<std::byte*>(zero.mutable_raw()), zero.bytes(), std::byte{0});
    ir::Node fill;
    fill.op = table.get("", "ConstantOfShape");
    fill.attributes.set("value", zero);
    fill.inputs = {
        graph.add_constant(ir::Tensor::vector<int64_t>(tensor.dims()), graph.fresh_name(value.name + "_shape"))};
    fill.outputs = {id};
    fill.origin = {value.name};
    graph.value(id).fact = ir::Fact::tensor(tensor.dtype(), ir::make_shape(tensor.dims()));
    graph.add_node(std::move(fill));
    ++count;
  }
  for (size_t i = 0; i < graph.node_capacity(); ++i)
    if (graph.has_node(static_cast<ir::NodeId>(i)))
      for (ir::Body& body : graph.node(static_cast<ir::NodeId>(i)).bodies)
        count += strip(*body.graph, table, min_bytes);
  return count;
}

}  // namespace

size_t Editor::strip_weights(int64_t min_bytes) { return strip(*model_.graph, table_, min_bytes); }

}  // namespace onnxrun::edit
