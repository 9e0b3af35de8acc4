// Editing of models in the C++ interface. Included by onnxrun.hpp.
#pragma once

#include <onnxrun/model.hpp>

#include <optional>

namespace onnxrun {

// A copy of a model that is changed step by step; the functions are those of onnxrun.h, where their contracts are.
class Editor {
 public:
  using Node = int64_t;

  explicit Editor(const Model& model) { detail::check(api().editor_create(model.get(), &handle_)); }
  Editor(Editor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Editor& operator=(Editor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Editor() { api().editor_free(handle_); }

  Model finish() const {
    onnxrun_model* made = nullptr;
    detail::check(api().editor_finish(handle_, &made));
    return Model(made);
  }

  // By patterns of operator and name: * any characters, ? one.
  std::vector<Node> select(const std::string& op = "*", const std::string& name = "*") {
    size_t count = 0;
    detail::check(api().editor_select(handle_, detail::text(op), detail::text(name), nullptr, 0, &count));
    std::vector<Node> nodes(count);
    detail::check(
        api().editor_select(handle_, detail::text(op), detail::text(name), nodes.data(), nodes.size(), &count));
    return nodes;
  }
  // As JSON.
  std::string node(Node node) {
    onnxrun_blob* text = nullptr;
    detail::check(api().editor_node(handle_, node, &text));
    return detail::take(text);
  }

  Editor& extract(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
    const auto from = pointers(inputs), to = pointers(outputs);
    detail::check(api().editor_extract(handle_, from.data(), from.size(), to.data(), to.size()));
    return *this;
  }
  Editor& rename_value(const std::string& from, const std::string& to) {
    detail::check(api().editor_rename_value(handle_, detail::text(from), detail::text(to)));
    return *this;
  }
  Editor& rename_node(Node node, const std::string& name) {
    detail::check(api().editor_rename_node(handle_, node, detail::text(name)));
    return *this;
  }
  Editor& remove(Node node) {
    detail::check(api().editor_remove_node(handle_, node));
    return *this;
  }
  Editor& bypass(Node node) {
    detail::check(api().editor_bypass_node(handle_, node));
    return *this;
  }
  Editor& insert(const std::string& text) {
    detail::check(api().editor_insert(handle_, detail::text(text)));
    return *this;
  }
  // "": no input.
  Editor& set_node_input(Node node, size_t index, const std::string& value) {
    detail::check(api().editor_set_node_input(handle_, node, index, value.empty() ? nullptr : detail::text(value)));
    return *this;
  }
  Editor& replace_uses(const std::string& from, const std::string& to) {
    detail::check(api().editor_replace_uses(handle_, detail::text(from), detail::text(to)));
    return *this;
  }
  Editor& add_input(const std::string& value) {
    detail::check(api().editor_add_input(handle_, detail::text(value)));
    return *this;
  }
  Editor& add_output(const std::string& value) {
    detail::check(api().editor_add_output(handle_, detail::text(value)));
    return *this;
  }
  Editor& remove_output(const std::string& value) {
    detail::check(api().editor_remove_output(handle_, detail::text(value)));
    return *this;
  }
  Editor& set_input_shape(const std::string& input, const std::vector<std::string>& dims) {
    // Not null when there are none: a shape of rank 0.
    auto texts = pointers(dims);
    texts.push_back(nullptr);
    detail::check(api().editor_set_input(handle_, detail::text(input), 0, texts.data(), dims.size()));
    return *this;
  }
  Editor& set_input_type(const std::string& input, onnxrun_dtype dtype) {
    detail::check(api().editor_set_input(handle_, detail::text(input), dtype, nullptr, 0));
    return *this;
  }
  Tensor constant(const std::string& name) const {
    onnxrun_value* value = nullptr;
    detail::check(api().editor_constant(handle_, detail::text(name), &value));
    return Tensor(Value(value));
  }
  Editor& set_constant(const std::string& name, const Tensor& value) {
    detail::check(api().editor_set_constant(handle_, detail::text(name), value.get()));
    return *this;
  }
  // Nothing: the key is removed.
  Editor& set_metadata(const std::string& key, const std::optional<std::string>& value) {
    detail::check(api().editor_set_metadata(handle_, detail::text(key), value ? detail::text(*value) : nullptr));
    return *this;
  }
  size_t strip_weights(int64_t min_bytes = 1024) {
    size_t count = 0;
    detail::check(api().editor_strip_weights(handle_, min_bytes, &count));
    return count;
  }
  // `links`: outputs of this model, and the other's inputs that they become.
  Editor& merge(const Model& other, const std::vector<std::pair<std::string, std::string>>& links,
                const std::string& prefix = {}) {
    std::vector<const char*> outputs, inputs;
    for (const auto& [output, input] : links) {
      outputs.push_back(detail::text(output));
      inputs.push_back(detail::text(input));
    }
    detail::check(
        api().editor_merge(handle_, other.get(), outputs.data(), inputs.data(), links.size(), detail::text(prefix)));
    return *this;
  }

 private:
  static std::vector<const char*> pointers(const std::vector<std::string>& texts) {
    std::vector<const char*> result;
    for (const std::string& text : texts) result.push_back(detail::text(text));
    return result;
  }
  onnxrun_editor* handle_ = nullptr;
};

}  // namespace onnxrun
