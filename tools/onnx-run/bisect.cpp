// onnx-run debug bisect: the first change of the optimizer that makes a difference.
#include <iostream>
#include <nlohmann/json.hpp>

#include "debug.h"
#include "outcome.h"
#include "reducer.h"

namespace cli {
namespace {

// The command that shows the difference in the case that was written: with its inputs, and the tolerance where it is not the default.
void print_command(std::ostream& out, const DebugFlags& flags, const onnxrun::Model& small, const std::string& pass) {
  const Tolerance usual;
  out << "to see it: onnx-run debug bisect " << flags.output << "/model.onnx";
  if (!pass.empty()) out << " --passes " << pass;
  if (flags.tolerance.rtol != usual.rtol) out << " --rtol " << flags.tolerance.rtol;
  if (flags.tolerance.atol != usual.atol) out << " --atol " << flags.tolerance.atol;
  size_t k = 0;
  for (const auto& input : small.inputs())
    out << " --input '" << input.name << '=' << flags.output << "/test_data_set_0/input_" << k++ << ".pb'";
  out << '\n';
}

nlohmann::json patches_of(const onnxrun::Model& model, const onnxrun::Options& options) {
  return nlohmann::json::parse(model.inspect(ONNXRUN_INSPECT_PATCHES, options))["patches"];
}

// The model as it is before change number `good` + 1, where that change's pass alone still makes a difference; else the whole one, for all passes.
void write_smallest(const DebugFlags& flags, const Trial& trial, size_t good, const std::string& pass,
                    const DebugOptions& options) {
  onnxrun::Options some = flags.options("99"), alone = flags.options("99");
  some.set("max_patches", static_cast<int64_t>(good));
  alone.set("passes", pass);
  const Symptom of_pass = differs(options.plain, alone, flags.tolerance);
  const Symptom of_all = differs(options.plain, options.optimised, flags.tolerance);
  const Trial before = in_phase(kModel, [&] { return Trial{trial.model.optimized(some), trial.inputs}; });
  const bool by_pass = !of_pass(before).empty();
  const Symptom& symptom = by_pass ? of_pass : of_all;
  const Trial& start = by_pass ? before : trial;
  Reducer reducer(symptom, flags.max_tests, [](const std::string& text) { std::cout << text << '\n'; });
  const Trial smallest = reducer.reduce(start, record(start, options.plain));
  std::cout << "shows   " << reducer.shown() << '\n';
  write_case(flags.output, smallest, options.plain);
  const Trial written{onnxrun::Model(flags.output + "/model.onnx", flags.session.operators()), smallest.inputs};
  if (symptom(written).empty())
    std::cout << "Written as a file and read again it shows no difference any more: an operator of the optimizer's "
                 "became standard ones\n";
  else print_command(std::cout, flags, written.model, by_pass ? pass : "");
}

}  // namespace

int bisect(const DebugFlags& flags) {
  const DebugOptions options(flags);
  const Trial trial = flags.trial(options.plain);
  const onnxrun::Results expected = in_phase(kRun, [&] { return run_trial(trial, options.plain); });
  if (const std::string what = difference(run_trial(trial, options.plain), expected, flags.tolerance); !what.empty())
    throw Failure("two unoptimised runs differ already, " + what + ": the model computes with random numbers", kRun);
  const nlohmann::json patches = in_phase(kModel, [&] { return patches_of(trial.model, options.optimised); });
  const auto problem_after = [&](size_t count) -> std::string {
    onnxrun::Options some = flags.options("99");
    some.set("max_patches", static_cast<int64_t>(count));
    try {
      return difference(run_trial(trial, some), expected, flags.tolerance);
    } catch (const onnxrun::Error& error) {
      return std::string("the model fails: ") + error.what();
    }
  };
  std::string problem = problem_after(patches.size());
  if (problem.empty()) {
    std::cout << "All " << patches.size()
              << " changes of the optimizer together make no difference beyond the tolerance\n";
    return kOk;
  }
  if (const std::string at_once = problem_after(0); !at_once.empty())
    throw Failure("without any change of the optimizer there is a difference to --level 0 already: " + at_once, kRun);
  size_t good = 0, bad = patches.size();
  while (bad - good > 1) {
    const size_t middle = good + (bad - good) / 2;
    const std::string found = problem_after(middle);
    (found.empty() ? good : bad) = middle;
    if (!found.empty()) problem = found;
  }
  const std::string pass = patches[good]["pass"].get<std::string>();
  std::cout << "Change " << bad << " of " << patches.size() << " is the first that makes a difference\n"
            << "pass    " << pass << '\n'
            << "change  " << patches[good]["change"].get<std::string>() << '\n'
            << "effect  " << problem << '\n';
  if (!flags.output.empty()) write_smallest(flags, trial, good, pass, options);
  return kMismatch;
}

}  // namespace cli
