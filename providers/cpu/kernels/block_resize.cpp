// Resize of float32 along the last two axes but one, whose elements are rows of lanes: nearest and linear on blocked channels.
#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/kernels/fast_products.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/resample.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {
namespace {

class BlockResize {
 public:
  static Acceptance accepts(const Node& node) {
    const int64_t rank = node.input(0).rank;
    if (dtype(node.input(0)) != DType::kFloat32) return Acceptance::decline("computes in float32 only");
    const auto attributes = ops::read_resize(node, rank);
    if (rank < 3 || std::find(attributes.axes.begin(), attributes.axes.end(), rank - 1) != attributes.axes.end())
      return Acceptance::decline("the last axis may change");
    if (attributes.mode == ops::ResizeMode::kCubic || attributes.antialias ||
        attributes.transform == ops::ResizeTransform::kCropAndResize)
      return Acceptance::decline("cubic, antialias or tf_crop_and_resize");
    Acceptance acceptance;
    acceptance.host_input(1).host_input(2).host_input(3);
    return acceptance;
  }

  explicit BlockResize(const Node& node)
      : nearest_(ops::read_resize(node, node.input(0).rank).mode == ops::ResizeMode::kNearest) {
    if (provider::count(node.output(0)) == 0) {
      planes_ = 0;
      return;
    }
    ResizePlan plan = ResizePlan::of(node);
    const auto take = [&plan] {
      ResampleAxis axis;
      if (plan.axes.empty()) return axis;
      axis = std::move(plan.axes.back());
      plan.axes.pop_back();
      return axis;
    };
    lanes_ = take().out;
    columns_ = take();
    rows_ = take();
    for (const ResampleAxis& axis : plan.axes) {
      if (!axis.identity) throw provider::Declined{"more than two axes change"};
      planes_ *= axis.out;
    }
    for (ResampleAxis* axis : {&rows_, &columns_}) {
      if (!axis->identity) continue;
      axis->taps = 1;
      axis->indices.resize(static_cast<size_t>(axis->out));
      for (int64_t o = 0; o < axis->out; ++o) axis->indices[static_cast<size_t>(o)] = o;
      axis->weights.assign(static_cast<size_t>(axis->out), 1.0);
    }
    if (columns_.taps > 2 || rows_.taps > 2) throw provider::Declined{"more than two elements a coordinate"};
    base::take_kernel_memory(base::checked_mul(columns_.out, 2 * (sizeof(int64_t) + sizeof(float))));
    for (int64_t o = 0; o < columns_.out; ++o)
      for (int64_t tap = 0; tap < 2; ++tap) {
        const auto at = static_cast<size_t>(o * columns_.taps + std::min(tap, columns_.taps - 1));
        from_[tap].push_back(columns_.indices[at] * lanes_);
        weight_[tap].push_back(tap < columns_.taps ? static_cast<float>(columns_.weights[at]) : 0.0f);
      }
  }

  size_t table_bytes() const {
    return rows_.table_bytes() + columns_.table_bytes() +
           2 * (from_[0].capacity() * sizeof from_[0][0] + weight_[0].capacity() * sizeof weight_[0][0]);
  }
  void run(RunContext& context) const {
    const float* x = context.in<float>(0);
    float* y = context.out<float>(0);
    const int64_t in_row = columns_.in * lanes_, out_row = columns_.out * lanes_;
    parallel_polled(context, planes_ * rows_.out, Cost(out_row) * 8, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const auto at = static_cast<size_t>(row % rows_.out * rows_.taps);
        const float* plane = x + row / rows_.out * rows_.in * in_row;
        const float* low = plane + rows_.indices[at] * in_row;
        float* to = y + row * out_row;
        if (nearest_) {
          for (int64_t o = 0; o < columns_.out; ++o)
            std::memcpy(to + o * lanes_, low + from_[0][static_cast<size_t>(o)],
                        static_cast<size_t>(lanes_) * sizeof(float));
          continue;
        }
        const bool two = rows_.taps == 2;
        row_functions().blend_lanes(low, static_cast<float>(rows_.weights[at]),
                                    two ? plane + rows_.indices[at + 1] * in_row : low,
                                    two ? static_cast<float>(rows_.weights[at + 1]) : 0.0f, from_[0].data(),
                                    weight_[0].data(), from_[1].data(), weight_[1].data(), lanes_, to, columns_.out);
      }
    });
  }

 private:
  bool nearest_;
  ResampleAxis rows_, columns_;
  int64_t planes_ = 1, lanes_ = 1;
  std::vector<int64_t> from_[2];  // by output column: where its two elements start in a row
  std::vector<float> weight_[2];
};

}  // namespace

void add_block_resize(provider::KernelTable& table) { table.add<BlockResize>("", "Resize", "lanes"); }

}  // namespace onnxrun::cpu
