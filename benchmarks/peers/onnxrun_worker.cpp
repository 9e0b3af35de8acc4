// Times onnxrun on one model for peers.py and operators.py, by the protocol of peer_worker.py; with `kept` after the clock, runs write to the memory of
// the first one's results.
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace {

// Milliseconds of wall time, or of this process's processor time.
double now(bool cpu) {
  timespec time{};
  clock_gettime(cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// A line of /proc/self/status, in bytes.
int64_t memory_status(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name;) {
    if (name == field + ":") {
      int64_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes * 1024;
    }
    status.ignore(1 << 12, '\n');
  }
  return 0;
}

onnxrun::Value read_tensor(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + path);
  return onnxrun::Value::from_proto(std::string(std::istreambuf_iterator<char>(stream), {}));
}

onnxrun::NamedValues read_inputs(int count, char** inputs) {
  onnxrun::NamedValues result;
  for (int i = 0; i < count; ++i) {
    const std::string input = inputs[i];
    const size_t equals = input.rfind('=');
    if (equals == std::string::npos) throw std::runtime_error("'" + input + "' is not NAME=FILE");
    result.emplace_back(input.substr(0, equals), read_tensor(input.substr(equals + 1)));
  }
  return result;
}

// `precision` may be followed by a comma and an optimisation level.
onnxrun::Options options_of(const std::string& precision) {
  onnxrun::Options options;
  const size_t comma = std::min(precision.find(','), precision.size());
  options.set("float32_matmul_precision", precision.substr(0, comma));
  if (comma < precision.size()) options.set("level", precision.substr(comma + 1));
  return options;
}

// Runs a second that `streams` callers get out of a session with as many streams of one thread, in about `seconds`.
double throughput(const std::string& model, const std::string& precision, const onnxrun::NamedValues& inputs,
                  int streams, double seconds) {
  onnxrun::Options options = options_of(precision);
  options.set("threads", 1);
  options.set("streams", streams);
  const onnxrun::Session session(model, options);
  std::atomic<int64_t> runs = 0;
  std::atomic<bool> go = false, stop = false;
  std::vector<std::exception_ptr> failures(static_cast<size_t>(streams));
  std::vector<std::thread> callers;
  for (int i = 0; i < streams; ++i)
    callers.emplace_back([&, i] {
      try {
        onnxrun::Run run(session);
        for (const auto& [name, value] : inputs) run.set_input(name, value);
        (void)run.execute();
        while (!go) std::this_thread::yield();
        while (!stop) {
          (void)run.execute();
          ++runs;
        }
      } catch (...) {
        failures[static_cast<size_t>(i)] = std::current_exception();
      }
    });
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds / 4));
  const double begin = now(false);
  go = true;
  const int64_t before = runs;
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const double done = static_cast<double>(runs - before), took = now(false) - begin;
  stop = true;
  for (std::thread& caller : callers) caller.join();
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
  return done / took * 1e3;
}

// Later executions write to the memory of the results.
void keep_outputs(onnxrun::Run& run, const onnxrun::Results& results) {
  for (const auto& [name, value] : results) run.set_output(name, onnxrun::Tensor(value));
}

int serve(const std::string& precision, const std::string& model, const std::string& threads, const std::string& clock,
          int count, char** arguments) {
  const bool cpu = clock.starts_with("cpu"), kept = clock.ends_with(",kept");
  const onnxrun::NamedValues inputs = read_inputs(count, arguments);
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak counts from here
  const int64_t start_bytes = memory_status("VmRSS");
  const double begin = now(false);
  onnxrun::Options options = options_of(precision);
  options.set("threads", threads);
  const onnxrun::Session session(model, options);
  const double loaded = now(false) - begin;
  onnxrun::Run run(session);
  for (const auto& [name, value] : inputs) run.set_input(name, value);
  const onnxrun::Results results = run.execute();
  const double first = now(false) - begin;
  std::cout << "{\"load_ms\": " << loaded << ", \"first_ms\": " << first
            << ", \"peak_bytes\": " << memory_status("VmHWM") - start_bytes << "}" << std::endl;
  if (kept) keep_outputs(run, results);
  for (std::string line; std::getline(std::cin, line);) {
    const size_t space = line.find(' ');
    if (space != std::string::npos) {  // STREAMS SECONDS
      const double rate =
          throughput(model, precision, inputs, std::stoi(line.substr(0, space)), std::stod(line.substr(space)));
      std::cout << "{\"per_second\": " << rate << "}" << std::endl;
      continue;
    }
    const int repeats = std::stoi(line);
    std::cout << '[';
    for (int i = 0; i < repeats; ++i) {
      const double start = now(cpu);
      (void)run.execute();
      std::cout << (i == 0 ? "" : ", ") << now(cpu) - start;
    }
    std::cout << ']' << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "usage: onnxrun_worker PRECISION[,LEVEL] MODEL THREADS wall|cpu[,kept] [NAME=FILE.pb]...\n";
    return 2;
  }
  try {
    return serve(argv[1], argv[2], argv[3], argv[4], argc - 5, argv + 5);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
