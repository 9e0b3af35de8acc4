// The text form of a graph: one line a node with types and shapes, bodies indented; constants abbreviated for people or whole for reading back.
#pragma once

#include <string>
#include <string_view>

#include "ir/graph.h"

namespace onnxrun::ir {

// How much of it is written.
enum class Text {
  kShort,  // the first elements of constants and lists, the beginning of strings; what inference knows of shape-carrying values
  kWhole,  // everything that ir/parse.h needs to build the same graph: all elements, documentation, metadata
};

// Nodes come in topological order (in id order where there is a cycle):
//   graph main(x: float32[n,3]) -> (y) {
//     w: float32[3,4] = {0.5, 1, ...}
//     y: float32[n,4] = MatMul(x, w)  # node 'fc'
//   }
// Names with characters that mean something here are quoted.
std::string to_text(const Graph& graph, Text text = Text::kShort);
// One node of the graph, with a line end; bodies follow on lines of their own.
std::string to_text(const Graph& graph, const Node& node);
// The whole model: a line each for versions, producer and metadata, then its graph, whole.
std::string to_text(const Model& model);
// "2", "{0.5, 1, ...}", "'abc'": the elements of a host tensor.
std::string to_text(const Tensor& tensor, Text text = Text::kShort);
std::string to_text(const AttributeValue& value, Text text = Text::kShort);

// As it stands in the text form: itself, or quoted.
std::string name_text(std::string_view name);
// 'text' with escapes; bytes that are no UTF-8 as \xNN.
std::string quoted_text(std::string_view text, Text how);
// "float32[n,3]", "sequence(int64[?])".
std::string type_text(const Fact& fact);

// Whether a character may stand in a name without quotes. A colon may where another such character follows.
constexpr bool is_name_character(char c) {
  constexpr std::string_view kMeaning = ",()=:'{}[]#\"\\";
  return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && kMeaning.find(c) == std::string_view::npos;
}

}  // namespace onnxrun::ir
