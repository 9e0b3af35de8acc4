// Putting the rooms together.
#include "api/assemble.h"

#include <algorithm>
#include <chrono>

#include "base/parallel.h"
#include "cpu/provider.h"
#include "ir/complete.h"
#include "ir/resolve.h"
#include "ir/weigh.h"
#include "ops/table.h"
#include "optimize/driver.h"
#include "optimize/pipeline.h"
#include "plan/kernel_evaluator.h"
#include "plan/provider_capabilities.h"

namespace onnxrun::api {

using base::Code;

const ir::OpTable& op_table() {
  static const ir::OpTable& table = *[] {
    auto* built = new ir::OpTable;
    ops::define_all(*built);
    return built;
  }();
  return table;
}

const ir::OpTable& op_table(const onnxrun_options& options) { return options.ops ? options.ops->table() : op_table(); }

onnxrun_options options_for(const onnxrun_model& model, const onnxrun_options* options) {
  onnxrun_options result = or_defaults(options);
  result.ops = model.ops;
  return result;
}

std::vector<plan::ProviderPtr> known_providers(const onnxrun_options& options) {
  std::vector<plan::ProviderPtr> known{cpu::provider()};
  known.insert(known.end(), options.plugins.begin(), options.plugins.end());
  return known;
}

namespace {

plan::ExtraKernels extra_kernels(const onnxrun_options& options) {
  return options.ops ? options.ops->kernels() : plan::ExtraKernels();
}

}  // namespace

base::BudgetPtr budget_of(const onnxrun_options& options, const base::Limits& limits) {
  return base::make_budget(limits.max_run_bytes, limits.max_tensor_bytes, options.allocator);
}

std::shared_ptr<const plan::ProviderSet> provider_set(const onnxrun_options& options) {
  const std::vector<plan::ProviderPtr> known = known_providers(options);
  std::vector<plan::ProviderPtr> listed;
  for (const std::string& name : options.providers) {
    plan::ProviderPtr found;
    std::string names;
    for (const plan::ProviderPtr& provider : known) {
      if (name == provider->name) found = provider;
      names += (names.empty() ? "" : ", ") + std::string(provider->name);
    }
    if (!found)
      base::fail(Code::kInvalidArgument,
                 "there is no provider '{}' here; there are: {}. Others come from provider libraries", name, names);
    for (const plan::ProviderPtr& other : listed)
      if (other == found) base::fail(Code::kInvalidArgument, "provider '{}' is listed twice", name);
    listed.push_back(std::move(found));
  }
  return std::make_shared<const plan::ProviderSet>(std::move(listed), known.front(), extra_kernels(options));
}

auto import_options(const onnxrun_options& options) -> import::ImportOptions {
  import::ImportOptions result;
  result.table = &op_table(options);
  result.limits = options.limits();
  result.deadline = base::Deadline::after(options.timeout());
  result.budget = budget_of(options, result.limits);
  result.load = options.load.value_or(options.strict ? import::LoadMode::kCopy : import::LoadMode::kMap);
  result.external_root = options.external_root;
  result.allow_links = options.allow_links;
  result.strict = options.strict;
  result.dims = options.dims;
  return result;
}

auto export_options(const onnxrun_options& options) -> import::ExportOptions {
  import::ExportOptions result;
  result.table = &op_table(options);
  result.opset = options.opset;
  result.portable = options.portable;
  result.external_data = !options.external_data.empty();
  result.external_name = options.external_data;
  result.external_min_bytes = options.external_threshold;
  return result;
}

void resolve_shapes(ir::Model& model, const onnxrun_options& options, const import::ImportOptions& settings) {
  constexpr int64_t kMaxBytes = int64_t{64} << 20;
  static const auto& host = *new auto(
      std::make_shared<const plan::ProviderSet>(std::vector<plan::ProviderPtr>{cpu::provider()}, cpu::provider()));
  const auto providers =
      !options.ops ? host
                   : std::make_shared<const plan::ProviderSet>(std::vector<plan::ProviderPtr>{cpu::provider()},
                                                               cpu::provider(), extra_kernels(options));
  base::Limits limits = settings.limits;
  limits.max_run_bytes = std::min(limits.max_run_bytes, kMaxBytes);
  plan::KernelEvaluator evaluator(providers, budget_of(options, limits), settings.deadline);
  const base::DenormalGuard denormals(false);
  const auto declared = ir::forget_declared_ranks(*model.graph);
  ir::resolve_shapes(*model.graph, evaluator);
  for (const auto& [output, fact] : declared) ir::complete_rank(model.graph->value(output).fact, fact);
}

namespace {

run::SessionOptions session_options(const onnxrun_options& options) {
  run::SessionOptions result;
  result.providers = provider_set(options);
  result.table = &op_table(options);
  result.threads = options.threads;
  result.streams = options.streams;
  result.precision = options.precision;
  result.reference_kernels = options.reference_kernels;
  result.flush_denormals = options.flush_denormals;
  result.limits = options.limits();
  result.budget = budget_of(options, result.limits);
  return result;
}

optimize::OptimizeReport optimize_model(ir::Model& model, const run::SessionOptions& session,
                                        const onnxrun_options& wanted,
                                        std::vector<optimize::PatchNote>* log = nullptr) {
  const auto deadline = base::Deadline::after(wanted.timeout());
  plan::KernelEvaluator evaluator(session.providers, session.budget, deadline, session.reference_kernels);
  plan::ProviderCapabilities capabilities(session.providers, session.precision);
  optimize::OptimizeOptions options;
  options.table = session.table;
  options.evaluator = &evaluator;
  options.capabilities = &capabilities;
  options.level = wanted.level;
  options.only = wanted.passes;
  options.disabled = wanted.disabled_passes;
  options.print_after = wanted.print_after;
  options.max_patches = wanted.max_patches;
  options.log = log;
  options.deadline = deadline;
  // A session would compute larger ones at each run, and keeps those of kernels' weights in packed form only.
  if (options.level >= optimize::kLayout)
    options.max_folded_bytes =
        std::clamp<int64_t>(session.budget->cap() / 16, options.max_folded_bytes, int64_t{1} << 30);
  const base::DenormalGuard denormals(session.flush_denormals);
  ir::forget_declared_ranks(*model.graph);
  return optimize::optimize(*model.graph, options);
}

// The fact of a copy's output k, with the rank that the model declares for it.
ir::Fact output_fact(const ir::Model& model, const ir::Fact& inferred, size_t k) {
  ir::Fact fact = inferred;
  ir::complete_rank(fact, model.graph->value(model.graph->outputs()[k]).fact);
  return fact;
}

}  // namespace

ir::Model optimized(const ir::Model& model, const onnxrun_options& options) {
  for (const optimize::Pass& pass : optimize::pipeline())
    if (pass.level >= optimize::kLayout &&
        std::find(options.passes.begin(), options.passes.end(), pass.name) != options.passes.end())
      base::fail(Code::kInvalidArgument, "the pass '{}' makes what only a session runs, no model to be kept",
                 pass.name);
  onnxrun_options kept = options;
  kept.level = std::min<int>(kept.level, optimize::kExtended);
  kept.flush_denormals = false;  // whoever runs what is kept may keep them
  ir::Model copy = model.clone();
  optimize_model(copy, session_options(kept), kept);
  for (size_t k = 0; k < copy.graph->outputs().size(); ++k) {
    ir::Fact& fact = copy.graph->value(copy.graph->outputs()[k]).fact;
    fact = output_fact(model, fact, k);
  }
  return copy;
}

std::vector<optimize::PatchNote> patches_of(const ir::Model& model, const onnxrun_options& options) {
  std::vector<optimize::PatchNote> log;
  ir::Model copy = model.clone();
  optimize_model(copy, session_options(options), options, &log);
  return log;
}

namespace {

void log_made(const Session& session, std::chrono::duration<double> time) {
  const plan::Program& program = session.session.program();
  std::vector<size_t> steps(static_cast<size_t>(program.providers().size()));
  for (const plan::Step& step : program.steps()) ++steps[static_cast<size_t>(step.provider)];
  std::string shares;
  for (size_t i = 0; i < steps.size(); ++i)
    if (steps[i] != 0)
      shares += fmt::format("{}{} on {}", shares.empty() ? "" : ", ", steps[i],
                            program.providers().at(static_cast<int>(i)).name);
  write_log(
      session.log, ONNXRUN_LOG_INFO,
      fmt::format("made a session: {} steps ({}), in {:.3f} ms", program.step_count(), shares, time.count() * 1e3));
}

}  // namespace

std::shared_ptr<Session> make_session(const ir::Model& model, const onnxrun_options& options, Preparations* shared) {
  const auto begin = std::chrono::steady_clock::now();
  run::SessionOptions session_options = api::session_options(options);
  std::shared_ptr<const Preparation> preparation = shared ? shared->find(options) : nullptr;
  if (!preparation) {
    auto copy = std::make_shared<ir::Model>(ir::charged_clone(model, session_options.budget));
    auto fresh = std::make_shared<Preparation>();
    fresh->optimization = optimize_model(*copy, session_options, options);
    fresh->prepared = std::make_shared<const run::Prepared>(std::move(copy), session_options);
    preparation = std::move(fresh);
    if (shared) shared->add(options, preparation);
  }
  auto session = std::make_shared<Session>(std::move(preparation), std::move(session_options), options.streams);
  session->ops = options.ops;
  session->log = options.log;
  if (options.statistics.level != StatisticsLevel::kOff || !options.statistics.values.empty())
    session->statistics = std::make_unique<Statistics>(options.statistics, session->session);
  session->timeout = options.timeout();
  for (const run::Port& port : session->session.inputs()) session->inputs.add(port.name, port.fact, port.has_default);
  for (size_t k = 0; k < session->session.outputs().size(); ++k) {
    const run::Port& port = session->session.outputs()[k];
    session->outputs.add(port.name, output_fact(model, port.fact, k), false);
  }
  if (listens(options.log, ONNXRUN_LOG_INFO)) log_made(*session, std::chrono::steady_clock::now() - begin);
  return session;
}

const onnxrun_options& or_defaults(const onnxrun_options* options) {
  static const onnxrun_options& defaults = *new onnxrun_options;
  return options ? *options : defaults;
}

}  // namespace onnxrun::api
