// What passes ask about the neighbourhood of a node.
#pragma once

#include <string_view>

#include "ir/graph.h"

namespace onnxrun::optimize {

// Whether a node is of an operator; domain "" is ai.onnx.
bool is_op(const ir::Node& node, std::string_view op, std::string_view domain = {});

// The node that produces a value when it is of the operator, else null.
const ir::Node* made_by(const ir::Graph& graph, ir::ValueId value, std::string_view op, std::string_view domain = {});

// Whether exactly one node reads the value, in one place, and it is no output of the graph.
bool read_once(const ir::Graph& graph, ir::ValueId value);

// Input i of a node; kNone where it has none.
ir::ValueId input_of(const ir::Node& node, size_t i);

// Whether a value is known to have one element.
bool has_one_element(const ir::Graph& graph, ir::ValueId value);

// Whether two values are one, or constants of the same type and elements; shapes are not compared.
bool same_constant(const ir::Graph& graph, ir::ValueId a, ir::ValueId b);

}  // namespace onnxrun::optimize
