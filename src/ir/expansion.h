// Expansion: how lifts and decompositions replace one node by others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "ir/op.h"

namespace onnxrun::ir {

// A node to be replaced, and the means to emit the nodes that replace it. The source node is not in the graph; its output values are, without a producer.
// Each output must end up bound: by `finish`, `keep` or `bind`.
class Expansion {
 public:
  struct Remark {
    std::string what, expected, fix;
  };

  Expansion(Graph& graph, const OpTable& table, Node source);

  Node& source() { return source_; }
  Attributes& attributes() { return source_.attributes; }
  Graph& graph() { return graph_; }
  const Graph& graph() const { return graph_; }

  bool has_input(size_t i) const { return i < source_.inputs.size() && source_.inputs[i] != kNone; }
  ValueId input(size_t i) const { return i < source_.inputs.size() ? source_.inputs[i] : kNone; }
  bool has_output(size_t i) const { return i < source_.outputs.size() && source_.outputs[i] != kNone; }
  size_t output_count() const { return source_.outputs.size(); }
  // What is known of a value (inputs and results of emitted nodes). Throws kInvalidModel for an input that is absent.
  const Fact& fact(ValueId id) const;

  // Puts a value at input i of the source, extending the list with absent inputs as needed.
  void set_input(size_t i, ValueId value);
  // Moves an attribute to an input as a constant, for operators whose attributes became inputs. Does nothing when it is absent.
  void ints_to_input(std::string_view attribute, size_t input);   // int64 vector
  void int_to_input(std::string_view attribute, size_t input);    // int64 scalar
  void drop(std::initializer_list<std::string_view> attributes);  // without meaning in canonical form

  ValueId constant(Tensor tensor);
  ValueId int64s(const std::vector<int64_t>& values) { return constant(Tensor::vector<int64_t>(values)); }

  // Each of the following gives the node it adds the source's origin, checks it against its operator's signature (kInvalidModel), and infers it, so that
  // `fact` knows its results.
  // Adds a node with fresh outputs; returns its first output. `domain` "" is ai.onnx.
  ValueId emit(std::string_view op, std::vector<ValueId> inputs, Attributes attributes = {},
               std::string_view domain = {});
  // The same with several outputs.
  std::vector<ValueId> emit_many(std::string_view op, std::vector<ValueId> inputs, size_t outputs,
                                 Attributes attributes = {}, std::string_view domain = {});
  // Adds a node whose outputs are the source's.
  void finish(std::string_view op, std::vector<ValueId> inputs, Attributes attributes = {},
              std::string_view domain = {});
  // Adds the source node itself, as it now is.
  void keep();
  // The same without checking and inferring it: its outputs keep the facts they have. Returns the node.
  NodeId add_source();
  // Makes the source a node of another operator, with all its inputs, outputs, attributes and bodies; `keep` then adds it.
  void become(std::string_view domain, std::string_view op);
  // Makes output i of the source, if it has one, equal to `value`, by an Identity.
  void bind(size_t output, ValueId value);

  // Says of the source what works but will surprise.
  void warn(Remark remark) { remarks_.push_back(std::move(remark)); }
  const std::vector<Remark>& remarks() const { return remarks_; }

  // Ids of the nodes added.
  const std::vector<NodeId>& added() const { return added_; }

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw base::Error(base::Code::kInvalidModel, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void add(std::string_view domain, std::string_view op, std::vector<ValueId> inputs, std::vector<ValueId> outputs,
           Attributes attributes, std::string name);
  void insert(Node node);
  void settle(NodeId id);  // checks and infers
  std::string fresh(std::string_view suffix) const;

  Graph& graph_;
  const OpTable& table_;
  Node source_;
  std::vector<NodeId> added_;
  std::vector<Remark> remarks_;
};

}  // namespace onnxrun::ir
