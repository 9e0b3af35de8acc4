// Rounds over the pipeline until a fixpoint.
#include "optimize/driver.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "base/error.h"
#include "ir/apply_moved.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using PassSet = std::set<const Pass*>;

PassSet named(const std::vector<std::string>& names) {
  PassSet passes;
  for (const std::string& name : names)
    for (const Pass* pass : passes_named(name)) passes.insert(pass);
  return passes;
}

PassSet to_print(const std::vector<std::string>& names) {
  if (std::ranges::find(names, "all") == names.end()) return named(names);
  PassSet passes;
  for (const Pass& pass : pipeline()) passes.insert(&pass);
  return passes;
}

class Driver {
 public:
  explicit Driver(const OptimizeOptions& options) : options_(options), printed_(to_print(options.print_after)) {
    const PassSet only = named(options.only), disabled = named(options.disabled);
    for (const Pass& pass : pipeline()) {
      const bool chosen = options.only.empty() ? pass.level <= options.level : only.contains(&pass);
      if (!chosen || disabled.contains(&pass)) continue;
      passes_.push_back(&pass);
      report_.passes.push_back({pass.name, 0, 0});
    }
  }

  OptimizeReport run(ir::Graph& graph) {
    optimize(graph);
    return std::move(report_);
  }

 private:
  void optimize(ir::Graph& graph) {
    for (size_t id = 0; id < graph.node_capacity(); ++id)
      if (graph.has_node(static_cast<ir::NodeId>(id))) optimize_bodies(graph, graph.node(static_cast<ir::NodeId>(id)));
    bool changed = true;
    for (int round = 1; changed; ++round) {
      if (round > options_.max_rounds || applied_ >= options_.max_patches) {
        report_.settled = false;
        break;
      }
      report_.rounds = std::max(report_.rounds, round);
      changed = false;
      bool moved = false;
      for (size_t p = 0; p < passes_.size(); ++p) {
        const Pass& pass = *passes_[p];
        if (pass.last ? !changed && !moved : pass.level < kLayout) changed |= run_pass(graph, p, round);
        else if (!pass.last && !changed) moved |= run_pass(graph, p, round);
      }
      changed |= moved;
    }
  }

  // But for those that are never taken, in which nothing has to fit.
  void optimize_bodies(const ir::Graph& graph, ir::Node& node) {
    const base::Tensor* condition = is(node, "If") ? constant(graph, node.inputs[0]) : nullptr;
    const bool known = condition != nullptr && condition->dtype() == base::DType::kBool && condition->count() == 1;
    for (ir::Body& body : node.bodies)
      if (!known || body.name == (*condition->data<bool>() ? "then_branch" : "else_branch")) optimize(*body.graph);
  }

  bool run_pass(ir::Graph& graph, size_t p, int round) {
    const Pass& pass = *passes_[p];
    check_deadline();
    const auto begin = std::chrono::steady_clock::now();
    const int64_t before = applied_;
    if (pass.match_graph == nullptr) visit_nodes(graph, pass);
    else if (applied_ < options_.max_patches) apply(graph, pass, match(graph, pass, ir::kNone));
    PassReport& report = report_.passes[p];
    report.patches += applied_ - before;
    report.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (applied_ == before) return false;
    if (printed_.contains(&pass)) report_.printed.push_back({pass.name, round, applied_ - before, ir::to_text(graph)});
    return true;
  }

  void visit_nodes(ir::Graph& graph, const Pass& pass) {
    std::vector<ir::NodeId> order = graph.topological_order();
    if (pass.backwards) std::reverse(order.begin(), order.end());
    constexpr size_t kInterval = 1024;
    for (size_t i = 0; i < order.size(); ++i) {
      const ir::NodeId id = order[i];
      if (i % kInterval == kInterval - 1) check_deadline();
      if (applied_ >= options_.max_patches) break;
      if (graph.has_node(id)) apply(graph, pass, match(graph, pass, id));
    }
  }

  MatchResult match(const ir::Graph& graph, const Pass& pass, ir::NodeId id) const {
    try {
      return pass.match_graph != nullptr ? pass.match_graph(context(graph)) : pass.match(context(graph), id);
    } catch (const NotInThisBuild&) {
      return MatchResult::none("an operator is not in this build");
    } catch (const base::Error& error) {
      // Sizes of a file that nobody may ever run: what counts them is left for the run to refuse.
      if (error.code() != base::Code::kLimitExceeded) throw;
      return MatchResult::none("sizes beyond what can be counted");
    }
  }

  void check_deadline() const {
    if (options_.deadline.past())
      base::fail(base::Code::kDeadline,
                 "the model could not be optimised within the time given (option timeout); a lower level takes less");
  }

  PassContext context(const ir::Graph& graph) const {
    return {graph, *options_.table, options_.evaluator, options_.capabilities, options_.max_folded_bytes};
  }

  void apply(ir::Graph& graph, const Pass& pass, MatchResult result) {
    if (!result.matched()) return;
    if (options_.log) options_.log->push_back({pass.name, result.patch().to_string(graph)});
    const bool moves_bodies = pass.match == match_inline_if || pass.match == match_unroll_loop;
    if (!moves_bodies) {
      ir::apply(graph, std::move(result.patch()));
    } else if (!ir::apply_moved(graph, std::move(result.patch()))) {
      if (options_.log) options_.log->pop_back();
      return;
    }
    ++applied_;
#ifdef ONNXRUN_DEBUG
    ir::verify(graph);
#endif
  }

  const OptimizeOptions& options_;
  std::vector<const Pass*> passes_;
  PassSet printed_;
  OptimizeReport report_;
  int64_t applied_ = 0;
};

}  // namespace

OptimizeReport optimize(ir::Graph& graph, const OptimizeOptions& options) { return Driver(options).run(graph); }

}  // namespace onnxrun::optimize
