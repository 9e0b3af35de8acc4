// Quantisation in the C interface: preparing, calibrating, changing, and the report on what it cost.
#include <algorithm>

#include "api/functions.h"
#include "api/json.h"
#include "api/quantize_runs.h"
#include "api/shared_library.h"
#include "api/status.h"
#include "ir/verify.h"
#include "quantise/equalise.h"
#include "quantise/smooth.h"

namespace onnxrun::api {
namespace {

using quantise::Settings;

constexpr double kSmooth = 0.5;
constexpr double kClearly = 0.9;       // of another method's error: few samples cannot tell closer ones apart
constexpr int64_t kMostCompared = 64;  // samples whose results are kept, to be compared with

ir::Model with_passes(const ir::Model& model, const onnxrun_options& options, const std::vector<std::string>& passes) {
  onnxrun_options chosen = options;
  chosen.passes = passes;
  chosen.disabled_passes.clear();
  chosen.print_after.clear();
  chosen.max_patches = INT64_MAX;
  return optimized(model, chosen);
}

struct Attempt {
  ir::Model model;
  quantise::Notes notes;
  double error = 0;

  int64_t bytes_before() const { return sum(&quantise::Change::bytes_before); }
  int64_t bytes_after() const { return sum(&quantise::Change::bytes_after); }

 private:
  int64_t sum(int64_t quantise::Change::*bytes) const {
    int64_t total = 0;
    for (const quantise::Change& change : notes.changes) total += change.*bytes;
    return total;
  }
};

// The float32 model as one choice of scales has it, and what calibration saw of it.
struct Candidate {
  ir::Model base;
  quantise::Observed observed;
  std::optional<quantise::Method> method;
  double smooth = 0;
  size_t equalised = 0;  // pairs of convolutions
};

class Quantisation {
 public:
  Quantisation(const ir::Model& source, const onnxrun_options& options, Settings settings, const Samples& samples)
      : options_(options), settings_(std::move(settings)), samples_(samples) {
    settings_.allowance = {base::Deadline::after(options_.timeout()), budget_of(options_, options_.limits())};
    if (settings_.mode != quantise::Mode::kFloat) quantise::refuse_quantised(*source.graph);
    prepared_ = passed(source, quantise::preparing_passes());
  }

  onnxrun_model* run(Json& report) {
    if (settings_.needs_samples() && !samples_.any())
      fail(Code::kInvalidArgument, "samples are needed: {} follows from what a model computes on them",
           settings_.target_error > 0                  ? "the error"
           : settings_.mode == quantise::Mode::kStatic ? "the range of each value"
                                                       : "how much each weight counts");
    if (settings_.mode == quantise::Mode::kWeights && samples_.any() && !settings_.rounding)
      settings_.rounding = quantise::Rounding::kCompensated;
    std::optional<Comparison> comparison;
    if (samples_.any()) {
      comparison.emplace(prepared_, options_, samples_, kMostCompared, settings_.allowance);
      if (comparison->samples() == 0) fail(Code::kInvalidArgument, "there are no samples to calibrate with");
    }
    Attempt attempt = best(comparison ? &*comparison : nullptr);
    if (attempt.notes.changes.empty()) refuse(attempt.notes);
    report = {{"version", 1},
              {"mode", quantise::mode_name(settings_.mode)},
              {"type", base::dtype_name(settings_.type)},
              {"samples", chosen_.observed.samples}};
    if (comparison) {
      report["samples"] = std::max(chosen_.observed.samples, comparison->samples());
      report["compared"] = comparison->samples();
      report["smooth"] = chosen_.smooth;
      report["equalized"] = chosen_.equalised;
      if (chosen_.method) report["method"] = quantise::method_name(*chosen_.method);
      if (settings_.target_error > 0) search(*comparison, attempt, report);
      describe_error(*comparison, attempt, report);
    }
    describe(attempt, report);
    return make_handle(std::move(attempt.model), options_.ops);
  }

 private:
  // With ranges moved to the weights and without, where nothing was said: whichever has the lesser error. Of methods the second where its error is
  // clearly less.
  Attempt best(const Comparison* comparison) {
    const bool computes = settings_.mode == quantise::Mode::kDynamic || settings_.mode == quantise::Mode::kStatic;
    const bool tries = comparison != nullptr && computes;
    std::vector<std::optional<quantise::Method>> methods = {settings_.method};
    if (settings_.mode == quantise::Mode::kStatic && !settings_.method)
      methods = {quantise::Method::kMse, quantise::Method::kMinmax};
    std::optional<Attempt> least;
    const auto attempt = [&](double strength) {
      Candidate candidate = calibrated(strength);
      std::optional<Attempt> own;
      std::optional<quantise::Method> better;
      for (const auto& method : methods) {
        candidate.method = method;
        Attempt made = changed(candidate, {});
        if (comparison != nullptr && !made.notes.changes.empty()) made.error = comparison->error(made.model);
        if (own && !(made.error < kClearly * own->error)) continue;
        own = std::move(made);
        better = method;
      }
      if (least && !(own->error < least->error)) return;
      least = std::move(own);
      candidate.method = better;
      chosen_ = std::move(candidate);
    };
    attempt(tries ? std::max(settings_.smooth, 0.0) : 0);
    if (tries && settings_.smooth < 0) attempt(kSmooth);
    return std::move(*least);
  }

  ir::Model passed(const ir::Model& model, const std::vector<std::string>& passes) const {
    return with_passes(model, in_time(options_, settings_.allowance), passes);
  }

  Candidate calibrated(double strength) const {
    Candidate result;
    result.base = prepared_.clone();
    result.smooth = strength;
    if (settings_.equalise) result.equalised = make_equal(result.base);
    if (strength > 0) move_ranges(result.base, strength);
    const quantise::Wanted wanted = quantise::wanted_of(*result.base.graph, settings_);
    if (!samples_.any() || (wanted.ranges.empty() && wanted.channels.empty() && wanted.pairs.empty())) return result;
    result.observed = observe(result.base, options_, samples_, wanted, settings_.allowance);
    return result;
  }

  // The models compute the same afterwards.
  size_t make_equal(ir::Model& model) const {
    const std::set<std::string> none;
    quantise::Notes notes;
    quantise::Work work{*model.graph, op_table(options_), settings_, {}, none, notes, {}, {}};
    return quantise::equalise(work);
  }
  void move_ranges(ir::Model& model, double strength) const {
    const quantise::Wanted wanted = quantise::wanted_for_smoothing(*model.graph);
    if (wanted.channels.empty()) return;
    const quantise::Observed observed = observe(model, options_, samples_, wanted, settings_.allowance);
    const std::set<std::string> none;
    quantise::Notes notes;
    quantise::Work work{*model.graph, op_table(options_), settings_, observed, none, notes, {}, {}};
    quantise::smooth(work, strength);
  }

  Attempt changed(const Candidate& candidate, const std::set<std::string>& skipped) const {
    Attempt attempt;
    attempt.model = candidate.base.clone();
    Settings settings = settings_;
    settings.method = candidate.method;
    quantise::Work work{
        *attempt.model.graph, op_table(options_), settings, candidate.observed, skipped, attempt.notes, {}, {}};
    quantise::quantise(work);
    attempt.model = passed(attempt.model, quantise::finishing_passes());
    ir::verify(*attempt.model.graph);
    return attempt;
  }

  [[noreturn]] static void refuse(const quantise::Notes& notes) {
    std::string reasons;
    constexpr size_t kMost = 5;
    for (size_t i = 0; i < std::min(kMost, notes.left.size()); ++i)
      reasons += fmt::format("\n  node '{}' ({}): {}", notes.left[i].node, notes.left[i].op, notes.left[i].why);
    if (notes.left.size() > kMost) reasons += fmt::format("\n  and {} more", notes.left.size() - kMost);
    fail(Code::kUnsupported, "nothing in the model can be quantised in this mode{}{}", reasons.empty() ? "" : ":",
         reasons);
  }

  // Leaves alone as few nodes as bring the error down to what is wanted: those first that cost most when they alone are changed.
  void search(const Comparison& comparison, Attempt& attempt, Json& report) {
    Json table = Json::array();
    const auto row = [&](size_t left, const Attempt& tried) {
      table.push_back({{"left_alone", left},
                       {"error", tried.error},
                       {"changed", tried.notes.changes.size()},
                       {"bytes_before", tried.bytes_before()},
                       {"bytes_after", tried.bytes_after()}});
    };
    row(0, attempt);
    Json sensitivity = Json::array();
    if (attempt.error > settings_.target_error) {
      std::vector<std::pair<double, std::string>> costs;
      std::set<std::string> all;
      for (const quantise::Change& change : attempt.notes.changes) all.insert(change.output);
      for (const quantise::Change& change : attempt.notes.changes) {
        std::set<std::string> others = all;
        others.erase(change.output);
        costs.emplace_back(comparison.error(changed(chosen_, others).model), change.output);
        sensitivity.push_back({{"node", change.node}, {"op", change.op}, {"error", costs.back().first}});
      }
      std::stable_sort(costs.begin(), costs.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
      std::stable_sort(sensitivity.begin(), sensitivity.end(), [](const Json& a, const Json& b) {
        return a["error"].get<double>() > b["error"].get<double>();
      });
      const auto without = [&](size_t count) {
        std::set<std::string> skipped;
        for (size_t i = 0; i < count; ++i) skipped.insert(costs[i].second);
        Attempt tried = changed(chosen_, skipped);
        tried.error = comparison.error(tried.model);
        row(count, tried);
        return tried;
      };
      // The fewest between `low`, too few, and `high`, enough or all.
      size_t low = 0, high = costs.size();
      std::optional<Attempt> best;
      for (size_t count = 1; count < costs.size(); count *= 2) {
        Attempt tried = without(count);
        if (tried.error <= settings_.target_error) {
          high = count;
          best = std::move(tried);
          break;
        }
        low = count;
      }
      while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        Attempt tried = without(middle);
        if (tried.error <= settings_.target_error) {
          high = middle;
          best = std::move(tried);
        } else {
          low = middle;
        }
      }
      if (!best)
        fail(Code::kUnsupported,
             "no part of the model can be quantised with an error of {} or "
             "less: the least costly node alone gives "
             "{:.3g}",
             settings_.target_error, costs.back().first);
      attempt = std::move(*best);
    }
    report["target_error"] = settings_.target_error;
    report["sensitivity"] = std::move(sensitivity);
    report["search"] = std::move(table);
  }

  static Json to_json(const Distance& distance) {
    return {{"name", distance.output}, {"relative", distance.relative}, {"largest", distance.largest},
            {"mean", distance.mean},   {"cosine", distance.cosine},     {"top1", distance.top1}};
  }

  static void describe_error(const Comparison& comparison, const Attempt& attempt, Json& report) {
    report["error"] = attempt.error;
    report["outputs"] = Json::array();
    for (const Distance& distance : comparison.outputs(attempt.model)) report["outputs"].push_back(to_json(distance));
    std::set<std::string> names;
    for (const quantise::Change& change : attempt.notes.changes) names.insert(change.output);
    std::vector<Distance> values = comparison.values(attempt.model, names);
    constexpr size_t kMost = 10;
    if (values.size() > kMost) values.resize(kMost);
    report["worst"] = Json::array();
    for (const Distance& distance : values) {
      Json entry = to_json(distance);
      for (const quantise::Change& change : attempt.notes.changes)
        if (change.output == distance.output) entry["node"] = change.node, entry["op"] = change.op;
      report["worst"].push_back(std::move(entry));
    }
  }

  static void describe(const Attempt& attempt, Json& report) {
    report["bytes_before"] = attempt.bytes_before();
    report["bytes_after"] = attempt.bytes_after();
    report["changed"] = Json::array();
    for (const quantise::Change& change : attempt.notes.changes)
      report["changed"].push_back({{"node", change.node},
                                   {"op", change.op},
                                   {"form", change.form},
                                   {"bytes_before", change.bytes_before},
                                   {"bytes_after", change.bytes_after},
                                   {"error", change.error}});
    report["left"] = Json::array();
    for (const quantise::Left& left : attempt.notes.left)
      report["left"].push_back({{"node", left.node}, {"op", left.op}, {"why", left.why}});
  }

  const onnxrun_options& options_;
  Settings settings_;
  const Samples& samples_;
  ir::Model prepared_;  // the float32 model
  Candidate chosen_;    // the same, as it is changed
};

}  // namespace

onnxrun_status* model_quantize(const onnxrun_model* model, const onnxrun_options* options, const char* const* settings,
                               size_t setting_count, onnxrun_sample sample, void* context, onnxrun_model** out,
                               onnxrun_blob** report) {
  return guard([&] {
    need(model, "model");
    need(out, "out");
    check_settings(settings, setting_count);
    Settings parsed = quantise::parse_settings({settings, settings + setting_count});
    const Samples samples(sample, context, parsed.samples);
    const onnxrun_options own = options_for(*model, options);
    Quantisation quantisation(*model->model, own, std::move(parsed), samples);
    Json text;
    std::unique_ptr<onnxrun_model, void (*)(onnxrun_model*)> made(quantisation.run(text), model_free);
    if (report != nullptr) *report = make_blob(text);
    *out = made.release();
  });
}

}  // namespace onnxrun::api
