// onnx-run bench: latency, throughput, load time and memory of a model on this machine.
#include <onnxrun/onnxrun.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "amounts.h"
#include "commands.h"
#include "files.h"
#include "inputs.h"
#include "load.h"
#include "outcome.h"
#include "session_flags.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchFlags {
  SessionFlags session;
  InputFlags inputs;
  LoadPlan plan;
  std::string model, csv;
  std::vector<double> percentiles = {50, 90, 99};
  int streams = 0;
  bool json = false;
};

double milliseconds(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

int64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

std::string fixed(const nlohmann::ordered_json& value) {
  std::ostringstream text;
  const auto number = value.get<double>();
  text << std::fixed << std::setprecision(number < 0.1 ? 4 : number < 100 ? 3 : 1) << number;
  return text.str();
}

void print(const nlohmann::ordered_json& report) {
  std::cout << "inputs     ";
  for (const auto& [name, text] : report["inputs"].items()) std::cout << ' ' << name << ' ' << text.get<std::string>();
  std::cout << "\nload        " << fixed(report["load_ms"]) << " ms, first run " << fixed(report["first_run_ms"])
            << " ms\nlatency    ";
  for (const auto& [name, value] : report["latency_ms"].items()) std::cout << ' ' << name << ' ' << fixed(value);
  std::cout << "  ms over " << report["runs"] << " runs\nthroughput  " << fixed(report["runs_per_second"])
            << " runs a second, " << report["concurrency"] << (report["concurrency"] == 1 ? " caller" : " callers");
  if (report["rate"] != 0) std::cout << ", " << report["rate"] << " due a second";
  std::cout << "\nmemory      " << bytes(report["memory"]["packed"]) << " of packed weights, "
            << bytes(report["memory"]["blocks"]) << " of activations; the process "
            << bytes(report["process_peak_bytes"]) << " at most\n";
}

int bench(const BenchFlags& flags) {
  onnxrun::Options options = flags.session.options();
  if (flags.streams > 0) options.set("streams", flags.streams);
  auto begin = Clock::now();
  const onnxrun::Session session = flags.session.open(flags.model, options);
  const double load = milliseconds(begin);
  const onnxrun::NamedValues inputs =
      in_phase(kRun, [&] { return make_inputs(session.inputs(), flags.inputs, Room::of(session)); });
  std::vector<Latency> latencies;
  double first = 0, seconds = 0;
  try {
    begin = Clock::now();
    session.run(inputs);
    first = milliseconds(begin);
    latencies = measure(session, inputs, flags.plan);
  } catch (const onnxrun::Error& error) {
    throw Failure(error.what() + hint_on_made_up(inputs, flags.inputs), kRun);
  }
  for (const Latency& latency : latencies) seconds = std::max(seconds, (latency.begin_ms + latency.ms) / 1e3);
  nlohmann::ordered_json shapes;
  for (const auto& [name, value] : inputs) shapes[name] = value.describe();
  nlohmann::ordered_json providers;
  const auto known = nlohmann::json::parse(onnxrun::providers(options));
  for (const auto& provider : known["providers"])
    providers[provider["name"].get<std::string>()] = provider["description"];
  const nlohmann::ordered_json report = {{"version", 1},
                                         {"model", flags.model},
                                         {"library", onnxrun::api().library_version()},
                                         {"providers", providers},
                                         {"inputs", shapes},
                                         {"threads", flags.session.threads.value_or(0)},
                                         {"streams", std::max(flags.streams, 1)},
                                         {"concurrency", flags.plan.callers},
                                         {"rate", flags.plan.rate},
                                         {"load_ms", load},
                                         {"first_run_ms", first},
                                         {"runs", latencies.size()},
                                         {"seconds", seconds},
                                         {"runs_per_second", static_cast<double>(latencies.size()) / seconds},
                                         {"latency_ms", summary(latencies, flags.percentiles)},
                                         {"memory", nlohmann::ordered_json::parse(session.memory())},
                                         {"process_peak_bytes", peak_bytes()}};
  if (!flags.csv.empty()) write_file(flags.csv, csv(latencies));
  if (flags.json) std::cout << report.dump(2) << '\n';
  else print(report);
  return kOk;
}

constexpr const char* kFooter =
    "Measuring\n"
    "  Without --rate each caller's next run begins when its last one ends. With --rate runs are due at fixed times, "
    "and a latency counts from\n"
    "  when its run was due, so that what queues up behind a slow run is seen. More callers than --streams wait for "
    "each other.\n"
    "  --threads are those of one stream.\n"
    "Example\n"
    "  onnx-run bench model.onnx --shape image=1x3x224x224 --threads 1 --duration 10 --json";

}  // namespace

void add_bench(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("bench", "Measure latency, throughput, load time and memory");
  auto flags = std::make_shared<BenchFlags>();
  command->add_option("MODEL", flags->model, "Model file")->required()->type_name("");
  command->add_option("--duration", flags->plan.seconds, "Seconds to measure; default 5")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("SECONDS");
  command->add_option("--runs", flags->plan.runs, "Stop after so many runs")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->type_name("N");
  flags->plan.warmup = 0.5;
  command->add_option("--warmup", flags->plan.warmup, "Seconds of runs before, which do not count; default 0.5")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("SECONDS");
  command->add_option("--concurrency", flags->plan.callers, "Callers at the same time, each a thread; default 1")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command->add_option("--rate", flags->plan.rate, "Runs due a second, of all callers together")
      ->check(CLI::Range(1e-3, 1e9))
      ->type_name("X");
  command->add_option("--percentiles", flags->percentiles, "Latencies to show; default 50,90,99")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 100.0))
      ->type_name("P,...");
  command->add_flag("--json", flags->json, "Print the report as JSON");
  command->add_option("--csv", flags->csv, "Write every run's time to this file")->type_name("FILE");
  command->add_option("--streams", flags->streams, "Runs that the session does at the same time; default 1")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  flags->session.add_threads(*command);
  flags->inputs.add_to(*command);
  flags->session.add_running(*command);
  flags->session.add_loading(*command);
  command->footer(std::string(kInputsHelp) + kFooter);
  command->callback([flags, &exit_code] { exit_code = bench(*flags); });
}

}  // namespace cli
