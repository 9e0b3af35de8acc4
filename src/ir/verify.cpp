// Checks the invariants of a graph.
#define FMT_HEADER_ONLY 1
#include <fmt/format.h>

#include "ir/verify.h"

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"

namespace onnxrun::ir {

namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph) {}

  void run() {
    values();
    interface();
    nodes();
    consumers();
    try {
      graph_.topological_order();
    } catch (const base::Error& error) {
      broken("{}", error.message());
    }
  }

 private:
  template <class... Args>
  [[noreturn]] void broken(fmt::format_string<Args...> format, Args&&... args) const {
    base::fail(base::Code::kInternal, "graph '{}' is broken: {}", graph_.name,
               fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void require(bool holds, fmt::format_string<Args...> format, Args&&... args) const {
    if (!holds) broken(format, std::forward<Args>(args)...);
  }

  bool exists(ValueId id) const {
    return id >= 0 && static_cast<size_t>(id) < graph_.value_count() && !graph_.value(id).removed;
  }

  void values() {
    uses_.resize(graph_.value_count());
    for (size_t i = 0; i < graph_.value_count(); ++i) {
      const auto id = static_cast<ValueId>(i);
      const Value& value = graph_.value(id);
      if (value.removed) {
        require(value.consumers.empty() && value.producer == kNone && value.output_uses == 0,
                "removed value {} is used", id);
        continue;
      }
      require(!value.name.empty() && graph_.find_value(value.name) == id, "value {} is not found by its name '{}'", id,
              value.name);
      if (value.producer != kNone) {
        require(graph_.has_node(value.producer), "the producer of '{}' does not exist", value.name);
        require(!value.is_input && value.outer == kNone, "'{}' is an input but has a producer", value.name);
        bool produced = false;
        for (ValueId output : graph_.node(value.producer).outputs) produced = produced || output == id;
        require(produced, "'{}' is not an output of its producer", value.name);
      }
    }
  }

  void interface() {
    std::unordered_set<ValueId> seen;
    for (ValueId id : graph_.inputs()) {
      require(exists(id) && graph_.value(id).is_input, "input {} is not a value marked as input", id);
      require(seen.insert(id).second, "input '{}' is listed twice", graph_.value(id).name);
    }
    size_t marked = 0;
    std::vector<uint32_t> output_uses(graph_.value_count());
    for (ValueId id : graph_.outputs()) {
      require(exists(id), "output {} does not exist", id);
      ++output_uses[static_cast<size_t>(id)];
    }
    std::unordered_set<ValueId> outers;
    for (ValueId id : graph_.captures()) {
      require(exists(id), "capture {} does not exist", id);
      const Value& value = graph_.value(id);
      require(graph_.parent() != nullptr, "'{}' captures, but the graph has no parent", value.name);
      require(value.outer >= 0 && static_cast<size_t>(value.outer) < graph_.parent()->value_count() &&
                  !graph_.parent()->value(value.outer).removed,
              "'{}' captures a value that does not exist", value.name);
      require(outers.insert(value.outer).second, "'{}' captures a value that is captured twice", value.name);
    }
    for (size_t i = 0; i < graph_.value_count(); ++i) {
      const Value& value = graph_.value(static_cast<ValueId>(i));
      require(value.output_uses == output_uses[i], "'{}' is counted as {} outputs, but is {}", value.name,
              value.output_uses, output_uses[i]);
      marked += value.is_input ? 1 : 0;
      require(value.outer == kNone || (!value.is_input && outers.contains(value.outer)),
              "'{}' is not listed as a capture", value.name);
    }
    require(marked == graph_.inputs().size(), "{} values are marked as inputs, {} are listed", marked,
            graph_.inputs().size());
  }

  void nodes() {
    size_t count = 0;
    for (size_t i = 0; i < graph_.node_capacity(); ++i) {
      const auto id = static_cast<NodeId>(i);
      if (!graph_.has_node(id)) continue;
      ++count;
      const Node& node = graph_.node(id);
      require(node.id == id && node.op != nullptr, "node {} has id {} or no operator", id, node.id);
      for (ValueId input : node.inputs) {
        if (input == kNone) continue;
        require(exists(input), "{} reads value {}, which does not exist", node.describe(graph_), input);
        uses_[static_cast<size_t>(input)].push_back(id);
      }
      for (ValueId output : node.outputs) {
        if (output == kNone) continue;
        require(exists(output), "{} writes value {}, which does not exist", node.describe(graph_), output);
        require(graph_.value(output).producer == id, "{} writes '{}', which says another producer",
                node.describe(graph_), graph_.value(output).name);
      }
      for (const Body& body : node.bodies) {
        require(body.graph && body.graph->parent() == &graph_, "the body '{}' of {} has another parent", body.name,
                node.describe(graph_));
        verify(*body.graph);
        for (ValueId inner : body.graph->captures())
          uses_[static_cast<size_t>(body.graph->value(inner).outer)].push_back(id);
      }
    }
    require(count == graph_.node_count(), "{} nodes are counted, {} exist", graph_.node_count(), count);
  }

  void consumers() {
    for (size_t i = 0; i < uses_.size(); ++i) {
      const Value& value = graph_.value(static_cast<ValueId>(i));
      std::vector<NodeId> recorded = value.consumers;
      std::sort(recorded.begin(), recorded.end());
      std::sort(uses_[i].begin(), uses_[i].end());
      require(recorded == uses_[i], "the consumers of '{}' are [{}], but its uses are in [{}]", value.name,
              fmt::join(recorded, ","), fmt::join(uses_[i], ","));
    }
  }

  const Graph& graph_;
  std::vector<std::vector<NodeId>> uses_;  // by value: the nodes that read it, with repeats
};

}  // namespace

void verify(const Graph& graph) { Verifier(graph).run(); }

}  // namespace onnxrun::ir
