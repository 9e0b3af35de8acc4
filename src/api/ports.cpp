// Describing declared inputs and outputs.
#include "api/ports.h"

#include "base/error.h"

namespace onnxrun::api {
namespace {

int32_t kind_of(ir::TypeKind kind) {
  switch (kind) {
    case ir::TypeKind::kUnknown: return ONNXRUN_KIND_UNKNOWN;
    case ir::TypeKind::kTensor: return ONNXRUN_KIND_TENSOR;
    case ir::TypeKind::kSparseTensor: return ONNXRUN_KIND_SPARSE_TENSOR;
    case ir::TypeKind::kSequence: return ONNXRUN_KIND_SEQUENCE;
    case ir::TypeKind::kOptional: return ONNXRUN_KIND_OPTIONAL;
    case ir::TypeKind::kMap: return ONNXRUN_KIND_MAP;
  }
  return ONNXRUN_KIND_UNKNOWN;
}

}  // namespace

void Ports::add(const std::string& name, const ir::Fact& fact, bool has_default) {
  auto port = std::make_unique<Port>();
  ir::Fact declared = fact;  // without the value it may be known to have
  declared.constant = {};
  declared.elements.reset();
  port->name = name;
  port->type = declared.to_string();
  if (fact.shape) {
    for (const ir::Dim& dim : *fact.shape) {
      port->dims.push_back(dim.value());
      port->names.push_back(dim.is_constant() ? std::string() : dim.to_string());
    }
  }
  for (size_t i = 0; i < port->names.size(); ++i)
    port->symbols.push_back(port->dims[i] >= 0 ? nullptr : port->names[i].c_str());
  port->view.name = port->name.c_str();
  port->view.type = port->type.c_str();
  port->view.kind = kind_of(fact.kind);
  port->view.dtype = static_cast<int32_t>(fact.dtype);
  port->view.rank = static_cast<int32_t>(fact.rank());
  port->view.has_default = has_default ? 1 : 0;
  port->view.dims = port->dims.data();
  port->view.symbols = port->symbols.data();
  ports_.push_back(std::move(port));
}

const onnxrun_port& Ports::at(size_t index, const char* what) const {
  if (index >= ports_.size())
    base::fail(base::Code::kInvalidArgument, "{} {} does not exist, the model has {}", what, index, ports_.size());
  return ports_[index]->view;
}

Ports input_ports(const ir::Model& model) {
  Ports ports;
  for (ir::ValueId id : model.graph->inputs()) {
    const ir::Value& value = model.graph->value(id);
    ports.add(value.name, value.fact, model.input_defaults.count(id) != 0);
  }
  return ports;
}

Ports output_ports(const ir::Model& model) {
  Ports ports;
  for (ir::ValueId id : model.graph->outputs())
    ports.add(model.graph->value(id).name, model.graph->value(id).fact, false);
  return ports;
}

}  // namespace onnxrun::api
