// What inference knows of shape-carrying integers, and how it passes known contents on.
#pragma once

#include <optional>

#include "ir/infer.h"

namespace onnxrun::ops {

// Sets output 0 to the elements of input 0 in another shape: type, shape and known contents.
void set_reshaped(ir::InferContext& c, std::optional<ir::Shape> shape);

// The shape of input i, if its rank is known.
std::optional<ir::Shape> shape_of(const ir::InferContext& c, size_t i);

// Whether a value is 0 or more; nullopt when that is open. See ir::range_of.
std::optional<bool> is_non_negative(const ir::Dim& value);

// max(value, 0), without the max where it says nothing.
ir::Dim at_least_zero(const ir::Dim& value);

// What two dims that must be equal are. Throws kInvalidModel where they are different constants.
ir::Dim unify(ir::InferContext& c, const ir::Dim& a, const ir::Dim& b, std::string_view what);

// Refuses ranks beyond what any tensor may have.
void check_rank(ir::InferContext& c, size_t rank);

// A dim that a shape tensor asks for: refuses negative constants.
ir::Dim checked_dim(ir::InferContext& c, const ir::Dim& value, std::string_view what);

}  // namespace onnxrun::ops
