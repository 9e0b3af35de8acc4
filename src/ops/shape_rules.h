// Shape rules that several operators share.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ir/infer.h"

namespace onnxrun::ops {

// The shape that `a` and `b` broadcast to (multidirectional broadcasting). Where one dim is a constant other than 1 it holds; where neither
// is known enough the result is unknown. Throws kInvalidModel naming both shapes where constants differ.
ir::Shape broadcast_shapes(const ir::Shape& a, const ir::Shape& b);

// The shape that inputs [0, count) of a node broadcast to; nullopt when a rank is unknown. Throws kInvalidModel.
std::optional<ir::Shape> broadcast_inputs(const ir::InferContext& c, size_t count);

// Checks that input `i`, called `name`, broadcasts to `shape` without enlarging it (unidirectional broadcasting). Throws kInvalidModel.
void check_broadcasts_to(const ir::InferContext& c, size_t i, std::string_view name, const ir::Shape& shape);

// The shape after reducing `axes` (may be negative; no duplicates) to 1 or, without `keepdims`, removing them. Throws kInvalidArgument
// for an axis out of range.
ir::Shape reduce_shape(const ir::Shape& shape, std::span<const int64_t> axes, bool keepdims);

// numpy.matmul on shapes: rank 1 is promoted and its axis removed again, leading axes broadcast. Throws kInvalidModel naming both shapes.
ir::Shape matmul_shape(const ir::Shape& a, const ir::Shape& b);

}  // namespace onnxrun::ops
