// After any failure - of a kernel, the budget, a device, the caller - a session runs as before, and what the caller lent is the caller's again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>

#include "base/error.h"
#include "integration/small_models.h"

namespace onnxrun::testing {
namespace {

using base::Code;
using base::Error;
using base::Tensor;
using base::Value;
using ::testing::HasSubstr;

void expect_error(Code code, const char* text, const std::function<void()>& body) {
  try {
    body();
    ADD_FAILURE() << "expected an error with '" << text << "'";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(text));
  }
}

// (x + 1) * 2, then rows picked by `index`, whose number is known only after a kernel that could fail.
SmallModel picking() {
  SmallModel m;
  const auto x = m.g.input("x", base::DType::kFloat32, {ir::Dim::symbol("n"), ir::Dim(4)});
  const auto index = m.g.input("index", base::DType::kInt64, {ir::Dim::symbol("k")});
  const auto plus = m.g.add("Add", {x, m.g.constant(Tensor::scalar(1.0f))}, "plus");
  const auto twice = m.g.add("Mul", {plus, m.g.constant(Tensor::scalar(2.0f))}, "twice");
  m.output(m.g.add("Gather", {twice, index}, "picked"));
  m.output(m.g.add("NonZero", {m.g.add("Relu", {twice}, "positive")}, "where"));
  return m;
}

Named good_inputs(int64_t n = 3) {
  return {{"x", filled({n, 4}, 0.0f, 1.0f)}, {"index", Tensor::vector<int64_t>({2, 0})}};
}

void expect_good(run::Session& session) {
  const auto outputs = run_with(session, good_inputs());
  EXPECT_EQ(floats_of(outputs[0]), (std::vector<float>{18, 20, 22, 24, 2, 4, 6, 8}));
  EXPECT_EQ(outputs[1].tensor().dims(), (base::Dims{2, 12}));
}

TEST(FailingRuns, OfAKernelLeaveTheSessionUsable) {
  const auto session = picking().session();
  for (int i = 0; i < 2; ++i) {
    expect_error(Code::kRunFailed, "Gather", [&] {
      run_with(*session, {{"x", filled({3, 4}, 0.0f)}, {"index", Tensor::vector<int64_t>({7})}});
    });
    expect_good(*session);
  }
}

TEST(FailingRuns, PastTheBudgetLeaveTheSessionUsable) {
  base::Limits limits;
  limits.max_run_bytes = 1 << 20;
  const auto session = picking().session(cpu_only(), limits);
  expect_good(*session);
  for (int i = 0; i < 2; ++i) {
    expect_error(Code::kLimitExceeded, "max_memory", [&] { run_with(*session, good_inputs(1 << 18)); });
    expect_good(*session);
  }
  const int64_t after = session->options().budget->used();
  expect_error(Code::kLimitExceeded, "max_memory", [&] { run_with(*session, good_inputs(1 << 18)); });
  expect_good(*session);
  EXPECT_EQ(session->options().budget->used(), after) << "a failed run keeps nothing";
}

TEST(FailingRuns, OfADeviceLeaveTheSessionUsable) {
  const auto session = picking().session(late_first());
  expect_good(*session);
  int failures = 0;
  for (int at = 0; at < 64; ++at) {
    const auto same = late_first({"fail_at=" + std::to_string(at)});
    bool failed = false;
    try {
      run_with(*session, good_inputs());
    } catch (const Error& error) {
      failed = true;
      EXPECT_EQ(error.code(), Code::kRunFailed);
      EXPECT_THAT(error.what(), HasSubstr("the device failed"));
    }
    failures += failed;
    late_first({"fail_at=-1"});
    expect_good(*session);
    if (!failed) break;
  }
  EXPECT_GT(failures, 4) << "copies and kernels can all fail";
  EXPECT_LT(failures, 64);
}

// The input is gone after the run; a copy of it that a device was still to make would crash the next one.
TEST(FailingRuns, LeaveNothingPendingOnADevice) {
  SmallModel m;
  const auto x = m.g.input("x", base::DType::kFloat32, {ir::Dim(1024)});
  const auto words = m.g.input("words", base::DType::kString, {ir::Dim(1)});
  const auto twice = m.g.add("Add", {x, x});
  const auto joined = m.g.add("StringConcat", {words, words}, "joined");
  m.output(m.g.add("Neg", {twice}));
  m.output(joined);
  const auto session = m.session(late_first());
  void* pages = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  Tensor text(base::DType::kString, {1});
  run::Observer observer;
  observer.taps = {"joined"};
  observer.on_tap = [](const std::string&, Value) { throw std::runtime_error("the tap is closed"); };
  const Tensor lent(base::DType::kFloat32, {1024}, base::Buffer::wrap(pages, 4096, nullptr));
  EXPECT_THROW(run_with(*session, {{"x", lent}, {"words", text}}, &observer), std::runtime_error);
  munmap(pages, 4096);
  const auto outputs = run_with(*session, {{"x", filled({1024}, 1.0f)}, {"words", text}});
  EXPECT_EQ(floats_of(outputs[0])[7], -2.0f);
}

TEST(FailingRuns, OfATapLeaveTheSessionUsable) {
  const auto session = picking().session();
  for (const char* name : {"plus", "twice", "picked", "where"}) {
    run::Observer observer;
    observer.taps = {name};
    observer.on_tap = [](const std::string&, Value) { throw std::runtime_error("the tap is closed"); };
    EXPECT_THROW(run_with(*session, good_inputs(), &observer), std::runtime_error) << name;
    expect_good(*session);
  }
}

TEST(FailingRuns, GiveTheCallersTensorsBack) {
  const auto session = picking().session();
  const auto attempt = [&](std::vector<std::pair<std::string, Value>> outputs, Code code, const char* text) {
    run::RunRequest request;
    request.inputs = good_inputs();
    request.outputs = std::move(outputs);
    const void* memory = request.outputs[0].second.tensor().raw();
    expect_error(code, text, [&] { session->run(request); });
    ASSERT_TRUE(request.outputs[0].second.is_tensor()) << text;
    EXPECT_EQ(request.outputs[0].second.tensor().raw(), memory) << text;
    expect_good(*session);
  };
  const Tensor target = filled({2, 4}, 0.0f);
  attempt({{"picked", target}, {"nowhere", Value()}}, Code::kInvalidArgument, "no output 'nowhere'");
  attempt({{"picked", target}, {"picked", filled({2, 4}, 0.0f)}}, Code::kInvalidArgument,
          "'picked' is asked for twice");
  attempt({{"picked", target}, {"where", target}}, Code::kInvalidArgument, "'picked' and 'where' share memory");
  attempt({{"picked", filled({5, 4}, 0.0f)}}, Code::kInvalidArgument, "output 'picked' is float32[2,4]");
}

TEST(FailingRuns, InTheQueueObeyDeadlineAndCancellation) {
  const auto session = picking().session();
  std::atomic<bool> inside{false}, release{false};
  std::thread holder([&] {
    run::Observer observer;
    observer.taps = {"plus"};
    observer.on_tap = [&](const std::string&, Value) {
      inside = true;
      while (!release) std::this_thread::yield();
    };
    run_with(*session, good_inputs(), &observer);
  });
  while (!inside) std::this_thread::yield();
  // The only stream is taken until both have given up.
  run::RunRequest late;
  late.inputs = good_inputs();
  late.control.deadline = base::Deadline::after(0.02);
  expect_error(Code::kDeadline, "deadline", [&] { session->run(late); });
  std::atomic<bool> cancel{false};
  run::RunRequest cancelled;
  cancelled.inputs = good_inputs();
  cancelled.control.cancel = &cancel;
  std::thread canceller([&] { cancel = true; });
  expect_error(Code::kCancelled, "cancelled", [&] { session->run(cancelled); });
  canceller.join();
  release = true;
  holder.join();
  expect_good(*session);
}

TEST(FailingRuns, PastTheDeadlineNameTheNodeThatWasNext) {
  const auto session = picking().session();
  bool inside = false;
  std::string message;
  for (double seconds = 0.02; !inside; seconds *= 2) {
    run::RunRequest request;
    request.inputs = good_inputs();
    request.control.deadline = base::Deadline::after(seconds);
    run::Observer observer;
    observer.taps = {"plus"};
    observer.on_tap = [&](const std::string&, Value) {
      inside = true;
      while (!request.control.deadline.past()) std::this_thread::yield();
    };
    request.observer = &observer;
    try {
      session->run(request);
      ADD_FAILURE() << "ran past its deadline";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kDeadline);
      message = error.what();
    }
  }
  EXPECT_THAT(message, HasSubstr("'twice' (Mul)"));
  expect_good(*session);
}

// Far more work than the deadline allows, in one kernel: only a kernel that looks at the deadline can miss it.
TEST(FailingRuns, InTheMiddleOfAKernelObeyTheDeadline) {
  SmallModel m;
  const auto a = m.g.input("a", base::DType::kFloat32, {ir::Dim::symbol("n"), ir::Dim(512)});
  const auto b = m.g.input("b", base::DType::kFloat32, {ir::Dim(512), ir::Dim(8192)});
  m.output(m.g.add("MatMul", {a, b}, "product"));
  const auto session = m.session();
  run::RunRequest request;
  request.inputs = {{"a", filled({2048, 512}, 1.0f)}, {"b", filled({512, 8192}, 0.5f)}};
  request.control.deadline = base::Deadline::after(0.03);
  expect_error(Code::kDeadline, "deadline", [&] { session->run(request); });
  const auto outputs = run_with(*session, {{"a", filled({1, 512}, 1.0f)}, {"b", filled({512, 8192}, 0.5f)}});
  EXPECT_EQ(floats_of(outputs[0])[0], 256.0f);
}

TEST(Outputs, OfSequencesDoNotShareTheInputsMemory) {
  SmallModel m;
  const auto x = m.g.input("x", base::DType::kFloat32, {ir::Dim(2)});
  m.output(m.g.add("SequenceConstruct", {x, x}, "both"));
  const auto session = m.session();
  const Tensor input = filled({2}, 1.0f);
  const auto outputs = run_with(*session, {{"x", input}});
  for (const Value& element : outputs[0].sequence().elements) EXPECT_NE(element.tensor().raw(), input.raw());
}

}  // namespace
}  // namespace onnxrun::testing
