// Measures for goals.py what a benchmark of latency does not show: a second session's memory, the processor time of an idle session, and runs at ever new shapes.
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

double cpu_ms(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * 4096;
}

onnxrun::NamedValues read_inputs(int count, char** inputs) {
  onnxrun::NamedValues result;
  for (int i = 0; i < count; ++i) {
    const std::string input = inputs[i];
    const size_t equals = input.rfind('=');
    std::ifstream stream(input.substr(equals + 1), std::ios::binary);
    if (equals == std::string::npos || !stream) throw std::runtime_error("'" + input + "' is not NAME=FILE");
    result.emplace_back(input.substr(0, equals),
                        onnxrun::Value::from_proto(std::string(std::istreambuf_iterator<char>(stream), {})));
  }
  return result;
}

onnxrun::Options threads(int count) {
  onnxrun::Options options;
  options.set("threads", count);
  return options;
}

// {"first_bytes", "second_bytes"}: what a model, a session and a run add to the process, and what another session of the model and its run add.
void second(const std::string& path, const onnxrun::NamedValues& inputs) {
  const int64_t start = resident_bytes();
  const onnxrun::Model model(path);
  const onnxrun::Session first(model);
  first.run(inputs);
  const int64_t one = resident_bytes();
  const onnxrun::Session other(model);
  other.run(inputs);
  std::cout << "{\"first_bytes\": " << one - start << ", \"second_bytes\": " << resident_bytes() - one << "}\n";
}

// {"idle_ms"}: processor time of all threads in two seconds after runs.
void idle(const std::string& path, const onnxrun::NamedValues& inputs) {
  const onnxrun::Session session(onnxrun::Model(path), threads(2));
  for (int i = 0; i < 20; ++i) session.run(inputs);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // what threads spin for within runs is over
  const double before = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  std::cout << "{\"idle_ms\": " << cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - before << "}\n";
}

// An input of the form NAME=TYPE:DIMS whose free dims are letters, as ids=int64:1xS.
struct Pattern {
  std::string name, type;
  std::vector<std::string> dims;
};

Pattern pattern_of(const std::string& text) {
  const size_t equals = text.find('='), colon = text.find(':', equals);
  if (equals == std::string::npos || colon == std::string::npos)
    throw std::runtime_error("'" + text + "' is not NAME=TYPE:DIMS");
  Pattern result{text.substr(0, equals), text.substr(equals + 1, colon - equals - 1), {}};
  for (size_t at = colon + 1; at <= text.size();) {
    const size_t end = std::min(text.find('x', at), text.size());
    result.dims.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return result;
}

onnxrun::NamedValues make(const std::vector<Pattern>& patterns, const std::map<std::string, int64_t>& sizes) {
  onnxrun::NamedValues result;
  for (const Pattern& pattern : patterns) {
    std::vector<int64_t> dims;
    int64_t count = 1;
    for (const std::string& dim : pattern.dims) {
      const auto found = sizes.find(dim);
      dims.push_back(found == sizes.end() ? std::stoll(dim) : found->second);
      count *= dims.back();
    }
    if (pattern.type == "float32")
      result.emplace_back(pattern.name,
                          onnxrun::Tensor::from(dims, std::vector<float>(static_cast<size_t>(count), 0.5f)));
    else
      result.emplace_back(pattern.name,
                          onnxrun::Tensor::from(dims, std::vector<int64_t>(static_cast<size_t>(count), 1)));
  }
  return result;
}

// RUNS S=LOW-HIGH[,T=LOW-HIGH] NAME=TYPE:DIMS...: each run at sizes drawn anew, and a second time at the same ones. {"shapes": how many different
// ones, "new_ms", "again_ms": medians, "worst": of the ratios the 99th percentile, "peak_bytes": of the session, "resident_bytes"}.
void shapes(const std::string& path, int count, char** arguments) {
  if (count < 3) throw std::runtime_error("shapes needs RUNS, ranges and inputs");
  const int runs = std::stoi(arguments[0]);
  std::vector<std::pair<std::string, std::pair<int64_t, int64_t>>> ranges;
  const std::string text = arguments[1];
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size()), equals = text.find('=', at),
                 dash = text.find('-', at);
    ranges.push_back(
        {text.substr(at, equals - at),
         {std::stoll(text.substr(equals + 1, dash - equals - 1)), std::stoll(text.substr(dash + 1, end - dash - 1))}});
    at = end + 1;
  }
  std::vector<Pattern> patterns;
  for (int i = 2; i < count; ++i) patterns.push_back(pattern_of(arguments[i]));
  const int64_t start = resident_bytes();
  const onnxrun::Session session(onnxrun::Model(path), threads(1));
  onnxrun::Run run(session);
  std::mt19937_64 random(1);
  std::map<std::map<std::string, int64_t>, int> seen;
  std::vector<double> fresh, again, ratios;
  for (int i = 0; i < runs; ++i) {
    std::map<std::string, int64_t> sizes;
    for (const auto& [name, range] : ranges)
      sizes[name] =
          range.first + static_cast<int64_t>(random() % static_cast<uint64_t>(range.second - range.first + 1));
    for (const auto& [name, value] : make(patterns, sizes)) run.set_input(name, value);
    const bool is_new = seen[sizes]++ == 0;
    double times[2];
    for (double& time : times) {
      const double begin = cpu_ms(CLOCK_THREAD_CPUTIME_ID);
      (void)run.execute();
      time = cpu_ms(CLOCK_THREAD_CPUTIME_ID) - begin;
    }
    if (!is_new || i == 0) continue;  // the first of all packs the weights
    fresh.push_back(times[0]);
    again.push_back(times[1]);
    ratios.push_back(times[0] / times[1]);
  }
  const auto quantile = [](std::vector<double> values, double q) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0.0 : values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
  };
  std::cout << "{\"shapes\": " << seen.size() << ", \"new_ms\": " << quantile(fresh, 0.5)
            << ", \"again_ms\": " << quantile(again, 0.5) << ", \"typical\": " << quantile(ratios, 0.5)
            << ", \"worst\": " << quantile(ratios, 0.99) << ", \"memory\": " << session.memory()
            << ", \"resident_bytes\": " << resident_bytes() - start << "}\n";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc < 3 ? "" : argv[1];
  try {
    if (command == "second") second(argv[2], read_inputs(argc - 3, argv + 3));
    else if (command == "idle") idle(argv[2], read_inputs(argc - 3, argv + 3));
    else if (command == "shapes") shapes(argv[2], argc - 3, argv + 3);
    else {
      std::cerr << "usage: onnxrun_probe second|idle MODEL [NAME=FILE.pb]...\n"
                   "       onnxrun_probe shapes MODEL RUNS S=LOW-HIGH[,...] NAME=TYPE:DIMS...\n";
      return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
