// What models take beside their tensors: names, notes, attributes, nodes.
#pragma once

#include <cstdint>
#include <memory>

#include "base/buffer.h"
#include "ir/graph.h"

namespace onnxrun::ir {

// Of lists and text, outside of the value itself; tensors have budgets of their own.
int64_t bytes_of(const AttributeValue& value);
// Of a graph with its bodies.
int64_t bytes_of(const Graph& graph);
// Of its graph, and of what it says beside it.
int64_t bytes_of(const Model& model);

// The model, charged to `budget` for as long as it lives; `storage` becomes its own. Throws kLimitExceeded.
Model charged(Model model, std::shared_ptr<const void> storage, base::BudgetPtr budget);
// A copy that is charged to `budget`, before it is made and for as long as it lives. Throws kLimitExceeded.
Model charged_clone(const Model& model, const base::BudgetPtr& budget);

}  // namespace onnxrun::ir
