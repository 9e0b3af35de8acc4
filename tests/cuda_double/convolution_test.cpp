// Convolutions that end in cuDNN, and the choice of its algorithms, on the double.
#include "on_double.h"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace {

using on_double::cuda;
using onnxrun::Tensor;

onnxrun::Model model_of_convolution(const std::string& type) {
  const std::string number = type == "float32" ? "1" : type == "float16" ? "10" : type == "float64" ? "11" : "16";
  const auto t = [&](const char* dims) { return type + dims; };
  return onnxrun::Model::from_text(
      "onnxrun text 1\nir_version 8\nopset ai.onnx 17\nopset com.microsoft 1\ngraph g(x: float32[1,2,6,5], w: "
      "float32[4,2,3,3], b: float32[4], z: float32[1,4,6,5]) -> (y, alone) {\n"
      "  xt: " +
      t("[1,2,6,5]") + " = Cast(x, to=" + number + ")\n  wt = Cast(w, to=" + number + ")\n  bt = Cast(b, to=" + number +
      ")\n  zt = Cast(z, to=" + number +
      ")\n"
      "  ended = com.microsoft.FusedConv(xt, wt, bt, zt, activation='Relu', pads=[1, 1, 1, 1])\n"
      "  plain = com.microsoft.FusedConv(xt, wt, bt, activation='Relu', pads=[1, 1, 1, 1])\n"
      "  y = Cast(ended, to=1)\n  alone = Cast(plain, to=1)\n}\n");
}

std::vector<float> numbers(size_t count, int modulus) {
  std::vector<float> result(count);
  for (size_t i = 0; i < count; ++i)
    result[i] = static_cast<float>(static_cast<int>(i * 7 % static_cast<size_t>(modulus)) - modulus / 2) / 8;
  return result;
}

const onnxrun::NamedValues& inputs() {
  static const onnxrun::NamedValues values{{"x", Tensor::from<float>({1, 2, 6, 5}, numbers(60, 13))},
                                           {"w", Tensor::from<float>({4, 2, 3, 3}, numbers(72, 11))},
                                           {"b", Tensor::from<float>({4}, numbers(4, 5))},
                                           {"z", Tensor::from<float>({1, 4, 6, 5}, numbers(120, 17))}};
  return values;
}

void expect_agreement(const std::string& type, const onnxrun::Options& options, double tolerance) {
  const onnxrun::Model model = model_of_convolution(type);
  const onnxrun::Results expected = onnxrun::Session(model, {{"level", "0"}}).run(inputs());
  const onnxrun::Session session(model, options);
  for (int run = 0; run < 2; ++run) on_double::expect_near(session.run(inputs()), expected, tolerance, type);
}

onnxrun::Options plainly(const std::vector<std::string>& settings = {}) {
  onnxrun::Options options = cuda(settings);
  options.set("level", "0");
  return options;
}

// The double's cuDNN ends convolutions of float32 and float16; the other types are ended by a kernel.
TEST(CudaConvolutions, EndWithBiasResidualAndRelu) {
  expect_agreement("float32", plainly(), 1e-5);
  expect_agreement("float16", plainly(), 2e-3);
  expect_agreement("float64", plainly(), 1e-5);
  expect_agreement("bfloat16", plainly(), 2e-2);
}

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(CudaConvolutions, RememberTheirAlgorithms) {
  const std::string file = testing::TempDir() + "algorithms_of_cudnn.txt";
  std::remove(file.c_str());
  const std::vector<std::string> settings = {"algorithms=" + file};
  expect_agreement("float32", plainly(settings), 1e-5);
  const std::string text = text_of(file);
  EXPECT_NE(text.find("onnxrun: algorithms of cuDNN 1\nCUDA double, cuDNN "), std::string::npos) << text;
  EXPECT_NE(text.find("forward float32 math 3 x 1 2 6 5 w 4 2 3 3"), std::string::npos) << text;
  expect_agreement("float16", plainly(settings), 2e-3);
  EXPECT_EQ(text_of(file).find(text.substr(0, 40)), 0u);
  EXPECT_NE(text_of(file).find("forward float16"), std::string::npos);
  EXPECT_NE(text_of(file).find("forward float32"), std::string::npos);
  std::remove(file.c_str());
}

TEST(CudaConvolutions, LeaveOtherFilesAlone) {
  const std::string file = testing::TempDir() + "somebody_elses.txt";
  std::ofstream(file) << "a poem\n";
  try {
    expect_agreement("float32", plainly({"algorithms=" + file}), 1e-5);
    FAIL() << "the file was taken";
  } catch (const onnxrun::Error& error) {
    EXPECT_NE(std::string(error.what()).find("is no file of algorithms"), std::string::npos) << error.what();
  }
  EXPECT_EQ(text_of(file), "a poem\n");
  std::remove(file.c_str());
}

}  // namespace
