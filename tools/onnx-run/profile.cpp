// onnx-run profile: where the time of a run goes.
#include <onnxrun/onnxrun.hpp>

#include <iostream>

#include "commands.h"
#include "files.h"
#include "inputs.h"
#include "outcome.h"
#include "session_flags.h"
#include "steps.h"

namespace cli {
namespace {

struct ProfileFlags {
  SessionFlags session;
  InputFlags inputs;
  std::string model, trace;
  int runs = 10, warmup = 2;
  size_t nodes = 20;
  bool json = false;
};

int profile(const ProfileFlags& flags) {
  const onnxrun::Session session = flags.session.open(flags.model, flags.session.options());
  const onnxrun::NamedValues inputs =
      in_phase(kRun, [&] { return make_inputs(session.inputs(), flags.inputs, Room::of(session)); });
  StepSums sums;
  Profile last;
  std::string json;
  try {
    onnxrun::Run run(session);
    for (const auto& [name, value] : inputs) run.set_input(name, value);
    for (int i = 0; i < flags.warmup; ++i) run.execute();
    run.set_profile(true);
    for (int i = 0; i < flags.runs; ++i) {
      run.execute();
      json = run.profile();
      last = events_of(json);
      for (const Event& event : last.events) sums.add(event);
    }
  } catch (const onnxrun::Error& error) {
    throw Failure(error.what() + hint_on_made_up(inputs, flags.inputs), kRun);
  }
  if (!flags.trace.empty()) write_file(flags.trace, chrome_trace(last.events));
  if (flags.json) {
    std::cout << json << '\n';
    return kOk;
  }
  std::cout << "by operator and kernel, mean of " << flags.runs << " runs:\n";
  sums.print_by_operator(std::cout, flags.runs);
  std::cout << "by node:\n";
  sums.print_by_node(std::cout, flags.runs, flags.nodes);
  print_left_out(std::cout, last);
  print_memory(std::cout, session.memory());
  return kOk;
}

constexpr const char* kFooter =
    "Times\n"
    "  Wall time of each step on the calling thread, without the steps of its bodies (If, Loop, Scan). Timing a step "
    "costs about a tenth of a\n"
    "  microsecond; bench measures without it. A device is waited for after each step, so that its time is the "
    "step's own; its runs are faster.\n"
    "  FLOP/s counts two operations for each multiply-add of products, convolutions and recurrent nets (of integers, "
    "too), one for each element of\n"
    "  others, none where bytes are only moved; it is left out where it is not known. B/s counts each input and output "
    "once. The trace also shows\n"
    "  the memory of the values that are still needed.\n"
    "Example\n"
    "  onnx-run profile model.onnx --threads 1 --trace trace.json";

}  // namespace

void add_profile(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("profile", "Show where the time of a run goes");
  auto flags = std::make_shared<ProfileFlags>();
  command->add_option("MODEL", flags->model, "Model file")->required()->type_name("");
  command->add_option("--runs", flags->runs, "Runs to take the mean of; default 10")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N");
  command->add_option("--warmup", flags->warmup, "Runs before, which do not count; default 2")
      ->check(CLI::Range(0, 1000000))
      ->type_name("N");
  command->add_option("--nodes", flags->nodes, "Nodes to list; default 20")->type_name("N");
  command->add_option("--trace", flags->trace, "Write the last run for Perfetto or chrome://tracing to this file")
      ->type_name("FILE");
  command->add_flag("--json", flags->json, "Print the steps of the last run as JSON");
  flags->session.add_threads(*command);
  flags->inputs.add_to(*command);
  flags->session.add_running(*command);
  flags->session.add_loading(*command);
  command->footer(std::string(kInputsHelp) + kFooter);
  command->callback([flags, &exit_code] { exit_code = profile(*flags); });
}

}  // namespace cli
