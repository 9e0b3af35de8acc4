// Checks on the inputs of operators over images.
#include "ops/image_inputs.h"

#include <algorithm>

namespace onnxrun::ops {

using ir::Dim;
using ir::Shape;

Shape windowed(const ir::InferContext& c, const Shape& in, const Dim& channels, const std::vector<int64_t>& weights) {
  Shape out = in;
  const auto kernel = read_kernel(c.attributes(), in.size() - 2, weights);
  if (std::find(kernel.begin(), kernel.end(), -1) == kernel.end())
    out = window_shape(read_window(c.attributes(), kernel), in);
  else std::fill(out.begin() + 2, out.end(), Dim());
  out[1] = channels;
  return out;
}

const Shape* spatial_input(const ir::InferContext& c, size_t i, std::string_view name) {
  const Shape* shape = c.shape(i);
  if (shape != nullptr && shape->size() < 3)
    c.fail("input '{}' has the shape {}, expected [N, C, D1, ...] with at least one spatial axis", name,
           ir::to_string(*shape));
  return shape;
}

void require_equal(const ir::InferContext& c, const Dim& a, const Dim& b, std::string_view what) {
  if (a.is_constant() && b.is_constant() && a.value() != b.value())
    c.fail("{}: {} and {} differ", what, a.value(), b.value());
}

void require_vector(const ir::InferContext& c, size_t i, std::string_view name, const Dim& size) {
  const Shape* shape = c.shape(i);
  if (shape == nullptr) return;
  if (shape->size() != 1 || ((*shape)[0].is_constant() && size.is_constant() && (*shape)[0].value() != size.value()))
    c.fail("input '{}' has the shape {}, expected [{}]", name, ir::to_string(*shape), size.to_string());
}

}  // namespace onnxrun::ops
