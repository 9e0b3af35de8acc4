// Callers and the clock they go by.
#include "load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

class Load {
 public:
  Load(const onnxrun::Session& session, const onnxrun::NamedValues& inputs, const LoadPlan& plan)
      : session_(session), inputs_(inputs), plan_(plan) {}

  std::vector<Latency> run() {
    std::vector<std::vector<Latency>> latencies(static_cast<size_t>(plan_.callers));
    begin_ = Clock::now();
    if (plan_.callers == 1) {
      call(0, latencies[0]);
    } else {
      std::vector<std::thread> callers;
      for (int i = 0; i < plan_.callers; ++i)
        callers.emplace_back([&, i] { call(i, latencies[static_cast<size_t>(i)]); });
      for (std::thread& caller : callers) caller.join();
    }
    if (error_) std::rethrow_exception(error_);
    std::vector<Latency> all;
    for (const auto& part : latencies) all.insert(all.end(), part.begin(), part.end());
    std::stable_sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.begin_ms < b.begin_ms; });
    return all;
  }

 private:
  void call(int caller, std::vector<Latency>& latencies) {
    try {
      onnxrun::Run run(session_);
      for (const auto& [name, value] : inputs_) run.set_input(name, value);
      const Clock::time_point end =
          begin_ + std::chrono::duration_cast<Clock::duration>(Milliseconds(plan_.seconds * 1e3));
      for (;;) {
        const int64_t index = next_.fetch_add(1);
        Clock::time_point due = Clock::now();
        if (plan_.rate > 0) {
          due = begin_ + std::chrono::duration_cast<Clock::duration>(
                             Milliseconds(1e3 * static_cast<double>(index) / plan_.rate));
          if (due < end) std::this_thread::sleep_until(due);
        }
        if (stopped_ || (index > 0 && (due >= end || (plan_.runs > 0 && index >= plan_.runs)))) return;
        run.execute();
        latencies.push_back({Milliseconds(due - begin_).count(), Milliseconds(Clock::now() - due).count(), caller});
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      stopped_ = true;
    }
  }

  const onnxrun::Session& session_;
  const onnxrun::NamedValues& inputs_;
  const LoadPlan& plan_;
  Clock::time_point begin_;
  std::atomic<int64_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::exception_ptr error_;
};

}  // namespace

std::vector<Latency> measure(const onnxrun::Session& session, const onnxrun::NamedValues& inputs,
                             const LoadPlan& plan) {
  if (plan.warmup > 0) {
    LoadPlan warmup = plan;
    warmup.seconds = plan.warmup;
    warmup.rate = 0;
    warmup.runs = 0;
    Load(session, inputs, warmup).run();
  }
  return Load(session, inputs, plan).run();
}

}  // namespace cli
