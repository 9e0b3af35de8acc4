// The thread pool that all parallelism goes through: fork-join over index ranges, no work while idle, safe across fork().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace onnxrun::base {

// CPUs this process may use: its CPU set, bounded by the cgroup quota; at least 1.
int available_cpus();

// T threads: the calling one and T-1 workers, started on first use. One call of `run` at a time uses the workers; a call that
// finds them busy (or comes from inside a task) runs on the calling thread alone. Work is split by T and `grain` only, never
// by load: a call without the workers does the same ranges in order. Workers spin briefly after a task and then sleep. In a forked child the workers are started afresh.
class ThreadPool {
 public:
  // `threads` <= 0 means available_cpus(); more than 1024 are taken as 1024.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const noexcept { return threads_; }

  // Calls task(context, begin, end) over disjoint ranges that cover [0, count), each (but the last) a multiple of `grain` long;
  // at most `threads()` ranges at once. Returns when all are done. The exception of the lowest range that threw is rethrown here after all have
  // ended; on the calling thread alone, ranges after it are not begun. Tasks see the caller's floating-point modes.
  void run(int64_t count, int64_t grain, void (*task)(void* context, int64_t begin, int64_t end), void* context);

  // The same for a callable task(begin, end).
  template <class F>
  void parallel_for(int64_t count, int64_t grain, F&& task) {
    using Task = std::remove_reference_t<F>;
    run(
        count, grain, [](void* context, int64_t begin, int64_t end) { (*static_cast<Task*>(context))(begin, end); },
        const_cast<void*>(static_cast<const void*>(&task)));
  }

 private:
  struct Workers;
  int threads_;
  std::atomic<Workers*> workers_;  // null for one thread
};

// Sets this thread's treatment of denormal floats (flush to zero and denormals are zero, or keep) for its lifetime, then restores it.
class DenormalGuard {
 public:
  explicit DenormalGuard(bool flush);
  ~DenormalGuard();
  DenormalGuard(const DenormalGuard&) = delete;
  DenormalGuard& operator=(const DenormalGuard&) = delete;

 private:
  uint64_t saved_;
};

}  // namespace onnxrun::base
