// Checks a node against the signature of its operator.
#include <bit>

#include "base/error.h"
#include "ir/input_types.h"
#include "ir/op.h"

namespace onnxrun::ir {

namespace {

using base::Code;
using base::fail;

// The bit of Parameter::accepts that the fact needs; 0 when its type is not known.
uint64_t type_bit(const Fact& fact) {
  switch (fact.kind) {
    case TypeKind::kUnknown: return 0;
    case TypeKind::kSparseTensor: return kAcceptsSparse;
    case TypeKind::kSequence: return kAcceptsSequence;
    case TypeKind::kOptional: return kAcceptsOptional;
    case TypeKind::kMap: return kAcceptsMap;
    case TypeKind::kTensor: break;
  }
  return fact.dtype == DType::kNone ? 0 : uint64_t{1} << static_cast<int>(fact.dtype);
}

std::string list_types(uint64_t accepts) {
  std::string text;
  const int total = std::popcount(accepts);
  int listed = 0;
  const auto add = [&](std::string_view name) {
    if (listed > 0) text += ++listed == total ? " or " : ", ";
    else ++listed;
    text += name;
  };
  for (int32_t d = 1; d <= base::kLastDType; ++d)
    if (accepts >> d & 1) add(base::dtype_name(static_cast<DType>(d)));
  if (accepts & kAcceptsSequence) add("a sequence");
  if (accepts & kAcceptsOptional) add("an optional");
  if (accepts & kAcceptsMap) add("a map");
  if (accepts & kAcceptsSparse) add("a sparse tensor");
  return text;
}

std::string range(size_t least, size_t most) {
  if (most == SIZE_MAX) return fmt::format("{} or more", least);
  return least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
}

size_t count_present(const std::vector<ValueId>& ids) {
  size_t count = ids.size();
  while (count > 0 && ids[count - 1] == kNone) --count;
  return count;
}

[[noreturn]] void refuse_count(const Signature& signature, const Node& node, size_t count) {
  fail(Code::kInvalidModel, "{} takes {} inputs, got {}", node.op->full_name(),
       range(signature.min_inputs, signature.max_inputs), count);
}

// Compares types with the signature's and with one another; fact_of(i) is that of input i.
template <class FactOf>
void check_types(const Signature& signature, const Node& node, FactOf&& fact_of) {
  const size_t count = count_present(node.inputs);
  constexpr size_t kVariables = 16;
  const Fact* bound[kVariables] = {};
  size_t bound_at[kVariables] = {};
  for (size_t i = 0; i < count; ++i) {
    const Parameter& parameter = *Signature::at(signature.inputs, i);
    if (node.inputs[i] == kNone) continue;
    const Fact& fact = fact_of(i);
    const uint64_t type = type_bit(fact);
    if (type == 0) continue;
    if (!(type & parameter.accepts))
      fail(Code::kInvalidModel, "input {} '{}' of {} must be {}, got {}", i, parameter.name, node.op->full_name(),
           list_types(parameter.accepts), fact.to_string());
    if (parameter.variable < 0 || static_cast<size_t>(parameter.variable) >= kVariables || parameter.heterogeneous)
      continue;
    const Fact*& first = bound[parameter.variable];
    if (!first) {
      first = &fact;
      bound_at[parameter.variable] = i;
    } else if (!types_agree(*first, fact)) {
      const size_t at = bound_at[parameter.variable];
      fail(Code::kInvalidModel, "input {} '{}' of {} must have the type of input {} '{}', {}, got {}", i,
           parameter.name, node.op->full_name(), at, Signature::at(signature.inputs, at)->name, first->to_string(),
           fact.to_string());
    }
  }
}

void check_inputs(const Signature& signature, const Graph& graph, const Node& node) {
  check_required_inputs(signature, node);
  const size_t count = count_present(node.inputs);
  if (count > signature.max_inputs) refuse_count(signature, node, count);
  check_types(signature, node, [&](size_t i) -> const Fact& { return graph.value(node.inputs[i]).fact; });
}

void check_attribute(const Signature& signature, const Node& node, std::string_view name, std::string_view kind) {
  const AttributeSpec* spec = signature.attribute(name);
  if (!spec) {
    std::string known;
    for (const AttributeSpec& each : signature.attributes) known += (known.empty() ? "" : ", ") + each.name;
    fail(Code::kInvalidModel, "{} has no attribute '{}' (known: {})", node.op->full_name(), name,
         known.empty() ? "none" : known);
  }
  if (spec->kind != kind)
    fail(Code::kInvalidModel, "attribute '{}' of {} must be of kind {}, got {}", name, node.op->full_name(), spec->kind,
         kind);
}

void check_attributes(const Signature& signature, const Node& node) {
  for (const Attribute& attribute : node.attributes.list())
    check_attribute(signature, node, attribute.name, attribute_kind_name(attribute.value));
  for (const Body& body : node.bodies) check_attribute(signature, node, body.name, "graph");
  for (const AttributeSpec& spec : signature.attributes)
    if (spec.required && !(spec.kind == "graph" ? node.body(spec.name) != nullptr : node.attributes.has(spec.name)))
      fail(Code::kInvalidModel, "attribute '{}' of {} is required but absent", spec.name, node.op->full_name());
}

}  // namespace

void check_output_types(const Signature& signature, const Graph& graph, const Node& node) {
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Parameter* parameter = Signature::at(signature.outputs, i);
    if (node.outputs[i] == kNone || parameter == nullptr) continue;
    const Fact& fact = graph.value(node.outputs[i]).fact;
    if (const uint64_t type = type_bit(fact); type != 0 && !(type & parameter->accepts))
      fail(Code::kInvalidModel, "output {} '{}' of {} must be {}, got {}", i, parameter->name, node.op->full_name(),
           list_types(parameter->accepts), fact.to_string());
  }
}

namespace {

// Where both versions call it the same; else what stands in its place, unless that is called otherwise in the older one.
const Parameter* newer_form(const Signature* written, const Signature& canonical, size_t i) {
  const Parameter* older = written == nullptr ? nullptr : Signature::at(written->inputs, i);
  const Parameter* there = Signature::at(canonical.inputs, i);
  if (older == nullptr) return there;
  for (const Parameter& each : canonical.inputs)
    if (each.name == older->name) return &each;
  return written->inputs.size() == canonical.inputs.size() ? there : nullptr;
}

}  // namespace

void check_input_types(const Signature* written, const Signature& canonical, const Graph& graph, const Node& node) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNone) continue;
    const Parameter* older = written == nullptr ? nullptr : Signature::at(written->inputs, i);
    const Parameter* newer = newer_form(written, canonical, i);
    if (older == nullptr && newer == nullptr) continue;  // how many there may be is for others to say
    const uint64_t accepts = (older == nullptr ? 0 : older->accepts) | (newer == nullptr ? 0 : newer->accepts);
    const Fact& fact = graph.value(node.inputs[i]).fact;
    if (const uint64_t type = type_bit(fact); type != 0 && !(type & accepts))
      fail(Code::kInvalidModel, "input {} '{}' of {} must be {}, got {}", i, (older == nullptr ? newer : older)->name,
           node.op->full_name(), list_types(accepts), fact.to_string());
  }
}

void check_late_types(const Signature& signature, const Graph& graph, const Node& node,
                      std::span<const Fact* const> facts) {
  bool late = false;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    late = late || (node.inputs[i] != kNone && type_bit(graph.value(node.inputs[i]).fact) == 0);
  if (late) check_types(signature, node, [&](size_t i) -> const Fact& { return *facts[i]; });
}

void check_required_inputs(const Signature& signature, const Node& node) {
  const size_t count = count_present(node.inputs);
  if (count < signature.min_inputs) refuse_count(signature, node, count);
  for (size_t i = 0; i < count; ++i)
    if (const Parameter* parameter = Signature::at(signature.inputs, i);
        parameter != nullptr && !parameter->optional && node.inputs[i] == kNone)
      fail(Code::kInvalidModel, "input {} '{}' of {} is required but absent", i, parameter->name, node.op->full_name());
}

void check_signature(const OpTable& table, const Graph& graph, const Node& node) {
  check_signature(table.signature(*node.op), graph, node);
}

void check_signature(const Signature& signature, const Graph& graph, const Node& node) {
  try {
    check_inputs(signature, graph, node);
    if (const size_t count = count_present(node.outputs); count > signature.max_outputs)
      fail(Code::kInvalidModel, "{} has {} outputs at most, got {}", node.op->full_name(), signature.max_outputs,
           count);
    check_attributes(signature, node);
  } catch (base::Error& error) {
    error.in(node.describe(graph));
    throw;
  }
}

}  // namespace onnxrun::ir
