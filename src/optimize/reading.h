// What passes ask about the surroundings of a node: who makes a value, who reads it, whether it is a known number.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace onnxrun::optimize {

bool is(const ir::Node& node, std::string_view op, std::string_view domain = "");

// The node that makes `value`; null for inputs, constants and captures.
const ir::Node* producer(const ir::Graph& graph, ir::ValueId value);
// The same when it is of the operator, else null; domain "" is ai.onnx.
const ir::Node* made_by(const ir::Graph& graph, ir::ValueId value, std::string_view op, std::string_view domain = "");

// Whether one node reads `value`, once, and it is no output of the graph: a pass that takes the reader away may take its producer too.
bool read_once(const ir::Graph& graph, ir::ValueId value);
// The only reader of such a value, else null.
const ir::Node* only_reader(const ir::Graph& graph, ir::ValueId value);

// Whether an operator of ai.onnx computes each element of its one result from one element of each input, after broadcasting.
bool is_elementwise(const ir::Node& node);

// The shape of a tensor, some of whose dims may be unknown; null where its rank is not known.
const ir::Shape* known_shape(const ir::Graph& graph, ir::ValueId value);
// Whether a value is known to have one element.
bool has_one_element(const ir::Graph& graph, ir::ValueId value);
// Whether both have the same type and elements; shapes are not compared.
bool same_elements(const base::Tensor& a, const base::Tensor& b);
// Whether two values are one, or constants of the same type and elements; shapes are not compared.
bool same_constant(const ir::Graph& graph, ir::ValueId a, ir::ValueId b);

// The value when it is known, else null.
const base::Tensor* constant(const ir::Graph& graph, ir::ValueId value);
// A known float32 tensor, else null.
const base::Tensor* float_constant(const ir::Graph& graph, ir::ValueId value);
// The same where its last dims are `sizes` and any before them 1, else null.
const base::Tensor* float_parameters(const ir::Graph& graph, ir::ValueId value, std::span<const int64_t> sizes);
// float16 and bfloat16.
bool is_narrow_float(ir::DType type);
// float32 for those, any other type itself.
ir::DType widened_type(ir::DType type);
// Whether a known float32 tensor holds neither infinity nor NaN, as a product of two may where neither does.
bool is_finite(const base::Tensor& tensor);
// The elements of a float32, float16 or bfloat16 tensor as float32.
base::Tensor as_float(const base::Tensor& tensor);
// The number in a known tensor of one element.
std::optional<double> number(const ir::Graph& graph, ir::ValueId value);
// All values of a known integer tensor.
std::optional<std::vector<int64_t>> integers(const ir::Graph& graph, ir::ValueId value);

// Whether a constant of a file stands for `wanted`: it is that number in the type that is computed in, or written with at least five digits, twelve where that
// is float64.
bool stands_for(double found, double wanted, ir::DType type);

// Whether both are tensors of equal type and provably equal shapes.
bool same_type_and_shape(const ir::Fact& a, const ir::Fact& b);
// Whether both are tensors of equal type and known, equal rank: where one was computed from the other and from single numbers only, their
// shapes are then equal too.
bool same_type_and_rank(const ir::Fact& a, const ir::Fact& b);

// Whether entry `i` of what a Reshape is asked for may be a 0, which copies a dim.
bool may_copy(const ir::Graph& graph, const ir::Node& reshape, size_t i);
// Whether a Reshape makes the same of a value of shape `after` as of one of shape `before`, of the same elements in the same order.
bool reshapes_alike(const ir::Graph& graph, const ir::Node& reshape, const ir::Shape& before, const ir::Shape& after);

// Input `i`; kNone beyond the end.
ir::ValueId input(const ir::Node& node, size_t i);
// The other of two inputs; kNone when `value` is neither.
ir::ValueId other_input(const ir::Node& node, ir::ValueId value);

// Whether any of `values` is computed, by whatever way, from a result of one of `nodes`.
bool depends_on(const ir::Graph& graph, const std::vector<ir::ValueId>& values, std::span<const ir::NodeId> nodes);

// A float32 tensor of `count` elements that are all `value`.
base::Tensor filled(int64_t count, float value);

}  // namespace onnxrun::optimize
