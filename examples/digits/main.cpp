// Reads a handwritten digit from a PNG and shows how sure the network is of each digit.
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "picture/png_picture.h"

namespace {

constexpr int kSide = 8;

// Averages areas down to 8 x 8 and scales to 0..1.
std::vector<float> shrink(const Picture& picture) {
  std::vector<float> result;
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      const int top = y * picture.height / kSide, bottom = std::max(top + 1, (y + 1) * picture.height / kSide);
      const int left = x * picture.width / kSide, right = std::max(left + 1, (x + 1) * picture.width / kSide);
      float sum = 0;
      for (int v = top; v < bottom; ++v)
        for (int u = left; u < right; ++u) sum += picture.at(v, u, 0);
      result.push_back(sum / static_cast<float>((bottom - top) * (right - left)) / 255);
    }
  return result;
}

void show(std::span<const float> probabilities) {
  const auto best = std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin();
  for (size_t digit = 0; digit < probabilities.size(); ++digit) {
    const int blocks = static_cast<int>(probabilities[digit] * 40 + 0.5f);
    std::printf("%zu  %6.2f %%  ", digit, static_cast<double>(probabilities[digit] * 100));
    for (int i = 0; i < blocks; ++i) std::printf("█");
    std::printf("%s\n", static_cast<long>(digit) == best ? " <-" : "");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: digits digits.onnx PICTURE.png\n");
    return 2;
  }
  try {
    const onnxrun::Session session(argv[1]);
    const auto image = onnxrun::Tensor::from({1, 1, kSide, kSide}, shrink(read_png(argv[2], 1)));
    session.run({{"image", image}});  // the first run plans
    const auto begin = std::chrono::steady_clock::now();
    const onnxrun::Tensor probabilities = session.run({{"image", image}}).at("probabilities");
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
    show(probabilities.span<float>());
    std::printf("%.3f ms\n", time.count());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
