// Sessions inside a process: forked children, many callers, threads that are started.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "model_bytes.h"

namespace {

using onnxrun::Tensor;

onnxrun::Model sums() {
  const std::string bytes = model_bytes::sums();
  return onnxrun::Model(std::as_bytes(std::span(bytes)));
}

// Large enough to be split among threads.
constexpr int64_t kRows = 200000;

onnxrun::NamedValues large_inputs() {
  const Tensor ones = Tensor::from({kRows, 3}, std::vector<float>(kRows * 3, 1));
  return {{"x", ones}, {"y", ones}};
}

bool all_three(const Tensor& z) {
  const auto values = z.span<float>();
  return values.size() == kRows * 3 && std::all_of(values.begin(), values.end(), [](float v) { return v == 3; });
}

TEST(Process, RunsInAForkedChild) {
#if defined(ONNXRUN_THREAD_SANITIZER)
  GTEST_SKIP() << "ThreadSanitizer knows no new threads in the child of a threaded process";
#endif
  const onnxrun::Session session(sums(), {{"threads", "2"}});
  const auto inputs = large_inputs();
  ASSERT_TRUE(all_three(session.run(inputs).at("z")));
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    bool good = false;
    try {
      good = all_three(session.run(inputs).at("z")) &&
             all_three(onnxrun::Session(sums(), {{"threads", "2"}}).run(inputs).at("z"));
    } catch (...) {
    }
    _exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(all_three(session.run(inputs).at("z")));
}

ptrdiff_t thread_count() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

TEST(Process, ThirtyTwoCallersStartFewThreads) {
  constexpr int kCallers = 32, kThreads = 2;
  const onnxrun::Session session(sums(), {{"threads", std::to_string(kThreads)}, {"streams", "1"}});
  const auto inputs = large_inputs();
  std::thread([] {}).join();  // with the first one sanitizers start a thread of their own
  const ptrdiff_t before = thread_count();
  std::atomic<int> wrong{0}, done{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i)
    callers.emplace_back([&] {
      for (int k = 0; k < 3; ++k) wrong += !all_three(session.run(inputs).at("z"));
      ++done;
    });
  ptrdiff_t most = 0;
  while (done < kCallers) {
    most = std::max(most, thread_count());
    std::this_thread::yield();
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(most - before, kCallers + kThreads - 1);
}

}  // namespace
