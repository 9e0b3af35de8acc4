// HannWindow, HammingWindow, BlackmanWindow and MelWeightMatrix.
#include "cuda/device/window.h"

#include <cmath>
#include <vector>

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/open_output.h"

namespace onnxrun::cuda {
namespace {

class Window {
 public:
  static Acceptance accepts(const Node& node) {
    if (!has_window(dtype(node.output(0)))) return Acceptance::decline("no window of this type");
    return Acceptance().host_input(0);
  }
  explicit Window(const Node& node) : periodic_(node.get_int("periodic", 1) != 0) {
    if (node.op() == "HannWindow") how_.level = how_.first = 0.5;
    else if (node.op() == "HammingWindow") how_.level = 25.0 / 46.0, how_.first = 21.0 / 46.0;
    else how_.level = 0.42, how_.first = 0.5, how_.second = 0.08;
  }
  void run(RunContext& context) const {
    CosineWindow how = how_;
    const int64_t dims[] = {ints_of(context.input(0))[0]};
    const onnxrun_tensor& y = open_output(context, 0, dims);
    how.size = provider::count(y);
    how.period = static_cast<double>(periodic_ ? how.size : how.size - 1);
    launch_window(queue_of(context), how, dtype(y), y.data);
  }

 private:
  bool periodic_;
  CosineWindow how_;
};

// Triangles that the host draws: the matrix is small, and made of a few numbers.
class MelWeightMatrix {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance result;
    for (size_t i = 0; i < 5; ++i) result.host_input(i);
    if (find_cast(DType::kFloat64, dtype(node.output(0))) == nullptr || !is_plain_float(dtype(node.input(3))))
      return Acceptance::decline("no matrix of this type");
    return result;
  }
  explicit MelWeightMatrix(const Node& node)
      : cast_(find_cast(DType::kFloat64, dtype(node.output(0)))),
        rows_(provider::dims(node.output(0))[0]),
        bins_(provider::dims(node.output(0))[1]) {}
  size_t scratch_bytes() const {
    return static_cast<size_t>(base::checked_mul(base::checked_mul(rows_, bins_), sizeof(double)));
  }

  void run(RunContext& context) const {
    const std::vector<double> matrix = draw(context);
    stream_of(context).send(matrix.data(), context.scratch(), matrix.size() * sizeof(double));
    cast_(queue_of(context), context.scratch(), context.output(0).data, rows_ * bins_);
  }

 private:
  std::vector<double> draw(RunContext& context) const {
    const int64_t length = ints_of(context.input(1))[0], rate = ints_of(context.input(2))[0];
    if (rate <= 0) base::fail(base::Code::kRunFailed, "MelWeightMatrix: sample_rate must be positive, got {}", rate);
    const auto mel = [&](size_t i) { return 2595.0 * std::log10(1.0 + float_of(context.input(i)) / 700.0); };
    const double low = mel(3), step = (mel(4) - low) / static_cast<double>(bins_ + 2);
    // The spectrogram bin at each edge of the triangles.
    const auto edge = [&](int64_t i) {
      const double hertz = 700.0 * (std::pow(10.0, (static_cast<double>(i) * step + low) / 2595.0) - 1.0);
      const double bin = std::floor(static_cast<double>(length + 1) * hertz / static_cast<double>(rate));
      if (!(bin >= 0 && bin < static_cast<double>(rows_)))
        base::fail(base::Code::kRunFailed,
                   "MelWeightMatrix: edge {} at {} Hz lies outside the {} bins of the spectrogram", i, hertz, rows_);
      return static_cast<int64_t>(bin);
    };
    std::vector<double> matrix(static_cast<size_t>(rows_ * bins_), 0.0);
    for (int64_t i = 0; i < bins_; ++i) {
      const int64_t left = edge(i), middle = edge(i + 1), right = edge(i + 2);
      const auto put = [&](int64_t row, int64_t part, int64_t whole) {
        matrix[static_cast<size_t>(row * bins_ + i)] = static_cast<double>(part) / static_cast<double>(whole);
      };
      if (left == middle) put(middle, 1, 1);
      for (int64_t j = left; j <= middle && left < middle; ++j) put(j, j - left, middle - left);
      for (int64_t j = middle; j < right; ++j) put(j, right - j, right - middle);
    }
    return matrix;
  }

  CastLaunch cast_;
  int64_t rows_, bins_;
};

}  // namespace

void kernels_onnx_window(provider::KernelTable& table) {
  for (const char* op : {"HannWindow", "HammingWindow", "BlackmanWindow"}) add<Window>(table, "", op, "map");
  add<MelWeightMatrix>(table, "", "MelWeightMatrix", "host");
}

}  // namespace onnxrun::cuda
