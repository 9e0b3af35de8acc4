// A provider from a plug-in library through the public interface: the test provider with memory of its own and late execution.
#include <gtest/gtest.h>
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

TEST(Plugin, GivesWayToTheProviderListedBefore) {
  std::string profile;
  const auto x = Tensor::from<float>({1, 3}, {1, 2, 3});
  onnxrun::Session(sums(), late("cpu,late")).run({{"x", x}, {"y", x}}, {.profile = &profile});
  EXPECT_EQ(profile.find("\"provider\":\"late\""), std::string::npos) << profile;
}

}  // namespace
