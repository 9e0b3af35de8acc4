// Resize: tables of taps made on the host, sent to scratch memory, and applied by one kernel.
#include "cuda/device/resample.h"

#include <cstring>
#include <vector>

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"
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
    if (node.has_input(1) && !is_plain_float(dtype(node.input(1))))
      return Acceptance::decline("a region of an unusual type");
    return Acceptance().host_input(1).host_input(2).host_input(3);
  }

  explicit Resize(const Node& node)
      : attributes_(ops::read_resize(node, node.input(0).rank)),
        launch_(find_resample(dtype(node.input(0)))),
        in_(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()) {
    if (in_.size() > kMaxAxes) throw provider::Declined{"too many axes"};
    for (const size_t i : {size_t{2}, size_t{3}})
      if (node.has_input(i) && node.input(i).data == nullptr && provider::count(node.input(i)) != 0)
        throw provider::Declined{"scales or sizes that are not known when the shapes are"};
    const bool by_sizes = node.has_input(3) && provider::count(node.input(3)) != 0;
    if (!by_sizes && node.has_input(2))
      factors_.assign(static_cast<const float*>(node.input(2).data),
                      static_cast<const float*>(node.input(2).data) + provider::count(node.input(2)));
    if (by_sizes) sizes_ = ints_of(node.input(3));
    const bool crop = attributes_.transform == ops::ResizeTransform::kCropAndResize;
    if (crop && !node.has_input(1)) base::fail(base::Code::kInvalidModel, "tf_crop_and_resize needs the input 'roi'");
    late_ = crop && node.input(1).data == nullptr;
    // A region that is not known yet: one that takes no less memory than any other.
    tables_ = make(late_  ? std::vector<double>(2 * attributes_.axes.size(), 0.25)
                   : crop ? region_of(node.input(1))
                          : std::vector<double>());
  }

  size_t scratch_bytes() const { return tables_.bytes.size(); }

  void run(RunContext& context) const {
    if (late_) return apply(context, make(region_of(context.input(1))));
    apply(context, tables_);
  }

 private:
  std::vector<double> region_of(const onnxrun_tensor& roi) const {
    const size_t wanted = 2 * attributes_.axes.size();
    if (provider::count(roi) != static_cast<int64_t>(wanted))
      base::fail(base::Code::kRunFailed, "input 'roi' has {} values, expected {}", provider::count(roi), wanted);
    std::vector<double> region;
    for (size_t i = 0; i < wanted; ++i) region.push_back(float_of(roi, static_cast<int64_t>(i)));
    return region;
  }

  void apply(RunContext& context, const Tables& tables) const {
    const onnxrun_tensor& y = open_output(context, 0, tables.out);
    if (provider::count(y) == 0) return;
    Stream& stream = stream_of(context);
    auto* device = static_cast<char*>(context.scratch());
    stream.send(tables.bytes.data(), device, tables.bytes.size());
    Resampling how = tables.how;
    for (size_t d = 0; d < tables.places.size(); ++d) {
      const Tables::Place& place = tables.places[d];
      if (!place.there) continue;
      how.axes[d].indices = reinterpret_cast<const int64_t*>(device + place.indices);
      how.axes[d].weights = reinterpret_cast<const double*>(device + place.weights);
      if (place.marks) how.axes[d].outside = reinterpret_cast<const bool*>(device + place.outside);
    }
    launch_(queue_of(stream), how, context.input(0).data, y.data);
  }

  // `region`: of tf_crop_and_resize, its starts along the resized axes, then its ends.
  Tables make(const std::vector<double>& region) const {
    const auto resized = ops::resize_axes(attributes_, in_, factors_, sizes_);
    std::vector<double> start(in_.size(), 0.0), end(in_.size(), 1.0);
    for (size_t i = 0; i < region.size() / 2; ++i) {
      start[static_cast<size_t>(attributes_.axes[i])] = region[i];
      end[static_cast<size_t>(attributes_.axes[i])] = region[region.size() / 2 + i];
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
      place.weights = tables.append<double>(axis.weights);
      if (place.marks) place.outside = tables.append<bool>(axis.extrapolated);
    }
    return tables;
  }

  ops::ResizeAttributes attributes_;
  ResampleLaunch launch_;
  base::Dims in_;
  std::vector<float> factors_;
  std::vector<int64_t> sizes_;
  bool late_ = false;  // the region is known at the run only
  Tables tables_;
};

}  // namespace

void kernels_onnx_resize(provider::KernelTable& table) { add<Resize>(table, "", "Resize", "taps"); }

}  // namespace onnxrun::cuda
