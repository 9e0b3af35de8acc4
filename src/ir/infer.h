// Inference of one node: what its operator's `infer` function sees and sets.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "ir/op.h"

namespace onnxrun::ir {

// Infers the outputs of a body graph from facts of its inputs; captures are taken from the enclosing graph's facts.
using InferBody = std::function<std::vector<Fact>(const Graph& body, const std::vector<Fact>& inputs)>;

class InferContext {
 public:
  // `inputs[i]` is null where input i is absent. `outputs` has one (unknown) fact for each output of the node and is filled.
  InferContext(const Node& node, std::vector<const Fact*> inputs, std::vector<Fact>& outputs, InferBody infer_body = {})
      : node_(node), inputs_(std::move(inputs)), outputs_(outputs), infer_body_(std::move(infer_body)) {}

  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }

  size_t input_count() const { return inputs_.size(); }
  bool has_input(size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr; }
  // Throws kInvalidModel when input i is absent.
  const Fact& input(size_t i) const;
  DType dtype(size_t i) const { return input(i).dtype; }
  // Null when the input is absent or its rank unknown.
  const Shape* shape(size_t i) const { return has_input(i) && inputs_[i]->shape ? &*inputs_[i]->shape : nullptr; }
  // -1 when absent or unknown.
  int64_t rank(size_t i) const { return has_input(i) ? inputs_[i]->rank() : -1; }
  // The whole value, or null.
  const Tensor* constant(size_t i) const;
  // An integer input's values when all are known.
  std::optional<std::vector<int64_t>> ints(size_t i) const;
  // What is known of the elements of an integer input of rank 0 or 1; nullopt when not even how many there are.
  std::optional<std::vector<Dim>> elements(size_t i) const;

  // Bit i is set when the value of input i (below 64) was asked for but is not (wholly) known: it may decide the output's shape.
  uint64_t asked() const { return asked_; }

  size_t output_count() const { return outputs_.size(); }
  bool has_output(size_t i) const { return i < outputs_.size() && node_.outputs[i] != kNone; }
  Fact& output(size_t i) { return outputs_[i]; }
  // Each ignores outputs the node does not have.
  void set(size_t i, Fact fact);
  void set(size_t i, DType dtype) { set(i, Fact::tensor(dtype)); }
  void set(size_t i, DType dtype, Shape shape) { set(i, Fact::tensor(dtype, std::move(shape))); }
  // Shape known or not.
  void set(size_t i, DType dtype, std::optional<Shape> shape);
  // The (partly) known contents of an integer output of rank 0 or 1; fully constant ones also become the fact's constant.
  void set_elements(size_t i, std::vector<Dim> elements);

  std::vector<Fact> infer_body(std::string_view name, const std::vector<Fact>& inputs) const;

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw base::Error(base::Code::kInvalidModel, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  const Node& node_;
  std::vector<const Fact*> inputs_;
  std::vector<Fact>& outputs_;
  InferBody infer_body_;
  mutable uint64_t asked_ = 0;

  void ask(size_t i) const { asked_ |= i < 64 ? uint64_t{1} << i : 0; }
};

// Runs the operator's inference for `node` of `graph` on given input facts (same order as node.inputs, null where absent). Errors get the
// node and its inputs' facts as context. `asked`, when given, gets InferContext::asked().
std::vector<Fact> infer_node(const Graph& graph, const Node& node, std::vector<const Fact*> inputs,
                             const InferBody& infer_body = {}, uint64_t* asked = nullptr);

// Infers the node from the facts stored in the graph and merges the result into those of its outputs; bodies are inferred with
// their captures and inputs.
void infer_in_place(Graph& graph, NodeId node);

// Infers all nodes of the graph in topological order.
void infer_graph(Graph& graph);

}  // namespace onnxrun::ir
