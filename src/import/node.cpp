// NodeProto to canonical nodes: finds the operator and its version, reads attributes and bodies, lifts, checks and infers.
#include <algorithm>

#include "import/attributes.h"
#include "import/builder.h"
#include "import/opsets.h"
#include "ir/complete.h"
#include "ir/complete_outputs.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/input_types.h"
#include "ir/only_types.h"
#include "ops/older_signatures.h"

namespace onnxrun::import {

using base::fail;

namespace {

// Operators that exist only to train.
bool trains(const NodeView& view) {
  return view.domain == "ai.onnx.training" || (view.domain == "ai.onnx.preview.training" && view.op_type == "Gradient");
}

}  // namespace

void Builder::count_node() {
  if (++context_.nodes > context_.options.limits.max_nodes) {
    base::exceed(fmt::format("{} nodes once functions are inlined", context_.nodes), context_.options.limits.max_nodes,
                 "max_nodes");
  }
  constexpr int64_t kInterval = 256;
  if (context_.nodes % kInterval == 0) context_.check_time();
}

// The attribute itself, or what the reference it is stands for in the current call; null when the caller gave none.
Binding Builder::bound(const AttributeView& attribute, Scope& scope) const {
  if (attribute.reference.empty()) return {&attribute, &scope};
  if (!scope.function) {
    throw Diagnosis(Code::kInvalidModel,
                    fmt::format("attribute '{}' refers to '{}' of a function, outside of any function",
                                shown(attribute.name), shown(attribute.reference)),
                    "a value", "");
  }
  const Scope* call = scope.call();
  const auto found = call->bindings.find(attribute.reference);
  if (found == call->bindings.end()) {
    throw Diagnosis(Code::kInvalidModel,
                    fmt::format("attribute '{}' refers to '{}', which {} does not have", shown(attribute.name),
                                shown(attribute.reference), scope.function->describe()),
                    "an attribute of the function", "");
  }
  const Binding binding = found->second;
  if (binding.attribute && attribute.type != AttributeType::kUndefined && binding.attribute->type != attribute.type) {
    throw Diagnosis(Code::kInvalidModel,
                    fmt::format("attribute '{}' gets a value of another type from the call of {}",
                                shown(attribute.name), scope.function->describe()),
                    "the same type", "");
  }
  return binding;
}

void Builder::node(const NodeView& view, Scope& scope) {
  if (const FunctionView* function = find_function(view)) return inline_function(view, *function, scope);
  count_node();
  if (view.domain.empty() && view.op_type == "Constant") return constant(view, scope);
  operation(view, scope);
}

const ir::OpDef& Builder::find_operator(const NodeView& view, const Scope& scope, int64_t& opset) const {
  context_.used_domains.emplace(view.domain);
  const ir::OpTable& table = *context_.options.table;
  const std::string domain(view.domain.empty() ? std::string_view("ai.onnx") : view.domain);
  const auto import = scope.opsets->find(view.domain);
  if (import == scope.opsets->end()) {
    throw Diagnosis(Code::kInvalidModel,
                    fmt::format("domain '{}' is used but no version of it is imported", shown(domain)),
                    fmt::format("an opset_import of '{}'", shown(domain)), "add it to the model");
  }
  opset = import->second;
  check_opset(view.domain, opset);
  const ir::OpDef* def = table.find(view.domain, view.op_type);
  if (!def && trains(view)) {
    throw Diagnosis(Code::kUnsupported,
                    fmt::format("'{}' of domain '{}' is a training operator, which is out of scope: onnxrun runs "
                                "inference only",
                                shown(view.op_type), shown(domain)),
                    "an inference model", "export the model for inference, without its training graph");
  }
  if (!def && !table.reduced_to().empty())
    throw Diagnosis(
        Code::kUnsupported, table.describe_missing(shown(view.domain), shown(view.op_type)), {},
        "use a build that has all operators, or one for the list that onnx-run inspect MODEL --build-list prints");
  if (!def) {
    std::string hint;
    for (const std::string& name : table.similar(view.domain, view.op_type)) hint += (hint.empty() ? "" : ", ") + name;
    throw Diagnosis(
        Code::kUnsupported, table.describe_missing(shown(view.domain), shown(view.op_type)), {},
        hint.empty()
            ? "export the model without it, or with a function in the model that defines it by ONNX's operators"
            : "similar: " + hint);
  }
  const int version = def->version_at(opset);
  if (version == 0) {
    throw Diagnosis(
        Code::kInvalidModel,
        fmt::format("the operator '{}' exists only from opset {} on, and the model imports opset {} of '{}'",
                    shown(view.op_type), def->versions.front(), opset, domain),
        fmt::format("opset {} or newer", def->versions.front()), "export the model with a newer opset");
  }
  if (view.domain.empty()) context_.needed_opset = std::max<int64_t>(context_.needed_opset, version);
  return *def;
}

// Refuses far more attributes than the operator has, in any of its versions: each is looked for among all others.
void Builder::check_attribute_count(const NodeView& view, const ir::OpDef& def) const {
  constexpr size_t kOlder = 64;  // that only older versions have
  const ir::Signature& signature = context_.options.table->signature(def);
  if (view.attributes.size() <= signature.attributes.size() + kOlder) return;
  const auto unknown = std::ranges::find_if(
      view.attributes, [&](const AttributeView& each) { return signature.attribute(each.name) == nullptr; });
  fail(Code::kInvalidModel, "{} takes {} attributes at most, got {}, among them '{}', which it does not have",
       def.full_name(), signature.attributes.size(), view.attributes.size(), shown(unknown->name));
}

// A Constant node is the constant itself.
void Builder::constant(const NodeView& view, Scope& scope) {
  int64_t opset = 0;
  context_.used_domains.emplace("");
  const auto import = scope.opsets->find(view.domain);
  if (import != scope.opsets->end()) check_opset("", opset = import->second);
  if (!view.inputs.empty() && !(view.inputs.size() == 1 && view.inputs[0].empty()))
    fail(Code::kInvalidModel, "Constant takes no inputs");
  if (view.outputs.size() != 1 || view.outputs[0].empty()) fail(Code::kInvalidModel, "Constant has one output");
  std::optional<base::Tensor> tensor;
  for (const AttributeView& attribute : view.attributes) {
    const Binding binding = bound(attribute, scope);
    if (!binding.attribute) continue;
    if (tensor) fail(Code::kInvalidModel, "Constant has more than one value");
    ir::AttributeValue value = read_attribute(context_, *binding.attribute);
    const std::string_view name = attribute.name;
    if ((name == "value" || name == "sparse_value") && std::holds_alternative<base::Tensor>(value))
      tensor = std::get<base::Tensor>(std::move(value));
    else if (name == "value_float" && std::holds_alternative<float>(value))
      tensor = base::Tensor::scalar(std::get<float>(value));
    else if (name == "value_int" && std::holds_alternative<int64_t>(value))
      tensor = base::Tensor::scalar(std::get<int64_t>(value));
    else if (name == "value_string" && std::holds_alternative<std::string>(value))
      tensor = base::Tensor::scalar(std::get<std::string>(value));
    else if (name == "value_floats" && std::holds_alternative<std::vector<float>>(value))
      tensor = base::Tensor::vector<float>(std::get<std::vector<float>>(value));
    else if (name == "value_ints" && std::holds_alternative<std::vector<int64_t>>(value))
      tensor = base::Tensor::vector<int64_t>(std::get<std::vector<int64_t>>(value));
    else if (name == "value_strings" && std::holds_alternative<std::vector<std::string>>(value))
      tensor = base::Tensor::vector<std::string>(std::get<std::vector<std::string>>(value));
    else
      fail(Code::kInvalidModel, "attribute '{}' of Constant is unknown or of the wrong kind ({})", shown(name),
           ir::attribute_kind_name(value));
  }
  if (!tensor) fail(Code::kInvalidModel, "Constant has no value");
  const ir::ValueId id = define(scope, view.outputs[0]);
  scope.graph->value(id).fact = ir::Fact::of(std::move(*tensor));
}

const ir::Signature* Builder::written_signature(const ir::OpDef& def, int since) {
  const auto [at, added] = written_signatures_.try_emplace({&def, since});
  if (added) {
    if (const auto older = ops::older_signature(def.domain, def.name, since))
      at->second = ir::parse_signature(older->signature, def.full_name());
  }
  return at->second ? &*at->second : nullptr;
}

void Builder::operation(const NodeView& view, Scope& scope) {
  int64_t opset = 0;
  const ir::OpDef& def = find_operator(view, scope, opset);
  ir::Graph& graph = *scope.graph;
  ir::Node node;
  node.op = &def;
  node.name = scope.prefix.empty() || view.name.empty() ? std::string(view.name)
                                                        : fmt::format("{}/{}", scope.prefix, view.name);
  node.doc = view.doc;
  context_.take(sizeof(ir::Node) + 2 * node.name.size() + node.doc.size());
  for (const auto& [key, value] : view.metadata) context_.take(128 + key.size() + value.size());
  node.metadata.insert(view.metadata.begin(), view.metadata.end());
  for (const std::string_view input : view.inputs) {
    if (input.empty()) {
      node.inputs.push_back(ir::kNone);
      continue;
    }
    const std::optional<ir::ValueId> id = resolve(scope, input);
    if (!id) {
      throw Diagnosis(
          Code::kInvalidModel,
          fmt::format("the input '{}' is made by no node and is no graph input or initializer", shown(input)),
          "the name of a value that exists", "correct the name, or add what is missing");
    }
    node.inputs.push_back(*id);
  }
  while (!node.inputs.empty() && node.inputs.back() == ir::kNone) node.inputs.pop_back();
  check_attribute_count(view, def);
  for (const AttributeView& attribute : view.attributes) {
    const Binding binding = bound(attribute, scope);
    if (!binding.attribute) continue;
    if (binding.attribute->graph) {
      const ir::OnlyTypes only_types(ir::never_taken(graph, node, attribute.name));
      node.bodies.push_back({std::string(attribute.name), body(*binding.attribute->graph, graph, *binding.scope,
                                                               ir::bodies_keep_declarations(view.domain))});
    } else {
      node.attributes.set(attribute.name, read_attribute(context_, *binding.attribute));
    }
  }
  for (const std::string_view output : view.outputs)
    node.outputs.push_back(output.empty() ? ir::kNone : define(scope, output));
  if (std::all_of(node.outputs.begin(), node.outputs.end(), [](ir::ValueId id) { return id == ir::kNone; }))
    throw Diagnosis(Code::kInvalidModel, "the node has no outputs", "one or more", "remove the node");
  if (!node.name.empty()) {
    node.origin.push_back(node.name);
  } else {
    const auto first =
        std::find_if(node.outputs.begin(), node.outputs.end(), [](ir::ValueId id) { return id != ir::kNone; });
    if (first != node.outputs.end()) node.origin.push_back(graph.value(*first).name);
  }

  const ir::OpTable& table = *context_.options.table;
  ir::complete_outputs(graph, table.signature(def), node);
  if (!def.lift) {
    const ir::NodeId id = graph.add_node(std::move(node));
    ir::check_signature(table, graph, graph.node(id));
    ir::infer_in_place(graph, id);
    return;
  }
  const int since = def.version_at(opset);
  const ir::Signature* written = written_signature(def, since);
  ir::check_required_inputs(written != nullptr ? *written : table.signature(def), node);
  ir::check_input_types(written, table.signature(def), graph, node);
  ir::Expansion expansion(graph, table, std::move(node));
  def.lift(expansion, since);
  for (const ir::Expansion::Remark& remark : expansion.remarks())
    context_.warn(view.describe(), remark.what, remark.expected, remark.fix);
}

}  // namespace onnxrun::import
