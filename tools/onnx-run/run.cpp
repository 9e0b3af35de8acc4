// onnx-run run: runs a model once or several times and shows or writes its outputs.
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <optional>

#include "commands.h"
#include "inputs.h"
#include "outcome.h"
#include "output_files.h"
#include "session_flags.h"
#include "show.h"
#include "steps.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

struct RunFlags {
  SessionFlags session;
  InputFlags inputs;
  std::string model, output_dir, output;
  int repeat = 1;
  double timeout = 0;
  bool quiet = false, verbose = false;
};

double milliseconds(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

void print_times(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (const double time : times) sum += time;
  std::cout << std::fixed << std::setprecision(3);
  if (times.size() == 1) {
    std::cout << "time  " << times[0] << " ms\n";
  } else {
    std::cout << "time  min " << times.front() << "  median " << times[times.size() / 2] << "  mean "
              << sum / static_cast<double>(times.size()) << "  max " << times.back() << " ms over " << times.size()
              << " runs\n";
  }
  std::cout << std::defaultfloat << std::setprecision(6);
}

int run(const RunFlags& flags) {
  const auto begin = Clock::now();
  const onnxrun::Options options = flags.session.options();
  const onnxrun::Session session = flags.session.open(flags.model, options);
  if (!flags.output_dir.empty()) check_file_names(session.outputs());
  if (!flags.output.empty()) check_output_file(flags.output, session.outputs());
  if (flags.verbose) std::cout << "load  " << milliseconds(begin) << " ms\n";
  const onnxrun::NamedValues inputs =
      in_phase(kRun, [&] { return make_inputs(session.inputs(), flags.inputs, Room::of(session)); });
  if (flags.verbose)
    for (const auto& [name, value] : inputs) show_value(std::cout, "input " + name, value);

  return in_phase(kRun, [&] {
    onnxrun::Run run(session);
    for (const auto& [name, value] : inputs) run.set_input(name, value);
    run.set_timeout(flags.timeout);
    run.set_profile(flags.verbose);
    std::vector<double> times;
    std::optional<onnxrun::Results> results;
    for (int i = 0; i < flags.repeat; ++i) {
      const auto start = Clock::now();
      results.reset();
      try {
        results = run.execute();
      } catch (const onnxrun::Error& error) {
        if (error.code() != onnxrun::Code::kRunFailed && error.code() != onnxrun::Code::kInvalidModel) throw;
        throw Failure(error.what() + hint_on_made_up(inputs, flags.inputs), kRun);
      }
      times.push_back(milliseconds(start));
    }
    if (!flags.output_dir.empty()) write_outputs(flags.output_dir, *results);
    if (!flags.output.empty()) write_output_file(flags.output, *results);
    if (!flags.quiet) {
      for (const auto& [name, value] : *results) show_value(std::cout, name, value);
      if (flags.repeat > 1 || flags.verbose) print_times(times);
    }
    if (flags.verbose) {
      std::cout << "steps of the last run, by operator:\n";
      const Profile profile = events_of(run.profile());
      StepSums sums;
      for (const Event& event : profile.events) sums.add(event);
      sums.print_by_operator(std::cout, 1);
      print_left_out(std::cout, profile);
      print_memory(std::cout, session.memory());
    }
    return static_cast<int>(kOk);
  });
}

constexpr const char* kFooter =
    "Outputs\n"
    "  Written as NAME.npy, with _ for characters other than A-Z a-z 0-9 . _ -; each file appears whole or not at all. "
    "Types that numpy lacks are\n"
    "  widened (bfloat16, float8, float4 to float32; int4, int2 to int8). Elements of a sequence become NAME_0.npy, "
    "NAME_1.npy, ...; a map NAME_keys.npy\n"
    "  and NAME_values.npy. A .npz holds tensors only; a .json holds all, maps as objects, NaN and infinities as "
    "strings.\n"
    "Example\n"
    "  onnx-run run digits.onnx --input image=5.png --image-resize area --output-dir out";

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("run", "Run a model and show its outputs");
  auto flags = std::make_shared<RunFlags>();
  command->add_option("MODEL", flags->model, "Model file")->required()->type_name("");
  flags->inputs.add_to(*command);
  command->add_option("--output-dir", flags->output_dir, "Write every output to this folder")->type_name("DIR");
  command->add_option("-o,--output", flags->output, "Write all outputs to this file, .npz or .json")->type_name("FILE");
  command->add_option("--repeat", flags->repeat, "Run this often and show times")
      ->check(CLI::Range(1, 1000000000))
      ->type_name("N");
  command->add_option("--timeout", flags->timeout, "Seconds that a run may take")
      ->check(CLI::Range(1e-9, 1e9))
      ->type_name("SECONDS");
  flags->session.add_threads(*command);
  flags->session.add_running(*command);
  flags->session.add_loading(*command);
  auto* quiet = command->add_flag("--quiet", flags->quiet, "Print nothing");
  command->add_flag("--verbose", flags->verbose, "Also print inputs, times, steps and memory")->excludes(quiet);
  command->footer(std::string(kInputsHelp) + kFooter);
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace cli
