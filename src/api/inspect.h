// Parts of the report on a model that list every value, weight or step.
#pragma once

#include "api/json.h"
#include "ir/dim.h"
#include "ir/graph.h"
#include "plan/program.h"

namespace onnxrun::api {

// Every value of the graph and of its bodies: name, type, whether its shape is fully known or symbolic. `known`: {"values": N, "of": M}.
Json values_json(const ir::Graph& graph, Json& known);

// Every initializer: name, type, bytes, and of real numbers minimum, maximum and mean.
Json weights_json(const ir::Graph& graph);

// A number, or the formula of one.
Json count_json(const ir::Dim& count);

// The graph with its bodies.
Json graph_json(const ir::Graph& graph);

// Every step in the order it runs: node, operator, provider, kernels that accepted and the reasons of those that did not.
Json steps_json(const plan::Program& program);

}  // namespace onnxrun::api
