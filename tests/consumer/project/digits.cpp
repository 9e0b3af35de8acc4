// A user's program in C++: runs the digit model on a pattern and prints the probabilities, one a line.
#include <onnxrun/onnxrun.hpp>

#include <cstdio>
#include <exception>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const onnxrun::Session session(argv[1]);
    std::vector<float> pixels(64);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i * 7 % 16) / 16.0f;
    auto result = session.run({{"image", onnxrun::Tensor::from({1, 1, 8, 8}, pixels)}});
    for (const float p : result.at("probabilities").span<float>()) std::printf("%.6f\n", static_cast<double>(p));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
