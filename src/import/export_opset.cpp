// Finds the lowest exact opset of a graph and lowers the graph to it.
#include "import/export_opset.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "import/lower.h"
#include "import/opsets.h"

namespace onnxrun::import {
namespace {

using base::Code;
using base::fail;

// What the pinned peer, onnxruntime 1.31, loads.
constexpr int64_t kPortableOpset = 26;
constexpr int64_t kPortableIr = 13;

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

struct Uses {
  std::set<std::string> domains = {""};  // bodies may hand out what they capture, by an Identity
  int64_t ir_version = 4;                // the first in which initializers are no inputs

  void add(const ir::Graph& graph) {
    bool metadata = !graph.metadata.empty();
    for (const auto& [id, notes] : graph.notes) metadata = metadata || !notes.metadata.empty();
    if (metadata) ir_version = std::max<int64_t>(ir_version, 10);
    for (size_t i = 0; i < graph.value_count(); ++i) type(graph.value(static_cast<ir::ValueId>(i)).fact);
    for (size_t i = 0; i < graph.node_capacity(); ++i) {
      const auto id = static_cast<ir::NodeId>(i);
      if (!graph.has_node(id)) continue;
      const ir::Node& node = graph.node(id);
      domains.insert(node.op->domain);
      if (!node.metadata.empty()) ir_version = std::max<int64_t>(ir_version, 10);
      for (const ir::Body& body : node.bodies) add(*body.graph);
    }
  }

  void type(const ir::Fact& fact) {
    ir_version = std::max(ir_version, ir_version_of(fact.dtype));
    if (fact.kind == ir::TypeKind::kOptional || fact.kind == ir::TypeKind::kSparseTensor)
      ir_version = std::max<int64_t>(ir_version, 8);
    if (fact.element) type(*fact.element);
  }
};

// One search for opsets: `first` is where ai.onnx begins, `last` where it ends.
class Search {
 public:
  Search(const ir::Model& model, const ExportOptions& options) : model_(model), options_(options) {
    uses_.add(*model.graph);
  }

  std::optional<ir::Model> run(int64_t first, int64_t last, bool decompose) {
    LowerOptions lower{options_.table, {}, decompose, options_.portable};
    for (const std::string& domain : uses_.domains) {
      const auto source = model_.opset_imports.find(domain);
      int64_t& opset = lower.opsets[domain];
      opset = source == model_.opset_imports.end() ? 1 : std::max<int64_t>(source->second, 1);
      // A model may import what is too new and use another version in a function only.
      if (const int64_t newest = newest_opset(domain); newest != 0) opset = std::min(opset, newest);
    }
    lower.opsets[""] = first;
    for (;;) {
      ir::Model copy = model_.clone();
      const std::optional<Obstacle> found = lower_graph(*copy.graph, lower);
      opsets_ = lower.opsets;
      if (!found) return copy;
      if (!obstacle_ || obstacle_->next_opset == 0) obstacle_ = found;
      const int64_t end = found->domain.empty() ? last : newest_opset(found->domain);
      if (found->next_opset == 0 || found->next_opset > end) return std::nullopt;
      lower.opsets[found->domain] = found->next_opset;
    }
  }

  // The first thing in the way of the last search.
  const Obstacle& obstacle() const { return *obstacle_; }
  void forget() { obstacle_.reset(); }
  const std::map<std::string, int64_t>& opsets() const { return opsets_; }

 private:
  const ir::Model& model_;
  const ExportOptions& options_;
  Uses uses_;
  std::optional<Obstacle> obstacle_;
  std::map<std::string, int64_t> opsets_;
};

int64_t newest_of(const ir::Model& model) {
  const auto source = model.opset_imports.find("");
  return std::max<int64_t>(kNewestOpset, source == model.opset_imports.end() ? 1 : source->second);
}

}  // namespace

ir::Model lower_model(const ir::Model& model, const ExportOptions& options, OpsetChoice& choice) {
  if (!options.table) fail(Code::kInvalidArgument, "an export needs an operator table");
  const int64_t newest = newest_of(model);
  const int64_t wanted = options.opset;
  if (wanted < 0 || wanted > newest)
    fail(Code::kInvalidArgument, "opset {} cannot be written: 1 to {} can", wanted, newest);
  if (options.portable && wanted > kPortableOpset)
    fail(Code::kInvalidArgument, "opset {} is not portable: {} and below are", wanted, kPortableOpset);
  const auto source = model.opset_imports.find("");
  const int64_t last = wanted != 0 ? wanted : options.portable ? std::min(newest, kPortableOpset) : newest;
  const int64_t first =
      wanted != 0 ? wanted : std::clamp<int64_t>(source == model.opset_imports.end() ? 1 : source->second, 1, last);

  Search search(model, options);
  std::optional<ir::Model> lowered = search.run(first, last, false);
  if (!lowered && last < newest) {
    const Obstacle obstacle = search.obstacle();
    if (options.decompose) lowered = search.run(first, last, true);
    if (!lowered) {
      std::string message = fmt::format("{} has no exact form at opset {}: {}", obstacle.node, last, obstacle.why);
      search.forget();
      if (search.run(last, newest, false))
        message += fmt::format("; the lowest opset in which the whole model has one is {}", search.opsets().at(""));
      fail(Code::kUnsupported, "{}", message);
    }
  }
  if (!lowered) fail(Code::kUnsupported, "{} cannot be written: {}", search.obstacle().node, search.obstacle().why);

  Uses uses;
  uses.add(*lowered->graph);
  for (const std::string& domain : uses.domains)
    choice.opsets[domain] = search.opsets().contains(domain) ? search.opsets().at(domain) : 1;
  choice.ir_version = std::max(uses.ir_version, ir_version_for(choice.opsets[""]));
  if (options.portable && choice.ir_version > kPortableIr) {
    fail(Code::kUnsupported,
         "the model uses types of IR version {}, which portable files do not have: {} and below are", choice.ir_version,
         kPortableIr);
  }
  return std::move(*lowered);
}

}  // namespace onnxrun::import
