// What declarations add to what inference finds: types, and the ranks of outputs. A declared shape may be wrong - that of the example a model was traced
// with, or a lie - so nothing is ever inferred from one.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace onnxrun::ir {

// Kind and element types, without shapes and values.
Fact only_type(const Fact& fact);

// Gives `fact` the declared type where inference finds none. False, and nothing done, where the types contradict. A run compares such types with what comes.
bool complete_type(Fact& fact, const Fact& declared);

// Gives a tensor of unknown rank the declared one, which ONNX wants for outputs: for people and files, after all nodes have been inferred.
void complete_rank(Fact& fact, const Fact& declared);

// Whether what the bodies of an operator's nodes declare is a contract, which a run checks: those of com.microsoft's text generators.
inline bool bodies_keep_declarations(std::string_view domain) { return domain == "com.microsoft"; }

// Takes the ranks of the graph's outputs away that inference does not find, and returns the facts with them. Wherever nodes are inferred again: those that read an
// output would take its declared rank for a known one.
std::vector<std::pair<ValueId, Fact>> forget_declared_ranks(Graph& graph);

}  // namespace onnxrun::ir
