// Building the provider ABI's view of a node.
#include "plan/node_view.h"

#include <variant>

#include "ir/weigh.h"

namespace onnxrun::plan {

namespace {

// Of lists of attributes as they are seen and copied.
int64_t list_bytes(const ir::Attributes& attributes) {
  int64_t bytes = 0;
  for (const ir::Attribute& attribute : attributes.list()) {
    bytes += ir::bytes_of(attribute.value);
    if (const auto* strings = std::get_if<std::vector<std::string>>(&attribute.value))
      bytes += static_cast<int64_t>(strings->size() * sizeof(onnxrun_text));
  }
  return bytes;
}

base::Charge charged(const ir::Node& node, const base::BudgetPtr& budget) {
  try {
    return {budget, list_bytes(node.attributes)};
  } catch (base::Error& error) {
    throw error.in(fmt::format("the attributes of node '{}' ({})", node.name, node.op->name));
  }
}

}  // namespace

NodeView::NodeView(const ir::Node& node, std::span<const ir::Fact* const> inputs,
                   std::span<const ir::Fact* const> outputs, const NodeSettings& settings)
    : charge_(charged(node, settings.budget)) {
  inputs_.reserve(inputs.size());
  for (const ir::Fact* fact : inputs) inputs_.push_back(tensor(fact));
  outputs_.reserve(outputs.size());
  for (const ir::Fact* fact : outputs) outputs_.push_back(tensor(fact));
  attributes_.reserve(node.attributes.list().size());
  for (const ir::Attribute& attribute : node.attributes.list()) add_attribute(attribute);
  node_.domain = node.op->domain;
  node_.op_type = node.op->name;
  node_.name = node.name.c_str();
  node_.attributes = attributes_.data();
  node_.attribute_count = attributes_.size();
  node_.inputs = inputs_.data();
  node_.input_count = inputs_.size();
  node_.outputs = outputs_.data();
  node_.output_count = outputs_.size();
  node_.threads = settings.threads;
  node_.precision = settings.precision;
}

onnxrun_tensor NodeView::tensor(const ir::Fact* fact) {
  onnxrun_tensor view{};
  if (fact == nullptr) return view;
  view.dtype = static_cast<int32_t>(fact->dtype);
  view.rank = -1;
  if (fact->constant) return fact->constant.stored_view();
  if (fact->shape) {
    std::vector<int64_t>& dims = dims_.emplace_back();
    dims.reserve(fact->shape->size());
    for (const ir::Dim& dim : *fact->shape) dims.push_back(dim.value());
    view.rank = static_cast<int32_t>(dims.size());
    view.dims = dims.data();
  }
  return view;
}

void NodeView::add_attribute(const ir::Attribute& attribute) {
  onnxrun_attribute out{};
  out.name = attribute.name.c_str();
  const auto text = [](const std::string& s) { return onnxrun_text{s.data(), s.size()}; };
  if (const auto* i = std::get_if<int64_t>(&attribute.value)) {
    out.kind = ONNXRUN_ATTRIBUTE_INT;
    out.i = *i;
  } else if (const auto* f = std::get_if<float>(&attribute.value)) {
    out.kind = ONNXRUN_ATTRIBUTE_FLOAT;
    out.f = *f;
  } else if (const auto* s = std::get_if<std::string>(&attribute.value)) {
    out.kind = ONNXRUN_ATTRIBUTE_STRING;
    out.s = text(*s);
  } else if (const auto* t = std::get_if<base::Tensor>(&attribute.value)) {
    out.kind = ONNXRUN_ATTRIBUTE_TENSOR;
    out.count = 1;
    out.tensors = tensors_.emplace_back(1, t->view()).data();
  } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&attribute.value)) {
    out.kind = ONNXRUN_ATTRIBUTE_INTS;
    out.count = ints->size();
    out.ints = ints->data();
  } else if (const auto* floats = std::get_if<std::vector<float>>(&attribute.value)) {
    out.kind = ONNXRUN_ATTRIBUTE_FLOATS;
    out.count = floats->size();
    out.floats = floats->data();
  } else if (const auto* strings = std::get_if<std::vector<std::string>>(&attribute.value)) {
    out.kind = ONNXRUN_ATTRIBUTE_STRINGS;
    std::vector<onnxrun_text>& list = texts_.emplace_back();
    list.reserve(strings->size());
    for (const std::string& s : *strings) list.push_back(text(s));
    out.count = list.size();
    out.strings = list.data();
  } else if (const auto* tensors = std::get_if<std::vector<base::Tensor>>(&attribute.value)) {
    out.kind = ONNXRUN_ATTRIBUTE_TENSORS;
    std::vector<onnxrun_tensor>& list = tensors_.emplace_back();
    list.reserve(tensors->size());
    for (const base::Tensor& t : *tensors) list.push_back(t.view());
    out.count = list.size();
    out.tensors = list.data();
  } else {
    return;  // types have no form in the provider ABI: only structural operators carry them
  }
  attributes_.push_back(out);
}

}  // namespace onnxrun::plan
