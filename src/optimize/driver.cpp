// Rounds over the pipeline until a fixpoint.
#include "optimize/driver.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "ir/verify.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

namespace {

constexpr int kMaxRounds = 16;

std::string all_names() {
  std::string names;
  for (const Pass& pass : pipeline()) names += (names.empty() ? "" : ", ") + std::string(pass.name);
  return names;
}

class Driver {
 public:
  explicit Driver(const OptimizeOptions& options) : options_(options) {
    for (const std::vector<std::string>* names : {&options.only, &options.disabled})
      for (const std::string& name : *names)
        if (std::none_of(pipeline().begin(), pipeline().end(), [&](const Pass& pass) { return name == pass.name; }))
          base::fail(base::Code::kInvalidArgument, "there is no pass '{}'; there are: {}", name, all_names());
    for (const Pass& pass : pipeline()) {
      const auto named = [&](const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), pass.name) != names.end();
      };
      const bool chosen = options.only.empty() ? pass.level <= options.level : named(options.only);
      if (chosen && !named(options.disabled)) {
        passes_.push_back(&pass);
        reports_.push_back({pass.name, 0, 0});
      }
    }
  }

  std::vector<PassReport> run(ir::Graph& graph) {
    optimize(graph);
    return std::move(reports_);
  }

 private:
  void optimize(ir::Graph& graph) {
    for (size_t id = 0; id < graph.node_capacity(); ++id)
      if (graph.has_node(static_cast<ir::NodeId>(id)))
        for (ir::Body& body : graph.node(static_cast<ir::NodeId>(id)).bodies) optimize(*body.graph);
    for (int round = 0; round < kMaxRounds; ++round) {
      bool changed = false, moved = false;
      for (size_t p = 0; p < passes_.size(); ++p) {
        if (passes_[p]->level < kLayout) changed |= run_pass(graph, p);
        else if (!changed) moved |= run_pass(graph, p);
      }
      if (!changed && !moved) break;
    }
  }

  bool run_pass(ir::Graph& graph, size_t p) {
    const auto begin = std::chrono::steady_clock::now();
    const PassContext context{graph, *options_.table, options_.evaluator, options_.capabilities,
                              options_.max_folded_bytes};
    std::vector<ir::NodeId> order = graph.topological_order();
    if (passes_[p]->backwards) std::reverse(order.begin(), order.end());
    bool changed = false;
    for (ir::NodeId id : order) {
      if (applied_ >= options_.max_patches) break;
      if (!graph.has_node(id)) continue;
      MatchResult result = passes_[p]->match(context, id);
      if (!result.matched()) continue;
      if (options_.log) options_.log->push_back({passes_[p]->name, result.patch().to_string(graph)});
      ir::apply(graph, std::move(result.patch()));
      ++reports_[p].patches;
      ++applied_;
      changed = true;
#ifdef ONNXRUN_DEBUG
      ir::verify(graph);
#endif
    }
    reports_[p].seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return changed;
  }

  const OptimizeOptions& options_;
  std::vector<const Pass*> passes_;
  std::vector<PassReport> reports_;
  int64_t applied_ = 0;
};

}  // namespace

std::vector<PassReport> optimize(ir::Graph& graph, const OptimizeOptions& options) {
  return Driver(options).run(graph);
}

}  // namespace onnxrun::optimize
