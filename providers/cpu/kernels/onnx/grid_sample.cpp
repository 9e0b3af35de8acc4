// GridSample: nearest, linear or cubic samples of an image in any number of axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/shape.h"
#include "cpu/cpu.h"
#include "cpu/loops/convert.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/sample_row.h"

namespace onnxrun::cpu {
namespace {

enum class Padding { kZeros, kBorder, kReflection };

class GridSample {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit GridSample(const Node& node) : unit_(unit_of(node.input(0).dtype)) {
    const std::string mode = node.get_string("mode", "linear"), padding = node.get_string("padding_mode", "zeros");
    taps_ = mode == "nearest" ? 1 : mode == "linear" ? 2 : 4;
    padding_ = padding == "zeros" ? Padding::kZeros : padding == "border" ? Padding::kBorder : Padding::kReflection;
    align_ = node.get_int("align_corners", 0) != 0;
    const auto in = provider::dims(node.input(0)), out = provider::dims(node.output(0));
    batch_ = in[0];
    channels_ = in[1];
    space_.assign(in.begin() + 2, in.end());
    plane_ = base::element_count(space_);
    for (size_t d = 2; d < out.size(); ++d) points_ *= out[d];
    load_grid_ = converter(dtype(node.input(1)), DType::kFloat64);
    grid_bytes_ = base::dtype_bits(dtype(node.input(1))) / 8;
    rounds_ = dtype(node.input(1)) != DType::kFloat64;
    if (taps_ == 1) return;
    load_ = converter(dtype(node.input(0)), DType::kFloat64);
    store_ = converter(DType::kFloat64, dtype(node.input(0)));
    if (load_ == nullptr || store_ == nullptr) throw provider::Declined{"elements that cannot be interpolated"};
  }

  void run(RunContext& context) const {
    if (plane_ == 0 && batch_ * channels_ * points_ != 0)
      base::fail(base::Code::kRunFailed, "input 'X' has no elements to sample");
    const size_t axes = space_.size();
    context.parallel(batch_ * points_, 512, [&](int64_t begin, int64_t end) {
      Pacer pacer(context);
      for (int64_t item = begin; item < end; ++item) {
        double at[kMaxAxes];
        load_grid_(context.in<char>(1) + item * static_cast<int64_t>(axes) * grid_bytes_, at,
                   static_cast<int64_t>(axes));
        std::reverse(at, at + axes);
        for (size_t d = 0; d < axes; ++d) at[d] = position(at[d], space_[d]);
        sample(context, item / points_, item % points_, at, pacer);
      }
    });
  }

 protected:
  static constexpr size_t kMaxAxes = 10;

  static double reflect(double x, double low, double high) {
    const double range = high - low;
    if (!std::isfinite(x)) return low;
    if (range <= 0) return low;
    const bool below = x < low;
    if (!below && x <= high) return x;
    const double over = below ? low - x : x - high, turns = std::floor(over / range), rest = over - turns * range;
    const bool even = std::fmod(turns, 2) == 0;
    return below == even ? low + rest : high - rest;
  }

  // The coordinate in pixels of a normalised one, in the precision of the grid but no less than float32's.
  double position(double n, int64_t size) const {
    const double length = static_cast<double>(size);
    double x = align_ ? (n + 1) / 2 * (length - 1) : ((n + 1) * length - 1) / 2;
    if (rounds_) x = static_cast<double>(static_cast<float>(x));
    if (taps_ == 1) x = std::nearbyint(x);
    const double low = align_ ? 0.0 : -0.5, high = align_ ? length - 1 : length - 0.5;
    // Of a cubic sample the neighbours are brought inside, each by itself.
    if (taps_ < 4 && (x < low || x > high || std::isnan(x))) {
      if (padding_ == Padding::kBorder) x = std::clamp(std::isnan(x) ? 0.0 : x, 0.0, length - 1);
      if (padding_ == Padding::kReflection) x = reflect(x, low, high);
    }
    return std::isnan(x) ? -2.0 : std::clamp(x, -1e15, 1e15);
  }

  // The element along an axis that coordinate `i` stands for; -1 for a zero.
  int64_t element(int64_t i, int64_t size) const {
    if (i >= 0 && i < size) return i;
    if (padding_ == Padding::kZeros) return -1;
    if (padding_ == Padding::kBorder) return std::clamp<int64_t>(i, 0, size - 1);
    const double length = static_cast<double>(size);
    const double at = reflect(static_cast<double>(i), align_ ? 0.0 : -0.5, align_ ? length - 1 : length - 0.5);
    return std::clamp<int64_t>(static_cast<int64_t>(at), 0, size - 1);
  }

  static void cubic(double t, double* w) {
    constexpr double a = -0.75;
    w[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    w[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    w[2] = ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1;
    w[3] = ((a * (2 - t) - 5 * a) * (2 - t) + 8 * a) * (2 - t) - 4 * a;
  }

  void sample(RunContext& context, int64_t n, int64_t point, const double* at, Pacer& pacer) const {
    const size_t axes = space_.size();
    int64_t index[kMaxAxes][4];
    double weight[kMaxAxes][4];
    for (size_t d = 0; d < axes; ++d) {
      const int64_t first = static_cast<int64_t>(taps_ == 1 ? at[d] : std::floor(at[d]));
      const double t = at[d] - static_cast<double>(first);
      weight[d][0] = 1;
      if (taps_ == 2) weight[d][0] = 1 - t, weight[d][1] = t;
      if (taps_ == 4) cubic(t, weight[d]);
      for (int64_t k = 0; k < taps_; ++k) index[d][k] = element(first + k - (taps_ == 4 ? 1 : 0), space_[d]);
    }
    const char* x = context.in<char>(0) + n * channels_ * plane_ * unit_.bytes;
    char* y = context.out<char>(0) + (n * channels_ * points_ + point) * unit_.bytes;
    if (taps_ == 1) {
      int64_t from = 0;
      pacer.did(channels_ + static_cast<int64_t>(axes));
      for (size_t d = 0; d < axes; ++d) from = index[d][0] < 0 || from < 0 ? -1 : from * space_[d] + index[d][0];
      with_storage(unit_, [&](auto zero) {
        using T = decltype(zero);
        for (int64_t c = 0; c < channels_; ++c)
          reinterpret_cast<T*>(y)[c * points_] = from < 0 ? T() : reinterpret_cast<const T*>(x)[c * plane_ + from];
      });
      return;
    }
    int64_t combinations = 1;
    for (size_t d = 0; d < axes; ++d) combinations *= taps_;
    for (int64_t c = 0; c < channels_; ++c) {
      double sum = 0;
      pacer.did(combinations * static_cast<int64_t>(axes));
      for (int64_t k = 0; k < combinations; ++k) {
        int64_t from = 0, rest = k;
        double factor = 1;
        for (size_t d = 0; d < axes; ++d) {
          const int64_t tap = rest % taps_;
          rest /= taps_;
          factor *= weight[d][tap];
          from = index[d][tap] < 0 || from < 0 ? -1 : from * space_[d] + index[d][tap];
        }
        if (from < 0) continue;
        double value;
        load_(x + (c * plane_ + from) * unit_.bytes, &value, 1);
        sum += factor * value;
      }
      store_(&sum, y + c * points_ * unit_.bytes, 1);
    }
  }

  Unit unit_;
  int64_t taps_ = 2;
  Padding padding_ = Padding::kZeros;
  bool align_ = false, rounds_ = true;
  int64_t batch_ = 0, channels_ = 0, plane_ = 1, points_ = 1, grid_bytes_ = 4;
  base::Dims space_;
  Converter load_grid_ = nullptr, load_ = nullptr, store_ = nullptr;
};

// Linear or nearest samples of float32 images: where a point's taps lie and what they weigh is found once for all channels.
class ImageSamples : GridSample {
 public:
  static Acceptance accepts(const Node& node) {
    if (dtype(node.input(0)) != DType::kFloat32) return Acceptance::decline("samples float32 only");
    if (node.get_string("mode", "linear") == "cubic") return Acceptance::decline("no cubic samples");
    return {};
  }
  explicit ImageSamples(const Node& node) : GridSample(node) {
    if (space_.size() != 2) throw provider::Declined{"samples images only"};
    if (plane_ > std::numeric_limits<int32_t>::max()) throw provider::Declined{"planes this large"};
  }

  void run(RunContext& context) const {
    if (plane_ == 0 && batch_ * channels_ * points_ != 0)
      base::fail(base::Code::kRunFailed, "input 'X' has no elements to sample");
    const int64_t blocks = (points_ + kPoints - 1) / kPoints;
    context.parallel(batch_ * blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t n = item / blocks, first = item % blocks * kPoints, count = std::min(kPoints, points_ - first);
        SampleTaps taps;
        place(context.in<char>(1) + (n * points_ + first) * 2 * grid_bytes_, count, taps);
        for (int64_t c = 0; c < channels_; ++c) {
          if ((c & 63) == 0 && context.cancelled()) return;
          const float* x = context.in<float>(0) + (n * channels_ + c) * plane_;
          float* y = context.out<float>(0) + (n * channels_ + c) * points_ + first;
          if (taps_ == 1) nearest(x, taps, count, y);
          else sample_row(x, taps, count, y);
        }
      }
    });
    context.check_cancelled();
  }

 private:
  static constexpr int64_t kPoints = SampleTaps::kPoints;  // placed at a time

  void place(const char* grid, int64_t count, SampleTaps& taps) const {
    double at[2 * kPoints];
    load_grid_(grid, at, 2 * count);
    for (int64_t p = 0; p < count; ++p) {
      const double column = position(at[2 * p], space_[1]), row = position(at[2 * p + 1], space_[0]);
      const double left = taps_ == 1 ? column : std::floor(column), top = taps_ == 1 ? row : std::floor(row);
      const float right_part = static_cast<float>(column - left), lower_part = static_cast<float>(row - top);
      const auto first_row = static_cast<int64_t>(top), first_column = static_cast<int64_t>(left);
      const int64_t rows[] = {element(first_row, space_[0]), element(first_row + 1, space_[0])},
                    columns[] = {element(first_column, space_[1]), element(first_column + 1, space_[1])};
      for (int64_t k = 0; k < taps_ * taps_; ++k) {
        const int64_t i = rows[k / 2], j = columns[k % 2];
        taps.inside[k][p] = i >= 0 && j >= 0 ? ~uint32_t{0} : 0;
        taps.from[k][p] = static_cast<int32_t>(taps.inside[k][p] != 0 ? i * space_[1] + j : 0);
        taps.weight[k][p] = (k % 2 == 0 ? 1 - right_part : right_part) * (k / 2 == 0 ? 1 - lower_part : lower_part);
      }
    }
  }

  static void nearest(const float* x, const SampleTaps& taps, int64_t count, float* y) {
    for (int64_t p = 0; p < count; ++p) y[p] = taps.inside[0][p] != 0 ? x[taps.from[0][p]] : 0.0f;
  }
};

}  // namespace

void kernels_onnx_grid_sample(provider::KernelTable& table) {
  table.add<ImageSamples>("", "GridSample", "images");
  table.add<GridSample>("", "GridSample", "reference");
}

}  // namespace onnxrun::cpu
