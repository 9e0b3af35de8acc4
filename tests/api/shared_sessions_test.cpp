// Sessions of one model share what the optimizer and the kernels made of it, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>
#include <optional>
#include <thread>
#include <vector>

namespace onnxrun {
namespace {

std::string digits() {
  return (std::filesystem::path(ONNXRUN_TEST_DATA) / "../../examples/digits/digits.onnx").lexically_normal().string();
}

std::vector<float> run(const Session& session) {
  const auto results = session.run({{"image", Tensor::from({2, 1, 8, 8}, std::vector<float>(128, 0.5f))}});
  const auto found = results.at("probabilities").span<float>();
  return {found.begin(), found.end()};
}

int64_t memory(const Session& session, const char* what) { return nlohmann::json::parse(session.memory())[what]; }

Options with(const std::string& name, const std::string& value) {
  Options options;
  options.set(name, value);
  return options;
}

TEST(SharedSessions, PackWeightsOnce) {
  const Model model(digits());
  const Session first(model), second(model);
  const auto want = run(first);
  EXPECT_EQ(run(second), want);
  ASSERT_GT(memory(first, "packed"), 0);
  EXPECT_EQ(memory(second, "packed"), memory(first, "packed"));
  EXPECT_LE(memory(second, "used") + memory(first, "packed"), memory(first, "used"));
}

TEST(SharedSessions, OtherOptionsShareNothing) {
  const Model model(digits());
  const Session first(model);
  run(first);
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"level", "1"},
                                                        {"kernels", "reference"},
                                                        {"max_memory", "1000000000"},
                                                        {"threads", "1"},
                                                        {"disable_passes", "block-channels"}}) {
    const Session other(model, with(name, value));
    run(other);
    EXPECT_GE(memory(other, "used"), memory(other, "packed")) << name << ": what it packed is its own";
  }
}

TEST(SharedSessions, OutliveEachOther) {
  const Model model(digits());
  std::optional<Session> first{Session(model)};
  const auto want = run(*first);
  const Session second(model);
  first.reset();
  EXPECT_EQ(run(second), want);
}

TEST(SharedSessions, NothingIsKeptForThoseToCome) {
  const Model model(digits());
  { run(Session(model)); }
  const Session later(model);
  EXPECT_EQ(memory(later, "blocks"), 0);
  run(later);
  EXPECT_GE(memory(later, "used"), memory(later, "packed")) << "it had to pack again";
}

std::vector<float> run_batch(const Session& session, int64_t batch) {
  const auto results = session.run(
      {{"image", Tensor::from({batch, 1, 8, 8}, std::vector<float>(static_cast<size_t>(batch * 64), 0.5f))}});
  const auto found = results.at("probabilities").span<float>();
  return {found.begin(), found.end()};
}

TEST(SharedSessions, LendEachOtherBlocks) {
  const Model model(digits());
  const Session first(model);
  Session second(model);
  const auto large = run_batch(first, 100);
  const int64_t blocks = memory(first, "blocks");
  ASSERT_GT(blocks, 0);
  EXPECT_EQ(memory(second, "blocks"), blocks);
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(run_batch(second, 100), large);
    EXPECT_EQ(run_batch(first, 100), large);
    EXPECT_EQ(run(second), run(first));
  }
  EXPECT_EQ(memory(first, "blocks"), blocks) << "one run at a time needs one";
  EXPECT_LT(memory(second, "used"), blocks);
  second.trim();
  EXPECT_EQ(memory(first, "blocks"), 0);
  EXPECT_EQ(run_batch(first, 100), large);
}

TEST(SharedSessions, LendBlocksToRunsAtTheSameTime) {
  const Model model(digits());
  Session first(model);
  const Session second(model);
  const std::vector<int64_t> batches{1, 7, 40, 100};
  std::vector<std::vector<float>> want;
  for (const int64_t batch : batches) want.push_back(run_batch(Session(model), batch));
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (size_t t = 0; t < right.size(); ++t)
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 100; ++i) {
        const size_t which = (i * (t + 1)) % batches.size();
        right[t] += run_batch(t % 2 == 0 ? first : second, batches[which]) == want[which];
        if (i % 25 == 24) first.trim();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(right, testing::Each(100));
}

TEST(SharedSessions, RunAtTheSameTime) {
  const Model model(digits());
  const auto want = run(Session(model));
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (int& ok : right)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) ok += run(Session(model)) == want;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(right, testing::Each(20));
}

}  // namespace
}  // namespace onnxrun
