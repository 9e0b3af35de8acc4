// Edits of a model's inputs, outputs, names, constants and metadata.
#include "base/error.h"
#include "edit/editor.h"

namespace onnxrun::edit {

using base::Code;
using base::fail;

void Editor::rename_value(const std::string& from, const std::string& to) {
  ir::Graph& graph = *model_.graph;
  const ir::ValueId id = find(from, "renamed value");
  if (to.empty()) fail(Code::kInvalidArgument, "'{}' cannot be renamed to nothing", from);
  if (from != to && graph.find_value(to) != ir::kNone)
    fail(Code::kInvalidArgument, "'{}' cannot be renamed to '{}': the name is taken", from, to);
  graph.rename_value(id, to);
  if (auto moved = model_.quantization_annotations.extract(from)) {
    moved.key() = to;
    model_.quantization_annotations.insert(std::move(moved));
  }
}

void Editor::add_input(const std::string& name) {
  ir::Graph& graph = *model_.graph;
  const ir::ValueId id = find(name, "the new input");
  const ir::Value& value = graph.value(id);
  if (value.is_input) fail(Code::kInvalidArgument, "'{}' is an input already", name);
  ir::Fact fact = value.fact;
  if (fact.kind == ir::TypeKind::kUnknown)
    fail(Code::kInvalidArgument, "the type of '{}' is not known: it cannot become an input", name);
  fact.constant = {};
  fact.elements.reset();
  graph.rename_value(id, graph.fresh_name(name + "_before"));
  const ir::ValueId input = graph.add_input(name, std::move(fact));
  graph.replace_uses(id, input);
  if (const auto notes = graph.notes.find(id); notes != graph.notes.end()) {
    graph.notes[input] = std::move(notes->second);
    graph.notes.erase(id);
  }
  if (graph.value(id).producer == ir::kNone) graph.remove_value(id);
  orphans_.erase(id);
}

void Editor::add_output(const std::string& name) {
  const ir::ValueId id = find(name, "the new output");
  if (model_.graph->is_output(id)) fail(Code::kInvalidArgument, "'{}' is an output already", name);
  model_.graph->add_output(id);
}

void Editor::set_input_type(const std::string& name, base::DType dtype, const std::optional<ir::Shape>& shape) {
  const ir::ValueId id = find(name, "input");
  ir::Value& input = model_.graph->value(id);
  if (!input.is_input) {
    std::string inputs;
    for (const ir::ValueId other : model_.graph->inputs())
      inputs += (inputs.empty() ? "'" : ", '") + model_.graph->value(other).name + "'";
    fail(Code::kInvalidArgument, "'{}' is no input of the model; there are: {}", name, inputs);
  }
  if (!input.fact.is_tensor())
    fail(Code::kInvalidArgument, "the input '{}' is a {}: only tensors have a shape", name, input.fact.to_string());
  ir::Fact fact = ir::Fact::tensor(dtype == base::DType::kNone ? input.fact.dtype : dtype);
  fact.shape = shape ? shape : input.fact.shape;
  if (const auto found = model_.input_defaults.find(id); found != model_.input_defaults.end()) {
    const ir::Fact given = ir::Fact::tensor(found->second.dtype(), ir::make_shape(found->second.dims()));
    try {
      ir::merge(fact, given, "input");
    } catch (const base::Error&) {
      fail(Code::kInvalidArgument, "the input '{}' cannot become {}: its default is {}", name, fact.to_string(),
           given.to_string());
    }
  }
  retyped_ = retyped_ || fact.dtype != input.fact.dtype;
  // Ranks of what is computed from it need not hold any more.
  if (fact.rank() != input.fact.rank())
    for (size_t i = 0; i < model_.graph->value_count(); ++i)
      if (ir::Value& value = model_.graph->value(static_cast<ir::ValueId>(i)); value.producer != ir::kNone)
        value.fact.shape.reset();
  input.fact = std::move(fact);
}

void Editor::set_constant(const std::string& name, ir::Tensor tensor) {
  ir::Graph& graph = *model_.graph;
  if (name.empty()) fail(Code::kInvalidArgument, "a constant needs a name");
  const ir::ValueId id = graph.find_value(name);
  if (id == ir::kNone) {
    graph.add_constant(std::move(tensor), name);
    return;
  }
  ir::Value& value = graph.value(id);
  if (value.is_input || value.producer != ir::kNone)
    fail(Code::kInvalidArgument, "'{}' is {}, no constant", name, value.is_input ? "an input" : "made by a node");
  value.fact = ir::Fact::of(std::move(tensor));
  orphans_.erase(id);
}

const ir::Tensor& Editor::constant(const std::string& name) const {
  const ir::Value& value = model_.graph->value(find(name, "constant"));
  if (value.is_input || value.producer != ir::kNone || !value.fact.constant)
    fail(Code::kInvalidArgument, "'{}' is no constant", name);
  return value.fact.constant;
}

void Editor::set_metadata(const std::string& key, const std::optional<std::string>& value) {
  if (key.empty()) fail(Code::kInvalidArgument, "metadata needs a key");
  if (value) {
    model_.metadata[key] = *value;
    return;
  }
  if (model_.metadata.erase(key) == 0) {
    std::string keys;
    for (const auto& [known, text] : model_.metadata) keys += (keys.empty() ? "" : ", ") + known;
    fail(Code::kInvalidArgument, "there is no metadata '{}'; there is: {}", key, keys.empty() ? "none" : keys);
  }
}

}  // namespace onnxrun::edit
