// HannWindow, HammingWindow, BlackmanWindow and MelWeightMatrix, in double.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scalar.h"

namespace onnxrun::cpu {
namespace {

class Window {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Window(const Node& node)
      : periodic_(node.get_int("periodic", 1) != 0), save_(scalar_save(dtype(node.output(0)))) {
    if (node.op() == "HannWindow") factors_ = {0.5, 0.5, 0};
    else if (node.op() == "HammingWindow") factors_ = {25.0 / 46.0, 21.0 / 46.0, 0};
    else factors_ = {0.42, 0.5, 0.08};
  }

  void run(RunContext& context) const {
    const int64_t size = provider::count(context.output(0));
    const double period = static_cast<double>(periodic_ ? size : size - 1);
    parallel_polled(context, size, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const double angle = period > 0 ? 2 * std::numbers::pi * static_cast<double>(i) / period : std::numbers::pi;
        save_(context.output(0).data, i,
              factors_.level - factors_.first * std::cos(angle) + factors_.second * std::cos(2 * angle));
      }
    });
  }

 private:
  struct Factors {
    double level, first, second;
  };
  bool periodic_;
  Save save_;
  Factors factors_{};
};

class MelWeightMatrix {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit MelWeightMatrix(const Node& node) : save_(scalar_save(dtype(node.output(0)))) {}

  void run(RunContext& context) const {
    const auto dims = provider::dims(context.output(0));
    const int64_t rows = dims[0], bins = dims[1];
    const int64_t length = int_at(context.input(1), 0), rate = int_at(context.input(2), 0);
    if (rate <= 0) base::fail(base::Code::kRunFailed, "MelWeightMatrix: sample_rate must be positive, got {}", rate);
    const auto mel = [&](size_t input) {
      const double hertz = scalar_load(dtype(context.input(input)))(context.input(input).data, 0);
      return 2595.0 * std::log10(1.0 + hertz / 700.0);
    };
    const double low = mel(3), step = (mel(4) - low) / static_cast<double>(bins + 2);
    // The spectrogram bin at each edge of the triangles.
    const auto edge = [&](int64_t i) {
      const double hertz = 700.0 * (std::pow(10.0, (static_cast<double>(i) * step + low) / 2595.0) - 1.0);
      const double bin = std::floor(static_cast<double>(length + 1) * hertz / static_cast<double>(rate));
      if (!(bin >= 0 && bin < static_cast<double>(rows)))
        base::fail(base::Code::kRunFailed,
                   "MelWeightMatrix: edge {} at {} Hz lies outside the {} bins of the spectrogram", i, hertz, rows);
      return static_cast<int64_t>(bin);
    };
    for (int64_t i = 0; i < rows * bins; ++i) save_(context.output(0).data, i, 0.0);
    Pacer pacer(context);
    for (int64_t i = 0; i < bins; ++i) {
      pacer.did(4 * rows);
      const int64_t left = edge(i), middle = edge(i + 1), right = edge(i + 2);
      const auto put = [&](int64_t row, double value) { save_(context.output(0).data, row * bins + i, value); };
      if (left == middle) put(middle, 1.0);
      for (int64_t j = left; j <= middle && left < middle; ++j)
        put(j, static_cast<double>(j - left) / static_cast<double>(middle - left));
      for (int64_t j = middle; j < right; ++j)
        put(j, static_cast<double>(right - j) / static_cast<double>(right - middle));
    }
  }

 private:
  Save save_;
};

}  // namespace

void kernels_onnx_window(provider::KernelTable& table) {
  table.add<Window>("", "HannWindow", "reference");
  table.add<Window>("", "HammingWindow", "reference");
  table.add<Window>("", "BlackmanWindow", "reference");
  table.add<MelWeightMatrix>("", "MelWeightMatrix", "reference");
}

}  // namespace onnxrun::cpu
