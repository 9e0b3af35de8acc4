// Writing nodes in an older form, and moving inputs back to attributes.
#include "ir/lowering.h"

#include <algorithm>

namespace onnxrun::ir {

void Lowering::keep() {
  if (refused()) return;
  written_ = add_source();
}

ValueId Lowering::keep_aside(Fact fact) {
  if (refused()) return kNone;
  const std::vector<ValueId> outputs = source().outputs;
  const ValueId aside = graph().add_value(
      graph().fresh_name(graph().value(outputs.front()).name + "/" + source().op->name), std::move(fact));
  source().outputs = {aside};
  keep();
  source().outputs = outputs;
  return aside;
}

namespace {

bool always_holds(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  if (graph.parent() == nullptr) return true;
  if (value.outer != kNone) return always_holds(*graph.parent(), value.outer);
  return value.producer == kNone && !value.is_input;
}

}  // namespace

Fact Lowering::fact(ValueId id) const {
  Fact known = Expansion::fact(id);
  if (always_holds(graph(), id)) return known;
  known.constant = {};
  known.elements.reset();
  if (known.shape) known.shape->assign(known.shape->size(), Dim());
  return known;
}

Tensor Lowering::constant_input(size_t i) const { return has_input(i) ? fact(input(i)).constant : Tensor(); }

std::optional<std::vector<int64_t>> Lowering::known_ints(size_t i, std::string_view name) {
  if (!has_input(i)) return std::nullopt;
  const Tensor value = constant_input(i);
  if (value && base::is_integer(value.dtype())) return value.as_int64();
  const auto& elements = fact(input(i)).elements;
  if (elements && std::all_of(elements->begin(), elements->end(), [](const Dim& dim) { return dim.is_constant(); })) {
    std::vector<int64_t> ints;
    for (const Dim& dim : *elements) ints.push_back(dim.value());
    return ints;
  }
  refuse("its input '{}' is not a constant", name);
  return std::nullopt;
}

void Lowering::drop_input(size_t i) {
  if (i >= source().inputs.size()) return;
  source().inputs[i] = kNone;
  while (!source().inputs.empty() && source().inputs.back() == kNone) source().inputs.pop_back();
}

void Lowering::input_to_ints(size_t i, std::string_view attribute) {
  const auto ints = known_ints(i, attribute);
  if (!ints) return;
  attributes().set(attribute, *ints);
  drop_input(i);
}

void Lowering::input_to_int(size_t i, std::string_view attribute) {
  const auto ints = known_ints(i, attribute);
  if (!ints) return;
  if (ints->size() != 1) return refuse("its input '{}' has {} elements", attribute, ints->size());
  attributes().set(attribute, ints->front());
  drop_input(i);
}

void Lowering::drop_int(std::string_view attribute, int64_t implied) {
  if (const int64_t value = attributes().get_int(attribute, implied); value != implied)
    return refuse("its attribute '{}' is {}", attribute, value);
  attributes().erase(attribute);
}

void Lowering::drop_string(std::string_view attribute, std::string_view implied) {
  if (const std::string value = attributes().get_string(attribute, implied); value != implied)
    return refuse("its attribute '{}' is '{}'", attribute, value);
  attributes().erase(attribute);
}

void Lowering::drop_ints(std::string_view attribute, int64_t implied) {
  for (const int64_t value : attributes().get_ints(attribute))
    if (value != implied) return refuse("its attribute '{}' has the value {}", attribute, value);
  attributes().erase(attribute);
}

}  // namespace onnxrun::ir
