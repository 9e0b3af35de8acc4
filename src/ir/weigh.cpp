// Adding up what graphs and models take.
#include "ir/weigh.h"

#include <memory>
#include <utility>

#include "base/charge.h"
#include "base/text_memory.h"

namespace onnxrun::ir {
namespace {

constexpr size_t kMapNodeBytes = 64;  // with its allocation, beside the element

size_t bytes_outside(const std::string& text) { return static_cast<size_t>(base::text_bytes(text.capacity())); }

size_t bytes_outside(const std::vector<std::string>& strings) {
  return strings.capacity() * sizeof(std::string) + static_cast<size_t>(base::text_bytes(strings));
}

size_t bytes_outside(const std::map<std::string, std::string>& notes) {
  size_t bytes = 0;
  for (const auto& [key, text] : notes)
    bytes += kMapNodeBytes + 2 * sizeof(std::string) + bytes_outside(key) + bytes_outside(text);
  return bytes;
}

size_t bytes_outside(const Node& node) {
  size_t bytes = bytes_outside(node.name) + bytes_outside(node.doc) + bytes_outside(node.origin) +
                 bytes_outside(node.metadata) + (node.inputs.capacity() + node.outputs.capacity()) * sizeof(ValueId);
  for (const Attribute& attribute : node.attributes.list())
    bytes += sizeof(Attribute) + bytes_outside(attribute.name) + static_cast<size_t>(bytes_of(attribute.value));
  for (const Body& body : node.bodies) bytes += sizeof(Body) + static_cast<size_t>(bytes_of(*body.graph));
  return bytes;
}

std::shared_ptr<const void> held(std::shared_ptr<const void> storage, base::Charge model) {
  struct Held {
    std::shared_ptr<const void> storage;
    base::Charge model;
  };
  return std::make_shared<const Held>(Held{std::move(storage), std::move(model)});
}

}  // namespace

int64_t bytes_of(const AttributeValue& value) {
  size_t bytes = 0;
  if (const auto* text = std::get_if<std::string>(&value)) bytes = bytes_outside(*text);
  else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) bytes = ints->capacity() * sizeof(int64_t);
  else if (const auto* floats = std::get_if<std::vector<float>>(&value)) bytes = floats->capacity() * sizeof(float);
  else if (const auto* strings = std::get_if<std::vector<std::string>>(&value)) bytes = bytes_outside(*strings);
  else if (const auto* tensors = std::get_if<std::vector<base::Tensor>>(&value))
    bytes = tensors->capacity() * base::kTensorBytes;
  return static_cast<int64_t>(bytes);
}

int64_t bytes_of(const Graph& graph) {
  size_t bytes = sizeof(Graph) + bytes_outside(graph.name) + bytes_outside(graph.doc) + bytes_outside(graph.metadata);
  for (size_t id = 0; id < graph.value_count(); ++id) {
    const Value& value = graph.value(static_cast<ValueId>(id));
    bytes += sizeof(Value) + kMapNodeBytes + sizeof(std::string) + 2 * bytes_outside(value.name) +
             value.consumers.capacity() * sizeof(NodeId);
  }
  for (size_t id = 0; id < graph.node_capacity(); ++id)
    if (graph.has_node(static_cast<NodeId>(id)))
      bytes += sizeof(Node) + bytes_outside(graph.node(static_cast<NodeId>(id)));
  for (const auto& [value, notes] : graph.notes)
    bytes += kMapNodeBytes + sizeof(ValueNotes) + bytes_outside(notes.doc) + bytes_outside(notes.metadata);
  return static_cast<int64_t>(bytes);
}

int64_t bytes_of(const Model& model) {
  size_t bytes = sizeof(Model) + static_cast<size_t>(bytes_of(*model.graph)) + bytes_outside(model.metadata) +
                 bytes_outside(model.external_files) + bytes_outside(model.warnings);
  for (const std::string* text : {&model.producer_name, &model.producer_version, &model.domain, &model.doc})
    bytes += bytes_outside(*text);
  for (const auto& [domain, version] : model.opset_imports)
    bytes += kMapNodeBytes + sizeof(std::string) + bytes_outside(domain);
  for (const auto& [tensor, names] : model.quantization_annotations)
    bytes += kMapNodeBytes + sizeof(std::string) + sizeof(names) + bytes_outside(tensor) + bytes_outside(names);
  bytes += model.input_defaults.size() * (kMapNodeBytes + sizeof(base::Tensor));
  return static_cast<int64_t>(bytes);
}

Model charged(Model model, std::shared_ptr<const void> storage, base::BudgetPtr budget) {
  model.storage = held(std::move(storage), base::Charge(std::move(budget), bytes_of(model)));
  return model;
}

Model charged_clone(const Model& model, const base::BudgetPtr& budget) {
  base::Charge charge(budget, bytes_of(model));
  Model copy = model.clone();
  copy.storage = held(model.storage, std::move(charge));
  return copy;
}

}  // namespace onnxrun::ir
