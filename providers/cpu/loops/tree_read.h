// Reading decision trees from the attributes of ai.onnx.ml's tree operators.
#pragma once

#include "cpu/cpu.h"
#include "cpu/loops/tree_ensemble.h"

namespace onnxrun::cpu {

// Each throws kInvalidModel where attributes do not fit together; the result has passed TreeModel::check.

// TreeEnsembleClassifier and TreeEnsembleRegressor, whose nodes have ids; the leaves' votes are in attributes called `votes`_ids,
// `votes`_weights and so on.
TreeModel read_trees_by_id(const Node& node, const std::string& votes, int64_t targets, TreeAggregate aggregate);

// TreeEnsemble, whose nodes and leaves are known by their positions.
TreeModel read_trees_by_position(const Node& node);

// The numbers of attribute `name` (floats) or `name`_as_tensor; throws kInvalidModel when both are given. `wide` is set for float64.
std::vector<double> read_numbers(const Node& node, const std::string& name, bool* wide = nullptr);

}  // namespace onnxrun::cpu
