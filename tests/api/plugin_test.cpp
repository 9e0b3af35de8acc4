// A provider from a plug-in library through the public interface: the test provider with memory of its own and late execution.
#include <gtest/gtest.h>
#include <onnxrun/provider.h>
#include <onnxrun/onnxrun.hpp>

#include <string>
#include <vector>

#include "model_bytes.h"

namespace {

using onnxrun::Tensor;

onnxrun::Options late(const std::string& providers) {
  onnxrun::Options options;
  options.add_provider_library(std::string(ONNXRUN_BINARY_DIR) + "/lib/liblate_provider.so", {"key=value"});
  options.set("providers", providers).set("level", "0");
  return options;
}

onnxrun::Model sums() {
  const std::string bytes = model_bytes::sums();
  return onnxrun::Model(std::as_bytes(std::span(bytes)));
}

TEST(Plugin, IsListed) { EXPECT_NE(onnxrun::providers(late("late")).find("\"name\":\"late\""), std::string::npos); }

TEST(Plugin, IsUnknownWithoutItsLibrary) {
  EXPECT_THROW(onnxrun::Session(sums(), {{"providers", "late"}}), onnxrun::Error);
}

TEST(Plugin, RunsNodesOnItsOwnMemory) {
  for (const char* order : {"late", "late,cpu"}) {
    const onnxrun::Session session(sums(), late(order));
    std::vector<float> memory(3);
    onnxrun::Run run(session);
    run.set_input("x", Tensor::from<float>({1, 3}, {1, 2, 3}));
    run.set_input("y", Tensor::from<float>({1, 3}, {10, 20, 30}));
    run.set_output("z", Tensor::wrap<float>({1, 3}, memory));
    run.set_profile(true);
    run.execute();
    EXPECT_EQ(memory, (std::vector<float>{12, 24, 36})) << order;
    EXPECT_NE(run.profile().find("\"provider\":\"late\""), std::string::npos) << order;
  }
}

TEST(Plugin, ReadsAndWritesItsOwnMemoryForItsCaller) {
  const onnxrun::Options options = late("late");
  const onnxrun::Device device{12, 0};
  const onnxrun::Session session(sums(), options);
  Tensor x = onnxrun::make_on(options, device, ONNXRUN_DTYPE_FLOAT32, {1, 3});
  onnxrun::copy(options, Tensor::from<float>({1, 3}, {1, 2, 3}), x);
  onnxrun::Run run(session);
  run.set_input("x", x);
  run.set_input("y", Tensor::from<float>({1, 3}, {10, 20, 30}));
  run.want("z", device);
  for (int round = 0; round < 2; ++round) {
    const Tensor z = run.execute().at("z");
    EXPECT_EQ(z.device(), device);
    Tensor read(ONNXRUN_DTYPE_FLOAT32, {1, 3});
    onnxrun::copy(options, z, read);
    EXPECT_EQ(read.span<float>()[2], 36.0f);
    EXPECT_THROW((void)z.span<float>(), onnxrun::Error);
  }
  // The result takes the place of the input that it is made of.
  run.set_output("z", x);
  run.execute();
  Tensor read(ONNXRUN_DTYPE_FLOAT32, {1, 3});
  onnxrun::copy(options, x, read);
  EXPECT_EQ(read.span<float>()[0], 12.0f);
}

TEST(Plugin, GivesWayToTheProviderListedBefore) {
  std::string profile;
  const auto x = Tensor::from<float>({1, 3}, {1, 2, 3});
  onnxrun::Session(sums(), late("cpu,late")).run({{"x", x}, {"y", x}}, {.profile = &profile});
  EXPECT_EQ(profile.find("\"provider\":\"late\""), std::string::npos) << profile;
}

// Each refuses the other; nothing of a provider of another version or a later revision is read but these numbers.
TEST(Plugin, OfAnotherAbiVersionIsRefused) {
  const std::string path = std::string(ONNXRUN_BINARY_DIR) + "/lib/libother_abi_provider.so";
  const auto refusal = [&](std::vector<std::string> settings) {
    onnxrun::Options options;
    try {
      options.add_provider_library(path, settings);
    } catch (const onnxrun::Error& error) {
      EXPECT_EQ(error.code(), onnxrun::Code::kUnsupported);
      return std::string(error.what());
    }
    return std::string("taken");
  };
  const std::string ours = refusal({}), theirs = refusal({"refuse=1"});
  EXPECT_NE(ours.find("built for version 4711 of the provider ABI, and this onnxrun has version " +
                      std::to_string(ONNXRUN_PROVIDER_ABI_VERSION)),
            std::string::npos)
      << ours;
  const std::string newer = refusal({"newer=1"});
  EXPECT_NE(newer.find("revision " + std::to_string(ONNXRUN_PROVIDER_ABI_REVISION + 1) + " of the provider ABI"),
            std::string::npos)
      << newer;
  EXPECT_NE(newer.find("needs a newer onnxrun"), std::string::npos) << newer;
  EXPECT_NE(theirs.find("it is for provider ABI version 4711 only"), std::string::npos) << theirs;
  for (const std::string& message : {ours, theirs}) EXPECT_NE(message.find(path), std::string::npos) << message;
}

// A library of another kind, and what is no library.
TEST(Plugin, WithoutAnEntryIsRefused) {
  onnxrun::Options options;
  EXPECT_THROW(options.add_provider_library(std::string(ONNXRUN_BINARY_DIR) + "/lib/libonnxrun.so", {}),
               onnxrun::Error);
  EXPECT_THROW(options.add_provider_library(std::string(ONNXRUN_BINARY_DIR) + "/CMakeCache.txt", {}), onnxrun::Error);
}

}  // namespace
