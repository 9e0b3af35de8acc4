// Checks on scales and zero points, and the canonical nodes around a float32 computation on quantised values.
#include "ops/quantization_inputs.h"

namespace onnxrun::ops {

using ir::ValueId;

void require_one_element(const ir::InferContext& c, size_t i, std::string_view name) {
  const ir::Shape* shape = c.shape(i);
  if (shape == nullptr) return;
  for (const ir::Dim& dim : *shape)
    if (dim.is_constant() && dim.value() != 1)
      c.fail("input '{}' has the shape {}, expected a scalar", name, ir::to_string(*shape));
}

ValueId dequantized(ir::Expansion& e, ValueId x, ValueId scale, ValueId zero) {
  std::vector<ValueId> inputs = {x, scale};
  if (zero != ir::kNone) inputs.push_back(zero);
  return e.emit("DequantizeLinear", std::move(inputs));
}

void finish_quantized(ir::Expansion& e, ValueId y, ValueId scale, ValueId zero, ir::DType type) {
  if (zero != ir::kNone) e.finish("QuantizeLinear", {y, scale, zero});
  else e.finish("QuantizeLinear", {y, scale}, {{"output_dtype", static_cast<int64_t>(type)}});
}

ValueId channels_first(ir::Expansion& e, ValueId x, int64_t rank) {
  std::vector<int64_t> perm = {0, rank - 1};
  for (int64_t i = 1; i + 1 < rank; ++i) perm.push_back(i);
  return e.emit("Transpose", {x}, {{"perm", perm}});
}

ValueId channels_last(ir::Expansion& e, ValueId x, int64_t rank) {
  std::vector<int64_t> perm = {0};
  for (int64_t i = 2; i < rank; ++i) perm.push_back(i);
  perm.push_back(1);
  return e.emit("Transpose", {x}, {{"perm", perm}});
}

}  // namespace onnxrun::ops
