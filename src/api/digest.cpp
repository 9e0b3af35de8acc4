// Hashing models.
#include "api/digest.h"

#include <algorithm>
#include <fstream>
#include <variant>
#include <vector>

#include "api/sha256.h"
#include "ir/op.h"

namespace onnxrun::api {
namespace {

void add_tensor(Sha256& hash, const base::Tensor& tensor) {
  hash.field(static_cast<int64_t>(tensor.dtype()));
  hash.field(tensor.rank());
  for (const int64_t dim : tensor.dims()) hash.field(dim);
  if (!tensor) return;
  if (tensor.dtype() == base::DType::kString) {
    for (const std::string& text : tensor.span<std::string>()) hash.field(text);
  } else {
    hash.add(tensor.stored(), tensor.bytes());
  }
}

struct AddAttribute {
  Sha256& hash;
  void operator()(int64_t value) const { hash.field(value); }
  void operator()(float value) const { hash.add(&value, sizeof value); }
  void operator()(const std::string& value) const { hash.field(value); }
  void operator()(const base::Tensor& value) const { add_tensor(hash, value); }
  void operator()(const ir::Fact& value) const { hash.field(value.to_string()); }
  template <class T>
  void operator()(const std::vector<T>& values) const {
    hash.field(static_cast<int64_t>(values.size()));
    for (const T& value : values) (*this)(value);
  }
};

void add_value(Sha256& hash, const ir::Graph& graph, ir::ValueId id) {
  hash.field(id == ir::kNone ? std::string_view() : std::string_view(graph.value(id).name));
}

void add_graph(Sha256& hash, const ir::Graph& graph) {
  for (const auto* list : {&graph.inputs(), &graph.outputs()}) {
    hash.field(static_cast<int64_t>(list->size()));
    for (const ir::ValueId id : *list) {
      add_value(hash, graph, id);
      ir::Fact fact = graph.value(id).fact;
      fact.constant = {};
      hash.field(fact.to_string());
    }
  }
  std::vector<const ir::Value*> constants;
  for (size_t id = 0; id < graph.value_count(); ++id) {
    const ir::Value& value = graph.value(static_cast<ir::ValueId>(id));
    if (!value.removed && value.fact.constant && value.producer == ir::kNone) constants.push_back(&value);
  }
  std::sort(constants.begin(), constants.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  for (const ir::Value* value : constants) {
    hash.field(value->name);
    add_tensor(hash, value->fact.constant);
  }
  for (const ir::NodeId id : graph.topological_order()) {
    const ir::Node& node = graph.node(id);
    hash.field(node.op->full_name());
    hash.field(node.name);
    for (const ir::ValueId input : node.inputs) add_value(hash, graph, input);
    for (const ir::ValueId output : node.outputs) add_value(hash, graph, output);
    std::vector<const ir::Attribute*> attributes;
    for (const ir::Attribute& attribute : node.attributes.list()) attributes.push_back(&attribute);
    std::sort(attributes.begin(), attributes.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    for (const ir::Attribute* attribute : attributes) {
      hash.field(attribute->name);
      std::visit(AddAttribute{hash}, attribute->value);
    }
    for (const ir::Body& body : node.bodies) {
      hash.field(body.name);
      add_graph(hash, *body.graph);
    }
  }
}

}  // namespace

std::string file_digest(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return {};
  Sha256 hash;
  std::vector<char> buffer(size_t{1} << 18);
  while (stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || stream.gcount() != 0)
    hash.add(buffer.data(), static_cast<size_t>(stream.gcount()));
  return hash.finish();
}

std::string content_digest(const ir::Model& model) {
  Sha256 hash;
  for (const auto& [key, value] : model.metadata) {
    hash.field(key);
    hash.field(value);
  }
  add_graph(hash, *model.graph);
  return hash.finish();
}

}  // namespace onnxrun::api
