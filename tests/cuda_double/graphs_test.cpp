// CUDA graphs: kernels of known shapes are recorded in the second run and launched as one from then on, where nothing stands against it.
#include "on_double.h"

#include <algorithm>
#include <cmath>
#include <utility>

extern "C" void cuda_double_graphs(int64_t* made, int64_t* updated);

namespace {

using on_double::counting;
using on_double::cuda;
using on_double::kCuda;
using on_double::model_of;
using onnxrun::Options;
using onnxrun::Session;
using onnxrun::Tensor;

Options with_graphs(const std::string& graphs = "1") {
  Options options = cuda({"graphs=" + graphs});
  options.set("level", "0");
  return options;
}

std::pair<int64_t, int64_t> graphs() {
  int64_t made = 0, updated = 0;
  cuda_double_graphs(&made, &updated);
  return {made, updated};
}

size_t graphs_in(const std::string& history) {
  return static_cast<size_t>(std::count(history.begin(), history.end(), 'g'));
}

const char* const kChain =
    "scales: float32[2] = {1, 2}\n a = Neg(x)\n b = Exp(a)\n c = Resize(b, _, scales)\n y = Mul(c, c)";

TEST(CudaGraphs, AreRecordedInTheSecondRunAndLaunchedAfterIt) {
  const Session session(model_of("x: float32[1,n]", "y", kChain), with_graphs());
  const Session plain(model_of("x: float32[1,n]", "y", kChain), with_graphs("0"));
  const auto before = graphs();
  for (int round = 0; round < 5; ++round) {
    const Tensor x = Tensor::from<float>({1, 8}, counting(8, -static_cast<float>(round)));
    cuda_double_start();
    std::string profile;
    const Tensor y = session.run({{"x", x}}, {.profile = &profile}).at("y");
    const std::string history = cuda_double_history();
    EXPECT_EQ(graphs_in(history), round == 0 ? 0u : 1u) << history;
    EXPECT_EQ(profile.find("\"op\":\"Graph\"") != std::string::npos, round > 0) << profile;
    const Tensor want = plain.run({{"x", x}}).at("y");
    ASSERT_EQ(y.shape(), want.shape());
    for (size_t i = 0; i < 16; ++i) EXPECT_FLOAT_EQ(y.span<float>()[i], want.span<float>()[i]) << round;
  }
  EXPECT_EQ(graphs().first - before.first, 1);
}

TEST(CudaGraphs, AreKeptForEachShape) {
  const Session session(model_of("x: float32[1,n]", "y", kChain), with_graphs());
  for (const int64_t n : {4, 6, 4, 6, 4, 6, 4, 6}) {
    const Tensor y = session.run({{"x", Tensor::from<float>({1, n}, counting(static_cast<size_t>(n), 0))}}).at("y");
    ASSERT_EQ(y.shape(), (onnxrun::Shape{1, 2 * n}));
    EXPECT_FLOAT_EQ(y.span<float>()[0], 1.0f);
    EXPECT_FLOAT_EQ(y.span<float>()[static_cast<size_t>(2 * n - 1)], std::exp(-2.0f * static_cast<float>(n - 1)));
  }
}

// What a caller binds may move: the graph is brought up to date, not made anew.
TEST(CudaGraphs, FollowMemoryOfTheCallers) {
  const Options options = with_graphs();
  const Session session(model_of("x: float32[8]", "y", "a = Neg(x)\n y = Abs(a)"), options);
  const auto value = [&](float first) {
    Tensor made = onnxrun::make_on(options, kCuda, ONNXRUN_DTYPE_FLOAT32, {8});
    onnxrun::copy(options, Tensor::from<float>({8}, counting(8, first)), made);
    return made;
  };
  const Tensor x[2] = {value(1), value(100)};
  const auto before = graphs();
  for (int round = 0; round < 8; ++round) {
    const size_t which = round / 4;
    onnxrun::Run run(session);
    run.set_input("x", x[which]);
    run.want("y");
    cuda_double_start();
    EXPECT_FLOAT_EQ(run.execute().at("y").span<float>()[0], which == 0 ? 1.0f : 100.0f);
    EXPECT_EQ(graphs_in(cuda_double_history()), round % 4 == 0 ? 0u : 1u) << round;
  }
  EXPECT_EQ(graphs().first - before.first, 1);
  EXPECT_EQ(graphs().second - before.second, 1);
}

TEST(CudaGraphs, LeaveOutWhatCannotBeRecordedAndSayWhy) {
  const Session session(
      model_of("x: float32[6]", "y, z", "a = Neg(x)\n b = Abs(a)\n z = NonZero(b)\n c = Exp(b)\n y = Neg(c)"),
      with_graphs());
  std::string profile;
  for (int round = 0; round < 3; ++round) {
    cuda_double_start();
    const auto results = session.run({{"x", Tensor::from<float>({6}, {0, 1, 0, 2, 3, static_cast<float>(round)})}},
                                     {.profile = &profile});
    EXPECT_EQ(results.at("z").count(), round == 0 ? 3 : 4);
    EXPECT_FLOAT_EQ(results.at("y").span<float>()[1], -std::exp(1.0f));
    EXPECT_EQ(graphs_in(cuda_double_history()), round == 0 ? 0u : 2u);
  }
  EXPECT_NE(profile.find("\"not_recorded\":\"the shape of an output depends on data\""), std::string::npos) << profile;
}

TEST(CudaGraphs, DrawNewNumbersInEveryRun) {
  const Session session(model_of("x: float32[64]", "y", "r = RandomUniformLike(x)\n a = Add(r, x)\n y = Neg(a)"),
                        with_graphs());
  std::vector<std::vector<float>> seen;
  std::string profile;
  for (int round = 0; round < 4; ++round) {
    const Tensor y = session.run({{"x", Tensor(ONNXRUN_DTYPE_FLOAT32, {64})}}, {.profile = &profile}).at("y");
    seen.emplace_back(y.span<float>().begin(), y.span<float>().end());
    for (int before = 0; before < round; ++before) EXPECT_NE(seen.back(), seen[static_cast<size_t>(before)]);
  }
  EXPECT_NE(profile.find("every run draws numbers of its own"), std::string::npos) << profile;
}

// The graph keeps the messages of its kernels, from run to run.
TEST(CudaGraphs, ReportBadData) {
  const Session session(model_of("x: int32[4], y: int32[4]", "z", "a = Neg(x)\n z = Div(a, y)"), with_graphs());
  const Tensor x = Tensor::from<int32_t>({4}, {2, 4, 6, 8});
  for (int round = 0; round < 6; ++round) {
    const bool bad = round % 2 == 1;
    const Tensor y = Tensor::from<int32_t>({4}, {1, 2, bad ? 0 : 3, 4});
    try {
      const auto results = session.run({{"x", x}, {"y", y}});
      EXPECT_FALSE(bad);
      EXPECT_EQ(results.at("z").span<int32_t>()[3], -2);
    } catch (const onnxrun::Error& error) {
      EXPECT_TRUE(bad) << error.what();
      EXPECT_NE(std::string(error.what()).find("an element of the integer input 'B' is 0"), std::string::npos)
          << error.what();
    }
  }
}

TEST(CudaGraphs, GoWithTheMemoryThatIsGivenBack) {
  Session session(model_of("x: float32[1,n]", "y", kChain), with_graphs());
  for (int round = 0; round < 6; ++round) {
    if (round == 3) session.trim();
    const Tensor y = session.run({{"x", Tensor::from<float>({1, 4}, counting(4, 0))}}).at("y");
    EXPECT_FLOAT_EQ(y.span<float>()[0], 1.0f);
    EXPECT_FLOAT_EQ(y.span<float>()[7], std::exp(-6.0f));
  }
}

}  // namespace
