// Finds the lowest exact opset of a graph.
#include "import/export_opset.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "import/opsets.h"
#include "ir/op.h"

namespace onnxrun::import {
namespace {

using base::Code;
using base::fail;

int64_t ir_version_of(base::DType dtype) {
  using base::DType;
  switch (dtype) {
    case DType::kFloat8E4M3FN:
    case DType::kFloat8E4M3FNUZ:
    case DType::kFloat8E5M2:
    case DType::kFloat8E5M2FNUZ: return 9;
    case DType::kUint4:
    case DType::kInt4: return 10;
    case DType::kFloat4E2M1: return 11;
    case DType::kFloat8E8M0: return 12;
    case DType::kUint2:
    case DType::kInt2: return 13;
    case DType::kFloat6E2M3:
    case DType::kFloat6E3M2: return 14;
    default: return 4;
  }
}

// An operator as the graph has it, in version `opset` of its domain: the canonical version, or any version that means the same.
bool exact_at(const ir::OpDef& op, int64_t opset) {
  const int version = op.version_at(opset);
  return version != 0 && (version == op.versions.back() || !op.lift);
}

struct Uses {
  std::map<std::string, std::map<const ir::OpDef*, std::string>> by_domain;  // with a node of each
  int64_t ir_version = 4;  // the first in which initializers are no inputs

  void add(const ir::Graph& graph) {
    for (size_t i = 0; i < graph.value_count(); ++i) type(graph.value(static_cast<ir::ValueId>(i)).fact);
    for (size_t i = 0; i < graph.node_capacity(); ++i) {
      const auto id = static_cast<ir::NodeId>(i);
      if (!graph.has_node(id)) continue;
      const ir::Node& node = graph.node(id);
      auto& nodes = by_domain[node.op->domain];
      if (!nodes.contains(node.op)) nodes.emplace(node.op, node.describe(graph));
      for (const ir::Body& body : node.bodies) {
        add(*body.graph);
        // Captured values that are handed out are copied with an Identity.
        by_domain[""];
      }
    }
  }

  void type(const ir::Fact& fact) {
    ir_version = std::max(ir_version, ir_version_of(fact.dtype));
    if (fact.kind == ir::TypeKind::kOptional || fact.kind == ir::TypeKind::kSparseTensor) ir_version = std::max<int64_t>(ir_version, 8);
    if (fact.element) type(*fact.element);
  }
};

int64_t choose(const std::map<const ir::OpDef*, std::string>& ops, std::string_view domain, int64_t source, int64_t wanted) {
  const auto first_inexact = [&](int64_t opset) -> const std::string* {
    for (const auto& [op, node] : ops) {
      if (!exact_at(*op, opset)) return &node;
    }
    return nullptr;
  };
  int64_t newest = newest_opset(domain);
  for (const auto& [op, node] : ops) newest = std::max<int64_t>(newest, op->versions.back());
  newest = std::max(newest, source);
  if (wanted != 0) {
    if (wanted < 1 || wanted > newest) fail(Code::kInvalidArgument, "opset {} cannot be written: 1 to {} can", wanted, newest);
    if (const std::string* node = first_inexact(wanted)) fail(Code::kUnsupported, "{} has no exact form at opset {}; a higher opset has", *node, wanted);
    return wanted;
  }
  for (int64_t opset = std::max<int64_t>(source, 1); opset < newest; ++opset) {
    if (!first_inexact(opset)) return opset;
  }
  return newest;
}

}  // namespace

OpsetChoice choose_opsets(const ir::Model& model, int64_t wanted) {
  Uses uses;
  uses.add(*model.graph);
  uses.by_domain[""];
  OpsetChoice choice;
  for (const auto& [domain, ops] : uses.by_domain) {
    const auto source = model.opset_imports.find(domain);
    choice.opsets[domain] = choose(ops, domain, source == model.opset_imports.end() ? 1 : source->second, domain.empty() ? wanted : 0);
  }
  choice.ir_version = std::max(uses.ir_version, ir_version_for(choice.opsets[""]));
  return choice;
}

}  // namespace onnxrun::import
