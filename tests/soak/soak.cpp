// Sessions under load for as long as asked: many threads on one session and on their own, shapes at random, sessions that come and go, runs cancelled at
// random moments, children forked between rounds. Results must be the same to the last bit, and memory flat.
//
//   soak [--seconds N] [--minutes N] [--seed N] MODEL      MODEL: examples/digits/digits.onnx
//
// Last line: counts. Exit code 1 when a result differed, a run failed otherwise than by its cancellation, a child did not come back, or memory grew.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using onnxrun::NamedValues;
using onnxrun::Tensor;
using Clock = std::chrono::steady_clock;

constexpr int kSharers = 32, kOwners = 4, kCancellers = 2, kBatches = 9;
constexpr double kRoundSeconds = 2;

// Shapes that depend on values.
constexpr const char* kPicking = R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph picking(x: float32[n,4]) -> (y, places) {
  w: float32[4,4] = {1, 2, 3, 4, -1, -2, -3, -4, 0.5, 0.25, 0.125, 1, 2, 4, 8, 16}
  r = Relu(x)
  places = NonZero(r)
  p = MatMul(r, w)
  y = Softmax(p)
}
)";

// Long enough to be cancelled somewhere inside.
constexpr const char* kLong = R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph long(x: float32[n,n]) -> (y) {
  a = MatMul(x, x)
  b = MatMul(a, x)
  c = Softmax(b)
  y = MatMul(c, x)
}
)";

std::atomic<int64_t> runs{0}, cancelled{0}, sessions{0}, wrong{0};

void complain(const std::string& what) {
  if (wrong.fetch_add(1) < 20) std::fprintf(stderr, "%s\n", what.c_str());
}

Tensor numbers(std::vector<int64_t> dims, unsigned seed) {
  int64_t count = 1;
  for (const int64_t dim : dims) count *= dim;
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>((static_cast<unsigned>(i) * 2654435761u + seed * 40503u) % 2001) / 1000.0f - 1.0f;
  return Tensor::from(std::move(dims), values);
}

// A session's inputs by batch and what they give.
struct Expected {
  Expected(const onnxrun::Session& session, const std::string& input, std::vector<int64_t> dims) {
    for (int64_t batch = 0; batch < kBatches; ++batch) {
      dims[0] = batch;
      inputs.push_back({{input, numbers(dims, static_cast<unsigned>(batch))}});
      results.push_back(bytes_of(session, inputs.back()));
    }
  }
  static std::vector<std::string> bytes_of(const onnxrun::Session& session, const NamedValues& inputs) {
    std::vector<std::string> all;
    for (const auto& [name, value] : session.run(inputs)) {
      const auto bytes = Tensor(value).bytes();
      all.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    return all;
  }
  void check(const onnxrun::Session& session, size_t batch) const {
    if (bytes_of(session, inputs[batch]) != results[batch])
      complain("another result for batch " + std::to_string(batch));
    ++runs;
  }

  std::vector<NamedValues> inputs;
  std::vector<std::vector<std::string>> results;
};

template <class Work>
void until(Clock::time_point end, unsigned seed, const Work& work) {
  std::mt19937 random(seed);
  while (Clock::now() < end) {
    try {
      work(random);
    } catch (const std::exception& error) {
      complain(error.what());
    }
  }
}

void cancel_at_random(const onnxrun::Session& session, const NamedValues& inputs, std::mt19937& random) {
  onnxrun::Run run(session);
  for (const auto& [name, value] : inputs) run.set_input(name, value);
  const auto delay = std::chrono::microseconds(random() % 3000);
  std::jthread other([&run, delay] {
    std::this_thread::sleep_for(delay);
    run.cancel();
  });
  try {
    run.execute();
    ++runs;
  } catch (const onnxrun::Error& error) {
    if (error.code() != onnxrun::Code::kCancelled) complain(error.what());
    ++cancelled;
  }
  other.join();
  run.cancel(false);
  if (random() % 4 == 0) run.execute();  // as if nothing had been
}

void in_a_child(const onnxrun::Session& session, const Expected& expected) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(120);
    int64_t before = wrong;
    try {
      for (size_t batch = 0; batch < kBatches; ++batch) expected.check(session, batch);
    } catch (...) {
      ++before;
    }
    _exit(wrong == before ? 0 : 1);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    complain("a forked child ended with " + std::to_string(status));
}

int64_t resident_kib() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  return 0;
}

#if defined(ONNXRUN_ADDRESS_SANITIZER) || defined(ONNXRUN_THREAD_SANITIZER)
int64_t used_kib() { return 0; }  // they bring a malloc of their own, and keep what was freed
constexpr int64_t kMayGrow = INT64_MAX;
#else
int64_t used_kib() { return static_cast<int64_t>(mallinfo2().uordblks / 1024); }
constexpr int64_t kMayGrow = 8 * 1024;
#endif

}  // namespace

int main(int argc, char** argv) {
  double seconds = 10;
  unsigned seed = 1;
  std::string path;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--seconds" && i + 1 < argc) seconds = std::stod(argv[++i]);
    else if (argument == "--minutes" && i + 1 < argc) seconds = 60 * std::stod(argv[++i]);
    else if (argument == "--seed" && i + 1 < argc) seed = static_cast<unsigned>(std::stoul(argv[++i]));
    else path = argument;
  }
  if (path.empty()) return std::fprintf(stderr, "soak needs a model\n"), 2;
  const onnxrun::Session shared(path, {{"threads", "2"}, {"streams", "4"}});
  const onnxrun::Session alone(onnxrun::Model::from_text(kLong), {{"threads", "2"}, {"streams", "2"}});
  const onnxrun::Model picking = onnxrun::Model::from_text(kPicking);
  const Expected digits(shared, "image", {0, 1, 8, 8}), picks(onnxrun::Session(picking), "x", {0, 4});
  const NamedValues large = {{"x", numbers({400, 400}, 3)}};

  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::vector<int64_t> resident, used;
  while (Clock::now() < end) {
    const auto round =
        std::min(end, Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                         std::chrono::duration<double>(std::min(kRoundSeconds, seconds / 4))));
    seed += 1000;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < kSharers; ++i)
        threads.emplace_back([&, i] {
          until(round, seed + static_cast<unsigned>(i),
                [&](std::mt19937& random) { digits.check(shared, random() % kBatches); });
        });
      for (int i = 0; i < kOwners; ++i)
        threads.emplace_back([&, i] {
          until(round, seed + 100 + static_cast<unsigned>(i), [&](std::mt19937& random) {
            const bool anew = random() % 2 == 0;
            const onnxrun::Session own(anew ? onnxrun::Model::from_text(kPicking) : picking,
                                       {{"threads", random() % 2 == 0 ? "1" : "2"}});
            ++sessions;
            for (size_t k = 0, times = random() % 20; k < times; ++k) picks.check(own, random() % kBatches);
          });
        });
      for (int i = 0; i < kCancellers; ++i)
        threads.emplace_back([&, i] {
          until(round, seed + 200 + static_cast<unsigned>(i),
                [&](std::mt19937& random) { cancel_at_random(alone, large, random); });
        });
    }
#if !defined(ONNXRUN_THREAD_SANITIZER)
    in_a_child(shared, digits);
#endif
    resident.push_back(resident_kib());
    used.push_back(used_kib());
    if (resident.size() % 30 == 0) {
      std::printf("%zu rounds: %lld runs, %lld KiB resident, %lld KiB in use\n", resident.size(),
                  static_cast<long long>(runs), static_cast<long long>(resident.back()),
                  static_cast<long long>(used.back()));
      std::fflush(stdout);
    }
  }
  // What is kept for good is there after the first rounds.
  const size_t warm = resident.size() / 4;
  const int64_t grown =
      resident.back() - *std::max_element(resident.begin(), resident.begin() + static_cast<ptrdiff_t>(warm) + 1);
  const int64_t leaked = used.back() - *std::max_element(used.begin(), used.begin() + static_cast<ptrdiff_t>(warm) + 1);
  // What malloc keeps for so many threads varies by megabytes in the first rounds.
  constexpr size_t kSettled = 30;
  if (leaked > kMayGrow || (resident.size() >= kSettled && grown > kMayGrow)) complain("memory grew");
  std::printf(
      "%zu rounds, %lld runs, %lld cancelled, %lld sessions, memory %+lld KiB resident, %+lld KiB in use, %lld wrong\n",
      resident.size(), static_cast<long long>(runs), static_cast<long long>(cancelled),
      static_cast<long long>(sessions), static_cast<long long>(grown), static_cast<long long>(leaked),
      static_cast<long long>(wrong));
  return wrong != 0;
}
