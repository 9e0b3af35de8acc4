// Signs of symbolic integers and passing on of known contents.
#include "ops/known_values.h"

#include <set>

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
  if (value.is_constant()) return value.value() >= 0;
  if (value.is_unknown()) return std::nullopt;
  constexpr int64_t kSmall = 1, kLarge = 1'000'003;
  std::set<std::string, std::less<>> symbols;
  value.visit_symbols([&](std::string_view name) { symbols.emplace(name); });
  std::optional<bool> answer;
  auto agrees = [&](const std::function<Dim(std::string_view)>& lookup) {
    try {
      const Dim sample = value.substitute(lookup);
      if (!sample.is_constant()) return false;
      const bool here = sample.value() >= 0;
      if (answer && *answer != here) return false;
      answer = here;
      return true;
    } catch (const base::Error&) {
      return false;
    }
  };
  if (!agrees([](std::string_view) { return Dim(kSmall); })) return std::nullopt;
  if (!agrees([](std::string_view) { return Dim(kLarge); })) return std::nullopt;
  for (const std::string& symbol : symbols) {
    if (!agrees([&](std::string_view name) { return Dim(name == symbol ? kLarge : kSmall); })) return std::nullopt;
    if (!agrees([&](std::string_view name) { return Dim(name == symbol ? kSmall : kLarge); })) return std::nullopt;
  }
  return answer;
}

Dim at_least_zero(const Dim& value) {
  if (value.is_unknown()) return value;
  const auto sign = is_non_negative(value);
  if (sign && *sign) return value;
  return max(value, Dim(0));
}

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
