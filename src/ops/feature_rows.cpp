// Shape rules of ai.onnx.ml's models.
#include "ops/feature_rows.h"

namespace onnxrun::ops {

FeatureRows feature_rows(const ir::InferContext& c) {
  const ir::Shape* shape = c.shape(0);
  if (shape == nullptr) return {};
  if (shape->size() == 1) return {1, shape->front()};
  if (shape->size() == 2) return {shape->front(), shape->back()};
  c.fail("'X' must have the shape [N,F] or [F], got {}", c.input(0).to_string());
}

void check_per_feature(const ir::InferContext& c, std::string_view attribute, size_t length) {
  if (length == 1) return;
  const ir::Shape* shape = c.shape(0);
  if (shape == nullptr || shape->empty() || !shape->back().is_constant()) return;
  if (shape->back().value() != static_cast<int64_t>(length))
    c.fail("'{}' has {} elements, but must have 1 or one for each feature of 'X' {}", attribute, length,
           c.input(0).to_string());
}

size_t attribute_length(const ir::InferContext& c, std::string_view attribute) {
  const ir::AttributeValue* value = c.attributes().find(attribute);
  if (value == nullptr) return 0;
  if (const auto* floats = std::get_if<std::vector<float>>(value)) return floats->size();
  if (const auto* ints = std::get_if<std::vector<int64_t>>(value)) return ints->size();
  if (const auto* strings = std::get_if<std::vector<std::string>>(value)) return strings->size();
  return 0;
}

void set_classes(ir::InferContext& c, base::DType labels, const ir::Dim& rows, const ir::Dim& columns) {
  c.set(0, labels, ir::Shape{rows});
  c.set(1, base::DType::kFloat32, ir::Shape{rows, columns});
}

}  // namespace onnxrun::ops
