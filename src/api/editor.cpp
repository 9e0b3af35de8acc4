// Editing functions of the C interface, and the text form.
#include <charconv>
#include <span>
#include <string_view>

#include "api/assemble.h"
#include "api/functions.h"
#include "api/json.h"
#include "api/status.h"
#include "api/tensor_argument.h"
#include "ir/parse.h"
#include "ir/text.h"

namespace onnxrun::api {
namespace {

std::vector<std::string> texts_of(const char* const* list, size_t count, const char* what) {
  std::vector<std::string> result;
  if (count != 0) need(list, what);
  for (size_t i = 0; i < count; ++i) result.emplace_back(&need(list[i], what));
  return result;
}

edit::Editor& editor_of(onnxrun_editor* editor) { return need(editor, "editor").editor; }

ir::Dim parse_dim(std::string_view text) {
  if (text.empty()) fail(Code::kInvalidArgument, "a dimension is a size, a name or ?, and not empty");
  if (text == "?") return {};
  int64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (end != text.data() + text.size()) return ir::Dim::symbol(text);
  if (error != std::errc() || size < 0) fail(Code::kInvalidArgument, "'{}' is no size of a dimension", text);
  return ir::Dim(size);
}

Json values_of(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  Json list = Json::array();
  for (const ir::ValueId id : ids) {
    if (id == ir::kNone) list.push_back(nullptr);
    else list.push_back({{"name", graph.value(id).name}, {"type", graph.value(id).fact.to_string()}});
  }
  return list;
}

}  // namespace

onnxrun_status* model_to_text(const onnxrun_model* model, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    *out = new onnxrun_blob{ir::to_text(*need(model, "model").model)};
  });
}

onnxrun_status* model_from_text(const char* text, size_t size, const onnxrun_options* options, onnxrun_model** out) {
  return guard([&] {
    need(out, "out");
    if (size != 0) need(text, "text");
    if (!std::string_view(text, size).starts_with(ir::kTextHeader))
      fail(Code::kInvalidModel, "the text does not begin with '{}'", ir::kTextHeader);
    const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(text), size);
    const onnxrun_options& settings = or_defaults(options);
    *out = make_handle(import::import_bytes(bytes, nullptr, import_options(settings), "text in memory"), settings.ops);
  });
}

onnxrun_status* editor_create(const onnxrun_model* model, onnxrun_editor** out) {
  return guard([&] {
    need(out, "out");
    need(model, "model");
    const ir::OpTable& table = model->ops ? model->ops->table() : op_table();
    *out = new onnxrun_editor{model->ops, edit::Editor(*model->model, table)};
  });
}

void editor_free(onnxrun_editor* editor) { delete editor; }

onnxrun_status* editor_finish(const onnxrun_editor* editor, onnxrun_model** out) {
  return guard([&] {
    need(out, "out");
    need(editor, "editor");
    *out = make_handle(editor->editor.finish(), editor->ops);
  });
}

onnxrun_status* editor_select(onnxrun_editor* editor, const char* op, const char* name, int64_t* nodes, size_t capacity,
                              size_t* count) {
  return guard([&] {
    need(count, "count");
    if (capacity != 0) need(nodes, "nodes");
    const std::vector<edit::NodeHandle> found = editor_of(editor).select(op ? op : "*", name ? name : "*");
    for (size_t i = 0; i < found.size() && i < capacity; ++i) nodes[i] = found[i];
    *count = found.size();
  });
}

onnxrun_status* editor_node(onnxrun_editor* editor, int64_t node, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    const auto [graph, id] = editor_of(editor).locate(node);
    const ir::Node& found = graph->node(id);
    Json attributes = Json::object();
    for (const ir::Attribute& attribute : found.attributes.list())
      attributes[attribute.name] = ir::to_text(attribute.value);
    *out = make_blob({{"version", 1},
                      {"op", found.op->full_name()},
                      {"name", found.name},
                      {"in_body", graph->parent() != nullptr},
                      {"inputs", values_of(*graph, found.inputs)},
                      {"outputs", values_of(*graph, found.outputs)},
                      {"attributes", std::move(attributes)},
                      {"text", ir::to_text(*graph, found)}});
  });
}

onnxrun_status* editor_extract(onnxrun_editor* editor, const char* const* inputs, size_t input_count,
                               const char* const* outputs, size_t output_count) {
  return guard([&] {
    editor_of(editor).extract(texts_of(inputs, input_count, "inputs"), texts_of(outputs, output_count, "outputs"));
  });
}

onnxrun_status* editor_rename_value(onnxrun_editor* editor, const char* from, const char* to) {
  return guard([&] { editor_of(editor).rename_value(&need(from, "from"), &need(to, "to")); });
}

onnxrun_status* editor_rename_node(onnxrun_editor* editor, int64_t node, const char* name) {
  return guard([&] { editor_of(editor).rename_node(node, &need(name, "name")); });
}

onnxrun_status* editor_remove_node(onnxrun_editor* editor, int64_t node) {
  return guard([&] { editor_of(editor).remove_node(node); });
}

onnxrun_status* editor_bypass_node(onnxrun_editor* editor, int64_t node) {
  return guard([&] { editor_of(editor).bypass_node(node); });
}

onnxrun_status* editor_insert(onnxrun_editor* editor, const char* text) {
  return guard([&] { editor_of(editor).insert(&need(text, "text")); });
}

onnxrun_status* editor_set_node_input(onnxrun_editor* editor, int64_t node, size_t index, const char* value) {
  return guard([&] { editor_of(editor).set_node_input(node, index, value ? value : ""); });
}

onnxrun_status* editor_replace_uses(onnxrun_editor* editor, const char* from, const char* to) {
  return guard([&] { editor_of(editor).replace_uses(&need(from, "from"), &need(to, "to")); });
}

onnxrun_status* editor_add_input(onnxrun_editor* editor, const char* value) {
  return guard([&] { editor_of(editor).add_input(&need(value, "value")); });
}

onnxrun_status* editor_add_output(onnxrun_editor* editor, const char* value) {
  return guard([&] { editor_of(editor).add_output(&need(value, "value")); });
}

onnxrun_status* editor_remove_output(onnxrun_editor* editor, const char* value) {
  return guard([&] { editor_of(editor).remove_output(&need(value, "value")); });
}

onnxrun_status* editor_set_input(onnxrun_editor* editor, const char* input, int32_t dtype, const char* const* dims,
                                 size_t rank) {
  return guard([&] {
    need(input, "input");
    if (dtype != 0 && !base::is_dtype(dtype)) fail(Code::kInvalidArgument, "{} is no element type", dtype);
    if (rank > 64) fail(Code::kInvalidArgument, "{} dimensions are more than the 64 that a tensor has at most", rank);
    std::optional<ir::Shape> shape;
    if (dims) {
      shape.emplace();
      for (const std::string& dim : texts_of(dims, rank, "dims")) shape->push_back(parse_dim(dim));
    }
    editor_of(editor).set_input_type(input, static_cast<base::DType>(dtype), shape);
  });
}

onnxrun_status* editor_constant(const onnxrun_editor* editor, const char* name, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    const edit::Editor& inner = need(editor, "editor").editor;
    *out = new onnxrun_value{base::Value(inner.constant(&need(name, "name")).clone())};
  });
}

onnxrun_status* editor_set_constant(onnxrun_editor* editor, const char* name, const onnxrun_value* value) {
  return guard([&] { editor_of(editor).set_constant(&need(name, "name"), tensor_argument(value).clone()); });
}

onnxrun_status* editor_set_metadata(onnxrun_editor* editor, const char* key, const char* value) {
  return guard([&] {
    editor_of(editor).set_metadata(&need(key, "key"), value ? std::optional<std::string>(value) : std::nullopt);
  });
}

onnxrun_status* editor_strip_weights(onnxrun_editor* editor, int64_t min_bytes, size_t* count) {
  return guard([&] {
    const size_t stripped = editor_of(editor).strip_weights(min_bytes);
    if (count) *count = stripped;
  });
}

onnxrun_status* editor_merge(onnxrun_editor* editor, const onnxrun_model* other, const char* const* outputs,
                             const char* const* inputs, size_t count, const char* prefix) {
  return guard([&] {
    const std::vector<std::string> from = texts_of(outputs, count, "outputs"), to = texts_of(inputs, count, "inputs");
    std::vector<std::pair<std::string, std::string>> links;
    for (size_t i = 0; i < count; ++i) links.emplace_back(from[i], to[i]);
    if (need(other, "other").ops && other->ops != need(editor, "editor").ops)
      fail(Code::kInvalidArgument,
           "the other model was loaded with operators that this one does not know; load both with the same options");
    editor_of(editor).merge(*other->model, links, prefix ? prefix : "");
  });
}

}  // namespace onnxrun::api
