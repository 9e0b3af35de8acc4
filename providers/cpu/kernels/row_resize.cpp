// Resize along the last two axes row by row: nearest for elements of four bytes, linear for float32.
#include <algorithm>
#include <limits>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "base/parallel.h"
#include "cpu/kernels/fast_products.h"
#include "cpu/loops/resample.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {
namespace {

class RowResize {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(0));
    const auto attributes = ops::read_resize(node, node.input(0).rank);
    if (attributes.mode == ops::ResizeMode::kCubic) return Acceptance::decline("cubic");
    if (attributes.antialias || attributes.transform == ops::ResizeTransform::kCropAndResize)
      return Acceptance::decline("antialias or tf_crop_and_resize");
    if (attributes.mode == ops::ResizeMode::kNearest ? base::dtype_bits(type) != 32 : type != DType::kFloat32)
      return Acceptance::decline("elements that are not of four bytes, or to be interpolated and not float32");
    Acceptance acceptance;
    acceptance.host_input(1).host_input(2).host_input(3);
    return acceptance;
  }

  explicit RowResize(const Node& node)
      : nearest_(ops::read_resize(node, node.input(0).rank).mode == ops::ResizeMode::kNearest) {
    if (provider::count(node.output(0)) == 0) {
      columns_.out = 0;
      return;
    }
    ResizePlan plan = ResizePlan::of(node);
    columns_ = std::move(plan.axes.back());
    plan.axes.pop_back();
    if (!plan.axes.empty()) {
      rows_ = std::move(plan.axes.back());
      plan.axes.pop_back();
    }
    for (const ResampleAxis& axis : plan.axes) {
      if (!axis.identity) throw provider::Declined{"more than the last two axes change"};
      planes_ *= axis.out;
    }
    if (rows_.identity) {  // nothing but the last axis changes: every row stands for itself
      planes_ *= rows_.out;
      rows_ = {};
    }
    if (columns_.in > std::numeric_limits<int32_t>::max()) throw provider::Declined{"rows this long"};
    base::take_kernel_memory(base::checked_mul(columns_.out, 4 * sizeof(float)));
    for (int64_t o = 0; o < columns_.out; ++o) {
      for (size_t tap : {size_t{0}, static_cast<size_t>(columns_.taps - 1)}) {
        const size_t at = static_cast<size_t>(o * columns_.taps) + tap;
        (tap == 0 ? low_ : high_).push_back(static_cast<int32_t>(columns_.identity ? o : columns_.indices[at]));
        (tap == 0 ? low_weight_ : high_weight_)
            .push_back(columns_.identity ? 1.0f : static_cast<float>(columns_.weights[at]));
        if (columns_.taps == 1) break;
      }
    }
    for (int64_t o = 0; o < columns_.out; ++o) doubles_ = doubles_ && low_[static_cast<size_t>(o)] == o / 2;
    slots_ = node.threads() > 0 ? node.threads() : base::available_cpus();
  }

  // Two resampled rows of the input a slot.
  size_t table_bytes() const {
    return rows_.table_bytes() + columns_.table_bytes() + low_.capacity() * 4 * sizeof(float);
  }
  size_t scratch_bytes() const {
    return nearest_ || columns_.identity ? 0 : static_cast<size_t>(2 * slots_ * columns_.out) * sizeof(float);
  }

  void run(RunContext& context) const {
    const int64_t rows = planes_ * rows_.out,
                  slots = rows * columns_.out < 32768 ? 1 : std::min<int64_t>(slots_, context.threads());
    if (columns_.out == 0) return;
    context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        const int64_t first = rows * slot / slots, stop = rows * (slot + 1) / slots;
        if (nearest_) nearest_rows(context, first, stop);
        else linear_rows(context, first, stop, static_cast<float*>(context.scratch()) + 2 * slot * columns_.out);
      }
    });
    context.check_cancelled();
  }

 private:
  int64_t input_row(int64_t row, int64_t tap) const {
    if (rows_.identity) return row;
    return row / rows_.out * rows_.in + rows_.indices[static_cast<size_t>(row % rows_.out * rows_.taps + tap)];
  }

  void nearest_rows(RunContext& context, int64_t first, int64_t stop) const {
    const uint32_t* x = context.in<uint32_t>(0);
    uint32_t* y = context.out<uint32_t>(0);
    for (int64_t row = first; row < stop; ++row) {
      if ((row & 15) == 0 && context.cancelled()) return;
      const int64_t from = input_row(row, 0);
      uint32_t* to = y + row * columns_.out;
      if (columns_.identity) std::copy_n(x + from * columns_.in, columns_.out, to);
      else if (row > first && from == input_row(row - 1, 0)) std::copy_n(to - columns_.out, columns_.out, to);
      else if (doubles_) repeat_each(x + from * columns_.in, to, columns_.out);
      else
        for (int64_t o = 0; o < columns_.out; ++o) to[o] = x[from * columns_.in + low_[static_cast<size_t>(o)]];
    }
  }

  // Every element twice.
  static void repeat_each(const uint32_t* x, uint32_t* y, int64_t count) {
    typedef uint32_t Four __attribute__((vector_size(16), aligned(4), may_alias));
    int64_t o = 0;
    for (; o + 8 <= count; o += 8) {
      const Four value = *reinterpret_cast<const Four*>(x + o / 2);
      *reinterpret_cast<Four*>(y + o) = __builtin_shufflevector(value, value, 0, 0, 1, 1);
      *reinterpret_cast<Four*>(y + o + 4) = __builtin_shufflevector(value, value, 2, 2, 3, 3);
    }
    for (; o < count; ++o) y[o] = x[o / 2];
  }

  // Each row of the input is resampled along its length once; rows of the output blend two of them.
  void linear_rows(RunContext& context, int64_t first, int64_t stop, float* buffers) const {
    const float* x = context.in<float>(0);
    float* y = context.out<float>(0);
    const RowFunctions& functions = row_functions();
    int64_t held[2] = {-1, -1};
    const auto resample = [&](int64_t from, float* to) {
      functions.gather_pairs(x + from * columns_.in, low_.data(), high_.data(), low_weight_.data(), high_weight_.data(),
                             to, columns_.out);
    };
    // The resampled row `from`; it does not take the place of row `kept`.
    const auto get = [&](int64_t from, int64_t kept) -> const float* {
      if (columns_.identity) return x + from * columns_.in;
      size_t k = held[0] == from ? 0 : held[1] == from ? 1 : 2;
      if (k == 2) {
        k = held[0] == kept ? 1 : 0;
        held[k] = from;
        resample(from, buffers + static_cast<int64_t>(k) * columns_.out);
      }
      return buffers + static_cast<int64_t>(k) * columns_.out;
    };
    for (int64_t row = first; row < stop; ++row) {
      if ((row & 15) == 0 && context.cancelled()) return;
      float* to = y + row * columns_.out;
      if (rows_.identity) {
        if (columns_.identity) std::copy_n(x + row * columns_.in, columns_.out, to);
        else resample(row, to);
        continue;
      }
      const double* weights = rows_.weights.data() + row % rows_.out * rows_.taps;
      const int64_t low = input_row(row, 0), high = input_row(row, 1);
      // A weight of 0 takes nothing, not even a NaN.
      if (weights[0] == 0 && weights[1] == 0) {
        std::fill_n(to, columns_.out, 0.0f);
        continue;
      }
      if (weights[0] == 0 || weights[1] == 0) {
        functions.scale(get(weights[0] == 0 ? high : low, -1), static_cast<float>(weights[0] + weights[1]), to,
                        columns_.out);
        continue;
      }
      const float* a = get(low, high);
      functions.blend(a, static_cast<float>(weights[0]), get(high, low), static_cast<float>(weights[1]), to,
                      columns_.out);
    }
  }

  bool nearest_, doubles_ = true;  // the latter: each column of nearest ones stands twice
  ResampleAxis rows_, columns_;
  int64_t planes_ = 1, slots_ = 1;
  std::vector<int32_t> low_, high_;  // by output column: its elements of a row, and their weights
  std::vector<float> low_weight_, high_weight_;
};

}  // namespace

void add_fast_resize(provider::KernelTable& table) {
  add_block_resize(table);
  table.add<RowResize>("", "Resize", "rows");
}

}  // namespace onnxrun::cpu
