// Signs of symbolic integers and passing on of known contents.
#include "ops/known_values.h"

#include "base/limits.h"
#include "base/shape.h"

namespace onnxrun::ops {

using ir::Dim;
using ir::Fact;
using ir::InferContext;
using ir::Shape;

void set_reshaped(InferContext& c, std::optional<Shape> shape) {
  const base::Tensor* constant = c.constant(0);
  if (constant != nullptr && shape) {
    if (const auto dims = ir::concrete(*shape)) {
      c.set(0, Fact::of(constant->reshaped(*dims)));
      return;
    }
  }
  const bool tracked = shape && shape->size() <= 1;
  c.set(0, c.dtype(0), std::move(shape));
  if (!tracked) return;
  if (auto elements = c.elements(0)) c.set_elements(0, std::move(*elements));
}

std::optional<Shape> shape_of(const InferContext& c, size_t i) {
  const Shape* shape = c.shape(i);
  return shape != nullptr ? std::optional<Shape>(*shape) : std::nullopt;
}

std::optional<bool> is_non_negative(const Dim& value) {
  const ir::DimRange range = ir::range_of(value);
  if (range.low >= 0) return true;
  return range.high < 0 ? std::optional<bool>(false) : std::nullopt;
}

Dim at_least_zero(const Dim& value) { return max(value, Dim(0)); }

Dim unify(InferContext& c, const Dim& a, const Dim& b, std::string_view what) {
  if (a.is_constant() && b.is_constant() && a.value() != b.value())
    c.fail("{} must be equal, got {} and {}", what, a.value(), b.value());
  if (b.is_constant() || a.is_unknown()) return b;
  return a;
}

void check_rank(InferContext& c, size_t rank) {
  static const int64_t kMaxRank = base::Limits().max_rank;
  if (rank > static_cast<size_t>(kMaxRank))
    c.fail("the output would have {} dimensions; {} is the most", rank, kMaxRank);
}

Dim checked_dim(InferContext& c, const Dim& value, std::string_view what) {
  if (value.is_constant() && value.value() < 0) c.fail("{} must not be negative, got {}", what, value.value());
  return value;
}

}  // namespace onnxrun::ops
