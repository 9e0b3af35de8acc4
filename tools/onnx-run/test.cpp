// onnx-run test: runs folders of models with inputs and expected outputs.
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <regex>
#include <thread>

#include "case.h"
#include "commands.h"
#include "outcome.h"
#include "session_flags.h"
#include "test_report.h"
#include "workers.h"

namespace cli {
namespace {

struct TestFlags {
  SessionFlags session;
  std::vector<std::string> paths;
  int jobs = 0;
  double timeout = 60;
  std::string json, junit, filter;
  bool quiet = false;
};

std::vector<Case> select_cases(const TestFlags& flags) {
  std::regex pattern;
  try {
    pattern = std::regex(flags.filter, std::regex::ECMAScript);
  } catch (const std::regex_error& error) {
    throw Failure("--filter: '" + flags.filter + "' is no regular expression: " + error.what());
  }
  std::vector<Case> cases;
  for (const std::string& path : flags.paths)
    for (Case& test : find_cases(path))
      if (flags.filter.empty() || std::regex_search(test.name, pattern)) cases.push_back(std::move(test));
  if (cases.empty()) throw Failure("no case matches --filter '" + flags.filter + "'");
  return cases;
}

// One line that shows how far it is, on a terminal only.
class Progress {
 public:
  Progress(size_t total, bool quiet) : total_(total), shown_(!quiet && isatty(STDERR_FILENO)) {}
  ~Progress() { clear(); }
  void clear() {
    if (shown_) std::cerr << "\r\033[K" << std::flush;
  }
  void show(size_t done, size_t failed) {
    if (shown_) std::cerr << "\r\033[K" << done << " of " << total_ << ", " << failed << " failed" << std::flush;
  }

 private:
  size_t total_;
  bool shown_;
};

// The options of this process. Each worker makes its own: what a provider library opens does not survive a fork, a GPU least of all.
const onnxrun::Options& options_here(const SessionFlags& flags) {
  static const onnxrun::Options options = flags.options();
  return options;
}

// What is wrong with the settings, found in a process of its own.
std::string wrong_settings(const SessionFlags& flags) {
  std::string wrong;
  run_in_workers(
      1, 1, 600,
      [&](size_t) -> std::string {
        const auto known = nlohmann::json::parse(onnxrun::providers(options_here(flags)))["providers"];
        for (const std::string& name : flags.providers)
          if (std::none_of(known.begin(), known.end(), [&](const auto& provider) { return provider["name"] == name; }))
            return "--provider: there is no provider '" + name + "' here; onnx-run providers lists them";
        return {};
      },
      [&](size_t, const Outcome& outcome) { wrong = outcome.message; });
  return wrong;
}

int test(TestFlags& flags) {
  const int cpus = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (flags.jobs == 0) flags.jobs = cpus;
  if (!flags.session.threads) flags.session.threads = std::max(1, cpus / flags.jobs);
  if (const std::string wrong = wrong_settings(flags.session); !wrong.empty()) throw Failure(wrong);
  const std::vector<Case> cases = select_cases(flags);

  std::vector<CaseResult> results;
  for (const Case& entry : cases) results.push_back({entry.name, {}});
  size_t done = 0, failed = 0;
  {
    Progress progress(cases.size(), flags.quiet);
    run_in_workers(
        cases.size(), flags.jobs, flags.timeout,
        [&](size_t i) { return run_case(cases[i], options_here(flags.session)); },
        [&](size_t i, const Outcome& outcome) {
          results[i].outcome = outcome;
          ++done;
          if (!outcome.passed) {
            ++failed;
            progress.clear();
            if (!flags.quiet) std::cout << "FAILED " << cases[i].name << ": " << outcome.message << '\n';
          }
          progress.show(done, failed);
        });
  }
  write_reports(results, flags.json, flags.junit);
  std::cout << done - failed << " passed, " << failed << " failed, 0 skipped" << std::endl;
  return failed == 0 ? kOk : kMismatch;
}

}  // namespace

void add_test(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("test", "Run test cases: folders with model.onnx and test_data_set_*");
  auto flags = std::make_shared<TestFlags>();
  command->add_option("PATH", flags->paths, "Folders to look in, at any depth")->required()->type_name("");
  command->add_option("-j,--jobs", flags->jobs, "Cases at a time, each in a process of its own; default: one a CPU")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command->add_option("--filter", flags->filter, "Only cases whose name, kind/case, matches anywhere")
      ->type_name("REGEX");
  command->add_option("--json", flags->json, "Write a report as JSON")->type_name("FILE");
  command->add_option("--junit", flags->junit, "Write a report as JUnit XML")->type_name("FILE");
  command->add_option("--timeout", flags->timeout, "Seconds a case may take; default 60")
      ->check(CLI::Range(1e-9, 1e9))
      ->type_name("SECONDS");
  command->add_option("--threads", flags->session.threads, "Threads a case; default: the CPUs divided by the jobs")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command->add_flag("--quiet", flags->quiet, "Print the last line only");
  flags->session.add_running(*command);
  flags->session.add_loading(*command);
  command->footer(
      "A test_data_set_* folder holds input_K and output_K as .pb (TensorProto, SequenceProto, OptionalProto, MapProto "
      "by the model's\n"
      "types) or .npy; K counts the model's inputs that are no initializers. Floating point agrees within rtol 1e-3, "
      "atol 1e-7\n"
      "(bfloat16: rtol 2^-6), which the case's data.json may replace: {\"rtol\": 1e-3, \"atol\": 1e-7}. NaN equals "
      "NaN. All else is exact.\n"
      "The last line is 'N passed, N failed, N skipped'. Exit code 1 when a case failed.");
  command->callback([flags, &exit_code] { exit_code = test(*flags); });
}

}  // namespace cli
