// ThreadPool and DenormalGuard: ranges, exceptions, nesting, many callers, fork, sleep, signals, modes and a lack of threads.
#include "base/parallel.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace onnxrun::base {
namespace {

#if defined(ONNXRUN_THREAD_SANITIZER)
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif
#if defined(ONNXRUN_ADDRESS_SANITIZER)
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

using Range = std::pair<int64_t, int64_t>;

std::vector<Range> ranges_of(ThreadPool& pool, int64_t count, int64_t grain) {
  std::mutex mutex;
  std::vector<Range> ranges;
  pool.parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    const std::lock_guard lock(mutex);
    ranges.emplace_back(begin, end);
  });
  std::sort(ranges.begin(), ranges.end());
  return ranges;
}

// Lets as many tasks go on as were announced, once all of them have begun: each then has a thread of its own.
class Gathering {
 public:
  explicit Gathering(int tasks) : missing_(tasks) {}
  void wait() {
    const int left = --missing_;
    if (left == 0) missing_.notify_all();
    for (int now = left; now > 0; now = missing_.load()) missing_.wait(now);
  }

 private:
  std::atomic<int> missing_;
};

int thread_count() {
  int count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

// On one CPU a worker seldom gets to run before the caller is done with its own range.
TEST(ThreadPool, TheCallerTakesOverWhatNoWorkerHasBegun) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  constexpr int kJobs = 1000;
  int64_t ran = 0;
  int64_t ran_here = 0;
  {
    ThreadPool pool(2);
    std::mutex mutex;
    for (int i = 0; i < kJobs; ++i)
      pool.parallel_for(2, 1, [&, caller = pthread_self()](int64_t begin, int64_t end) {
        const std::lock_guard lock(mutex);
        ran += end - begin;
        if (pthread_equal(caller, pthread_self())) ran_here += end - begin;
      });
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(ran, 2 * kJobs);
  EXPECT_GT(ran_here, kJobs + kJobs / 2);
}

TEST(ThreadPool, RangesCoverEverythingOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const int64_t count :
         {int64_t{0}, int64_t{1}, int64_t{2}, int64_t{7}, int64_t{64}, int64_t{1000}, INT64_MAX}) {
      for (const int64_t grain :
           {int64_t{-3}, int64_t{0}, int64_t{1}, int64_t{3}, int64_t{64}, INT64_MAX - 1, INT64_MAX}) {
        const auto ranges = ranges_of(pool, count, grain);
        ASSERT_LE(ranges.size(), static_cast<size_t>(threads));
        int64_t next = 0;
        for (size_t i = 0; i < ranges.size(); ++i) {
          ASSERT_EQ(ranges[i].first, next);
          ASSERT_GT(ranges[i].second, ranges[i].first);
          next = ranges[i].second;
          if (i + 1 < ranges.size()) {
            ASSERT_EQ((next - ranges[i].first) % std::max<int64_t>(grain, 1), 0);
          }
        }
        ASSERT_EQ(next, count);
      }
    }
    EXPECT_TRUE(ranges_of(pool, -5, 1).empty());
  }
}

TEST(ThreadPool, RangesUseAllThreadsEvenly) {
  ThreadPool pool(4);
  EXPECT_EQ(ranges_of(pool, 10, 1), (std::vector<Range>{{0, 3}, {3, 6}, {6, 8}, {8, 10}}));
  EXPECT_EQ(ranges_of(pool, 10, 4), (std::vector<Range>{{0, 4}, {4, 8}, {8, 10}}));
}

TEST(ThreadPool, EachRangeHasItsOwnThread) {
  ThreadPool pool(4);
  for (int round = 0; round < 3; ++round) {
    std::mutex mutex;
    std::set<std::thread::id> ids;
    Gathering all(4);
    pool.parallel_for(4, 1, [&](int64_t, int64_t) {
      all.wait();
      const std::lock_guard lock(mutex);
      ids.insert(std::this_thread::get_id());
    });
    EXPECT_EQ(ids.size(), 4u);
    EXPECT_TRUE(ids.count(std::this_thread::get_id()));
  }
}

TEST(ThreadPool, ManySmallRunsLoseNothing) {
  ThreadPool pool(3);
  std::vector<int> sums(3000);
  for (int round = 0; round < 2000; ++round) {
    pool.parallel_for(3000, 100, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++sums[static_cast<size_t>(i)];
    });
    if (round % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // lets the workers fall asleep
  }
  for (const int sum : sums) ASSERT_EQ(sum, 2000);
}

TEST(ThreadPool, StartsNoThreadBeforeItIsNeeded) {
  const int before = thread_count();
  ThreadPool pool(4);
  pool.parallel_for(4, 4, [](int64_t, int64_t) {});
  EXPECT_EQ(thread_count(), before);
}

TEST(ThreadPool, RethrowsTheFirstExceptionAfterAllHaveEnded) {
  ThreadPool pool(4);
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> ended{0};
    try {
      pool.parallel_for(4, 1, [&](int64_t begin, int64_t) {
        if (begin == 1) std::this_thread::sleep_for(std::chrono::microseconds(200));
        ++ended;
        if (begin >= 1) throw std::runtime_error(std::to_string(begin));
      });
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "1");
    }
    EXPECT_EQ(ended, 4);
    EXPECT_EQ(ranges_of(pool, 4, 1).size(), 4u);
  }
}

TEST(ThreadPool, NestedRunsAreInlineWithTheSameRanges) {
  ThreadPool pool(4);
  const auto outside = ranges_of(pool, 10, 1);
  std::vector<std::vector<Range>> inside(4);
  pool.parallel_for(4, 1, [&](int64_t begin, int64_t) {
    const auto self = std::this_thread::get_id();
    pool.parallel_for(10, 1, [&](int64_t from, int64_t to) {
      EXPECT_EQ(std::this_thread::get_id(), self);
      inside[static_cast<size_t>(begin)].emplace_back(from, to);
    });
  });
  for (const auto& ranges : inside) EXPECT_EQ(ranges, outside);
}

TEST(ThreadPool, ThirtyTwoCallersShareTheWorkers) {
  ThreadPool pool(2);
  ranges_of(pool, 2, 1);
  const int before = thread_count();
  std::atomic<int> most{0};
  std::atomic<int64_t> sum{0};
  std::atomic<int> waiting{32};
  std::vector<std::thread> callers;
  for (int i = 0; i < 32; ++i) {
    callers.emplace_back([&] {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      for (int round = 0; round < 200; ++round)
        pool.parallel_for(16, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
      const int now = thread_count();
      for (int old = most; old < now && !most.compare_exchange_weak(old, now);) {
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(sum, 32 * 200 * 16);
  EXPECT_LE(most, before + 32);
}

// The exit status of a child that runs `body`, or -1 when it had to be ended after half a minute.
template <class F>
int in_child(F&& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ThreadPool, ForkedChildRunsAndDestroysThePool) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer knows no new threads in the child of a threaded process";
  auto pool = std::make_unique<ThreadPool>(3);
  EXPECT_EQ(ranges_of(*pool, 3, 1).size(), 3u);
  EXPECT_EQ(in_child([&] {
              pool.reset();
              return 7;
            }),
            7);
  const auto run = [&] {
    std::mutex mutex;
    std::set<std::thread::id> ids;
    Gathering all(3);
    pool->parallel_for(3, 1, [&](int64_t, int64_t) {
      all.wait();
      const std::lock_guard lock(mutex);
      ids.insert(std::this_thread::get_id());
    });
    return static_cast<int>(ids.size());
  };
  EXPECT_EQ(in_child([&] {
              const int ids = run();
              pool.reset();
              return ids;
            }),
            3);
  EXPECT_EQ(in_child([&] {
              run();
              return in_child(run);
            }),
            3);
  EXPECT_EQ(ranges_of(*pool, 3, 1).size(), 3u);
}

TEST(ThreadPool, ChildForkedWhileThePoolIsBusyRuns) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer knows no new threads in the child of a threaded process";
  ThreadPool pool(2);
  std::atomic<bool> entered{false};
  std::atomic<bool> leave{false};
  std::thread caller([&] {
    pool.parallel_for(2, 1, [&](int64_t, int64_t) {
      entered = true;
      while (!leave) std::this_thread::yield();
    });
  });
  while (!entered) std::this_thread::yield();
  const int status = in_child([&] {
    std::atomic<int> sum{0};
    pool.parallel_for(2, 1, [&](int64_t, int64_t) { ++sum; });
    return sum.load();
  });
  leave = true;
  caller.join();
  EXPECT_EQ(status, 2);
}

int64_t process_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

TEST(ThreadPool, IdleWorkersSleep) {
  ThreadPool pool(4);
  ranges_of(pool, 4, 1);
  // Workers that kept spinning would use the CPU in every window.
  bool slept = false;
  for (int i = 0; i < 50 && !slept; ++i) {
    const int64_t before = process_cpu_ns();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    slept = process_cpu_ns() - before < 5'000'000;
  }
  EXPECT_TRUE(slept);
}

TEST(ThreadPool, WorkersBlockSignals) {
  ThreadPool pool(2);
  const auto caller = std::this_thread::get_id();
  std::atomic<int> blocked{-1};
  Gathering both(2);
  pool.parallel_for(2, 1, [&](int64_t, int64_t) {
    both.wait();
    sigset_t set;
    pthread_sigmask(SIG_BLOCK, nullptr, &set);
    if (std::this_thread::get_id() != caller) blocked = sigismember(&set, SIGTERM);
  });
  EXPECT_EQ(blocked, 1);
  sigset_t set;
  pthread_sigmask(SIG_BLOCK, nullptr, &set);
  EXPECT_EQ(sigismember(&set, SIGTERM), 0);
}

float half_of_smallest_normal() {
  volatile float value = std::numeric_limits<float>::min();
  return value * 0.5f;
}

TEST(DenormalGuard, SetsAndRestoresTheMode) {
#if !defined(__x86_64__) && !defined(__aarch64__)
  GTEST_SKIP() << "this processor's denormal mode is not known";
#endif
  EXPECT_NE(half_of_smallest_normal(), 0.0f);
  {
    const DenormalGuard flush(true);
    EXPECT_EQ(std::signbit(half_of_smallest_normal()), false);
    EXPECT_EQ(std::bit_cast<uint32_t>(half_of_smallest_normal()), 0u);
    volatile float denormal = std::numeric_limits<float>::denorm_min();
    EXPECT_EQ(std::bit_cast<uint32_t>(denormal * 0x1p100f), 0u);
    {
      const DenormalGuard keep(false);
      EXPECT_NE(std::bit_cast<uint32_t>(half_of_smallest_normal()), 0u);
    }
    EXPECT_EQ(std::bit_cast<uint32_t>(half_of_smallest_normal()), 0u);
  }
  EXPECT_NE(half_of_smallest_normal(), 0.0f);
}

TEST(DenormalGuard, HoldsInWorkers) {
#if !defined(__x86_64__) && !defined(__aarch64__)
  GTEST_SKIP() << "this processor's denormal mode is not known";
#endif
  ThreadPool pool(4);
  for (const bool flush : {true, false, true}) {
    const DenormalGuard guard(flush);
    std::atomic<int> flushed{0};
    Gathering all(4);
    pool.parallel_for(4, 1, [&](int64_t, int64_t) {
      all.wait();
      flushed += std::bit_cast<uint32_t>(half_of_smallest_normal()) == 0;
    });
    EXPECT_EQ(flushed, flush ? 4 : 0);
  }
}

TEST(ThreadPool, RunsWithTheThreadsThatCanBeHad) {
  if (kAddressSanitizer || kThreadSanitizer) GTEST_SKIP() << "an address space limit does not go with sanitizers";
  ThreadPool pool(64);
  const int status = in_child([&] {
    std::ifstream statm("/proc/self/statm");
    size_t pages = 0;
    statm >> pages;
    // Room for a few stacks of 8 MiB at most.
    rlimit limit{};
    limit.rlim_cur = limit.rlim_max = pages * static_cast<size_t>(sysconf(_SC_PAGESIZE)) + (size_t{40} << 20);
    if (setrlimit(RLIMIT_AS, &limit) != 0) return 1;
    std::vector<int> seen(640);
    for (int round = 0; round < 3; ++round) {
      pool.parallel_for(640, 1, [&](int64_t begin, int64_t end) {
        for (; begin < end; ++begin) ++seen[static_cast<size_t>(begin)];
      });
    }
    if (thread_count() >= 64) return 2;
    return std::count(seen.begin(), seen.end(), 3) == 640 ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
}

TEST(ThreadPool, SizesAreBounded) {
  EXPECT_GE(ThreadPool().threads(), 1);
  EXPECT_EQ(ThreadPool(1 << 30).threads(), 1024);
}

}  // namespace
}  // namespace onnxrun::base
