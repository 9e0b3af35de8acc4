// What operators' inference functions see, and running them on one node.
#include "ir/infer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ir/describe.h"

namespace onnxrun::ir {

namespace {

bool is_index_like(DType dtype) { return base::is_integer(dtype) || dtype == DType::kBool; }

template <class T>
bool store(Tensor& tensor, const std::vector<Dim>& elements) {
  T* data = tensor.mutable_data<T>();
  for (size_t i = 0; i < elements.size(); ++i) {
    const int64_t value = elements[i].value();
    if (!std::in_range<T>(value)) return false;
    data[i] = static_cast<T>(value);
  }
  return true;
}

bool store_bool(Tensor& tensor, const std::vector<Dim>& elements) {
  bool* data = tensor.mutable_data<bool>();
  for (size_t i = 0; i < elements.size(); ++i) data[i] = elements[i].value() != 0;
  return true;
}

// Gives a fact whose elements are all known its constant. Elements that do not fit the type are forgotten.
void complete(Fact& fact) {
  if (!fact.elements || fact.constant || !fact.is_tensor() || !fact.shape) return;
  const std::vector<Dim>& elements = *fact.elements;
  if (!std::all_of(elements.begin(), elements.end(), [](const Dim& dim) { return dim.is_constant(); })) return;
  base::Dims dims;
  if (fact.rank() == 1) dims.push_back(static_cast<int64_t>(elements.size()));
  Tensor tensor(fact.dtype, std::move(dims));
  bool fits = false;
  switch (fact.dtype) {
    case DType::kInt64: fits = store<int64_t>(tensor, elements); break;
    case DType::kInt32: fits = store<int32_t>(tensor, elements); break;
    case DType::kInt16: fits = store<int16_t>(tensor, elements); break;
    case DType::kInt8: fits = store<int8_t>(tensor, elements); break;
    case DType::kUint64: fits = store<uint64_t>(tensor, elements); break;
    case DType::kUint32: fits = store<uint32_t>(tensor, elements); break;
    case DType::kUint16: fits = store<uint16_t>(tensor, elements); break;
    case DType::kUint8: fits = store<uint8_t>(tensor, elements); break;
    case DType::kBool: fits = store_bool(tensor, elements); break;
    default: return;
  }
  if (fits) fact.constant = std::move(tensor);
  else fact.elements.reset();
}

}  // namespace

const Fact& InferContext::input(size_t i) const {
  if (!has_input(i)) fail("input {} is required but absent", i);
  return *inputs_[i];
}

const Tensor* InferContext::constant(size_t i) const {
  if (!has_input(i)) return nullptr;
  if (inputs_[i]->constant) return &inputs_[i]->constant;
  ask(i);
  return nullptr;
}

std::optional<std::vector<int64_t>> InferContext::ints(size_t i) const {
  if (!has_input(i)) return std::nullopt;
  const Fact& fact = *inputs_[i];
  if (!fact.constant) ask(i);
  if (fact.elements) return concrete(*fact.elements);
  if (fact.constant && fact.constant.memory() == ONNXRUN_MEMORY_HOST && is_index_like(fact.constant.dtype()))
    return fact.constant.as_int64();
  return std::nullopt;
}

std::optional<std::vector<Dim>> InferContext::elements(size_t i) const {
  if (!has_input(i)) return std::nullopt;
  const Fact& fact = *inputs_[i];
  if (!fact.constant) ask(i);
  if (fact.elements) return fact.elements;
  if (!fact.is_tensor() || !fact.shape || fact.shape->size() > 1) return std::nullopt;
  const Dim count = fact.shape->empty() ? Dim(1) : fact.shape->front();
  if (!count.is_constant() || count.value() < 0 || count.value() > kMaxTrackedElements) return std::nullopt;
  if (fact.constant) return Fact::of(fact.constant).elements;
  return std::vector<Dim>(static_cast<size_t>(count.value()));
}

void InferContext::set(size_t i, Fact fact) {
  if (has_output(i)) outputs_[i] = std::move(fact);
}

void InferContext::set(size_t i, DType dtype, std::optional<Shape> shape) {
  if (!has_output(i)) return;
  outputs_[i] = Fact::tensor(dtype);
  outputs_[i].shape = std::move(shape);
}

void InferContext::set_elements(size_t i, std::vector<Dim> elements) {
  if (!has_output(i)) return;
  Fact& fact = outputs_[i];
  if (!is_index_like(fact.dtype) || elements.size() > static_cast<size_t>(kMaxTrackedElements)) return;
  if (!fact.shape) fact.shape = Shape{Dim(static_cast<int64_t>(elements.size()))};
  if (fact.shape->size() > 1 || (fact.shape->empty() && elements.size() != 1)) return;
  if (!fact.shape->empty()) {
    Dim& count = fact.shape->front();
    if (!count.is_constant()) count = Dim(static_cast<int64_t>(elements.size()));
    else if (count.value() != static_cast<int64_t>(elements.size())) return;
  }
  fact.constant = {};
  fact.elements = std::move(elements);
  complete(fact);
}

std::vector<Fact> InferContext::infer_body(std::string_view name, const std::vector<Fact>& inputs) const {
  const Graph* body = node_.body(name);
  if (!body) fail("{} needs a body '{}'", node_.op->full_name(), name);
  if (!infer_body_)
    base::fail(base::Code::kInternal, "the body '{}' of {} cannot be inferred here", name, node_.op->full_name());
  if (inputs.size() != body->inputs().size())
    fail("the body '{}' of {} must have {} inputs, got {}", name, node_.op->full_name(), inputs.size(),
         body->inputs().size());
  return infer_body_(*body, inputs);
}

std::vector<Fact> infer_node(const Graph& graph, const Node& node, std::vector<const Fact*> inputs,
                             const InferBody& infer_body, uint64_t* asked) {
  std::vector<Fact> outputs(node.outputs.size());
  InferContext context(node, std::move(inputs), outputs, infer_body);
  try {
    node.op->infer(context);
    for (Fact& output : outputs) complete(output);
  } catch (const base::Error& error) {
    // What a node cannot take is a fault of the model, whichever check noticed it.
    base::Error located = error;
    if (error.code() == base::Code::kInvalidArgument) located = base::Error(base::Code::kInvalidModel, error.message());
    throw located.in(
        describe(graph, node, [&](size_t i) { return context.has_input(i) ? &context.input(i) : nullptr; }));
  }
  if (asked != nullptr) *asked = context.asked();
  return outputs;
}

}  // namespace onnxrun::ir
