// Times onnxrun on one model for peers.py, by the protocol of peer_worker.py.
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

// Milliseconds of wall time, or of this process's processor time.
double now(bool cpu) {
  timespec time{};
  clock_gettime(cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

onnxrun::Value read_tensor(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + path);
  return onnxrun::Value::from_proto(std::string(std::istreambuf_iterator<char>(stream), {}));
}

// `precision` may be followed by a comma and an optimisation level.
int serve(const std::string& precision, const std::string& model, const std::string& threads, bool cpu, int count,
          char** inputs) {
  const double begin = now(false);
  onnxrun::Options options;
  const size_t comma = std::min(precision.find(','), precision.size());
  options.set("float32_matmul_precision", precision.substr(0, comma));
  if (comma < precision.size()) options.set("level", precision.substr(comma + 1));
  options.set("threads", threads);
  const onnxrun::Session session(model, options);
  const double loaded = now(false) - begin;
  onnxrun::Run run(session);
  for (int i = 0; i < count; ++i) {
    const std::string input = inputs[i];
    const size_t equals = input.rfind('=');
    if (equals == std::string::npos) throw std::runtime_error("'" + input + "' is not NAME=FILE");
    run.set_input(input.substr(0, equals), read_tensor(input.substr(equals + 1)));
  }
  (void)run.execute();
  std::cout << "{\"load_ms\": " << loaded << "}" << std::endl;
  for (int repeats = 0; std::cin >> repeats;) {
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
    std::cerr << "usage: onnxrun_worker PRECISION[,LEVEL] MODEL THREADS wall|cpu [NAME=FILE.pb]...\n";
    return 2;
  }
  try {
    return serve(argv[1], argv[2], argv[3], std::string(argv[4]) == "cpu", argc - 5, argv + 5);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
