// Shapes of the inputs that operators of grouped attention share.
#include "ops/grouped_inputs.h"

#include "base/checked.h"
#include "ops/known_values.h"

namespace onnxrun::ops {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

const Shape* ranked_input(InferContext& c, size_t i, const char* name, size_t rank) {
  const Shape* shape = c.shape(i);
  if (shape != nullptr && shape->size() != rank)
    c.fail("'{}' must have rank {}, got {}", name, rank, c.input(i).to_string());
  return shape;
}

std::optional<GroupedSources> read_grouped_sources(InferContext& c, int64_t heads, int64_t kv_heads) {
  if (c.has_input(1) != c.has_input(2)) c.fail("'key' and 'value' must be given together");
  const Shape* query = ranked_input(c, 0, "query", 3);
  if (query == nullptr) return std::nullopt;
  const int64_t parts = c.has_input(1) ? heads : base::checked_add(heads, base::checked_mul(kv_heads, 2));
  const Dim& width = (*query)[2];
  if (width.is_constant() && width.value() % parts != 0)
    c.fail("the last dim of 'query', {}, is no multiple of {} heads", width.value(), parts);
  const GroupedSources result{(*query)[0], (*query)[1], exact_div(width, parts)};
  for (size_t i : {1, 2}) {
    const Shape* shape = ranked_input(c, i, i == 1 ? "key" : "value", 3);
    if (shape == nullptr) continue;
    unify(c, result.batch, (*shape)[0], "the batch sizes of 'query', 'key' and 'value'");
    unify(c, result.length, (*shape)[1], "the lengths of 'query', 'key' and 'value'");
    unify(c, Dim(kv_heads) * result.head, (*shape)[2],
          "kv_num_heads times the head size and the last dim of 'key' and 'value'");
  }
  return result;
}

void check_rotary_caches(InferContext& c, size_t cos_input, size_t sin_input, const Dim& head) {
  if (c.has_input(cos_input) != c.has_input(sin_input)) c.fail("'cos_cache' and 'sin_cache' must be given together");
  const Shape *cos = ranked_input(c, cos_input, "cos_cache", 2), *sin = ranked_input(c, sin_input, "sin_cache", 2);
  if (cos == nullptr) return;
  for (size_t d = 0; sin != nullptr && d < 2; ++d)
    unify(c, (*cos)[d], (*sin)[d], "the dims of 'cos_cache' and 'sin_cache'");
  if ((*cos)[1].is_constant() && head.is_constant() && 2 * (*cos)[1].value() > head.value())
    c.fail("'cos_cache' rotates {} pairs, but heads have {} elements", (*cos)[1].value(), head.value());
}

}  // namespace onnxrun::ops
