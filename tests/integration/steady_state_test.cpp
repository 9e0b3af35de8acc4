// What a session promises once shapes are known: no allocation in a run, equal results from many callers, and working after fork.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "cpu/provider.h"
#include "import/import.h"
#include "ir/infer.h"
#include "run/session.h"

namespace onnxrun::ops {
void define_all(ir::OpTable& table);
}

namespace {
std::atomic<bool> counting{false};
std::atomic<int64_t> allocations{0};
void count_allocation() {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 1
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t bytes) {
  count_allocation();
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  count_allocation();
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) {
  count_allocation();
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  count_allocation();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** out, size_t alignment, size_t bytes) {
  count_allocation();
  *out = __libc_memalign(alignment, bytes);
  return *out == nullptr ? 12 : 0;
}
}
#endif

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
  const std::string path = (std::filesystem::path(ONNXRUN_TEST_DATA) / "../../examples/digits/digits.onnx").lexically_normal().string();
  import::ImportOptions import_options;
  import_options.table = &operators();
  run::SessionOptions options;
  options.table = &operators();
  options.threads = threads;
  options.streams = streams;
  options.providers = std::make_shared<plan::ProviderSet>(std::vector<plan::ProviderPtr>{cpu::provider()}, cpu::provider());
  return std::make_unique<run::Session>(std::make_shared<ir::Model>(import::import_file(path, import_options)), options);
}

// Softmax(Relu(x * x)) reshaped, on one thread: the executor without a library's kernels, whose allocations are their own.
std::unique_ptr<run::Session> chain() {
  auto model = std::make_shared<ir::Model>();
  model->graph = std::make_unique<ir::Graph>();
  ir::Graph& graph = *model->graph;
  const ir::ValueId x = graph.add_input("x", ir::Fact::tensor(base::DType::kFloat32, {ir::Dim::symbol("n"), 1, 8, 8}));
  const auto add = [&](const char* op, std::vector<ir::ValueId> inputs, const char* output) {
    ir::Node node;
    node.op = operators().find("", op);
    node.inputs = std::move(inputs);
    node.outputs = {graph.add_value(output)};
    const ir::ValueId result = node.outputs[0];
    ir::infer_in_place(graph, graph.add_node(std::move(node)));
    return result;
  };
  const ir::ValueId square = add("Mul", {x, x}, "square");
  const ir::ValueId positive = add("Relu", {square}, "positive");
  const ir::ValueId rows = add("Reshape", {positive, graph.add_constant(Tensor::vector<int64_t>({-1, 8, 8}))}, "rows");
  graph.add_output(add("Softmax", {rows}, "y"));
  run::SessionOptions options;
  options.table = &operators();
  options.threads = 1;
  options.providers = std::make_shared<plan::ProviderSet>(std::vector<plan::ProviderPtr>{cpu::provider()}, cpu::provider());
  return std::make_unique<run::Session>(std::move(model), options);
}

Tensor image(int64_t batch, int seed) {
  Tensor tensor(base::DType::kFloat32, {batch, 1, 8, 8});
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] = static_cast<float>(((i + 1) * 2654435761u + static_cast<unsigned>(seed) * 40503u) % 1000) / 1000.0f;
  return tensor;
}

std::vector<float> probabilities(run::Session& session, const Tensor& input) {
  run::RunRequest request;
  request.inputs.emplace_back("image", input);
  session.run(request);
  const auto values = request.outputs.at(0).second.tensor().span<float>();
  return {values.begin(), values.end()};
}

TEST(SteadyState, AllocatesNothing) {
#ifndef COUNTS_ALLOCATIONS
  GTEST_SKIP() << "sanitizers count allocations of their own";
#endif
  const auto session = chain();
  run::RunRequest request;
  request.inputs.emplace_back("x", image(4, 1));
  request.outputs.emplace_back("y", Tensor(base::DType::kFloat32, {4, 8, 8}));
  for (int i = 0; i < 3; ++i) session->run(request);
  counting = true;
  for (int i = 0; i < 10; ++i) session->run(request);
  counting = false;
  EXPECT_EQ(allocations.load(), 0);
}

TEST(SteadyState, ChangingShapesKeepResults) {
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

TEST(SteadyState, ManyCallersShareTheThreads) {
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

#ifndef __SANITIZE_THREAD__
TEST(SteadyState, WorksInAForkedChild) {
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

TEST(SteadyState, StopsAtItsDeadline) {
  const auto session = digits(1, 1);
  run::RunRequest request;
  request.inputs.emplace_back("image", image(1, 1));
  request.control.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  try {
    session->run(request);
    FAIL() << "the deadline was passed before the run";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kDeadline);
  }
  request.control.deadline.reset();
  request.outputs.clear();
  session->run(request);
  EXPECT_EQ(request.outputs.at(0).second.tensor().dims(), (base::Dims{1, 10}));
}

}  // namespace
}  // namespace onnxrun
