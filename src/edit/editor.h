// Editor: a model changed by hand. Its edits keep the graph's bookkeeping true; what they mean for types and shapes is found out by `finish`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "ir/op.h"

namespace onnxrun::edit {

// A node of the model's graph or of a body in it; stays the same as long as the node is there, but for `extract` and `remove_output`.
using NodeHandle = int64_t;
inline constexpr int kNodeBits = 32;  // of a handle that are the id within its graph

// Every edit throws kInvalidArgument naming what it cannot do and leaves the model as it was.
class Editor {
 public:
  // `table` must outlive the editor.
  Editor(const ir::Model& model, const ir::OpTable& table) : model_(model.clone()), table_(table) {}

  const ir::Model& model() const { return model_; }

  // The nodes, bodies included, whose operator and name match both patterns, in the order in which they run. A node without a name has that of its first output.
  std::vector<NodeHandle> select(std::string_view op, std::string_view name);
  // The graph that holds the node, and its id there.
  std::pair<ir::Graph*, ir::NodeId> locate(NodeHandle node);

  // Keeps what computes `outputs` from `inputs`, in the order given. Empty `inputs`: the graph's inputs that are needed; empty `outputs`: the graph's.
  void extract(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs);
  void rename_value(const std::string& from, const std::string& to);
  void rename_node(NodeHandle node, std::string name);
  // Its outputs are left for another node to make.
  void remove_node(NodeHandle node);
  // Lets readers of each output read the node's first input of the same type and shape.
  void bypass_node(NodeHandle node);
  // Statements of the text form (ir/parse.h), added to the main graph.
  void insert(std::string_view text);
  void set_node_input(NodeHandle node, size_t index, const std::string& value);  // "": absent
  void replace_uses(const std::string& from, const std::string& to);
  // A value that comes from outside from now on.
  void add_input(const std::string& value);
  void add_output(const std::string& value);
  // With what only it needs; the inputs stay.
  void remove_output(const std::string& value);
  // kNone and nullopt keep what is there.
  void set_input_type(const std::string& input, base::DType dtype, const std::optional<ir::Shape>& shape);
  // Changes an initializer, or adds one.
  void set_constant(const std::string& name, ir::Tensor tensor);
  const ir::Tensor& constant(const std::string& name) const;
  void set_metadata(const std::string& key, const std::optional<std::string>& value);
  // Makes large floating-point initializers zeros that take no room in a file; returns how many.
  size_t strip_weights(int64_t min_bytes);
  // Adds the graph of `other`. `links`: outputs of this model to inputs of the other that they become. `prefix` goes before the other's names.
  void merge(const ir::Model& other, const std::vector<std::pair<std::string, std::string>>& links,
             const std::string& prefix);

  // A checked model with types and shapes inferred anew. Throws kInvalidModel.
  ir::Model finish() const;

 private:
  using Path = std::vector<std::pair<ir::NodeId, std::string>>;  // from the main graph: node and its body's name

  void collect(ir::Graph& graph, const Path& path, std::string_view op, std::string_view name,
               std::vector<NodeHandle>& found);
  int64_t number_of(const Path& path);
  ir::Graph* graph_at(const Path& path);
  // A value of the main graph; throws naming `what` and names that resemble it.
  ir::ValueId find(const std::string& name, std::string_view what) const;
  ir::ValueId visible(ir::Graph& graph, const std::string& name);
  void replace(ir::Graph& graph, ir::ValueId from, ir::ValueId to);
  void keep(const std::vector<ir::ValueId>& inputs, const std::vector<ir::ValueId>& outputs);

  ir::Model model_;
  const ir::OpTable& table_;
  std::map<Path, int64_t> numbers_;
  std::vector<Path> paths_;
  std::map<ir::ValueId, std::string> orphans_;  // of the main graph: values without a node, and the node that made them
  bool retyped_ = false;  // an input has another element type: those that bodies declare mean nothing
};

// Renewed inference, used by Editor::finish. `keep_types`: what bodies declare of their inputs still holds.
void infer_anew(ir::Graph& graph, const ir::OpTable& table, bool keep_types);

}  // namespace onnxrun::edit
