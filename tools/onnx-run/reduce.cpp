// onnx-run debug reduce: the smallest part of a model that still shows a fault.
#include <iostream>
#include <nlohmann/json.hpp>

#include "debug.h"
#include "outcome.h"
#include "reducer.h"

namespace cli {
namespace {

constexpr int64_t kShownNodes = 20;

Symptom symptom_of(const DebugFlags& flags, const DebugOptions& options) {
  if (!flags.check.empty()) return satisfies(flags.check);
  if (!flags.error.empty()) return fails(options.optimised, flags.error);
  return differs(options.plain, options.optimised, flags.tolerance);
}

}  // namespace

int reduce(const DebugFlags& flags) {
  const DebugOptions options(flags);
  const Trial trial = flags.trial(options.plain);
  const Symptom symptom = symptom_of(flags, options);
  if (symptom(trial).empty()) {
    const std::string reason = !flags.check.empty() ? "the command does not succeed with the whole model"
                               : !flags.error.empty()
                                   ? "the whole model runs without an error that says so"
                                   : "the whole model gives the same results with and without the optimizer";
    throw Failure("there is nothing to reduce: " + reason);
  }
  Reducer reducer(symptom, flags.max_tests, [](const std::string& text) { std::cout << text << '\n'; });
  const Trial smallest = reducer.reduce(trial, record(trial, options.plain));
  const auto nodes = [](const onnxrun::Model& model) {
    return nlohmann::json::parse(model.inspect())["nodes"].get<int64_t>();
  };
  std::cout << nodes(trial.model) << " nodes became " << nodes(smallest.model) << " in " << reducer.tests()
            << " trials\n"
            << "shows  " << reducer.shown() << '\n';
  if (nodes(smallest.model) <= kShownNodes)
    std::cout << nlohmann::json::parse(smallest.model.inspect(ONNXRUN_INSPECT_TEXT))["text"].get<std::string>();
  write_case(flags.output, smallest, options.plain);
  return kOk;
}

}  // namespace cli
