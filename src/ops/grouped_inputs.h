// Shapes of the inputs that operators of grouped attention share: queries, keys and values, and the rotary caches.
#pragma once

#include <optional>

#include "ir/infer.h"

namespace onnxrun::ops {

// The shape of input i, which must have this rank; null when absent or unknown. Throws kInvalidModel.
const ir::Shape* ranked_input(ir::InferContext& c, size_t i, const char* name, size_t rank);

struct GroupedSources {
  ir::Dim batch, length, head;
};
// Inputs 0 to 2, 'query', 'key' and 'value' [batch, length, heads*size]; all heads lie in the query where there is no key. nullopt where the
// query's rank is unknown. Throws kInvalidModel where they do not fit.
std::optional<GroupedSources> read_grouped_sources(ir::InferContext& c, int64_t heads, int64_t kv_heads);

// Refuses 'cos_cache' and 'sin_cache' at inputs `cos` and `sin` that differ or turn more pairs than a head has.
void check_rotary_caches(ir::InferContext& c, size_t cos, size_t sin, const ir::Dim& head);

}  // namespace onnxrun::ops
