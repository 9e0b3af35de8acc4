// Small models through the public interface: what becomes of their nodes, that they still compute nearly the same, and what is refused.
#include <gtest/gtest.h>
#include <onnxrun/onnxrun.hpp>

#include <cfloat>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

namespace onnxrun {
namespace {

using Json = nlohmann::json;
using Settings = Quantization::Settings;

std::string numbers(size_t count, uint32_t seed, float size = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, size);
  std::string text;
  for (size_t i = 0; i < count; ++i) text += (i ? ", " : "") + std::to_string(normal(random));
  return "{" + text + "}";
}

// An embedding, a product, a Gemm with its bias; `scale` is of the product's weights.
Model products(float scale = 0.2f) {
  return Model::from_text(R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(ids: int64[n]) -> (y) {
  table: float32[20,64] = )" +
                          numbers(20 * 64, 1) + R"(
  w: float32[64,48] = )" + numbers(64 * 48, 2, scale) +
                          R"(
  v: float32[32,48] = )" + numbers(32 * 48, 3, 0.2f) +
                          R"(
  b: float32[32] = )" + numbers(32, 4) +
                          R"(
  e = Gather(table, ids)
  h = MatMul(e, w)
  r = Relu(h)
  y = Gemm(r, v, b, transB=1)
})");
}

Model convolutions() {
  return Model::from_text(R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[1,4,9,9]) -> (y) {
  w: float32[16,4,3,3] = )" +
                          numbers(16 * 36, 1, 0.2f) + R"(
  b: float32[16] = )" + numbers(16, 2, 0.3f) +
                          R"(
  v: float32[16,16,3,3] = )" +
                          numbers(16 * 144, 3, 0.1f) + R"(
  c = Conv(x, w, b, pads=[1, 1, 1, 1])
  r = Relu(c)
  d = Conv(r, v, pads=[1, 1, 1, 1])
  s = Add(r, d)
  g = GlobalAveragePool(s)
  f = Flatten(g)
  m: float32[16,10] = )" + numbers(160, 4, 0.3f) +
                          R"(
  k: float32[16,32] = )" + numbers(512, 5, 0.3f) +
                          R"(
  y = MatMul(f, k)
})");
}

NamedValues ids(uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<int64_t> values(12);
  for (int64_t& value : values) value = random() % 20;
  return {{"ids", Tensor::from<int64_t>({12}, values)}};
}

NamedValues picture(uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(4 * 81);
  for (float& value : values) value = normal(random);
  return {{"x", Tensor::from<float>({1, 4, 9, 9}, values)}};
}

Quantization::Samples eight(NamedValues (*make)(uint32_t)) {
  return [make](size_t i) { return i < 8 ? make(static_cast<uint32_t>(i)) : NamedValues{}; };
}

std::map<std::string, int> operators(const Model& model) {
  std::map<std::string, int> result;
  const std::string bytes = model.to_bytes();
  const Json report = Json::parse(Model(std::as_bytes(std::span(bytes))).inspect(ONNXRUN_INSPECT_OPS));
  for (const auto& op : report["ops"]) result[op["op"]] = op["nodes"];
  return result;
}

// Root mean square of the difference against the size, on inputs that are no samples.
double error(const Model& before, const Model& after, const NamedValues& inputs, const std::string& level = "99") {
  const Options options{{"level", level}};
  const std::vector<double> a = Session(before, options).run(inputs).at("y").doubles(),
                            b = Session(after, options).run(inputs).at("y").doubles();
  EXPECT_EQ(a.size(), b.size());
  double apart = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) apart += (a[i] - b[i]) * (a[i] - b[i]), size += a[i] * a[i];
  return std::sqrt(apart / size);
}

void expect_close(const Model& before, const Quantization& made, const NamedValues& inputs, double allowed) {
  for (const char* level : {"0", "1", "99"}) {
    const double found = error(before, made.model(), inputs, level);
    EXPECT_LT(found, allowed) << "level " << level;
    EXPECT_GT(found, 0) << "level " << level;  // something did change
  }
  // What is saved says the same.
  const std::string bytes = made.model().to_bytes();
  EXPECT_LT(error(made.model(), Model(std::as_bytes(std::span(bytes))), inputs), 1e-6);
}

double cost(const Quantization& made) { return Json::parse(made.report())["error"]; }

TEST(QuantiseWeights, BlocksOfProductsAndRows) {
  for (const auto& [type, allowed] : {std::pair{"int8", 0.01}, {"int4", 0.2}})
    for (const char* symmetric : {"0", "1"}) {
      const Quantization made(products(), {{"type", type}, {"block", "16"}, {"symmetric", symmetric}}, eight(ids));
      expect_close(products(), made, ids(99), allowed);
      const auto ops = operators(made.model());
      EXPECT_EQ(ops.at("com.microsoft.MatMulNBits"), 2);
      EXPECT_EQ(ops.at("com.microsoft.GatherBlockQuantized"), 1);
      const Json report = Json::parse(made.report());
      EXPECT_EQ(report["changed"].size(), 3u);
      EXPECT_LT(report["bytes_after"].get<int>(),
                report["bytes_before"].get<int>() / (std::string(type) == "int4" ? 4 : 2));
      EXPECT_EQ(report["samples"], 8);
      EXPECT_GT(report["error"].get<double>(), 0);
    }
}

TEST(QuantiseWeights, OnlyOperatorsOfOnnx) {
  for (const auto& [settings, allowed] : {std::pair{Settings{{"type", "int8"}, {"block", "0"}}, 0.02},
                                          {Settings{{"type", "uint8"}, {"block", "0"}}, 0.02},
                                          {Settings{{"type", "int8"}, {"block", "0"}, {"per_channel", "0"}}, 0.03},
                                          {Settings{{"type", "int4"}, {"standard", "1"}}, 0.2},
                                          {Settings{{"type", "int8"}, {"standard", "1"}}, 0.02}}) {
    const Quantization made(products(), settings);
    expect_close(products(), made, ids(99), allowed);
    for (const auto& [op, count] : operators(made.model()))
      EXPECT_EQ(op.find("com.microsoft"), std::string::npos) << op;
    EXPECT_EQ(operators(made.model()).at("DequantizeLinear"), 2);
  }
}

TEST(QuantiseWeights, Convolutions) {
  for (const auto& [type, allowed] : {std::pair{"int8", 0.02}, {"uint8", 0.02}, {"int4", 0.3}}) {
    const Quantization made(convolutions(), {{"type", type}, {"standard", "1"}});
    expect_close(convolutions(), made, picture(99), allowed);
  }
}

// Of a convolution by channel, and of a matrix that is a small part of the model.
TEST(QuantiseWeights, ShortRowsAndSmallWeightsKeepEightBits) {
  const Model model = Model::from_text(R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[2,32,3,3]) -> (y) {
  c: float32[32,1,3,3] = )" + numbers(32 * 9, 1) +
                                       R"(
  s: float32[32,9] = )" + numbers(32 * 9, 2) +
                                       R"(
  l: float32[9,2400] = )" + numbers(9 * 2400, 3) +
                                       R"(
  m: float32[2400,40] = )" + numbers(2400 * 40, 4) +
                                       R"(
  a = Conv(x, c, group=32)
  f = Flatten(a)
  b = MatMul(f, s)
  d = MatMul(b, l)
  y = MatMul(d, m)
})");
  for (const char* portable : {"0", "1"}) {
    const Quantization made(model, {{"type", "int4"}, {"standard", portable}});
    const Json report = Json::parse(made.report());
    std::map<std::string, double> errors;
    for (const auto& change : report["changed"]) errors[change["node"]] = change["error"];
    ASSERT_EQ(errors.size(), 4u);
    for (const char* kept : {"a", "b", "d"}) EXPECT_LT(errors[kept], 0.01) << kept;
    EXPECT_GT(errors["y"], 0.04);
  }
}

TEST(QuantiseWeights, WhatSamplesMultiplyDecidesRoundings) {
  const Quantization plain(products(), {{"type", "int4"}, {"rounding", "refined"}}, eight(ids)),
      compensated(products(), {{"type", "int4"}}, eight(ids)),
      aware(products(), {{"type", "int4"}, {"rounding", "aware"}}, eight(ids)),
      nearest(products(), {{"type", "int4"}, {"rounding", "nearest"}}, eight(ids));
  EXPECT_LT(cost(plain), cost(nearest));
  EXPECT_NE(cost(aware), cost(plain));
  EXPECT_LT(cost(compensated), 0.8 * cost(plain));
}

TEST(QuantiseDynamic, ProductsComputeInBytes) {
  for (const Settings& settings : {Settings{{"mode", "dynamic"}}, Settings{{"mode", "dynamic"}, {"type", "uint8"}},
                                   Settings{{"mode", "dynamic"}, {"per_channel", "0"}}}) {
    const Quantization made(products(), settings);
    expect_close(products(), made, ids(99), 0.03);
    const auto ops = operators(made.model());
    EXPECT_EQ(ops.at("MatMulInteger"), 2);
    EXPECT_EQ(ops.at("DynamicQuantizeLinear"), 2);
  }
}

TEST(QuantiseStatic, CodesAroundConvolutions) {
  for (const char* method : {"minmax", "percentile", "mse", "entropy"}) {
    const Quantization made(convolutions(), {{"mode", "static"}, {"method", method}}, eight(picture));
    expect_close(convolutions(), made, picture(99), 0.2);
    const auto ops = operators(made.model());
    EXPECT_GE(ops.at("QuantizeLinear"), 4);
    EXPECT_FALSE(ops.contains("Relu"));  // its range is that of the codes
  }
  for (const Settings& settings :
       {Settings{{"mode", "static"}, {"symmetric", "1"}}, Settings{{"mode", "static"}, {"type", "uint8"}},
        Settings{{"mode", "static"}, {"per_channel", "0"}}})
    expect_close(convolutions(), Quantization(convolutions(), settings, eight(picture)), picture(99), 0.2);
}

// Scales are products of others, and readers divide by them.
TEST(QuantiseStatic, ScalesOfTinyNumbersAreNormal) {
  std::string weights = "{1e-36";
  for (int i = 1; i < 2048; ++i) weights += i % 2 ? ", -1e-35" : ", 1e-35";
  weights += "}";
  for (const char* bias : {"{0, 0}", "{1e-38, -1e-38}", "{1, -1}"}) {
    const Model model = Model::from_text(std::string(R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[1,1024,1,1]) -> (y) {
  w: float32[2,1024,1,1] = )" + weights + R"(
  b: float32[2] = )") + bias + R"(
  y = Conv(x, w, b)
})");
    const auto tiny = [](size_t i) {
      std::vector<float> values(1024, 1e-39f);
      values[0] = -1e-39f;
      return i < 8 ? NamedValues{{"x", Tensor::from<float>({1, 1024, 1, 1}, values)}} : NamedValues{};
    };
    const Quantization made(model, {{"mode", "static"}}, tiny);
    const std::string bytes = made.model().to_bytes();
    const Json report = Json::parse(Model(std::as_bytes(std::span(bytes))).inspect(ONNXRUN_INSPECT_WEIGHTS));
    int scales = 0;
    for (const auto& weight : report["weights"]) {
      if (weight["name"].get<std::string>().find("_scale") == std::string::npos) continue;
      ++scales;
      EXPECT_GE(weight["min"].get<double>(), FLT_MIN) << weight["name"] << " with bias " << bias;
    }
    EXPECT_GE(scales, 1) << bias;
    const std::vector<double> y = Session(made.model()).run(tiny(0)).at("y").doubles();
    EXPECT_NEAR(y[0], std::strtod(bias + 1, nullptr), 0.01) << bias;
  }
}

// Every way to what may compute in codes, one by one, would be billions.
TEST(QuantiseStatic, ManyWaysBetweenNodesAreFollowedOnce) {
  std::string text = R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[1,4,9,9]) -> (y) {
  w: float32[16,4,3,3] = )" +
                     numbers(16 * 36, 1, 0.2f) + R"(
  from: int64[1] = {0}
  to: int64[1] = {16}
  axes: int64[1] = {1}
  a0 = Conv(x, w)
)";
  for (int i = 0; i < 4; ++i) {
    const std::string from = "a" + std::to_string(i), number = std::to_string(i + 1);
    text += "  c" + number + " = Concat(" + from;
    for (int k = 1; k < 300; ++k) text += ", " + from;
    text += ", axis=1)\n  a" + number + " = Slice(c" + number + ", from, to, axes)\n";
  }
  const Model model = Model::from_text(text + "  y = Softmax(a4)\n}");
  const Quantization made(model, {{"mode", "static"}}, eight(picture));
  EXPECT_EQ(operators(made.model()).at("QuantizeLinear"), 2);
  EXPECT_LT(error(model, made.model(), picture(99)), 0.2);
}

// Rare large numbers that decide the result must not be cut off, which the report says.
TEST(QuantiseStatic, TheMethodIsTheOneWithClearlyLessError) {
  const Model model = Model::from_text(R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[1,4,9,9]) -> (y) {
  w: float32[16,4,1,1] = )" + numbers(64, 1) +
                                       R"(
  v: float32[16,16,1,1] = )" + numbers(256, 2) +
                                       R"(
  c = Conv(x, w)
  d = Conv(c, v)
  y = GlobalMaxPool(d)
})");
  const Quantization::Samples peaks = [](size_t i) {
    if (i == 8) return NamedValues{};
    NamedValues inputs = picture(static_cast<uint32_t>(i));
    Tensor image(inputs[0].second);
    std::vector<float> values(image.span<float>().begin(), image.span<float>().end());
    values[i * 37 % values.size()] = 40;
    return NamedValues{{"x", Tensor::from<float>({1, 4, 9, 9}, values)}};
  };
  std::map<std::string, double> errors;
  for (const char* method : {"mse", "minmax"})
    errors[method] = cost(Quantization(model, {{"mode", "static"}, {"method", method}}, peaks));
  ASSERT_LT(errors["minmax"], 0.9 * errors["mse"]);
  const Quantization made(model, {{"mode", "static"}}, peaks);
  EXPECT_EQ(Json::parse(made.report())["method"], "minmax");
  EXPECT_LE(cost(made), errors["minmax"]);
  EXPECT_EQ(Json::parse(Quantization(convolutions(), {{"mode", "static"}}, eight(picture)).report())["method"], "mse");
}

TEST(QuantiseStatic, BiasesMakeUpForTheMeanError) {
  const Quantization::Samples bright = [](size_t i) {
    if (i == 8) return NamedValues{};
    NamedValues inputs = picture(static_cast<uint32_t>(i));
    Tensor image(inputs[0].second);
    std::vector<float> values(image.span<float>().begin(), image.span<float>().end());
    for (float& value : values) value += 3;
    return NamedValues{{"x", Tensor::from<float>({1, 4, 9, 9}, values)}};
  };
  for (const char* mode : {"dynamic", "static"}) {
    const Settings settings = {{"mode", mode}, {"per_channel", "0"}, {"rounding", "nearest"}};
    Settings without = settings;
    without.emplace_back("correct_bias", "0");
    EXPECT_LT(cost(Quantization(convolutions(), settings, bright)), cost(Quantization(convolutions(), without, bright)))
        << mode;
  }
}

TEST(QuantiseDynamic, RangesMoveToWeights) {
  for (const bool normalized : {true, false}) {
    std::string scale = "{60";
    for (int i = 1; i < 64; ++i) scale += ", 0.7";
    const Model model = Model::from_text(R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[n,64]) -> (y) {
  s: float32[64] = )" + scale + R"(}
  w: float32[64,48] = )" + numbers(64 * 48, 2, 0.2f) +
                                         R"(
  v: float32[64,48] = )" + numbers(64 * 48, 3, 0.2f) +
                                         R"(
  e = )" + (normalized ? "LayerNormalization(x, s)" : "Mul(x, s)") +
                                         R"(
  a = MatMul(e, w)
  b = MatMul(e, v)
  y = Add(a, b)
})");
    const Quantization::Samples samples = [](size_t i) {
      if (i == 4) return NamedValues{};
      std::mt19937 random(static_cast<uint32_t>(i));
      std::normal_distribution<float> normal(0, 1);
      std::vector<float> values(5 * 64);
      for (float& value : values) value = normal(random);
      return NamedValues{{"x", Tensor::from<float>({5, 64}, values)}};
    };
    const Quantization none(model, {{"mode", "dynamic"}, {"smooth", "0"}}, samples),
        half(model, {{"mode", "dynamic"}, {"smooth", "0.5"}}, samples), chosen(model, {{"mode", "dynamic"}}, samples);
    EXPECT_LT(cost(half), 0.5 * cost(none));
    EXPECT_EQ(cost(chosen), cost(half));
    EXPECT_EQ(Json::parse(chosen.report())["smooth"], 0.5);
    // A normalisation takes the scales in.
    EXPECT_EQ(operators(half.model()).at("Mul"), normalized ? 4 : 6);
  }
}

// Over the last two axes, with one scale a row: none of them is of a place that a product sums over.
TEST(Quantizing, NormalizationsOfRowsTakeNoScalesIn) {
  std::string rows = "{";
  for (int i = 0; i < 32; ++i) rows += (i ? ", " : "") + std::to_string(0.5 + 0.1 * i);
  std::string columns = "{";
  for (int i = 0; i < 32; ++i) columns += (i ? ", " : "") + std::to_string(std::pow(10.0, i / 8.0 - 2));
  const Model model = Model::from_text(R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[1,32,32]) -> (y) {
  s: float32[32,1] = )" + rows + R"(}
  c: float32[32] = )" + columns + R"(}
  w: float32[32,32] = )" + numbers(32 * 32, 2, 0.2f) +
                                       R"(
  k = Mul(x, c)
  e = LayerNormalization(k, s, axis=-2)
  y = MatMul(e, w)
})");
  const Quantization::Samples samples = [](size_t i) {
    if (i == 4) return NamedValues{};
    std::mt19937 random(static_cast<uint32_t>(i));
    std::normal_distribution<float> normal(0, 1);
    std::vector<float> values(32 * 32);
    for (float& value : values) value = normal(random);
    return NamedValues{{"x", Tensor::from<float>({1, 32, 32}, values)}};
  };
  const Quantization half(model, {{"mode", "dynamic"}, {"smooth", "0.5"}}, samples);
  EXPECT_LT(cost(half), 0.05);
}

// Three convolutions, the second by channel (or of two groups), whose first makes two channels large that the second makes small; `between` stands after the first.
Model unequal(const std::string& between, bool grouped = false) {
  std::string sizes = "{20, 5", inverse = "{0.05, 0.2";
  for (int i = 2; i < 8; ++i) sizes += ", 0.1", inverse += ", 10";
  return Model::from_text(R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[1,4,9,9]) -> (y) {
  w: float32[8,4,3,3] = )" +
                          numbers(8 * 36, 1, 0.2f) + R"(
  s: float32[8,1,1,1] = )" +
                          sizes + R"(}
  ws = Mul(w, s)
  b: float32[8] = )" + numbers(8, 2, 0.1f) +
                          R"(
  v: float32[8,)" + (grouped ? "4" : "1") +
                          ",3,3] = " + numbers(grouped ? 8 * 36 : 72, 3, 0.3f) +
                          R"(
  t: float32[)" + (grouped ? "8,1,1,1] = {1, 1, 1, 1, 1, 1, 1, 1" : "8,1,1,1] = " + inverse) +
                          R"(}
  vs = Mul(v, t)
  u: float32[6,8,1,1] = )" +
                          numbers(48, 4, 0.3f) +
                          R"(
  c = Conv(x, ws, b, pads=[1, 1, 1, 1])
  r = )" + between + R"((c)
  d = Conv(r, vs, pads=[1, 1, 1, 1], group=)" +
                          (grouped ? "2" : "8") + R"()
  l = LeakyRelu(d)
  y = Conv(l, u)
})");
}

TEST(QuantiseStatic, ChannelsBetweenConvolutionsBecomeEqual) {
  const auto pairs = [](const Quantization& made) { return Json::parse(made.report())["equalized"]; };
  const Settings settings = {{"mode", "static"}, {"correct_bias", "0"}};
  const auto with = [&](const char* equalize) {
    Settings result = settings;
    result.emplace_back("equalize", equalize);
    return result;
  };
  const Model model = unequal("Relu");
  const Quantization none(model, with("0"), eight(picture)), equal(model, with("1"), eight(picture));
  EXPECT_EQ(pairs(none), 0);
  EXPECT_EQ(pairs(equal), 2);
  EXPECT_LT(cost(equal), 0.7 * cost(none));
  expect_close(model, equal, picture(99), 0.05);
  // Only what keeps proportions may stand between, and only filters of one or all channels may follow.
  EXPECT_EQ(pairs(Quantization(unequal("Sigmoid"), with("1"), eight(picture))), 1);
  EXPECT_EQ(pairs(Quantization(unequal("Relu", true), with("1"), eight(picture))), 1);
}

TEST(QuantiseFloat, HalfTheBitsAndTheSameInterface) {
  for (const char* type : {"fp16", "bf16"}) {
    const Quantization kept(products(), {{"mode", "float"}, {"type", type}, {"keep_io", "1"}}, eight(ids));
    expect_close(products(), kept, ids(99), 0.02);
    EXPECT_EQ(kept.model().outputs()[0].dtype, ONNXRUN_DTYPE_FLOAT32);
    const Quantization changed(convolutions(), {{"mode", "float"}, {"type", type}});
    const auto wanted = std::string(type) == "fp16" ? ONNXRUN_DTYPE_FLOAT16 : ONNXRUN_DTYPE_BFLOAT16;
    EXPECT_EQ(changed.model().inputs()[0].dtype, wanted);
    EXPECT_EQ(changed.model().inputs()[0].name, "x");
    EXPECT_EQ(changed.model().outputs()[0].dtype, wanted);
    EXPECT_EQ(changed.model().outputs()[0].name, "y");
    EXPECT_FALSE(operators(changed.model()).contains("Cast"));
  }
}

TEST(QuantiseFloat, NodesWhoseNumbersDoNotFitStay) {
  const Quantization made(products(3e4f), {{"mode", "float"}, {"keep_io", "1"}}, eight(ids));
  const Json report = Json::parse(made.report());
  std::string named;
  for (const auto& left : report["left"])
    named += left["node"].get<std::string>() + ": " + left["why"].get<std::string>() + "\n";
  EXPECT_NE(named.find("h: "), std::string::npos) << named;
  EXPECT_NE(named.find("65504"), std::string::npos) << named;
  EXPECT_LT(error(products(3e4f), made.model(), ids(99)), 0.01);
}

TEST(QuantiseSearch, LeavesNodesAloneUntilTheErrorIsMet) {
  const Settings all = {{"type", "int4"}};
  const double full = Json::parse(Quantization(products(), all, eight(ids)).report())["error"];
  Settings wanted = all;
  wanted.emplace_back("target_error", std::to_string(full * 0.8));
  const Quantization made(products(), wanted, eight(ids));
  const Json report = Json::parse(made.report());
  EXPECT_LE(report["error"].get<double>(), full * 0.8);
  EXPECT_GE(report["search"].size(), 2u);
  EXPECT_EQ(report["sensitivity"].size(), 3u);
  EXPECT_LT(report["changed"].size(), 3u);
}

// The call must fail with this code and these words.
void refused(Code code, const std::string& words, const std::function<void()>& call) {
  try {
    call();
    ADD_FAILURE() << "not refused: " << words;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(QuantiseRefusals, AreNamed) {
  const Model again = Quantization(products(), {{"type", "int4"}}).model();
  refused(Code::kUnsupported, "quantised already", [&] { Quantization(again, {}); });
  refused(Code::kInvalidArgument, "samples are needed", [] { Quantization(convolutions(), {{"mode", "static"}}); });
  refused(Code::kInvalidArgument, "no samples", [] {
    Quantization(convolutions(), {{"mode", "static"}}, [](size_t) { return NamedValues{}; });
  });
  refused(Code::kInvalidArgument, "sample 0", [] { Quantization(convolutions(), {{"mode", "static"}}, eight(ids)); });
  refused(Code::kUnsupported, "nothing in the model can be quantised", [] {
    Quantization(products(), {{"include", "^nowhere$"}});
  });
  refused(Code::kUnsupported, "an error of", [] {
    Quantization(products(), {{"type", "int4"}, {"target_error", "1e-9"}}, eight(ids));
  });
  refused(Code::kInvalidArgument, "no setting 'bits'", [] { Quantization(products(), {{"bits", "4"}}); });
  refused(Code::kInvalidArgument, "mode float makes fp16 or bf16", [] {
    Quantization(products(), {{"mode", "float"}, {"type", "int8"}});
  });
  refused(Code::kInvalidArgument, "power of two", [] { Quantization(products(), {{"block", "24"}}); });
  refused(Code::kInvalidArgument, "regular expression", [] { Quantization(products(), {{"exclude", "("}}); });
}

TEST(Quantizing, KeepsToTheLimits) {
  const Model endless = Model::from_text(R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[2,64], go: bool[]) -> (y) {
  w: float32[64,48] = )" + numbers(64 * 48, 2, 0.2f) +
                                         R"(
  h = MatMul(x, w)
  y = Loop(_, go, h) body: graph b(i: int64[], on: bool[], v: float32[2,48]) -> (still_on, same) {
    still_on = Identity(on)
    same = Identity(v)
  }
})");
  const Quantization::Samples samples = [](size_t i) {
    return i > 0 ? NamedValues{}
                 : NamedValues{{"x", Tensor::from<float>({2, 64}, std::vector<float>(128, 1))},
                               {"go", Tensor::scalar(true)}};
  };
  for (const char* mode : {"static", "weights"})
    refused(Code::kDeadline, "sample 0", [&] {
      Quantization(endless, {{"mode", mode}}, samples, {{"timeout", "0.2"}});
    });
  // No sample takes long, and the search reads each again and again.
  const Quantization::Samples slow = [](size_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return i < 8 ? ids(static_cast<uint32_t>(i)) : NamedValues{};
  };
  refused(Code::kDeadline, "time", [&] {
    Quantization(products(), {{"type", "int4"}, {"target_error", "1e-9"}}, slow, {{"timeout", "0.6"}});
  });
  refused(Code::kLimitExceeded, "limit", [] {
    Quantization(products(), {{"mode", "weights"}, {"type", "int4"}}, {}, {{"max_memory", "20000"}});
  });
}

TEST(QuantiseRefusals, AnErrorOfTheCallersSamplesIsThrown) {
  EXPECT_THROW(Quantization(convolutions(), {{"mode", "static"}},
                            [](size_t) -> NamedValues { throw std::runtime_error("disk"); }),
               std::runtime_error);
}

TEST(QuantiseChoice, ByNameAndOperator) {
  const Quantization made(products(), {{"exclude", "Gather|^y$"}});
  const Json report = Json::parse(made.report());
  ASSERT_EQ(report["changed"].size(), 1u);
  EXPECT_EQ(report["changed"][0]["node"], "h");
  EXPECT_EQ(report["left"].size(), 2u);
}

TEST(QuantiseBodies, WeightsOfTheGraphAround) {
  const Model source = Model::from_text(R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[2,64], on: bool[]) -> (y) {
  w: float32[64,48] = )" + numbers(64 * 48, 2, 0.2f) +
                                        R"(
  y = If(on)
    then_branch:
      graph then() -> (a) {
        a = MatMul(x, w)
      }
    else_branch:
      graph else() -> (c) {
        n = Neg(x)
        c = MatMul(n, w)
      }
})");
  std::vector<float> x(128);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
  Tensor on(ONNXRUN_DTYPE_BOOL, {});
  on.mutable_bytes()[0] = std::byte{1};
  const NamedValues inputs = {{"x", Tensor::from<float>({2, 64}, x)}, {"on", on}};
  expect_close(source, Quantization(source, {{"type", "int4"}}), inputs, 0.2);
  expect_close(source, Quantization(source, {{"mode", "dynamic"}}), inputs, 0.03);
}

}  // namespace
}  // namespace onnxrun
