// Reads a line of text from a PNG with PP-OCRv4's recognition model; README.md has the rules it follows.
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "picture/png_picture.h"

namespace {

constexpr int kHeight = 48;

// Where a target pixel lies between two source pixels.
struct Place {
  int low, high;
  float part;
};

Place place(int i, int from, int to) {
  const float x = std::clamp((static_cast<float>(i) + 0.5f) * static_cast<float>(from) / static_cast<float>(to) - 0.5f,
                             0.0f, static_cast<float>(from - 1));
  const int low = static_cast<int>(x);
  return {low, std::min(low + 1, from - 1), x - static_cast<float>(low)};
}

// 1 x 3 x 48 x W: bilinear, blue-green-red, -1..1.
onnxrun::Tensor prepare(const Picture& picture) {
  const int width = (kHeight * picture.width + picture.height - 1) / picture.height;
  onnxrun::Tensor tensor(ONNXRUN_DTYPE_FLOAT32, {1, 3, kHeight, width});
  float* out = tensor.mutable_span<float>().data();
  for (int c = 2; c >= 0; --c)
    for (int y = 0; y < kHeight; ++y)
      for (int x = 0; x < width; ++x) {
        const Place v = place(y, picture.height, kHeight), u = place(x, picture.width, width);
        const float above = picture.at(v.low, u.low, c) * (1 - u.part) + picture.at(v.low, u.high, c) * u.part;
        const float below = picture.at(v.high, u.low, c) * (1 - u.part) + picture.at(v.high, u.high, c) * u.part;
        *out++ = ((above * (1 - v.part) + below * v.part) / 255 - 0.5f) / 0.5f;
      }
  return tensor;
}

// The characters by class: the blank, the table of the metadata, the space.
std::vector<std::string> read_alphabet(const onnxrun::Model& model) {
  std::vector<std::string> alphabet{""};
  const std::string table = model.metadata("character");
  for (size_t begin = 0; begin <= table.size();) {
    const size_t end = std::min(table.find('\n', begin), table.size());
    alphabet.push_back(table.substr(begin, end - begin));
    begin = end + 1;
  }
  alphabet.push_back(" ");
  return alphabet;
}

struct Line {
  std::string text;
  double confidence = 0;
};

// Greedy CTC: the best class of each step, repeats and blanks dropped.
Line decode(const onnxrun::Tensor& output, const std::vector<std::string>& alphabet) {
  const auto shape = output.shape();
  const auto steps = static_cast<size_t>(shape.at(1)), classes = static_cast<size_t>(shape.at(2));
  if (classes != alphabet.size()) throw std::runtime_error("the model's character table does not fit its output");
  const auto scores = output.span<float>();
  Line line;
  size_t before = 0, kept = 0;
  for (size_t t = 0; t < steps; ++t) {
    const float* row = &scores[t * classes];
    const auto best = static_cast<size_t>(std::max_element(row, row + classes) - row);
    if (best != before && best != 0) {
      line.text += alphabet[best];
      line.confidence += static_cast<double>(row[best]);
      ++kept;
    }
    before = best;
  }
  if (kept != 0) line.confidence /= static_cast<double>(kept);
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: read_text MODEL.onnx PICTURE.png...\n");
    return 2;
  }
  try {
    const onnxrun::Model model{std::string(argv[1])};
    const onnxrun::Session session(model);
    const std::vector<std::string> alphabet = read_alphabet(model);
    for (int i = 2; i < argc; ++i) {
      const onnxrun::Tensor picture = prepare(read_png(argv[i], 3));
      const auto begin = std::chrono::steady_clock::now();
      const Line line = decode(session.run({{session.inputs().at(0).name, picture}}).at(0), alphabet);
      const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
      std::printf("%s  (confidence %.2f, %.1f ms)\n", line.text.c_str(), line.confidence, time.count());
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
