// Copying a graph.
#include "ir/graph.h"

namespace onnxrun::ir {

std::unique_ptr<Graph> Graph::clone(Graph* parent) const {
  auto copy = std::make_unique<Graph>(parent);
  copy->name = name;
  copy->doc = doc;
  copy->metadata = metadata;
  copy->notes = notes;
  copy->values_ = values_;
  copy->nodes_.reserve(nodes_.size());
  for (const auto& node : nodes_) {
    auto& placed = copy->nodes_.emplace_back(node ? std::make_unique<Node>(node->without_bodies()) : nullptr);
    if (!node) continue;
    placed->id = node->id;
    for (const Body& body : node->bodies) placed->bodies.push_back({body.name, body.graph->clone(copy.get())});
  }
  copy->node_count_ = node_count_;
  copy->inputs_ = inputs_;
  copy->outputs_ = outputs_;
  copy->captures_ = captures_;
  copy->by_name_ = by_name_;
  for (ValueId inner : captures_) copy->by_outer_.emplace(value(inner).outer, inner);
  copy->capture_uses_ = capture_uses_;
  copy->next_name_ = next_name_;
  return copy;
}

Model Model::clone() const {
  Model copy;
  copy.graph = graph->clone();
  copy.ir_version = ir_version;
  copy.opset_imports = opset_imports;
  copy.producer_name = producer_name;
  copy.producer_version = producer_version;
  copy.domain = domain;
  copy.doc = doc;
  copy.model_version = model_version;
  copy.metadata = metadata;
  copy.quantization_annotations = quantization_annotations;
  copy.input_defaults = input_defaults;
  copy.path = path;
  copy.external_files = external_files;
  copy.warnings = warnings;
  copy.storage = storage;
  return copy;
}

}  // namespace onnxrun::ir
