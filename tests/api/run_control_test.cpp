// What a run asks its caller, and results that are given away.
#include <atomic>
#include <chrono>
#include <thread>

#include <onnxrun/onnxrun.hpp>

#include "c_calls.h"

namespace {

using namespace c_calls;
using onnxrun::Tensor;

const Tensor kX = Tensor::from<float>({1, 3}, {1, 2, 3});

onnxrun::Session sums(const onnxrun::Options& options = {}) {
  const std::string bytes = model_bytes::sums();
  return onnxrun::Session(onnxrun::Model(std::as_bytes(std::span(bytes))), options);
}

TEST(Poll, IsNotAskedByShortRuns) {
  const onnxrun::Session session = sums();
  onnxrun::Run run(session);
  int asked = 0;
  run.set_poll([&] { return ++asked > 0; });
  run.set_input("x", kX);
  run.set_input("y", kX);
  EXPECT_EQ(run.execute().size(), 1u);
  EXPECT_EQ(asked, 0);
}

// The tap holds the first run up until the second, which waits for the one stream, has ended.
TEST(Poll, EndsARunThatWaitsForItsTurn) {
  const onnxrun::Session session = sums({{"level", "0"}, {"streams", "1"}});
  std::atomic<bool> inside{false}, ended{false};
  std::thread holder([&] {
    onnxrun::Run run(session);
    run.set_input("x", kX);
    run.set_input("y", kX);
    run.set_tap([&](std::string_view, const onnxrun::Value&) {
      inside = true;
      while (!ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    run.execute();
  });
  while (!inside) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  onnxrun::Run run(session);
  run.set_input("x", kX);
  run.set_input("y", kX);
  const auto self = std::this_thread::get_id();
  int asked = 0;
  run.set_poll([&] {
    EXPECT_EQ(std::this_thread::get_id(), self);
    return ++asked == 2;
  });
  onnxrun::Code code{};
  try {
    run.execute();
  } catch (const onnxrun::Error& error) {
    code = error.code();
  }
  EXPECT_EQ(code, onnxrun::Code::kCancelled);
  EXPECT_EQ(asked, 2);
  run.set_poll([]() -> bool { throw std::runtime_error("from the poll"); });
  EXPECT_THROW(run.execute(), std::runtime_error);
  run.set_poll({});
  ended = true;
  holder.join();
  EXPECT_EQ(run.execute().size(), 1u);
}

TEST(TakenOutputs, CanBeWrittenToAndAreGone) {
  const auto model = load_sums();
  const auto session = session_of(model.get());
  const auto run = made<onnxrun_run>([&](auto** out) { return api().run_create(session.get(), out); });
  const auto x = floats({1, 3}, {1, 2, 3});
  for (const char* name : {"x", "y"}) ASSERT_OK(api().run_set_input(run.get(), name, x.get()));
  ASSERT_OK(api().run_execute(run.get()));
  const auto shared = made<onnxrun_value>([&](auto** out) { return api().run_output(run.get(), 0, out); });
  void* data = nullptr;
  EXPECT_REFUSED(api().value_mutable_data(shared.get(), &data, nullptr), "cannot be written to");
  // Another handle shares the memory: what is taken is a copy.
  const auto taken = made<onnxrun_value>([&](auto** out) { return api().run_take_output(run.get(), 0, out); });
  ASSERT_OK(api().value_mutable_data(taken.get(), &data, nullptr));
  static_cast<float*>(data)[0] = 100;
  const std::vector<double> before = doubles(shared.get());
  EXPECT_NE(before[0], 100);
  EXPECT_EQ(doubles(taken.get())[0], 100);
  const auto nothing = made<onnxrun_value>([&](auto** out) { return api().run_take_output(run.get(), 0, out); });
  int32_t kind = -1;
  ASSERT_OK(api().value_kind(nothing.get(), &kind));
  EXPECT_EQ(kind, ONNXRUN_KIND_OPTIONAL);
  onnxrun_value* none = nullptr;
  EXPECT_REFUSED(api().run_take_output(run.get(), 1, &none), "does not exist");
  EXPECT_REFUSED(api().run_take_output(nullptr, 0, &none), "null");
  EXPECT_REFUSED(api().run_set_poll(nullptr, nullptr, nullptr), "null");

  ASSERT_OK(api().run_execute(run.get()));
  const auto alone = made<onnxrun_value>([&](auto** out) { return api().run_take_output(run.get(), 0, out); });
  ASSERT_OK(api().value_mutable_data(alone.get(), &data, nullptr));
  EXPECT_EQ(doubles(alone.get()), before);
}

// What the caller gave to be written to is handed back itself, not a copy.
TEST(TakenOutputs, AreWhatTheCallerGave) {
  const auto model = load_sums();
  const auto session = session_of(model.get());
  const auto run = made<onnxrun_run>([&](auto** out) { return api().run_create(session.get(), out); });
  const auto x = floats({1, 3}, {1, 2, 3});
  for (const char* name : {"x", "y"}) ASSERT_OK(api().run_set_input(run.get(), name, x.get()));
  ASSERT_OK(api().run_execute(run.get()));
  const char* name = nullptr;
  ASSERT_OK(api().run_output_name(run.get(), 0, &name));
  const auto first = made<onnxrun_value>([&](auto** out) { return api().run_take_output(run.get(), 0, out); });
  const size_t count = doubles(first.get()).size();
  const auto given = floats({1, static_cast<int64_t>(count)}, std::vector<double>(count));
  ASSERT_OK(api().run_set_output(run.get(), name, given.get()));
  ASSERT_OK(api().run_execute(run.get()));
  const auto taken = made<onnxrun_value>([&](auto** out) { return api().run_take_output(run.get(), 0, out); });
  EXPECT_EQ(doubles(taken.get()), doubles(first.get()));
  const void *theirs = nullptr, *ours = nullptr;
  ASSERT_OK(api().value_data(taken.get(), &theirs, nullptr));
  ASSERT_OK(api().value_data(given.get(), &ours, nullptr));
  EXPECT_EQ(theirs, ours);
}

TEST(CheckBytes, ReportsLikeCheckingAFile) {
  const std::string bytes = model_bytes::sums();
  const auto good =
      made<onnxrun_blob>([&](auto** out) { return api().model_check_bytes(bytes.data(), bytes.size(), nullptr, out); });
  EXPECT_NE(text(good.get()).find("\"errors\":0"), std::string::npos) << text(good.get());
  const auto bad = made<onnxrun_blob>(
      [&](auto** out) { return api().model_check_bytes(bytes.data(), bytes.size() / 2, nullptr, out); });
  EXPECT_NE(text(bad.get()).find("\"errors\":1"), std::string::npos) << text(bad.get());
  EXPECT_NE(onnxrun::check_model(std::as_bytes(std::span(bytes))).find("\"errors\":0"), std::string::npos);
  onnxrun_blob* none = nullptr;
  EXPECT_REFUSED(api().model_check_bytes(nullptr, 1, nullptr, &none), "null");
}

}  // namespace
