// onnx-run compare: do two models, or one at several levels or on several providers, compute the same, and how fast is either?
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands.h"
#include "compare_report.h"
#include "files.h"
#include "inputs.h"
#include "npz.h"
#include "outcome.h"
#include "parting.h"
#include "session_flags.h"
#include "sides.h"
#include "tolerance_flags.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;
using onnxrun::NamedValues;

struct CompareFlags {
  SessionFlags session;
  InputFlags inputs;
  Tolerance tolerance{1e-3, 1e-4, true};
  std::string reference, other;
  std::vector<int64_t> batches;
  std::vector<std::string> levels, providers;
  int repeat = 10;
  bool all_tensors = false, json = false;

  bool has_arrays() const { return other.ends_with(".npz"); }
  bool has_model() const { return !other.empty() && !has_arrays(); }
};

Side open(const CompareFlags& flags, const std::string& path, const SessionFlags& session, const std::string& label) {
  return in_phase(kModel, [&] {
    onnxrun::Options options = session.options();
    onnxrun::Model model(path, options);
    onnxrun::Session opened = flags.batches.empty() ? session.open(path, options) : onnxrun::Session(model, options);
    return Side{label.empty() ? path : label, path, std::move(model), std::move(options), std::move(opened)};
  });
}

// The models that were named, at each level and on each provider that was named. The first is the reference, unless arrays are.
std::vector<Side> open_all(const CompareFlags& flags) {
  std::vector<std::string> paths{flags.reference};
  if (flags.has_model()) paths.push_back(flags.other);
  std::vector<Side> sides;
  if (flags.other.empty() && flags.levels.empty() && flags.providers.empty()) {
    SessionFlags plain = flags.session;
    plain.level = "0";
    plain.kernels = "reference";
    plain.passes.clear();
    plain.precision.clear();
    sides.push_back(open(flags, flags.reference, plain, "level 0, reference kernels"));
  }
  const std::vector<std::string> as_given{""};
  for (const std::string& path : paths)
    for (const std::string& level : flags.levels.empty() ? as_given : flags.levels)
      for (const std::string& provider : flags.providers.empty() ? as_given : flags.providers) {
        SessionFlags session = flags.session;
        std::string label = paths.size() > 1 || (level + provider).empty() ? path : "";
        if (!level.empty()) {
          session.level = level;
          label += (label.empty() ? "level " : ", level ") + level;
        }
        if (!provider.empty()) {
          session.providers = {provider};
          label += (label.empty() ? "" : ", ") + provider;
        }
        sides.push_back(open(flags, path, session, label));
      }
  if (sides.size() == 1 && !flags.has_arrays())
    throw Failure("there is nothing to compare with: name a second model, an .npz, or several --levels or --providers");
  return sides;
}

NamedValues values_of(const onnxrun::Results& results) { return {results.begin(), results.end()}; }

// Runs that are repeated, each on inputs of its own.
class Timed {
 public:
  Timed(const onnxrun::Session& session, const NamedValues& inputs) : run_(session) {
    for (const auto& [name, value] : inputs) run_.set_input(name, value);
  }
  onnxrun::Results once() {
    const auto begin = Clock::now();
    onnxrun::Results results = run_.execute();
    times_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    return results;
  }
  // The median without the first run, which also plans.
  std::optional<double> median() const {
    if (times_.size() < 2) return std::nullopt;
    std::vector<double> times(times_.begin() + 1, times_.end());
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
    return times[times.size() / 2];
  }

 private:
  onnxrun::Run run_;
  std::vector<double> times_;
};

class Comparing {
 public:
  explicit Comparing(const CompareFlags& flags) : flags_(flags), sides_(open_all(flags)) {
    if (flags.has_arrays()) {
      result_.reference = flags.other;
      arrays_ = expected_arrays(flags.other, sides_[0].session.outputs(), Room::of(sides_[0].session));
    } else {
      result_.reference = sides_[0].label;
    }
  }

  Comparison compare() {
    if (flags_.batches.empty()) at(std::nullopt);
    for (const int64_t batch : flags_.batches) at(batch);
    return std::move(result_);
  }

 private:
  size_t first_side() const { return flags_.has_arrays() ? 0 : 1; }

  void at(std::optional<int64_t> batch) {
    InputFlags wanted = flags_.inputs;
    wanted.batch = batch;
    wanted.repeat_rows = true;
    const onnxrun::Session& first = sides_[0].session;
    const NamedValues inputs = in_phase(kRun, [&] { return make_inputs(first.inputs(), wanted, Room::of(first)); });
    NamedValues expected = arrays_;
    std::optional<Timed> reference;
    if (!flags_.has_arrays()) {
      in_phase(kRun, [&] {
        try {
          reference.emplace(sides_[0].session, inputs);
          expected = values_of(reference->once());
        } catch (const onnxrun::Error& error) {
          throw Failure(
              "the reference, " + sides_[0].label + ": " + error.what() + hint_on_made_up(inputs, flags_.inputs),
              error.code() == onnxrun::Code::kInvalidArgument ? kUsage : kRun);
        }
      });
    }
    for (size_t i = first_side(); i < sides_.size(); ++i) row(batch, inputs, expected, reference, sides_[i]);
  }

  void row(std::optional<int64_t> batch, const NamedValues& inputs, const NamedValues& expected,
           std::optional<Timed>& reference, const Side& side) {
    Row row;
    row.batch = batch;
    row.side = side.label;
    try {
      const NamedValues own = fitted(inputs, side);
      Timed timed(side.session, own);
      row.outputs = agreements(timed.once(), expected, flags_.tolerance);
      row.left_out = left_out(side.session.outputs(), row.outputs);
      if (row.outputs.empty()) throw Failure(side.label + " has no outputs to compare", kModel);
      for (int i = 0; i < flags_.repeat; ++i) {  // in turns, so that both see the same machine
        if (reference) reference->once();
        timed.once();
      }
      row.ms = timed.median();
      if (reference) row.reference_ms = reference->median();
      if (!flags_.has_arrays() && (flags_.all_tensors || !row.agrees()) && result_.parting.empty() &&
          result_.tensors.empty())
        part(inputs, own, side, !row.agrees());
    } catch (const onnxrun::Error& error) {
      row.error = error.what();
    }
    if (!row.agrees()) note_causes(inputs, side, row);
    result_.rows.push_back(std::move(row));
  }

  void note_causes(const NamedValues& inputs, const Side& side, const Row& row) {
    std::vector<std::string> causes = likely_causes(side, row.error, row.all());
    if (row.error.empty()) {
      const onnxrun::Session& same = flags_.has_arrays() ? side.session : sides_[0].session;
      const NamedValues again = values_of(same.run(inputs));
      for (const ComparedOutput& output : agreements(same.run(inputs), again, flags_.tolerance))
        if (!output.agreement.agrees) {
          causes.insert(causes.begin(),
                        "random numbers: output '" + output.name + "' differs from one run to the next of one model");
          break;
        }
    }
    for (std::string& cause : causes)
      if (std::find(result_.causes.begin(), result_.causes.end(), cause) == result_.causes.end())
        result_.causes.push_back(std::move(cause));
  }

  // Different models are held against each other unoptimised, one model as its sides run.
  void part(const NamedValues& reference_inputs, const NamedValues& inputs, const Side& side, bool differs) {
    const bool same_model = side.path == sides_[0].path;
    std::optional<Side> plain_reference, plain_side;
    if (!same_model) {
      SessionFlags plain = flags_.session;
      plain.level = "0";
      plain.passes.clear();
      plain_reference.emplace(open(flags_, sides_[0].path, plain, ""));
      plain_side.emplace(open(flags_, side.path, plain, ""));
    }
    const Side& a = plain_reference ? *plain_reference : sides_[0];
    const Side& b = plain_side ? *plain_side : side;
    std::vector<SharedValue> shared = shared_values(a, reference_inputs, b, inputs, flags_.tolerance);
    result_.tensors_of = side.label;
    if (differs) {
      const auto apart = std::find_if(shared.begin(), shared.end(), differ);
      if (apart != shared.end()) result_.first = *apart;
      result_.parting = apart == shared.end() && !same_model && unoptimised_agree(a, reference_inputs, b, inputs)
                            ? "only once optimised: unoptimised, both agree; 'onnx-run debug bisect' names the change"
                            : in_words(shared);
    }
    if (flags_.all_tensors) result_.tensors = std::move(shared);
  }

  bool unoptimised_agree(const Side& a, const NamedValues& a_inputs, const Side& b, const NamedValues& b_inputs) const {
    for (const ComparedOutput& output :
         agreements(b.session.run(b_inputs), values_of(a.session.run(a_inputs)), flags_.tolerance))
      if (!output.agreement.agrees) return false;
    return true;
  }

  const CompareFlags& flags_;
  std::vector<Side> sides_;
  NamedValues arrays_;
  Comparison result_;
};

int compare(const CompareFlags& flags) {
  if (flags.has_arrays() && !flags.batches.empty())
    throw Failure("--batch needs a reference that can run; the arrays of an .npz are for one batch");
  const Comparison found = Comparing(flags).compare();
  if (flags.json) std::cout << to_json(found).dump(2) << '\n';
  else print_comparison(std::cout, found);
  return found.agrees() ? kOk : kMismatch;
}

constexpr const char* kFooter =
    "Comparing\n"
    "  With a second model, the first is the reference; with an .npz the arrays in it are, by output name, and --input "
    "gives what they were computed\n"
    "  from. With --levels or --providers the first one named is. With nothing else the model is compared with itself "
    "unoptimised on the plainest\n"
    "  kernels. Inputs and outputs belong together by name, else by position; inputs are cast to the type that the "
    "other model takes. Given inputs\n"
    "  are repeated or cut to each batch. 'relative' is the norm of the difference over the norm of the reference. "
    "Exit code 1 where anything differs\n"
    "  or fails. Where outputs differ, all values of the reference are held in memory once to find where they part.\n"
    "Examples\n"
    "  onnx-run compare model.onnx expected.npz --input inputs.npz           what the framework computed\n"
    "  onnx-run compare model.onnx model_int8.onnx --batch 1,16 --rtol 0.05  speed and error of a smaller model\n"
    "  onnx-run compare model.onnx --levels 0,1,2,99                         the optimizer's levels";

}  // namespace

void add_compare(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("compare", "Compare a model's results and speed with another's, or with arrays");
  auto flags = std::make_shared<CompareFlags>();
  command->add_option("MODEL", flags->reference, "Model file")->required()->type_name("");
  command->add_option("OTHER", flags->other, "A second model, or expected outputs in an .npz")->type_name("");
  command->add_option("--batch", flags->batches, "Sizes of the first dimension to try, as 1,16,64, where it is free")
      ->delimiter(',')
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->type_name("N,...");
  command->add_option("--levels", flags->levels, "Optimizer levels to compare, as 0,1,2,99")
      ->delimiter(',')
      ->type_name("N,...");
  command->add_option("--providers", flags->providers, "Providers to compare, as cpu,cuda")
      ->delimiter(',')
      ->type_name("NAME,...");
  add_tolerance_flags(*command, flags->tolerance);
  command->add_option("--repeat", flags->repeat, "Timed runs of either side at each batch, in turns; default 10")
      ->check(CLI::Range(0, 1000000000))
      ->type_name("N");
  command->add_flag("--all-tensors", flags->all_tensors, "Also list every value that both compute under one name");
  command->add_flag("--json", flags->json, "Print the report as JSON");
  flags->inputs.add_without_batch(*command);
  flags->session.add_threads(*command);
  flags->session.add_running(*command);
  flags->session.add_loading(*command);
  command->footer(std::string(kInputsHelp) + kFooter);
  command->callback([flags, &exit_code] { exit_code = compare(*flags); });
}

}  // namespace cli
