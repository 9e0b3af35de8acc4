// The CUDA provider on the double, through the public interface: digits, errors of the machine and of the data, memory.
#include "on_double.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "api/model_bytes.h"

namespace {

using on_double::cuda;
using onnxrun::Tensor;

onnxrun::Model made_of(const std::string& bytes) { return onnxrun::Model(std::as_bytes(std::span(bytes))); }

std::string message_of(const std::vector<std::string>& settings) {
  try {
    onnxrun::Session(made_of(model_bytes::sums()), cuda(settings));
  } catch (const onnxrun::Error& error) {
    return error.what();
  }
  return "";
}

// The double plays another machine while it lives.
struct Machine : on_double::Variable {
  explicit Machine(const char* kind) : Variable("CUDA_DOUBLE", kind) {}
};

TEST(CudaProvider, ReadsADigitAsTheCpuDoes) {
  std::vector<float> pixels(8 * 8);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>((i * 37 % 101) / 101.0);
  const std::string path = ONNXRUN_DIGITS;
  const onnxrun::Session on_cpu(path), on_cuda(path, cuda());
  const auto input = on_cpu.inputs().at(0);
  const auto x = Tensor::from<float>({1, 1, 8, 8}, pixels);
  std::string profile;
  const auto expected = on_cpu.run({{input.name, x}});
  const auto result = on_cuda.run({{input.name, x}}, {.profile = &profile});
  const auto want = expected.at(0).span<float>(), got = result.at(0).span<float>();
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-4f * (1 + std::fabs(want[i])));
  EXPECT_NE(profile.find("\"provider\":\"cuda\""), std::string::npos);
  EXPECT_EQ(profile.find("\"provider\":\"cpu\""), std::string::npos) << profile;
}

TEST(CudaProvider, RunsAgainAndOnManyThreads) {
  const onnxrun::Session session(made_of(model_bytes::sums()), cuda());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&session, t] {
      for (int round = 0; round < 10; ++round) {
        const auto v = static_cast<float>(t * 10 + round);
        const auto results = session.run(
            {{"x", Tensor::from<float>({1, 3}, {v, 2, 3})}, {"y", Tensor::from<float>({1, 3}, {10, 20, 30})}});
        const auto z = results.at("z").span<float>();
        EXPECT_EQ(std::vector<float>(z.begin(), z.end()), (std::vector<float>{2 * v + 10, 24, 36}));
      }
    });
  for (std::thread& thread : threads) thread.join();
}

TEST(CudaProvider, SaysWhatTheMachineLacks) {
  {
    const Machine machine("no-driver");
    EXPECT_NE(message_of({}).find("needs NVIDIA's driver, and this machine has none"), std::string::npos);
  }
  {
    const Machine machine("old-driver");
    EXPECT_NE(message_of({}).find("NVIDIA's driver serves CUDA 12.4; the CUDA provider needs a newer one"),
              std::string::npos);
  }
  {
    const Machine machine("no-device");
    EXPECT_NE(message_of({}).find("there is no CUDA device"), std::string::npos);
  }
  {
    const Machine machine("old-device");
    EXPECT_NE(message_of({}).find("has compute capability 6.1; the CUDA provider needs 7.5"), std::string::npos);
  }
  EXPECT_EQ(message_of({}), "");
  EXPECT_NE(message_of({"device=2"}).find("there is no CUDA device 2: this machine has 2"), std::string::npos);
  EXPECT_EQ(message_of({"device=1"}), "");
}

TEST(CudaProvider, RefusesUnknownOptions) {
  EXPECT_NE(message_of({"colour=green"}).find("has no option 'colour'"), std::string::npos);
  EXPECT_NE(message_of({"device=first"}).find("needs a number, not 'first'"), std::string::npos);
}

// Libraries stay open once they were found, so a process of its own looks for them elsewhere.
TEST(CudaProvider, NamesTheLibraryThatIsMissing) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        const std::string message = message_of({"libraries=/nowhere"});
        std::exit(message.find("needs libcublasLt.so.13, which cannot be loaded") != std::string::npos ? 3 : 0);
      },
      testing::ExitedWithCode(3), "");
}

TEST(CudaProvider, StaysBelowItsMemoryLimit) {
  const onnxrun::Session session(made_of(model_bytes::sums()), cuda({"memory_limit=100000"}));
  const auto rows = [](int64_t n) {
    return Tensor::from<float>({n, 3}, std::vector<float>(static_cast<size_t>(3 * n), 1));
  };
  try {
    session.run({{"x", rows(20000)}, {"y", rows(20000)}});
    FAIL() << "the limit was passed";
  } catch (const onnxrun::Error& error) {
    EXPECT_EQ(error.code(), onnxrun::Code::kLimitExceeded);
    EXPECT_NE(std::string(error.what()).find("would pass the limit of 100000 bytes"), std::string::npos)
        << error.what();
  }
  const auto results = session.run({{"x", rows(2)}, {"y", rows(2)}});
  EXPECT_EQ(results.at("z").span<float>()[0], 3.0f);
}

TEST(CudaProvider, SaysThatTheDeviceHasNoMemoryLeft) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        const Machine machine("memory=300000");
        const onnxrun::Session session(made_of(model_bytes::sums()), cuda({"memory_limit=1000000000"}));
        const auto rows = [](int64_t n) { return Tensor(ONNXRUN_DTYPE_FLOAT32, {n, 3}); };
        std::string message;
        try {
          session.run({{"x", rows(20000)}, {"y", rows(20000)}});
        } catch (const onnxrun::Error& error) {
          if (error.code() == onnxrun::Code::kLimitExceeded) message = error.what();
        }
        session.run({{"x", rows(20)}, {"y", rows(20)}});
        std::exit(message.find("CUDA device 0 (CUDA double) has no ") != std::string::npos ? 3 : 0);
      },
      testing::ExitedWithCode(3), "");
}

TEST(CudaProvider, GivesBackWhatItHoldsInReserve) {
  onnxrun::Session session(made_of(model_bytes::sums()), cuda());
  const auto rows = [] { return Tensor(ONNXRUN_DTYPE_FLOAT32, {100000, 3}); };
  int64_t device_before = 0, pinned_before = 0, device = 0, pinned = 0;
  cuda_double_held(&device_before, &pinned_before);
  session.run({{"x", rows()}, {"y", rows()}});
  cuda_double_held(&device, &pinned);
  EXPECT_GE(device, device_before + 2 * 1200000);
  EXPECT_GT(pinned, pinned_before);
  session.trim();
  cuda_double_held(&device, &pinned);
  EXPECT_LT(device, device_before + 1000);
  EXPECT_EQ(pinned, pinned_before);
  session.run({{"x", rows()}, {"y", rows()}});
}

// Sessions with several streams each on one device, all at once, the memory of one device for all.
TEST(CudaProvider, SharesADevice) {
  onnxrun::Options options = cuda();
  options.set("streams", "3");
  const onnxrun::Session first(made_of(model_bytes::sums()), options), second(made_of(model_bytes::sums()), options);
  const onnxrun::Session other(made_of(model_bytes::sums()), cuda({"device=1"}));
  std::vector<std::thread> threads;
  for (int t = 0; t < 9; ++t)
    threads.emplace_back([&, t] {
      const onnxrun::Session& session = t % 3 == 0 ? first : t % 3 == 1 ? second : other;
      for (int64_t n = 1; n < 12; ++n) {
        const auto v = static_cast<float>(t);
        const std::vector<float> xs(static_cast<size_t>(3 * n), v), ys(static_cast<size_t>(3 * n), 1);
        const auto results =
            session.run({{"x", Tensor::from<float>({n, 3}, xs)}, {"y", Tensor::from<float>({n, 3}, ys)}});
        for (float z : results.at("z").span<float>()) ASSERT_EQ(z, 2 * v + 1);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

std::string quotient() {
  using namespace model_bytes;
  return model(bytes(1, node("Div", {"x", "y"}, {"z"}, "quotient")) + bytes(2, "quotient") +
               bytes(11, value_info("x", 6, {"3", "2"})) + bytes(11, value_info("y", 6, {"3", "2"})) +
               bytes(12, value_info("z", 6, {"3", "2"})));
}

TEST(CudaProvider, ReportsBadDataAndRunsOn) {
  const onnxrun::Session session(made_of(quotient()), cuda());
  const auto x = Tensor::from<int32_t>({3, 2}, {6, 8, -9, 10, 12, 14});
  try {
    session.run({{"x", x}, {"y", Tensor::from<int32_t>({3, 2}, {1, 2, 3, 0, 1, 1})}});
    FAIL() << "a division by 0";
  } catch (const onnxrun::Error& error) {
    EXPECT_NE(std::string(error.what()).find("an element of the integer input 'B' is 0"), std::string::npos);
  }
  const auto results = session.run({{"x", x}, {"y", Tensor::from<int32_t>({3, 2}, {1, 2, 2, 5, 6, 7})}});
  const auto z = results.at("z").span<int32_t>();
  EXPECT_EQ(std::vector<int32_t>(z.begin(), z.end()), (std::vector<int32_t>{6, 4, -4, 2, 2, 2}));
}

// One node that draws 1000 numbers with the seed 3.
std::string drawn(std::string_view op) {
  using namespace model_bytes;
  const std::string seed("\x15\x00\x00\x40\x40", 5);  // field 2, the float 3
  const std::string attributes =
      bytes(5, bytes(1, "seed") + seed + number(20, 1)) + bytes(5, bytes(1, "shape") + number(8, 1000) + number(20, 7));
  return model(bytes(1, node(op, {}, {"y"}, "draw") + attributes) + bytes(2, "drawn") +
               bytes(12, value_info("y", 1, {"1000"})));
}

TEST(CudaProvider, DrawsTheNumbersOfTheCpu) {
  for (const char* op : {"RandomUniform", "RandomNormal"}) {
    const auto on_cpu = onnxrun::Session(made_of(drawn(op))).run({});
    const auto on_cuda = onnxrun::Session(made_of(drawn(op)), cuda()).run({});
    const auto want = on_cpu.at("y").span<float>(), got = on_cuda.at("y").span<float>();
    EXPECT_EQ(std::vector<float>(got.begin(), got.end()), std::vector<float>(want.begin(), want.end())) << op;
    EXPECT_NE(got[0], got[1]);
  }
}

// The CPU has a kernel for FastGelu, CUDA for all that it stands for.
TEST(CudaProvider, RunsInPartsWhatALaterProviderRunsWhole) {
  using namespace model_bytes;
  const std::string bytes_of_model =
      model(bytes(1, node("FastGelu", {"x"}, {"y"}, "gelu") + bytes(7, "com.microsoft")) + bytes(2, "gelu") +
            bytes(11, value_info("x", 1, {"2", "3"})) + bytes(12, value_info("y", 1, {"2", "3"}))) +
      bytes(8, bytes(1, "com.microsoft") + number(2, 1));
  const auto x = Tensor::from<float>({2, 3}, {-3, -1, -0.5f, 0, 1, 2});
  std::string profile;
  const auto expected = onnxrun::Session(made_of(bytes_of_model)).run({{"x", x}});
  const onnxrun::Session session(made_of(bytes_of_model), cuda({}, "cuda,cpu"));
  const auto result = session.run({{"x", x}}, {.profile = &profile});
  const auto want = expected.at("y").span<float>(), got = result.at("y").span<float>();
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-6);
  EXPECT_NE(profile.find("\"provider\":\"cuda\""), std::string::npos);
  EXPECT_EQ(profile.find("\"provider\":\"cpu\""), std::string::npos) << profile;
}

size_t count_of(std::string_view part, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Shape, the host's, asks for dims: what the device has made stays there.
TEST(CudaProvider, CopiesNothingForAShape) {
  using namespace model_bytes;
  const std::string bytes_of_model =
      model(bytes(1, node("Relu", {"x"}, {"a"}, "relu")) + bytes(1, node("Shape", {"a"}, {"s"}, "shape")) +
            bytes(1, node("Expand", {"a", "s"}, {"b"}, "expand")) + bytes(1, node("Neg", {"b"}, {"y"}, "neg")) +
            bytes(2, "shape") + bytes(11, value_info("x", 1, {"n", "3"})) + bytes(12, value_info("y", 1, {"n", "3"})));
  const onnxrun::Session session(made_of(bytes_of_model), cuda({}, "cuda,cpu"));
  std::string profile;
  const auto result = session.run({{"x", Tensor::from<float>({1, 3}, {-1, 2, 3})}}, {.profile = &profile});
  EXPECT_EQ(result.at("y").span<float>()[1], -2.0f);
  EXPECT_EQ(count_of("\"Copy\"", profile), 2u) << profile;  // of x and of y
}

}  // namespace
