// Sessions and runs through the C++ interface: results, control, ownership, misuse.
#include <gtest/gtest.h>
#include <onnxrun/onnxrun.hpp>

#include <atomic>
#include <cmath>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

#include "model_bytes.h"

namespace {

using onnxrun::Code;
using onnxrun::Error;
using onnxrun::Tensor;

onnxrun::Model sums() {
  const std::string bytes = model_bytes::sums();
  return onnxrun::Model(std::as_bytes(std::span(bytes)));
}

template <class Call>
Code code_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return static_cast<Code>(0);
}

template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<float> values(const Tensor& tensor) {
  const auto span = tensor.span<float>();
  return {span.begin(), span.end()};
}

const Tensor kX = Tensor::from<float>({1, 3}, {1, 2, 3});
const Tensor kY = Tensor::from<float>({1, 3}, {10, 20, 30});
const std::vector<float> kZ{12, 24, 36};

TEST(Session, RunsAModel) {
  const onnxrun::Session session(sums());
  const auto results = session.run({{"x", kX}, {"y", kY}});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(values(results.at("z")), kZ);
  EXPECT_EQ(results.at("z").shape(), (onnxrun::Shape{1, 3}));
  EXPECT_EQ(code_of([&] { (void)results.at("t"); }), Code::kInvalidArgument);
}

TEST(Session, LivesAsLongAsAnyoneNeedsIt) {
  std::optional<onnxrun::Model> model = sums();
  std::optional<onnxrun::Session> session(*model);
  model.reset();
  onnxrun::Run run(*session);
  session.reset();
  run.set_input("x", kX);
  run.set_input("y", kY);
  const auto results = run.execute();
  EXPECT_EQ(values(results.at(0)), kZ);
}

TEST(Session, TwoOfOneModelAreIndependent) {
  const onnxrun::Model model = sums();
  const onnxrun::Session one(model, {{"level", "0"}}), two(model, {{"level", "3"}});
  EXPECT_EQ(values(one.run({{"x", kX}, {"y", kY}}).at("z")), kZ);
  EXPECT_EQ(values(two.run({{"x", kX}, {"y", kY}}).at("z")), kZ);
}

TEST(Session, ServesManyThreads) {
  const onnxrun::Session session(sums(), {{"streams", "2"}, {"threads", "1"}});
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto x = Tensor::from<float>({1, 3}, {float(t), float(i), 0});
        const auto z = values(session.run({{"x", x}, {"y", kY}}).at("z"));
        if (z != std::vector<float>{10 + 2 * float(t), 20 + 2 * float(i), 30}) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Session, NamesWhatIsWrongWithInputs) {
  const onnxrun::Session session(sums());
  EXPECT_NE(message_of([&] { session.run({{"x", kX}}); }).find("'y'"), std::string::npos);
  EXPECT_NE(message_of([&] { session.run({{"x", kX}, {"y", kY}, {"w", kX}}); }).find("'w'"), std::string::npos);
  EXPECT_NE(message_of([&] {
              session.run({{"x", kX}, {"y", Tensor::from<float>({2, 3}, {1, 2, 3, 4, 5, 6})}});
            }).find("'n'"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              session.run({{"x", Tensor::from<double>({1, 3}, {1, 2, 3})}, {"y", kY}});
            }).find("float64"),
            std::string::npos);
  EXPECT_EQ(code_of([&] { session.run({{"x", kX}}, {}); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([&] { session.run({{"x", kX}, {"y", kY}}, {.outputs = {"q"}}); }), Code::kInvalidArgument);
  EXPECT_EQ(values(session.run({{"x", kX}, {"y", kY}}).at("z")), kZ);
}

TEST(Session, RefusesUnknownProviders) {
  EXPECT_NE(message_of([] { onnxrun::Session(sums(), {{"providers", "npu"}}); }).find("cpu"), std::string::npos);
  EXPECT_EQ(code_of([] { onnxrun::Session(sums(), {{"providers", "cpu,cpu"}}); }), Code::kInvalidArgument);
}

TEST(Session, FixesNamedDimensions) {
  const std::string bytes = model_bytes::sums();
  const onnxrun::Model model(std::as_bytes(std::span(bytes)), {{"dim.n", "4"}});
  EXPECT_EQ(model.inputs()[0].dims[0], 4);
}

TEST(Session, KeepsToItsMemoryLimit) {
  // Room for the session itself, but not for a result.
  const onnxrun::Session session(sums(), {{"max_memory", "8000"}});
  const Tensor large(ONNXRUN_DTYPE_FLOAT32, {1000, 3});
  EXPECT_EQ(code_of([&] { session.run({{"x", large}, {"y", large}}); }), Code::kLimitExceeded);
  EXPECT_EQ(values(session.run({{"x", kX}, {"y", kY}}).at("z")), kZ);
}

TEST(Session, TrimsAndReportsMemory) {
  onnxrun::Session session(sums());
  session.run({{"x", kX}, {"y", kY}});
  session.trim();
  EXPECT_NE(session.memory().find("\"blocks\":0"), std::string::npos) << session.memory();
  EXPECT_EQ(values(session.run({{"x", kX}, {"y", kY}}).at("z")), kZ);
}

TEST(Run, WritesToTheCallersMemory) {
  const onnxrun::Session session(sums());
  std::vector<float> memory(3);
  onnxrun::Run run(session);
  run.set_input("x", kX);
  run.set_input("y", kY);
  run.set_output("z", Tensor::wrap<float>({1, 3}, memory));
  for (int i = 0; i < 2; ++i) {
    memory.assign(3, 0);
    run.execute();
    EXPECT_EQ(memory, kZ);
  }
  std::vector<float> short_memory(2);
  run.set_output("z", Tensor::wrap<float>({1, 2}, short_memory));
  EXPECT_EQ(code_of([&] { run.execute(); }), Code::kInvalidArgument);
  const std::vector<float> constant(3);
  EXPECT_EQ(code_of([&] { run.set_output("z", Tensor::wrap<const float>({1, 3}, constant)); }), Code::kInvalidArgument);
}

TEST(Run, CanBeCancelledAndResumed) {
  const onnxrun::Session session(sums());
  onnxrun::Run run(session);
  run.set_input("x", kX);
  run.set_input("y", kY);
  run.cancel();
  EXPECT_EQ(code_of([&] { run.execute(); }), Code::kCancelled);
  run.cancel(false);
  EXPECT_EQ(values(run.execute().at("z")), kZ);
  run.set_timeout(1e-9);
  EXPECT_EQ(code_of([&] { run.execute(); }), Code::kDeadline);
  run.set_timeout(0);
  EXPECT_EQ(values(run.execute().at("z")), kZ);
}

TEST(Run, HandsOutIntermediateValues) {
  const onnxrun::Session session(sums(), {{"level", "0"}});
  std::vector<std::pair<std::string, std::vector<float>>> seen;
  const auto tap = [&](std::string_view name, const onnxrun::Value& value) {
    seen.emplace_back(name, values(Tensor(value)));
  };
  session.run({{"x", kX}, {"y", kY}}, {.tap = tap, .taps = {"t"}});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].first, "t");
  EXPECT_EQ(seen[0].second, (std::vector<float>{11, 22, 33}));
  seen.clear();
  session.run({{"x", kX}, {"y", kY}}, {.tap = tap});
  std::set<std::string> names;
  for (const auto& [name, value] : seen) names.insert(name);
  EXPECT_EQ(names, (std::set<std::string>{"t", "z"}));
  EXPECT_THROW(
      session.run({{"x", kX}, {"y", kY}}, {.tap = [](auto, const auto&) { throw std::runtime_error("mine"); }}),
      std::runtime_error);
  EXPECT_EQ(code_of([&] {
              session.run({{"x", kX}, {"y", kY}}, {.tap = tap, .taps = {"nothing"}});
            }),
            Code::kInvalidArgument);
}

TEST(Run, ProfilesItsSteps) {
  const onnxrun::Session session(sums(), {{"level", "0"}});
  std::string profile;
  session.run({{"x", kX}, {"y", kY}}, {.profile = &profile});
  EXPECT_NE(profile.find("\"node\":\"first\""), std::string::npos) << profile;
  EXPECT_NE(profile.find("\"op\":\"Add\""), std::string::npos) << profile;
}

TEST(Run, RefusesNull) {
  const onnxrun_api& api = onnxrun::api();
  const onnxrun::Session session(sums());
  onnxrun::Run run(session);
  onnxrun_run* no_run = nullptr;
  onnxrun_session* no_session = nullptr;
  onnxrun_blob* blob = nullptr;
  onnxrun_value* value = nullptr;
  const onnxrun_port* port = nullptr;
  const char* name = nullptr;
  size_t count = 0;
  const auto refused = [&](onnxrun_status* status) {
    const bool right = api.status_code(status) == ONNXRUN_INVALID_ARGUMENT;
    api.status_free(status);
    return right;
  };
  EXPECT_TRUE(refused(api.session_create(nullptr, nullptr, &no_session)));
  EXPECT_TRUE(refused(api.session_create(sums().get(), nullptr, nullptr)));
  EXPECT_TRUE(refused(api.session_input_count(nullptr, &count)));
  EXPECT_TRUE(refused(api.session_output_count(nullptr, &count)));
  EXPECT_TRUE(refused(api.session_input(nullptr, 0, &port)));
  EXPECT_TRUE(refused(api.session_output(session.get(), 9, &port)));
  EXPECT_TRUE(refused(api.session_trim(nullptr)));
  EXPECT_TRUE(refused(api.session_memory(nullptr, &blob)));
  EXPECT_TRUE(refused(api.run_create(nullptr, &no_run)));
  EXPECT_TRUE(refused(api.run_create(session.get(), nullptr)));
  EXPECT_TRUE(refused(api.run_set_input(run.get(), nullptr, kX.get())));
  EXPECT_TRUE(refused(api.run_set_input(nullptr, "x", kX.get())));
  EXPECT_TRUE(refused(api.run_set_output(run.get(), nullptr, nullptr)));
  EXPECT_TRUE(refused(api.run_set_timeout(nullptr, 1)));
  EXPECT_TRUE(refused(api.run_set_timeout(run.get(), std::nan(""))));
  EXPECT_TRUE(refused(api.run_set_tap(nullptr, nullptr, nullptr, nullptr)));
  EXPECT_TRUE(refused(api.run_set_profile(nullptr, 1)));
  EXPECT_TRUE(refused(api.run_execute(nullptr)));
  EXPECT_TRUE(refused(api.run_cancel(nullptr, 1)));
  EXPECT_TRUE(refused(api.run_output_count(nullptr, &count)));
  EXPECT_TRUE(refused(api.run_output_name(run.get(), 0, &name)));
  EXPECT_TRUE(refused(api.run_output(run.get(), 0, &value)));
  EXPECT_TRUE(refused(api.run_output_by_name(run.get(), "z", &value)));
  EXPECT_TRUE(refused(api.run_profile(nullptr, &blob)));
}

TEST(Tensor, ChecksTypesAndSizes) {
  EXPECT_EQ(code_of([] { Tensor::from<float>({2, 2}, {1, 2, 3}); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([] { Tensor::from<float>({2}, {1, 2, 3}); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([] { (void)kX.span<double>(); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([] { Tensor{onnxrun::Value()}; }), Code::kInvalidArgument);
  EXPECT_EQ(Tensor::scalar<int64_t>(5).span<int64_t>()[0], 5);
  EXPECT_EQ(Tensor::strings({2}, {"a", "b"}).string(1), "b");
  EXPECT_EQ(onnxrun::Value::sequence({kX, kY}).elements().size(), 2u);
  EXPECT_TRUE(onnxrun::Value().absent());
}

}  // namespace
