// Times onnxrun on one model for peers.py, by the protocol of peer_worker.py.
#include <onnxrun/onnxrun.hpp>

#include <chrono>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point begin) { return std::chrono::duration<double, std::milli>(Clock::now() - begin).count(); }

onnxrun::Value read_tensor(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + path);
  return onnxrun::Value::from_proto(std::string(std::istreambuf_iterator<char>(stream), {}));
}

int serve(const std::string& model, const std::string& threads, int count, char** inputs) {
  const auto begin = Clock::now();
  onnxrun::Options options;
  options.set("threads", threads);
  const onnxrun::Session session(model, options);
  const double loaded = milliseconds(begin);
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
      const auto start = Clock::now();
      (void)run.execute();
      std::cout << (i == 0 ? "" : ", ") << milliseconds(start);
    }
    std::cout << ']' << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: onnxrun_worker MODEL THREADS [NAME=FILE.pb]...\n";
    return 2;
  }
  try {
    return serve(argv[1], argv[2], argc - 3, argv + 3);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
