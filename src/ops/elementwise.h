// Inference and lifts that the elementwise operators share.
#pragma once

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ops/shape_rules.h"

namespace onnxrun::ops {

// Output 0 has the type and shape of input 0.
void infer_like_first(ir::InferContext& c);

// Output 0 has the type of input 0 (or is bool) and the shape that all inputs broadcast to.
void infer_broadcast(ir::InferContext& c);
void infer_broadcast_bool(ir::InferContext& c);

// Carries the known elements of shape arithmetic through an operator: `f` of input elements, broadcast between rank 0
// and 1, is what is known of output 0's. Only for int32, int64 and bool outputs; what overflows or divides by zero is
// unknown.
void propagate(ir::InferContext& c, ir::Dim (*f)(const ir::Dim&));
void propagate(ir::InferContext& c, ir::Dim (*f)(const ir::Dim&, const ir::Dim&));
void propagate(ir::InferContext& c, ir::Dim (*f)(const ir::Dim&, const ir::Dim&, const ir::Dim&));

// The answer of a comparison as an element: 1, 0, or unknown.
inline ir::Dim truth(bool known, bool value) { return known ? ir::Dim(value ? 1 : 0) : ir::Dim(); }

// Forms of opset 1: `consumed_inputs` has no meaning. Keeps the node otherwise.
void lift_without_consumed_inputs(ir::Expansion& e, int since);

// Binary operators before opset 7: `broadcast` and `axis` say where B's dims lie among A's; B gets dims of 1 after its
// last.
void lift_limited_broadcast(ir::Expansion& e, int since);
void lower_limited_broadcast(ir::Lowering& l, int opset);

// Whether both shapes are known and the same.
bool same_shape(const ir::Fact& a, const ir::Fact& b);

}  // namespace onnxrun::ops
