// RoiAlign and MaxRoiPool.
#include "cuda/device/region.h"
#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {
namespace {

Regions regions_of(const Node& node) {
  const auto x = provider::dims(node.input(0)), y = provider::dims(node.output(0));
  Regions how;
  how.count = provider::dims(node.input(1))[0];
  how.batch = x[0], how.channels = x[1], how.height = x[2], how.width = x[3];
  how.rows = y[2], how.columns = y[3];
  how.scale = static_cast<double>(node.get_float("spatial_scale", 1.0f));
  how.region_type = dtype(node.input(1));
  return how;
}

class RoiAlign {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.get_int("sampling_ratio", 0) > kMostSamples) return Acceptance::decline("too many samples a bin");
    const bool known = find_align(dtype(node.input(0))) != nullptr && find_align(dtype(node.input(1))) != nullptr;
    return known ? Acceptance() : no_kernel(node);
  }
  explicit RoiAlign(const Node& node) : launch_(find_align(dtype(node.input(0)))), how_(regions_of(node)) {
    alignment_.ratio = node.get_int("sampling_ratio", 0);
    alignment_.largest = node.get_string("mode", "avg") == "max";
    alignment_.half_pixel = node.get_string("coordinate_transformation_mode", "half_pixel") == "half_pixel";
  }
  void run(RunContext& context) const {
    Regions how = how_;
    how.regions = context.input(1).data;
    how.report = stream_of(context).expect("RoiAlign: a value of input 'batch_indices' is no image of the batch");
    Alignment alignment = alignment_;
    alignment.images = context.in<int64_t>(2);
    launch_(queue_of(context), how, alignment, context.input(0).data, context.output(0).data);
  }

 private:
  static constexpr int64_t kMostSamples = 4096;  // along an axis: a kernel that runs cannot be cancelled

  AlignLaunch launch_;
  Regions how_;
  Alignment alignment_;
};

class MaxRoiPool {
 public:
  static Acceptance accepts(const Node& node) {
    return find_region_max(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit MaxRoiPool(const Node& node) : launch_(find_region_max(dtype(node.input(0)))), how_(regions_of(node)) {}
  void run(RunContext& context) const {
    Regions how = how_;
    how.regions = context.input(1).data;
    how.report = stream_of(context).expect("MaxRoiPool: input 'rois' names an image beyond the batch");
    launch_(queue_of(context), how, context.input(0).data, context.output(0).data);
  }

 private:
  RegionMaxLaunch launch_;
  Regions how_;
};

}  // namespace

void kernels_onnx_roi_align(provider::KernelTable& table) {
  add<RoiAlign>(table, "", "RoiAlign", "bins");
  add<MaxRoiPool>(table, "", "MaxRoiPool", "bins");
}

}  // namespace onnxrun::cuda
