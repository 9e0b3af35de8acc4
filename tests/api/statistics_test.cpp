// What sessions count: runs, errors, latencies and what tensors held.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include <onnxrun/onnxrun.hpp>

#include "c_calls.h"

namespace {

using namespace c_calls;
using onnxrun::Tensor;
using Json = nlohmann::json;

onnxrun::Session sums(const onnxrun::Options& options = {}) {
  const std::string bytes = model_bytes::sums();
  return onnxrun::Session(onnxrun::Model(std::as_bytes(std::span(bytes))), options);
}

Json stats(const onnxrun::Session& session) { return Json::parse(session.stats()); }

Json tensor(const Json& report, const std::string& name) {
  for (const Json& entry : report.at("tensors"))
    if (entry.at("name") == name) return entry;
  ADD_FAILURE() << "no tensor " << name;
  return {};
}

TEST(Statistics, AreOffUnlessAskedFor) {
  const onnxrun::Session session = sums();
  const auto x = Tensor::from<float>({1, 3}, {1, 2, 3});
  session.run({{"x", x}, {"y", x}});
  const Json report = stats(session);
  EXPECT_EQ(report.at("statistics"), "off");
  EXPECT_FALSE(report.contains("runs"));
  EXPECT_GT(report.at("memory").at("limit"), 0);
  EXPECT_EQ(session.prometheus().find("onnxrun_runs_total"), std::string::npos);
}

TEST(Statistics, CountRunsAndErrorsOfAllThreads) {
  const onnxrun::Session session = sums({{"statistics", "runs"}, {"streams", "4"}, {"threads", "1"}});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      const auto x = Tensor::from<float>({1, 3}, {1, 2, 3});
      for (int i = 0; i < 250; ++i) session.run({{"x", x}, {"y", x}});
      for (int i = 0; i < 5; ++i) EXPECT_FALSE(session.try_run({{"x", x}}));
    });
  for (std::thread& thread : threads) thread.join();
  const Json report = stats(session);
  EXPECT_EQ(report.at("runs"), 1020);
  EXPECT_EQ(report.at("errors"), Json({{"invalid_argument", 20}}));
  const Json& latency = report.at("latency");
  EXPECT_EQ(latency.at("count"), 1000);
  int64_t sum = 0;
  for (const Json& bucket : latency.at("buckets")) sum += bucket.at(1).get<int64_t>();
  EXPECT_EQ(sum, 1000);
  EXPECT_LE(latency.at("min"), latency.at("p50"));
  EXPECT_LE(latency.at("p50"), latency.at("p99"));
  EXPECT_LE(latency.at("p99"), latency.at("max"));
  EXPECT_FALSE(report.contains("tensors"));
}

TEST(Statistics, LookAtInputsOutputsAndNamedValues) {
  const onnxrun::Session session = sums({{"statistics", "tensors"}, {"statistics_values", "t"}, {"level", "0"}});
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
  const auto x = Tensor::from<float>({1, 3}, {1, 2, 3}), y = Tensor::from<float>({1, 3}, {kNan, kInf, 5});
  int tapped = 0;
  session.run({{"x", x}, {"y", x}}, {.tap = [&](auto, auto&) { ++tapped; }, .taps = {"t"}});
  session.run({{"x", x}, {"y", y}});
  EXPECT_EQ(tapped, 1);
  const Json report = stats(session);
  const Json in = tensor(report, "y");
  EXPECT_EQ(in.at("kind"), "input");
  EXPECT_EQ(in.at("runs"), 2);
  EXPECT_EQ(in.at("elements"), 6);
  EXPECT_EQ(in.at("nan"), 1);
  EXPECT_EQ(in.at("infinite"), 1);
  EXPECT_DOUBLE_EQ(in.at("mean"), 11.0 / 4);
  EXPECT_EQ(in.at("min"), 1);
  EXPECT_EQ(in.at("max"), nullptr);  // infinity has no form in JSON
  EXPECT_EQ(tensor(report, "x").at("deviation"), std::sqrt(4.0 / 5));
  EXPECT_EQ(tensor(report, "x").at("sample"), Json({1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(tensor(report, "t").at("kind"), "value");
  EXPECT_EQ(tensor(report, "t").at("runs"), 2);
  EXPECT_EQ(tensor(report, "z").at("max"), nullptr);
}

TEST(Statistics, LookAtEveryNthRunOnly) {
  const onnxrun::Session session = sums({{"statistics", "tensors"}, {"statistics_every", "10"}});
  const auto x = Tensor::from<float>({1, 3}, {1, 2, 3});
  for (int i = 0; i < 95; ++i) session.run({{"x", x}, {"y", x}});
  const Json report = stats(session);
  EXPECT_EQ(report.at("runs"), 95);
  EXPECT_EQ(tensor(report, "x").at("runs"), 10);
}

TEST(Statistics, RefuseWhatCannotBeWatched) {
  EXPECT_THROW(sums({{"statistics", "tensors"}, {"statistics_values", "nowhere"}}), onnxrun::Error);
  EXPECT_THROW(sums({{"statistics", "runs"}, {"statistics_values", "t"}, {"level", "0"}}), onnxrun::Error);
  onnxrun::Options options;
  for (const auto& [key, value] : std::vector<std::pair<const char*, const char*>>{{"statistics", "all"},
                                                                                   {"statistics_every", "0"},
                                                                                   {"statistics_values", ""},
                                                                                   {"statistics_sample", "-1"},
                                                                                   {"statistics_sample", "65537"}})
    EXPECT_THROW(options.set(key, value), onnxrun::Error) << key << value;
  onnxrun_blob* blob = nullptr;
  EXPECT_REFUSED(api().session_stats(nullptr, &blob), "session");
  EXPECT_REFUSED(api().session_prometheus(nullptr, nullptr, &blob), "session");
}

// Every line is a comment or "name{labels} number", and bucket counts grow.
TEST(Prometheus, ReadsAsItsFormatSays) {
  const onnxrun::Session session = sums({{"statistics", "tensors"}});
  const auto x = Tensor::from<float>({1, 3}, {1, 2, std::numeric_limits<float>::infinity()});
  for (int i = 0; i < 3; ++i) session.run({{"x", x}, {"y", x}});
  (void)session.try_run({});
  const std::string text = session.prometheus("line\nbreak \"quoted\" back\\slash");
  EXPECT_NE(text.find("onnxrun_runs_total{session=\"line\\nbreak \\\"quoted\\\" back\\\\slash\"} 4\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("code=\"invalid_argument\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("kind=\"input\"} +Inf\n"), std::string::npos) << text;
  double last = 0;
  size_t buckets = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    ASSERT_NE(end, std::string::npos) << "the last line has no end";
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) continue;
    EXPECT_TRUE(line.starts_with("onnxrun_")) << line;
    const size_t space = line.rfind(' ');
    ASSERT_NE(space, std::string::npos) << line;
    if (!line.starts_with("onnxrun_run_seconds_bucket")) continue;
    const double count = std::stod(line.substr(space + 1));
    EXPECT_GE(count, last);
    last = count;
    ++buckets;
  }
  EXPECT_EQ(last, 3);
  EXPECT_GT(buckets, 20u);
  EXPECT_NE(text.find("le=\"+Inf\"} 3\n"), std::string::npos);
}

}  // namespace
