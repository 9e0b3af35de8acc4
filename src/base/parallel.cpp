// ThreadPool: statically partitioned fork-join over workers that wait on one word each.
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "base/float_control.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace onnxrun::base {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int kTicketMask = 0x7fffffff;
constexpr auto kSpin = std::chrono::microseconds(5);    // without giving the CPU away
constexpr auto kYield = std::chrono::microseconds(50);  // altogether, before sleeping

using TaskFunction = void (*)(void* context, int64_t begin, int64_t end);

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins for a bounded time, then sleeps, until `word` is no longer `old`; returns what it is then. After the first microseconds the
// spinning yields, since the thread waited for may need this very CPU.
int wait_change(const std::atomic<int>& word, int old) {
  int now = word.load(std::memory_order_acquire);
  if (now != old) return now;
  const auto start = std::chrono::steady_clock::now();
  for (auto spent = start - start; spent < kYield; spent = std::chrono::steady_clock::now() - start) {
    if (spent >= kSpin) sched_yield();
    for (int i = 0; i < 16; ++i) {
      now = word.load(std::memory_order_acquire);
      if (now != old) return now;
      pause();
    }
  }
  while ((now = word.load(std::memory_order_acquire)) == old) word.wait(old, std::memory_order_acquire);
  return now;
}

// `count` indices in `parts` contiguous ranges of whole grains, as equal as can be; set by count, grain and thread count only.
struct Partition {
  Partition(int64_t count, int64_t grain, int threads) : count(count), grain(std::max<int64_t>(grain, 1)) {
    const int64_t grains = count / this->grain + (count % this->grain != 0 ? 1 : 0);
    parts = static_cast<int>(std::min<int64_t>(threads, grains));
    each = grains / parts;
    extra = grains % parts;
  }

  int64_t begin(int part) const { return (part * each + std::min<int64_t>(part, extra)) * grain; }
  int64_t end(int part) const { return part + 1 == parts ? count : begin(part + 1); }

  int64_t count;
  int64_t grain;
  int64_t each;   // grains of a part
  int64_t extra;  // parts, from the first on, that have one grain more
  int parts;
};

struct Job {
  TaskFunction task;
  void* context;
  const Partition* partition;
  uint64_t float_control;
};

}  // namespace

// The workers of one process. A forked child finds its parent's, whose threads it does not have, and makes its own:
// hence plain thread handles, which a child can drop, and atomics, which no thread of the parent can have left locked.
struct ThreadPool::Workers {
  // A worker's part of a job is open until somebody claims it: the worker, or the caller when it has nothing else left to do, so
  // that nobody waits for a thread that has no CPU.
  struct alignas(64) Worker {
    std::atomic<int> ticket{
        0};  // twice the number of jobs given to this worker, less one while the last one is open; negative: end
    pthread_t thread;
    Workers* team;
    int part;
    std::exception_ptr error;

    void offer() {
      ticket.store((ticket.load(std::memory_order_relaxed) + 1) & kTicketMask, std::memory_order_release);
      ticket.notify_one();
    }
    bool claim(int open) {
      return (open & 1) != 0 &&
             ticket.compare_exchange_strong(open, (open + 1) & kTicketMask, std::memory_order_acquire);
    }
  };

  Workers(int count, std::unique_ptr<Workers> before) : process(getpid()), workers(count), parent(std::move(before)) {}

  ~Workers() {
    if (process != getpid()) return;
    for (int i = 0; i < started; ++i) {
      workers[i].ticket.store(-1);
      workers[i].ticket.notify_one();
    }
    for (int i = 0; i < started; ++i) pthread_join(workers[i].thread, nullptr);
  }

  // Starts what can be started; signals of the host are not delivered to our threads.
  void start() {
    ready = true;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (auto& worker : workers) {
      worker.team = this;
      worker.part = started + 1;
      if (pthread_create(&worker.thread, nullptr, &Workers::work, &worker) != 0) break;
      ++started;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  static void* work(void* argument) {
    auto& self = *static_cast<Worker*>(argument);
    Workers& team = *self.team;
    int ticket = 0;
    while ((ticket = wait_change(self.ticket, ticket)) >= 0) {
      if (!self.claim(ticket)) continue;
      ticket = (ticket + 1) & kTicketMask;
      self.error = team.call(self.part);
      if (team.pending.fetch_sub(1) == 1) team.pending.notify_one();
    }
    return nullptr;
  }

  std::exception_ptr call(int part) {
    try {
      set_float_control(job.float_control);
      job.task(job.context, job.partition->begin(part), job.partition->end(part));
    } catch (...) {
      return std::current_exception();
    }
    return nullptr;
  }

  // The caller has taken `busy`.
  void run(const Job& next) {
    if (!ready) start();
    job = next;
    const int parts = job.partition->parts;
    const int helpers = std::min(parts - 1, started);
    pending.store(helpers, std::memory_order_relaxed);
    for (int i = 0; i < helpers; ++i) workers[i].offer();
    std::exception_ptr error = call(0);
    for (int i = 0; i < helpers; ++i) {
      Worker& worker = workers[i];
      if (!worker.claim(worker.ticket.load(std::memory_order_relaxed))) continue;
      worker.error = call(worker.part);
      pending.fetch_sub(1);
    }
    std::exception_ptr late;
    for (int part = helpers + 1; part < parts; ++part) {
      auto own = call(part);
      if (!late) late = own;
    }
    for (int left; (left = pending.load(std::memory_order_acquire)) != 0;) wait_change(pending, left);
    for (int i = 0; i < helpers; ++i) {
      auto own = std::exchange(workers[i].error, nullptr);
      if (!error) error = own;
    }
    if (!error) error = late;
    busy.store(false, std::memory_order_release);
    if (error) std::rethrow_exception(error);
  }

  const pid_t process;
  std::atomic<bool> busy{false};
  bool ready = false;
  int started = 0;
  Job job{};
  alignas(64) std::atomic<int> pending{0};
  std::vector<Worker> workers;
  std::unique_ptr<Workers> parent;  // kept, as other threads of this process may be looking at it
};

ThreadPool::ThreadPool(int threads)
    : threads_(std::min(threads > 0 ? threads : available_cpus(), kMaxThreads)),
      workers_(threads_ > 1 ? new Workers(threads_ - 1, nullptr) : nullptr) {}

ThreadPool::~ThreadPool() { delete workers_.load(); }

void ThreadPool::run(int64_t count, int64_t grain, TaskFunction task, void* context) {
  if (count <= 0) return;
  const Partition partition(count, grain, threads_);
  if (partition.parts == 1) return task(context, 0, count);

  Workers* team = workers_.load(std::memory_order_acquire);
  while (team->process != getpid()) {
    auto* fresh = new Workers(threads_ - 1, std::unique_ptr<Workers>(team));
    if (workers_.compare_exchange_strong(team, fresh)) {
      team = fresh;
    } else {
      fresh->parent.release();
      delete fresh;
    }
  }
  if (!team->busy.exchange(true, std::memory_order_acquire))
    return team->run({task, context, &partition, float_control()});
  for (int part = 0; part < partition.parts; ++part) task(context, partition.begin(part), partition.end(part));
}

}  // namespace onnxrun::base
