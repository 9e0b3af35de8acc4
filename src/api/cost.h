// What a node costs, from the shapes that are known of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ir/dim.h"
#include "ir/graph.h"

namespace onnxrun::api {

// Floating-point (or integer) operations: two for each multiply-add of convolutions, matrix products and recurrent nets, one an element of the first output
// otherwise, none where bytes are only moved. Unknown where a shape is. Bodies are not counted.
ir::Dim node_operations(const ir::Graph& graph, const ir::Node& node);

// The same at the shapes of a run; nullopt where those that count are not there.
std::optional<int64_t> node_operations(const ir::Node& node, std::span<const std::optional<base::Dims>> inputs,
                                       std::span<const std::optional<base::Dims>> outputs);

// Bytes of a value; unknown where its shape is.
ir::Dim value_bytes(const ir::Fact& fact);

// Bytes of all inputs and outputs of a node.
ir::Dim node_bytes(const ir::Graph& graph, const ir::Node& node);

// Bytes alive at the worst moment of a run in topological order, outputs and inputs included, constants not, each symbol counted as `symbol`.
int64_t peak_bytes(const ir::Graph& graph, int64_t symbol);

}  // namespace onnxrun::api
