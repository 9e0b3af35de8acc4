// onnx-run debug: finding out what goes wrong in a model.
#include "debug.h"

#include <iostream>

#include "commands.h"
#include "outcome.h"
#include "tolerance_flags.h"

namespace cli {

onnxrun::Options DebugFlags::options(const char* level) const {
  SessionFlags flags = session;
  if (flags.level.empty() && flags.passes.empty()) flags.level = level;
  return flags.options();
}

Trial DebugFlags::trial(const onnxrun::Options& loading) const {
  onnxrun::Model loaded = in_phase(kModel, [&] { return onnxrun::Model(model, loading); });
  onnxrun::NamedValues values = in_phase(kRun, [&] { return make_inputs(loaded.inputs(), inputs, Room::of(loading)); });
  return {std::move(loaded), std::move(values)};
}

namespace {

SessionFlags without_optimizer(SessionFlags flags) {
  flags.level = "0";
  flags.passes.clear();
  flags.disabled_passes.clear();
  flags.max_patches.clear();
  return flags;
}

void add_common(CLI::App& command, DebugFlags& flags) {
  command.add_option("MODEL", flags.model, "Model file")->required()->type_name("");
  flags.inputs.add_to(command);
  flags.session.add_running(command);
  flags.session.add_loading(command);
}

void add_tolerance(CLI::App& command, DebugFlags& flags) {
  add_tolerance_flags(command, flags.tolerance);
  command.add_option("--max-trials", flags.max_tests, "Smaller models to try at most; default 1000")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->type_name("N");
}

using Function = int (*)(const DebugFlags&);

std::pair<CLI::App*, std::shared_ptr<DebugFlags>> add(CLI::App& debug, const char* name, const char* help,
                                                      Function call, int& exit_code) {
  CLI::App* command = debug.add_subcommand(name, help);
  auto flags = std::make_shared<DebugFlags>();
  add_common(*command, *flags);
  command->callback([flags, call, &exit_code] { exit_code = call(*flags); });
  return {command, flags};
}

}  // namespace

DebugOptions::DebugOptions(const DebugFlags& flags)
    : plain(without_optimizer(flags.session).options()), optimised(flags.options("99")) {}

void write_case(const std::string& folder, const Trial& trial, const onnxrun::Options& plain) {
  std::optional<onnxrun::Results> expected;
  try {
    expected = run_trial(trial, plain);
  } catch (const onnxrun::Error&) {
    // It is the fault that was looked for.
  }
  write_trial(folder, trial, expected ? &*expected : nullptr);
  std::cout << "written to " << folder << '\n';
}

void add_debug(CLI::App& app, int& exit_code) {
  auto* debug = app.add_subcommand("debug", "Find out what goes wrong in a model");
  debug->require_subcommand(1);

  const auto [first, bisect_flags] =
      add(*debug, "bisect", "Find the first change of the optimizer that changes the results", bisect, exit_code);
  first
      ->add_option("-o,--output", bisect_flags->output,
                   "Write the smallest model that shows it as a test case, for onnx-run test")
      ->type_name("DIR");
  add_tolerance(*first, *bisect_flags);
  first->footer(
      "Results are held against those of --level 0. Exit code 0 where none of the changes makes a difference, 1 where "
      "one was found.");

  const auto [second, reduce_flags] =
      add(*debug, "reduce", "Shrink a model as long as it shows a fault", reduce, exit_code);
  second->add_option("-o,--output", reduce_flags->output, "Folder for the smallest model and its inputs, a test case")
      ->required()
      ->type_name("DIR");
  auto* error = second->add_option("--error", reduce_flags->error, "The fault is an error with this in its message")
                    ->type_name("TEXT");
  second
      ->add_option("--check", reduce_flags->check,
                   "The fault is there when this shell command succeeds; {} is the model, {dir} the folder with it and "
                   "its inputs")
      ->excludes(error)
      ->type_name("COMMAND");
  add_tolerance(*second, *reduce_flags);
  second->footer(
      "Without --error and --check the fault is that results differ from those of --level 0. Parts are cut off the end "
      "and the beginning, then\n"
      "node by node; values that are then missing become inputs, with what they are in an unoptimised run.\n"
      "Example\n"
      "  onnx-run debug reduce big.onnx -o small --check 'onnx-run run {} --passes fold; test $? -ge 128'   a crash");

  const auto [third, dump_flags] =
      add(*debug, "dump-tensors", "Write every value that a run computes", dump_tensors, exit_code);
  third->add_option("-o,--output", dump_flags->output, "Folder for NAME.npy files and index.json")
      ->required()
      ->type_name("DIR");
  third->add_option("--tensor", dump_flags->tensors, "Only this value; may be repeated")
      ->allow_extra_args(false)
      ->type_name("NAME");
  third->footer(
      "Unoptimised unless --level or --passes is given, so that every value of the model is there; values of loop "
      "bodies once an iteration. Files\n"
      "are as those of 'onnx-run run --output-dir'. index.json lists them in the order in which they were computed, "
      "with range, mean, and how many\n"
      "are NaN or infinite. After a run that fails, what it computed before is there.");
}

}  // namespace cli
