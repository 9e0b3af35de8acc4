// Threads of a session for asynchronous runs, and what is known of a run that is on its way.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

namespace onnxrun::api {

// Whether an asynchronous execution of a run goes on. Outlives the run in the hands of its thread.
class Flight {
 public:
  bool on() const noexcept { return on_.load(std::memory_order_acquire); }
  void take_off() { set(true); }
  void land() { set(false); }
  void wait() {
    std::unique_lock lock(mutex_);
    landed_.wait(lock, [&] { return !on(); });
  }

 private:
  void set(bool on) {
    const std::lock_guard lock(mutex_);
    on_.store(on, std::memory_order_release);
    if (!on) landed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable landed_;
  std::atomic<bool> on_{false};
};

// Runs tasks on threads of its own, started when they are first needed; idle ones sleep. A child of fork gets threads of its own.
class AsyncThreads {
 public:
  explicit AsyncThreads(int count) : count_(count) {}
  // The tasks are done before; called on one of the threads, that one ends on its own.
  ~AsyncThreads();
  AsyncThreads(const AsyncThreads&) = delete;
  AsyncThreads& operator=(const AsyncThreads&) = delete;

  // `task` must not throw.
  void submit(std::function<void()> task);

 private:
  struct Team;
  std::shared_ptr<Team> team();
  std::mutex mutex_;
  const int count_;
  std::shared_ptr<Team> team_;
};

}  // namespace onnxrun::api
