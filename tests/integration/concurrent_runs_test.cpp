// One session under many callers, changing shapes, deadlines and fork: equal results, and no more threads than promised.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "cpu/provider.h"
#include "import/import.h"
#include "run/session.h"

namespace onnxrun::ops {
void define_all(ir::OpTable& table);
}

namespace onnxrun {
namespace {

using base::Tensor;
using base::Value;

const ir::OpTable& operators() {
  static ir::OpTable table;
  static const bool filled = (ops::define_all(table), true);
  static_cast<void>(filled);
  return table;
}

std::unique_ptr<run::Session> digits(int threads, int streams) {
  const std::string path =
      (std::filesystem::path(ONNXRUN_TEST_DATA) / "../../examples/digits/digits.onnx").lexically_normal().string();
  import::ImportOptions import_options;
  import_options.table = &operators();
  run::SessionOptions options;
  options.table = &operators();
  options.threads = threads;
  options.streams = streams;
  options.providers =
      std::make_shared<plan::ProviderSet>(std::vector<plan::ProviderPtr>{cpu::provider()}, cpu::provider());
  return std::make_unique<run::Session>(std::make_shared<ir::Model>(import::import_file(path, import_options)),
                                        options);
}

Tensor image(int64_t batch, int seed) {
  Tensor tensor(base::DType::kFloat32, {batch, 1, 8, 8});
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] =
        static_cast<float>(((i + 1) * 2654435761u + static_cast<unsigned>(seed) * 40503u) % 1000) / 1000.0f;
  return tensor;
}

std::vector<float> probabilities(run::Session& session, const Tensor& input) {
  run::RunRequest request;
  request.inputs.emplace_back("image", input);
  session.run(request);
  const auto values = request.outputs.at(0).second.tensor().span<float>();
  return {values.begin(), values.end()};
}

TEST(ConcurrentRuns, ChangingShapesKeepResults) {
  const auto session = digits(1, 1);
  for (int64_t batch : {1, 7, 2, 7, 33, 1, 0, 5}) {
    const Tensor input = image(batch, 3);
    const std::vector<float> together = probabilities(*session, input);
    ASSERT_EQ(together.size(), static_cast<size_t>(batch) * 10);
    for (int64_t b = 0; b < batch; ++b) {
      Tensor one(base::DType::kFloat32, {1, 1, 8, 8});
      std::memcpy(one.mutable_raw(), input.data<float>() + b * 64, 64 * sizeof(float));
      const std::vector<float> alone = probabilities(*session, one);
      for (size_t k = 0; k < 10; ++k) EXPECT_NEAR(together[static_cast<size_t>(b) * 10 + k], alone[k], 1e-6);
    }
  }
}

int thread_count() {
  int count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

TEST(ConcurrentRuns, ManyCallersShareTheThreads) {
  constexpr int kCallers = 32;
  const auto session = digits(2, 2);
  const Tensor input = image(3, 5);
  const std::vector<float> expected = probabilities(*session, input);
  const int before = thread_count();
  std::atomic<int> wrong{0}, most{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < kCallers; ++c)
    callers.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        if (probabilities(*session, input) != expected) ++wrong;
        int seen = most.load();
        const int now = thread_count();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
      }
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_LE(most.load(), before + kCallers + 2);
}

#ifndef ONNXRUN_THREAD_SANITIZER
TEST(ConcurrentRuns, WorksInAForkedChild) {
  const auto session = digits(2, 1);
  const Tensor input = image(16, 7);
  const std::vector<float> expected = probabilities(*session, input);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);
    _exit(probabilities(*session, input) == expected ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  EXPECT_EQ(probabilities(*session, input), expected);
}
#endif

TEST(ConcurrentRuns, StopsAtItsDeadline) {
  const auto session = digits(1, 1);
  run::RunRequest request;
  request.inputs.emplace_back("image", image(1, 1));
  request.control.deadline = base::Deadline::after(1e-9);
  try {
    session->run(request);
    FAIL() << "the deadline was passed before the run";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kDeadline);
  }
  request.control.deadline = {};
  request.outputs.clear();
  session->run(request);
  EXPECT_EQ(request.outputs.at(0).second.tensor().dims(), (base::Dims{1, 10}));
}

}  // namespace
}  // namespace onnxrun
