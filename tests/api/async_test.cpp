// Asynchronous runs: futures, stop tokens, and what may not be done while one goes on.
#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include <onnxrun/onnxrun.hpp>

#include "c_calls.h"

namespace {

using namespace c_calls;
using onnxrun::NamedValues;
using onnxrun::Tensor;
using namespace std::chrono_literals;

onnxrun::Session sums(const onnxrun::Options& options = {}) {
  const std::string bytes = model_bytes::sums();
  return onnxrun::Session(onnxrun::Model(std::as_bytes(std::span(bytes))), options);
}

NamedValues feeds(float first) {
  const auto x = Tensor::from<float>({1, 3}, {first, 2, 3});
  return {{"x", x}, {"y", x}};
}

onnxrun::Code code_of(std::future<onnxrun::Results>& future) {
  try {
    future.get();
  } catch (const onnxrun::Error& error) {
    return error.code();
  }
  return onnxrun::Code::kInternal;
}

// A tap that holds a run up until told to go on.
class Gate {
 public:
  onnxrun::Run::Tap tap() {
    return [this](std::string_view, const onnxrun::Value&) {
      inside_ = true;
      while (!open_) std::this_thread::sleep_for(1ms);
    };
  }
  void wait_until_inside() const {
    while (!inside_) std::this_thread::sleep_for(1ms);
  }
  void open() { open_ = true; }

 private:
  std::atomic<bool> inside_{false}, open_{false};
};

TEST(RunAsync, GivesEachCallerItsOwnResult) {
  const onnxrun::Session session = sums({{"streams", "3"}, {"threads", "1"}});
  std::vector<std::future<onnxrun::Results>> futures;
  for (int i = 0; i < 100; ++i) futures.push_back(session.run_async(feeds(static_cast<float>(i))));
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(futures[static_cast<size_t>(i)].get().at("z").span<float>()[0], static_cast<float>(3 * i));
}

TEST(RunAsync, SaysWhatIsWrongWithNamesAndTypes) {
  const onnxrun::Session session = sums();
  auto missing = session.run_async({});
  EXPECT_EQ(code_of(missing), onnxrun::Code::kInvalidArgument);
  auto type = session.run_async({{"x", Tensor::from<double>({1, 3}, {1, 2, 3})}});
  EXPECT_EQ(code_of(type), onnxrun::Code::kInvalidArgument);
  EXPECT_THROW((void)session.run_async(feeds(1), {.tap = [](auto, auto&) {}, .taps = {"nowhere"}}), onnxrun::Error);
}

TEST(RunAsync, HandsOnWhatATapThrows) {
  const onnxrun::Session session = sums({{"level", "0"}});
  auto future = session.run_async(feeds(1), {.tap = [](auto, auto&) { throw std::runtime_error("from the tap"); }});
  EXPECT_THROW(future.get(), std::runtime_error);
  EXPECT_EQ(session.run_async(feeds(1)).get().size(), 1u);
}

TEST(RunAsync, KeepsTheSessionAlive) {
  Gate gate;
  std::future<onnxrun::Results> future;
  {
    const onnxrun::Session session = sums({{"level", "0"}});
    future = session.run_async(feeds(2), {.tap = gate.tap(), .taps = {"t"}});
    gate.wait_until_inside();
  }
  gate.open();
  EXPECT_EQ(future.get().at("z").span<float>()[0], 6);
}

TEST(RunAsync, CanBeStopped) {
  const onnxrun::Session session = sums({{"level", "0"}});
  Gate gate;
  std::stop_source stop;
  auto future = session.run_async(feeds(1), {.tap = gate.tap(), .taps = {"t"}, .stop = stop.get_token()});
  // Waits for the one stream.
  auto queued = session.run_async(feeds(1), {.stop = stop.get_token()});
  gate.wait_until_inside();
  stop.request_stop();
  gate.open();
  EXPECT_EQ(code_of(future), onnxrun::Code::kCancelled);
  EXPECT_EQ(code_of(queued), onnxrun::Code::kCancelled);
}

TEST(Run, IsStoppedByATokenAndCanRunAgain) {
  const onnxrun::Session session = sums();
  onnxrun::Run run(session);
  for (const auto& [name, value] : feeds(1)) run.set_input(name, value);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(run.execute(stop.get_token()), onnxrun::Error);
  EXPECT_EQ(run.execute().size(), 1u);
  EXPECT_EQ(run.execute_async().get().size(), 1u);
  EXPECT_EQ(run.execute_async(std::stop_token()).get().size(), 1u);
}

TEST(Run, ThatIsDestroyedCancelsAndWaits) {
  const onnxrun::Session session = sums({{"level", "0"}});
  Gate gate;
  std::future<onnxrun::Results> future;
  std::thread opener;
  {
    onnxrun::Run run(session);
    for (const auto& [name, value] : feeds(1)) run.set_input(name, value);
    run.set_tap(gate.tap(), {"t"});
    future = run.execute_async();
    gate.wait_until_inside();
    opener = std::thread([&] {
      std::this_thread::sleep_for(5ms);
      gate.open();
    });
  }
  opener.join();
  EXPECT_EQ(code_of(future), onnxrun::Code::kCancelled);
}

TEST(Run, IsRefusedWhileItIsOnItsWay) {
  const auto model = load_sums();
  const auto options = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
  ASSERT_OK(api().options_set(options.get(), "level", "0"));
  const auto session =
      made<onnxrun_session>([&](auto** out) { return api().session_create(model.get(), options.get(), out); });
  const auto run = made<onnxrun_run>([&](auto** out) { return api().run_create(session.get(), out); });
  const auto x = floats({1, 3}, {1, 2, 3});
  for (const char* name : {"x", "y"}) ASSERT_OK(api().run_set_input(run.get(), name, x.get()));
  struct Hold {
    std::atomic<bool> inside{false}, open{false}, done{false};
  } hold;
  ASSERT_OK(api().run_set_tap(
      run.get(), "t",
      [](void* context, const char*, const onnxrun_value*) {
        auto& held = *static_cast<Hold*>(context);
        held.inside = true;
        while (!held.open) std::this_thread::sleep_for(1ms);
      },
      &hold));
  const auto done = [](void* context, onnxrun_status* status) {
    api().status_free(status);
    static_cast<Hold*>(context)->done = true;
  };
  ASSERT_OK(api().run_execute_async(run.get(), done, &hold));
  while (!hold.inside) std::this_thread::sleep_for(1ms);
  constexpr const char* kWhy = "is being executed";
  size_t count = 0;
  onnxrun_value* value = nullptr;
  EXPECT_REFUSED(api().run_set_input(run.get(), "x", x.get()), kWhy);
  EXPECT_REFUSED(api().run_set_output(run.get(), "z", nullptr), kWhy);
  EXPECT_REFUSED(api().run_set_timeout(run.get(), 1), kWhy);
  EXPECT_REFUSED(api().run_set_tap(run.get(), nullptr, nullptr, nullptr), kWhy);
  EXPECT_REFUSED(api().run_set_poll(run.get(), nullptr, nullptr), kWhy);
  EXPECT_REFUSED(api().run_set_profile(run.get(), 1), kWhy);
  EXPECT_REFUSED(api().run_execute(run.get()), kWhy);
  EXPECT_REFUSED(api().run_execute_async(run.get(), done, &hold), kWhy);
  EXPECT_REFUSED(api().run_output_count(run.get(), &count), kWhy);
  EXPECT_REFUSED(api().run_output(run.get(), 0, &value), kWhy);
  hold.open = true;
  EXPECT_OK(api().run_wait(run.get()));
  EXPECT_OK(api().run_output_count(run.get(), &count));
  EXPECT_EQ(count, 1u);
  while (!hold.done) std::this_thread::sleep_for(1ms);
  EXPECT_REFUSED(api().run_wait(nullptr), "run");
  EXPECT_REFUSED(api().run_execute_async(nullptr, done, nullptr), "run");
}

// The last reference to everything goes on the session's own thread.
TEST(Run, MayBeFreedInItsCallback) {
  for (int round = 0; round < 20; ++round) {
    auto model = load_sums();
    auto session = session_of(model.get());
    model.reset();
    auto run = made<onnxrun_run>([&](auto** out) { return api().run_create(session.get(), out); });
    session.reset();
    const auto x = floats({1, 3}, {1, 2, 3});
    for (const char* name : {"x", "y"}) ASSERT_OK(api().run_set_input(run.get(), name, x.get()));
    struct Last {
      onnxrun_run* run;
      std::promise<onnxrun_code> code;
    } last{run.get(), {}};
    auto code = last.code.get_future();
    ASSERT_OK(api().run_execute_async(
        run.get(),
        [](void* context, onnxrun_status* status) {
          auto& ended = *static_cast<Last*>(context);
          const onnxrun_code result = api().status_code(status);
          api().status_free(status);
          api().run_free(ended.run);
          ended.code.set_value(result);
        },
        &last));
    run.release();
    EXPECT_EQ(code.get(), ONNXRUN_OK);
  }
}

TEST(Expected, HoldsAValueOrAnError) {
  const onnxrun::Session session = sums();
  const auto good = session.try_run(feeds(1));
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(good->at("z").count(), 3);
  const auto bad = session.try_run({});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), onnxrun::Code::kInvalidArgument);
  EXPECT_THROW((void)bad.value(), onnxrun::Error);
  const auto model = onnxrun::Model::try_load("/nowhere.onnx");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code(), onnxrun::Code::kIo);
  EXPECT_EQ(onnxrun::attempt([] { return 3; }).value_or(4), 3);
  EXPECT_EQ(onnxrun::Expected<int>(onnxrun::Error(onnxrun::Code::kIo, "no")).value_or(4), 4);
  EXPECT_TRUE(onnxrun::attempt([&] { (void)session.inputs(); }).has_value());
  EXPECT_FALSE(onnxrun::attempt([] { throw onnxrun::Error(onnxrun::Code::kIo, "no"); }).has_value());
}

}  // namespace
