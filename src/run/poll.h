// Poll: a question that a run asks its caller now and then, on the caller's own thread: whether to end early.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace onnxrun::run {

class Poll {
 public:
  using Ask = int32_t (*)(void* context);

  void set(Ask ask, void* context) {
    ask_ = ask;
    context_ = context;
  }
  explicit operator bool() const noexcept { return ask_ != nullptr; }

  // Before a run, on the thread that is going to be asked.
  void begin() {
    thread_ = std::this_thread::get_id();
    next_ = std::chrono::steady_clock::now() + kInterval;
    ended_.store(false, std::memory_order_relaxed);
  }

  // Whether the caller wants the run to end. Asks on the thread of `begin` when it is time; other threads learn what it said last.
  bool ended() {
    if (std::this_thread::get_id() == thread_) ask_when_due();
    return ended_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr auto kInterval = std::chrono::milliseconds(50);

  void ask_when_due() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + kInterval;
    if (ask_(context_) != 0) ended_.store(true, std::memory_order_relaxed);
  }

  Ask ask_ = nullptr;
  void* context_ = nullptr;
  std::thread::id thread_;
  std::chrono::steady_clock::time_point next_;
  std::atomic<bool> ended_{false};
};

}  // namespace onnxrun::run
