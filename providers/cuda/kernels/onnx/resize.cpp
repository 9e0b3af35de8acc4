// Resize: tables of taps made on the host, sent to scratch memory, and applied by one kernel.
#include "cuda/device/resample.h"

#include <cstring>
#include <vector>

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/open_output.h"
#include "ops/attributes/resample.h"

namespace onnxrun::cuda {
namespace {

// The tables of all axes, one after the other as the device will have them.
struct Tables {
  Resampling how;
  base::Dims out;
  std::vector<char> bytes;
  struct Place {
    size_t indices = 0, weights = 0, outside = 0;
    bool there = false, marks = false;
  };
  std::vector<Place> places;

  template <class T, class Source>
  size_t append(const std::vector<Source>& values) {
    const size_t at = (bytes.size() + 15) / 16 * 16;
    bytes.resize(at + values.size() * sizeof(T));
    for (size_t i = 0; i < values.size(); ++i) {
      const T value = static_cast<T>(values[i]);
      std::memcpy(bytes.data() + at + i * sizeof(T), &value, sizeof(T));
    }
    return at;
  }
};

class Resize {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(0));
    if (find_resample(type) == nullptr) return no_kernel(node);
    if (node.input(0).rank > kMaxAxes) return Acceptance::decline("too many axes");
    const bool crop = node.get_string("coordinate_transformation_mode") == "tf_crop_and_resize";
    if (crop && (node.input(1).data == nullptr || dtype(node.input(1)) != DType::kFloat32))
      return Acceptance::decline("a region that is no constant of float32");
    return Acceptance().host_input(1).host_input(2).host_input(3);
  }

  explicit Resize(const Node& node)
      : attributes_(ops::read_resize(node, node.input(0).rank)),
        launch_(find_resample(dtype(node.input(0)))),
        in_(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()) {
    if (in_.size() > kMaxAxes) throw provider::Declined{"too many axes"};
    for (const size_t i : {size_t{2}, size_t{3}})
      if (node.has_input(i) && node.input(i).data == nullptr)
        throw provider::Declined{"scales or sizes that are not known when the shapes are"};
    tables_ = make(node.input(1), node.input(2), node.input(3));
  }

  size_t scratch_bytes() const { return tables_.bytes.size(); }

  void run(RunContext& context) const {
    const onnxrun_tensor& y = open_output(context, 0, tables_.out);
    if (provider::count(y) == 0) return;
    Stream& stream = stream_of(context);
    auto* device = static_cast<char*>(context.scratch());
    stream.send(tables_.bytes.data(), device, tables_.bytes.size());
    Resampling how = tables_.how;
    for (size_t d = 0; d < tables_.places.size(); ++d) {
      const Tables::Place& place = tables_.places[d];
      if (!place.there) continue;
      how.axes[d].indices = reinterpret_cast<const int64_t*>(device + place.indices);
      how.axes[d].weights = reinterpret_cast<const float*>(device + place.weights);
      if (place.marks) how.axes[d].outside = reinterpret_cast<const bool*>(device + place.outside);
    }
    launch_(queue_of(stream), how, context.input(0).data, y.data);
  }

 private:
  Tables make(const onnxrun_tensor& roi, const onnxrun_tensor& scales, const onnxrun_tensor& sizes) const {
    const bool by_sizes = provider::present(sizes) && provider::count(sizes) != 0;
    std::vector<float> factors;
    if (!by_sizes && provider::present(scales))
      factors.assign(static_cast<const float*>(scales.data),
                     static_cast<const float*>(scales.data) + provider::count(scales));
    std::vector<int64_t> wanted;
    if (by_sizes) wanted = ints_of(sizes);
    const auto resized = ops::resize_axes(attributes_, in_, factors, wanted);
    std::vector<double> start(in_.size(), 0.0), end(in_.size(), 1.0);
    if (attributes_.transform == ops::ResizeTransform::kCropAndResize) {
      const auto* region = static_cast<const float*>(roi.data);
      const size_t given = attributes_.axes.size();
      if (provider::count(roi) != static_cast<int64_t>(2 * given))
        base::fail(base::Code::kRunFailed, "input 'roi' has {} values, expected {}", provider::count(roi), 2 * given);
      for (size_t i = 0; i < given; ++i) {
        start[static_cast<size_t>(attributes_.axes[i])] = static_cast<double>(region[i]);
        end[static_cast<size_t>(attributes_.axes[i])] = static_cast<double>(region[given + i]);
      }
    }
    Tables tables;
    tables.how.rank = static_cast<int>(in_.size());
    tables.how.nearest = attributes_.mode == ops::ResizeMode::kNearest;
    tables.how.extrapolation = attributes_.extrapolation;
    tables.places.resize(in_.size());
    for (size_t d = 0; d < in_.size(); ++d) {
      const ops::ResampleAxis axis(attributes_, resized[d], start[d], end[d]);
      tables.out.push_back(resized[d].out);
      tables.how.count *= axis.out;
      tables.how.axes[d].in = axis.in, tables.how.axes[d].out = axis.out;
      if (axis.identity) continue;
      tables.how.axes[d].taps = axis.taps;
      tables.how.choices = base::checked_mul(tables.how.choices, axis.taps);
      Tables::Place& place = tables.places[d];
      place.there = true;
      place.marks = !axis.extrapolated.empty();
      place.indices = tables.append<int64_t>(axis.indices);
      place.weights = tables.append<float>(axis.weights);
      if (place.marks) place.outside = tables.append<bool>(axis.extrapolated);
    }
    return tables;
  }

  ops::ResizeAttributes attributes_;
  ResampleLaunch launch_;
  base::Dims in_;
  Tables tables_;
};

}  // namespace

void kernels_onnx_resize(provider::KernelTable& table) { add<Resize>(table, "", "Resize", "taps"); }

}  // namespace onnxrun::cuda
