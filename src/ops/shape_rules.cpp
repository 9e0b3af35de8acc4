// Broadcasting, reduction and matrix products of symbolic shapes.
#include "ops/shape_rules.h"

#include <algorithm>
#include <vector>

namespace onnxrun::ops {

using ir::Dim;
using ir::Shape;

namespace {

bool is_one(const Dim& dim) { return dim.is_constant() && dim.value() == 1; }

// What cannot be 1 is what the other broadcasts to.
bool may_be_one(const Dim& dim) { return ir::range_of(dim).holds(1); }

// Whether `capped` is min(dim, c) for a constant c of 1 or more, as slices of tables with c rows are: where the two broadcast at all,
// they broadcast to `dim`.
bool is_capped(const Dim& capped, const Dim& dim) {
  if (!capped.is_symbolic() || !dim.is_symbolic()) return false;
  // What symbols are taken for to find c: beyond the rows of tables, and beyond the billion that means "all".
  for (const int64_t far : {int64_t{1'000'003}, int64_t{1} << 40}) {
    try {
      const Dim cap = capped.substitute([far](std::string_view) { return Dim(far); });
      if (cap.is_constant() && cap.value() >= 1 && min(dim, cap) == capped) return true;
    } catch (const base::Error&) {  // too large to tell
      return false;
    }
  }
  return false;
}

}  // namespace

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape result(rank, Dim(1));
  for (size_t i = 0; i < rank; ++i) {
    const Dim left = i < a.size() ? a[a.size() - 1 - i] : Dim(1);
    const Dim right = i < b.size() ? b[b.size() - 1 - i] : Dim(1);
    Dim& out = result[rank - 1 - i];
    if (is_one(left)) out = right;
    else if (is_one(right)) out = left;
    else if (left.is_constant() && right.is_constant()) {
      if (left.value() != right.value())
        base::fail(base::Code::kInvalidModel,
                   "shapes {} and {} do not broadcast: dimensions {} and {} differ and neither is 1", ir::to_string(a),
                   ir::to_string(b), left.value(), right.value());
      out = left;
    } else if (left.is_constant()) out = left;
    else if (right.is_constant()) out = right;
    else if (left == right || is_capped(right, left)) out = left;
    else if (is_capped(left, right)) out = right;
    else if (!may_be_one(left)) out = left;
    else out = may_be_one(right) ? Dim() : right;
  }
  return result;
}

std::optional<Shape> broadcast_inputs(const ir::InferContext& c, size_t count) {
  Shape result;
  bool known = true;
  for (size_t i = 0; i < count; ++i) {
    const Shape* shape = c.shape(i);
    if (shape == nullptr) known = false;
    else result = broadcast_shapes(result, *shape);
  }
  if (!known) return std::nullopt;
  return result;
}

void check_broadcasts_to(const ir::InferContext& c, size_t i, std::string_view name, const Shape& shape) {
  const Shape* from = c.shape(i);
  if (from == nullptr) return;
  bool fits = from->size() <= shape.size();
  for (size_t d = 0; fits && d < from->size(); ++d) {
    const Dim& have = (*from)[from->size() - 1 - d];
    const Dim& want = shape[shape.size() - 1 - d];
    fits = is_one(have) || !have.is_constant() || !want.is_constant() || have.value() == want.value();
  }
  if (!fits)
    c.fail("input '{}' of shape {} does not broadcast to {}", name, ir::to_string(*from), ir::to_string(shape));
}

Shape reduce_shape(const Shape& shape, std::span<const int64_t> axes, bool keepdims) {
  std::vector<bool> reduced(shape.size(), false);
  for (int64_t axis : base::normalize_axes(axes, static_cast<int64_t>(shape.size())))
    reduced[static_cast<size_t>(axis)] = true;
  Shape result;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!reduced[i]) result.push_back(shape[i]);
    else if (keepdims) result.push_back(Dim(1));
  }
  return result;
}

Shape matmul_shape(const Shape& a, const Shape& b) {
  const auto refuse = [&](std::string_view why) {
    base::fail(base::Code::kInvalidModel, "shapes {} and {} cannot be multiplied as matrices: {}", ir::to_string(a),
               ir::to_string(b), why);
  };
  if (a.empty() || b.empty()) refuse("both must have rank 1 or more");
  const Dim &inner_a = a.back(), &inner_b = b.size() == 1 ? b[0] : b[b.size() - 2];
  if (inner_a.is_constant() && inner_b.is_constant() && inner_a.value() != inner_b.value())
    refuse(fmt::format("the inner sizes are {} and {}", inner_a.value(), inner_b.value()));
  Shape result = broadcast_shapes(Shape(a.begin(), a.end() - std::min<ptrdiff_t>(2, static_cast<ptrdiff_t>(a.size()))),
                                  Shape(b.begin(), b.end() - std::min<ptrdiff_t>(2, static_cast<ptrdiff_t>(b.size()))));
  if (a.size() > 1) result.push_back(a[a.size() - 2]);
  if (b.size() > 1) result.push_back(b.back());
  return result;
}

}  // namespace onnxrun::ops
