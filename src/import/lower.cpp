// Lowers every node of a graph, in order.
#include "import/lower.h"

#include <charconv>
#include <unordered_set>

#include "base/error.h"
#include "import/numbering.h"
#include "ir/lowering.h"
#include "ops/older_signatures.h"

namespace onnxrun::import {
namespace {

using base::Code;
using base::fail;

constexpr std::string_view kOwnDomain = "onnxrun";

// Removes attributes that only say what the older version always does. `defaults`: "allowzero=0, mode=linear".
void drop_defaults(ir::Attributes& attributes, std::string_view defaults) {
  while (!defaults.empty()) {
    const size_t end = std::min(defaults.find(", "), defaults.size());
    const std::string_view item = defaults.substr(0, end);
    defaults.remove_prefix(std::min(end + 2, defaults.size()));
    const size_t equals = item.find('=');
    const std::string_view name = item.substr(0, equals), text = item.substr(equals + 1);
    const ir::AttributeValue* value = attributes.find(name);
    if (value == nullptr) continue;
    int64_t number = 0;
    const bool is_number = std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
    const auto* as_int = std::get_if<int64_t>(value);
    const auto* as_string = std::get_if<std::string>(value);
    if ((as_int && is_number && *as_int == number) || (as_string && *as_string == text)) attributes.erase(name);
  }
}

class GraphLowerer {
 public:
  GraphLowerer(ir::Graph& graph, const LowerOptions& options) : graph_(graph), options_(options) {
    for (const ir::NodeId id : graph.topological_order()) names_.insert(graph.node(id).name);
  }

  std::optional<Obstacle> run() {
    for (const ir::NodeId id : graph_.topological_order()) {
      if (auto obstacle = place(graph_.take_node(id))) return obstacle;
    }
    return std::nullopt;
  }

 private:
  int64_t opset_of(std::string_view domain) const {
    const auto found = options_.opsets.find(domain == kOwnDomain ? std::string() : std::string(domain));
    return found == options_.opsets.end() ? 1 : found->second;
  }

  bool is_foreign(const ir::OpDef& op) const {
    const std::string_view domain = op.domain;
    return options_.standard_only && ((!domain.empty() && domain != "ai.onnx.ml") || (op.flags & ir::kExtension) != 0);
  }

  Obstacle obstacle(const ir::Node& node, const ir::OpDef& op, std::string why) const {
    Obstacle result{node.describe(graph_), std::move(why), op.domain, 0};
    if (op.domain == kOwnDomain || is_foreign(op)) return result;
    for (const int version : op.versions)
      if (version > opset_of(op.domain) && result.next_opset == 0) result.next_opset = version;
    return result;
  }

  // Whether an Attention's mask may have one row for all of Q's, which ONNX Runtime 1.31 does not take.
  bool has_short_mask(const ir::Node& node) const {
    if (!options_.standard_only || *node.op->domain != '\0' || std::string_view(node.op->name) != "Attention" ||
        node.inputs.size() < 4 || node.inputs[3] == ir::kNone)
      return false;
    const ir::Fact &q = graph_.value(node.inputs[0]).fact, &mask = graph_.value(node.inputs[3]).fact;
    if (q.rank() < 3 || mask.rank() < 2) return false;
    const ir::NodeId maker = graph_.value(node.inputs[3]).producer;
    if (maker != ir::kNone && std::string_view(graph_.node(maker).op->name) == "Expand") return false;
    return (*mask.shape)[mask.shape->size() - 2] != (*q.shape)[q.shape->size() - 2];
  }

  // Gives it a row for each of Q's.
  std::optional<Obstacle> place_with_whole_mask(ir::Node node) {
    ir::Expansion e(graph_, *options_.table, std::move(node));
    const int64_t axis = e.fact(e.input(0)).rank() - 2, rank = e.fact(e.input(3)).rank();
    const ir::ValueId rows = e.emit("Shape", {e.input(0)}, {{"start", axis}, {"end", axis + 1}});
    std::vector<ir::ValueId> dims{rows, e.int64s({1})};
    if (rank > 2) dims.insert(dims.begin(), e.int64s(std::vector<int64_t>(static_cast<size_t>(rank - 2), 1)));
    const ir::ValueId shape = e.emit("Concat", std::move(dims), {{"axis", int64_t{0}}});
    e.set_input(3, e.emit("Expand", {e.input(3), shape}));
    e.keep();
    return place_added(e, ir::kNone);
  }

  // Adds a canonical node, or what it becomes.
  std::optional<Obstacle> place(ir::Node node) {
    for (const ir::Body& body : node.bodies)
      if (auto found = lower_graph(*body.graph, options_)) return found;
    if (has_short_mask(node)) return place_with_whole_mask(std::move(node));
    const ir::OpDef& op = *node.op;
    const bool own = op.domain == kOwnDomain;
    const int64_t opset = opset_of(op.domain);
    const int version = own ? 0 : op.version_at(opset);
    if (!is_foreign(op) && version == op.versions.back()) {
      graph_.add_node(std::move(node));
      return std::nullopt;
    }
    ir::Node spare = node.without_bodies();
    std::optional<Obstacle> found;
    if (is_foreign(op)) found = obstacle(node, op, "ONNX does not define this operator");
    else if (op.lower) found = lower(std::move(node), opset);
    else if (own) found = obstacle(node, op, "this operator is onnxrun's own");
    else if (version == 0)
      found = obstacle(node, op, fmt::format("the operator exists from opset {} on", op.versions.front()));
    else if (op.lift) found = obstacle(node, op, "the operator has no lowering");
    else found = write(std::move(node));
    if (!found) return std::nullopt;
    const bool may_decompose = options_.decompose || own || is_foreign(op);
    if (!may_decompose || !op.decompose) return found;
    ir::Expansion expansion(graph_, *options_.table, std::move(spare));
    if (!op.decompose(expansion)) return found;
    return place_added(expansion, ir::kNone);
  }

  std::optional<Obstacle> lower(ir::Node node, int64_t opset) {
    const ir::OpDef& op = *node.op;
    const ir::Node described = node.without_bodies();
    ir::Lowering lowering(graph_, *options_.table, std::move(node));
    op.lower(lowering, static_cast<int>(opset));
    if (lowering.refused()) {
      if (!lowering.added().empty()) fail(Code::kInternal, "the lowering of {} gave up half way", op.full_name());
      return obstacle(described, op, lowering.refusal());
    }
    ir::NodeId written = ir::kNone;
    for (const ir::NodeId id : lowering.added())
      if (lowering.is_written(id)) written = id;
    return place_added(lowering, written);
  }

  // In the order they were made; `written` is in its final form.
  std::optional<Obstacle> place_added(ir::Expansion& expansion, ir::NodeId written) {
    names_.erase(expansion.source().name);
    for (const ir::NodeId id : std::vector<ir::NodeId>(expansion.added())) {
      ir::Node node = graph_.take_node(id);
      node.name = unused(std::move(node.name));
      if (auto found = id == written ? write(std::move(node)) : place(std::move(node))) return found;
    }
    return std::nullopt;
  }

  // Adds a node in its final form, once it fits the version's signature.
  std::optional<Obstacle> write(ir::Node node) {
    const ir::OpDef& op = *node.op;
    const int64_t opset = opset_of(op.domain);
    const int version = op.version_at(opset);
    if (version == 0) return restored(node, fmt::format("the operator exists from opset {} on", op.versions.front()));
    if (version == op.versions.back()) {
      graph_.add_node(std::move(node));
      return std::nullopt;
    }
    const auto older = ops::older_signature(op.domain, op.name, version);
    const bool standard = *op.domain == 0 || std::string_view(op.domain) == "ai.onnx.ml";
    if (standard && !older) return restored(node, fmt::format("ONNX does not define the operator at opset {}", opset));
    if (older) drop_defaults(node.attributes, older->newer_defaults);
    if (*op.domain == 0 && opset < 11) {
      if (const std::string why = count_axes_from_front(node); !why.empty()) return restored(node, why);
    }
    const ir::NodeId id = graph_.add_node(std::move(node));
    if (!older) return std::nullopt;
    try {
      const ir::Signature signature = ir::parse_signature(older->signature, op.full_name());
      ir::check_signature(signature, graph_, graph_.node(id));
      ir::check_output_types(signature, graph_, graph_.node(id));
    } catch (const base::Error& error) {
      if (error.code() == Code::kInternal) throw;
      const ir::Node refused = graph_.take_node(id);
      return obstacle(refused, op, std::string(error.message()));
    }
    return std::nullopt;
  }

  // The name, or one made of it: others refuse a file with two nodes of one name.
  std::string unused(std::string name) {
    if (name.empty() || names_.insert(name).second) return name;
    return numbering_.next(name, [this](const std::string& own) { return !names_.insert(own).second; });
  }

  std::optional<Obstacle> restored(const ir::Node& node, std::string why) const {
    return obstacle(node, *node.op, std::move(why));
  }

  // Axes counted from the back came with opset 11. Returns why it cannot be done.
  std::string count_axes_from_front(ir::Node& node) const {
    const std::string_view name = node.op->name;
    if (name == "OneHot") return {};  // -1 means the last axis from the first version on
    const auto rank_of = [&](const std::vector<ir::ValueId>& ids) {
      return ids.empty() || ids[0] == ir::kNone ? -1 : graph_.value(ids[0]).fact.rank();
    };
    const int64_t rank = rank_of(name == "Unsqueeze" ? node.outputs : node.inputs);
    for (const char* attribute : {"axis", "axes"}) {
      const ir::AttributeValue* value = node.attributes.find(attribute);
      if (value == nullptr) continue;
      std::vector<int64_t> axes;
      const auto* one = std::get_if<int64_t>(value);
      if (one) axes = {*one};
      else if (const auto* many = std::get_if<std::vector<int64_t>>(value)) axes = *many;
      for (int64_t& axis : axes) {
        if (axis >= 0) continue;
        if (rank < 0) return fmt::format("'{}' counts from the back and the rank is not known", attribute);
        axis += rank;
      }
      if (one) node.attributes.set(attribute, axes.front());
      else if (!axes.empty()) node.attributes.set(attribute, axes);
    }
    return {};
  }

  ir::Graph& graph_;
  const LowerOptions& options_;
  std::unordered_set<std::string> names_;  // of nodes
  Numbering numbering_;
};

}  // namespace

std::optional<Obstacle> lower_graph(ir::Graph& graph, const LowerOptions& options) {
  return GraphLowerer(graph, options).run();
}

}  // namespace onnxrun::import
