// The text form read back: a model, or nodes added to a graph.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/limits.h"
#include "ir/graph.h"
#include "ir/op.h"

namespace onnxrun::ir {

// How a file in the text form begins.
inline constexpr std::string_view kTextHeader = "onnxrun text 1";

struct ParseOptions {
  base::Limits limits;
  base::BudgetPtr budget;               // charged for constants and the model as long as they live; null: none
  std::map<std::string, int64_t> dims;  // sizes for named dimensions
  std::set<std::string, std::less<>>* symbols = nullptr;  // gets the named dimensions met
};

// The model that to_text(model) printed, checked and inferred. Written by hand, types of what nodes make may be left out, a name of an enclosing graph may be
// used in a body, and comments begin with #. Shapes that contradict what follows from the inputs give way, with a warning in the model; element types that do are
// an error. Throws kInvalidModel with line and column, kUnsupported for an unknown operator, kLimitExceeded.
Model parse_model(std::string_view text, const OpTable& table, const ParseOptions& options = {});

// Adds the statements of `text`, as they stand between a graph's braces, to `graph`: "w: float32[2] = {1, 2}  y = Add(x, w)". A node may write a value that
// nothing makes yet. Facts are not inferred. After an error the graph may hold some of them.
void parse_into(Graph& graph, std::string_view text, const OpTable& table, const ParseOptions& options = {});

}  // namespace onnxrun::ir
